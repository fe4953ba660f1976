"""How the apps above learn that somebody's plan changed: they hold what a plan allows, and look down only."""

from django.dispatch import Signal

plan_changed = Signal()
"""Sent inside the transaction, with `owner_id`, `was_live` and `is_live`."""
