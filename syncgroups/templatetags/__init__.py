"""Filters and tags for templates of groups, orders and the log."""
