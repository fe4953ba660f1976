"""Which colour shows when, with which words, and what mends it (DASH-04)."""

import pytest

from syncgroups.core.status import (
    Colour,
    Fix,
    Gates,
    LinkState,
    Status,
    account_status,
    group_status,
    link_status,
)

RED, YELLOW, GREEN, GRAY = Colour.RED, Colour.YELLOW, Colour.GREEN, Colour.GRAY


def link(reason: str = "", **changed: object) -> LinkState:
    usual = {"authorized": True, "refreshing": False, "up": True, "down_for": 0.0}
    return LinkState(reason=reason, **(usual | changed))  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (link(), Status(GREEN, "Connected", "The broker's heartbeats arrive.")),
        (link("told", refreshing=True), Status(YELLOW, "Refreshing", "told")),
        (link(refreshing=True), Status(YELLOW, "Refreshing", "A new token is on its way.")),
        (link(up=False, down_for=1.0), Status(YELLOW, "Connecting", "Its socket is being opened.")),
        (link("told", up=False, down_for=None), Status(YELLOW, "Connecting", "told")),
        (link("told", up=False, down_for=59.9), Status(YELLOW, "Connecting", "told")),
        (link("told", up=False, down_for=60.0), Status(RED, "Disconnected", "told")),
        (
            link(up=False, down_for=61.0),
            Status(RED, "Disconnected", "The engine has no connection to the broker."),
        ),
        (
            link(authorized=False, refreshing=True),
            Status(RED, "Disconnected", "The broker does not let us in.", Fix.RECONNECT),
        ),
        (link("told", authorized=False), Status(RED, "Disconnected", "told", Fix.RECONNECT)),
    ],
)
def test_a_login(state: LinkState, status: Status) -> None:
    assert link_status(state) == status


@pytest.mark.parametrize(
    ("state", "gates", "copying", "status"),
    [
        (link(), Gates(), True, Status(GREEN, "Active", "Connected, in a group that is on.")),
        (link(), Gates(), False, Status(GRAY, "Idle", "In no group that is on.", Fix.ADD_TO_GROUP)),
        (
            link(),
            Gates(reducing=True),
            True,
            Status(YELLOW, "Reducing only", "Entries are paused, exits pass.", Fix.RESUME),
        ),
        (
            link(),
            Gates(reducing=True, reason="told"),
            False,
            Status(YELLOW, "Reducing only", "told", Fix.RESUME),
        ),
        (
            link(authorized=False),
            Gates(reducing=True),
            True,
            Status(RED, "Disconnected", "The broker does not let us in.", Fix.RECONNECT),
        ),
        (link(), Gates(halted=True), True, Status(RED, "Killed", "The kill switch is on.", Fix.DISARM)),
        (
            link(authorized=False),
            Gates(halted=True, reason="told"),
            True,
            Status(RED, "Killed", "told", Fix.DISARM),
        ),
    ],
)
def test_an_account(state: LinkState, gates: Gates, copying: bool, status: Status) -> None:
    assert account_status(state, gates, copying=copying) == status


@pytest.mark.parametrize(
    ("state", "gates", "told", "status"),
    [
        (link(), Gates(), {}, Status(GREEN, "Copying", "All 3 followers can be reached.")),
        (link(), Gates(), {"offline": 2}, Status(YELLOW, "Copying", "2 of 3 followers cannot be reached.")),
        (link(), Gates(), {"active": False}, Status(GRAY, "Off", "Nothing is copied.", Fix.SWITCH_ON)),
        (
            link(),
            Gates(),
            {"has_plan": False},
            Status(RED, "Plan ended", "Nothing is copied without one.", Fix.CHOOSE_PLAN),
        ),
        (
            link(),
            Gates(reducing=True),
            {"offline": 1},
            Status(YELLOW, "Reducing only", "Entries are paused, exits pass.", Fix.RESUME),
        ),
        (
            link(),
            Gates(reducing=True, reason="told"),
            {},
            Status(YELLOW, "Reducing only", "told", Fix.RESUME),
        ),
        (
            link(authorized=False),
            Gates(reducing=True),
            {},
            Status(RED, "Leader disconnected", "The broker does not let us in.", Fix.RECONNECT),
        ),
        (
            link("told", refreshing=True),
            Gates(),
            {},
            Status(YELLOW, "Leader refreshing", "told"),
        ),
        (
            link(),
            Gates(halted=True),
            {"active": False},
            Status(RED, "Killed", "The kill switch is on.", Fix.DISARM),
        ),
        (link(), Gates(halted=True, reason="told"), {}, Status(RED, "Killed", "told", Fix.DISARM)),
    ],
)
def test_a_group(state: LinkState, gates: Gates, told: dict[str, int], status: Status) -> None:
    usual = {"active": True, "followers": 3, "offline": 0}
    assert group_status(state, gates, **(usual | told)) == status  # type: ignore[arg-type]


@pytest.mark.parametrize("fix", list(Fix))
def test_every_fix_is_a_sentence(fix: Fix) -> None:
    assert Status(RED, "Word", "why", fix).remedy.endswith(".")
    assert Status(RED, "Word", "why").remedy == ""
