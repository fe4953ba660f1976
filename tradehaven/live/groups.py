"""Names of the channel groups: one for each owner."""

from tradehaven.domain.ids import OwnerId


def owner_group(owner: OwnerId) -> str:
    """Return the group that carries one owner's changes."""
    return f"live.{owner}"
