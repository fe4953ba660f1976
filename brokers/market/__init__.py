"""Prices: from the brokers' market-data sockets into memory, and behind that into rows for the pages."""
