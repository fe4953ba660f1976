"""Copying as pure functions: settings and facts in, decisions out. No I/O, no clock, no chance."""
