"""Reads of what is kept about people. The functions that take a user are the only way to a row."""
