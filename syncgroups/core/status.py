"""The four status colours and when each shows (DASH-04). One place decides, every page asks."""

from dataclasses import dataclass
from enum import StrEnum

PATIENCE = 60.0
"""Seconds that a broken link may take to come back before it is called disconnected (CONN-06)."""


class Colour(StrEnum):
    """What a status looks like."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    GRAY = "gray"


@dataclass(frozen=True, slots=True)
class Status:
    """A colour never stands alone: the word says the same, `detail` why."""

    colour: Colour
    word: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """How a login stands. `down_for` is seconds, None when its socket was never up."""

    authorized: bool
    refreshing: bool
    up: bool
    down_for: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What stands shut over something."""

    halted: bool = False
    reducing: bool = False
    reason: str = ""


def link_status(link: LinkState) -> Status:
    """Return the status of a login."""
    if not link.authorized:
        return Status(Colour.RED, "Disconnected", link.reason or "Reconnect to go on.")
    if link.refreshing:
        return Status(Colour.YELLOW, "Refreshing", link.reason or "A new token is on its way.")
    if link.up:
        return Status(Colour.GREEN, "Connected")
    if link.down_for is None or link.down_for < PATIENCE:
        return Status(Colour.YELLOW, "Connecting", link.reason)
    return Status(Colour.RED, "Disconnected", link.reason or "The engine has no connection to the broker.")


def account_status(link: LinkState, gates: Gates, *, copying: bool) -> Status:
    """Return the status of an account; `copying` is whether a group that is on has it as a member."""
    if gates.halted:
        return Status(Colour.RED, "Killed", gates.reason)
    base = link_status(link)
    if base.colour is not Colour.GREEN:
        return base
    if gates.reducing:
        return Status(Colour.YELLOW, "Reducing only", gates.reason)
    if copying:
        return Status(Colour.GREEN, "Active")
    return Status(Colour.GRAY, "Idle", "In no group that is on.")


def group_status(
    leader: LinkState, gates: Gates, *, active: bool, followers: int, offline: int, has_plan: bool = True
) -> Status:
    """Return the status of a group; `offline` counts the followers that cannot be reached."""
    if gates.halted:
        return Status(Colour.RED, "Killed", gates.reason)
    if not active:
        return Status(Colour.GRAY, "Off")
    if not has_plan:
        return Status(Colour.RED, "Plan ended", "Nothing is copied until you choose a plan.")
    base = link_status(leader)
    if base.colour is not Colour.GREEN:
        return Status(base.colour, f"Leader {base.word.lower()}", base.detail)
    if gates.reducing:
        return Status(Colour.YELLOW, "Reducing only", gates.reason)
    if offline:
        return Status(Colour.YELLOW, "Copying", f"{offline} of {followers} followers cannot be reached.")
    return Status(Colour.GREEN, "Copying")
