"""Broker matters as pure functions: delays, budgets, candles. No protocol, no I/O."""
