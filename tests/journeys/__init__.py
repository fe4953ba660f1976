"""Whole journeys on real processes and sockets: the exchange, the engine, the database between them."""
