"""Guardrails against formulas: whole days of prices through the product's own path and through a slow one."""
