"""Writes to the groups' tables, by noun: activity, gates, groups, lineage, logins."""
