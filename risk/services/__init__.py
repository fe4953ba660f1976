"""Writes to gates and limits, by noun: gates, limits."""
