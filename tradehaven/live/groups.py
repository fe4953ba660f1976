"""Names of the channel groups: one for each owner, and one for prices."""

from tradehaven.domain.ids import OwnerId

TICKS = "live.ticks"
"""The group that carries everybody's prices."""


def owner_group(owner: OwnerId) -> str:
    """Return the group that carries one owner's changes."""
    return f"live.{owner}"
