"""Guardrails as pure functions. They know orders, limits and gates; they have never heard of groups."""
