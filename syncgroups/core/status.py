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


class Fix(StrEnum):
    """The act that mends a status, for the button beside it."""

    RECONNECT = "reconnect"
    DISARM = "disarm"
    RESUME = "resume"
    CHOOSE_PLAN = "choose_plan"
    SWITCH_ON = "switch_on"
    ADD_TO_GROUP = "add_to_group"
    REPAIR = "repair"


REMEDIES = {
    Fix.RECONNECT: "Reconnect the login.",
    Fix.DISARM: "Disarm the kill switch when you want it to copy again.",
    Fix.RESUME: "Resume to let entries pass again; exits pass all the time.",
    Fix.CHOOSE_PLAN: "Choose a plan.",
    Fix.SWITCH_ON: "Switch the group on.",
    Fix.ADD_TO_GROUP: "Make it lead or follow in a group that is on.",
    Fix.REPAIR: "Repair or ignore the difference on its group's page.",
}
"""What a person can do, in a sentence."""


@dataclass(frozen=True, slots=True)
class Status:
    """A colour never stands alone: the word says the same, `detail` why, `fix` what mends it."""

    colour: Colour
    word: str
    detail: str = ""
    fix: Fix | None = None

    @property
    def remedy(self) -> str:
        """Return what a person can do about it, in a sentence; nothing where waiting is all."""
        return REMEDIES[self.fix] if self.fix is not None else ""


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
        return Status(
            Colour.RED, "Disconnected", link.reason or "The broker does not let us in.", Fix.RECONNECT
        )
    if link.refreshing:
        return Status(Colour.YELLOW, "Refreshing", link.reason or "A new token is on its way.")
    if link.up:
        return Status(Colour.GREEN, "Connected", "The broker's heartbeats arrive.")
    if link.down_for is None or link.down_for < PATIENCE:
        return Status(Colour.YELLOW, "Connecting", link.reason or "Its socket is being opened.")
    return Status(Colour.RED, "Disconnected", link.reason or "The engine has no connection to the broker.")


def account_status(link: LinkState, gates: Gates, *, copying: bool) -> Status:
    """Return the status of an account; `copying` is whether a group that is on has it as a member."""
    if gates.halted:
        return Status(Colour.RED, "Killed", gates.reason or "The kill switch is on.", Fix.DISARM)
    base = link_status(link)
    if base.colour is not Colour.GREEN:
        return base
    if gates.reducing:
        why = gates.reason or "Entries are paused, exits pass."
        return Status(Colour.YELLOW, "Reducing only", why, Fix.RESUME)
    if copying:
        return Status(Colour.GREEN, "Active", "Connected, in a group that is on.")
    return Status(Colour.GRAY, "Idle", "In no group that is on.", Fix.ADD_TO_GROUP)


def group_status(
    leader: LinkState, gates: Gates, *, active: bool, followers: int, offline: int, has_plan: bool = True
) -> Status:
    """Return the status of a group; `offline` counts the followers that cannot be reached."""
    if gates.halted:
        return Status(Colour.RED, "Killed", gates.reason or "The kill switch is on.", Fix.DISARM)
    if not active:
        return Status(Colour.GRAY, "Off", "Nothing is copied.", Fix.SWITCH_ON)
    if not has_plan:
        return Status(Colour.RED, "Plan ended", "Nothing is copied without one.", Fix.CHOOSE_PLAN)
    base = link_status(leader)
    if base.colour is not Colour.GREEN:
        return Status(base.colour, f"Leader {base.word.lower()}", base.detail, base.fix)
    if gates.reducing:
        why = gates.reason or "Entries are paused, exits pass."
        return Status(Colour.YELLOW, "Reducing only", why, Fix.RESUME)
    if offline:
        return Status(Colour.YELLOW, "Copying", f"{offline} of {followers} followers cannot be reached.")
    return Status(Colour.GREEN, "Copying", f"All {followers} followers can be reached.")
