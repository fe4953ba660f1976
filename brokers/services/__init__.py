"""Writes to the brokers' tables, by noun: connections, facts, stamps."""
