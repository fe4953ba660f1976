"""Writes to the groups' tables, by noun: groups, lineage."""
