"""Which colour shows when (DASH-04)."""

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


def link(**changed: object) -> LinkState:
    usual = {"authorized": True, "refreshing": False, "up": True, "down_for": 0.0, "reason": ""}
    return LinkState(**(usual | changed))  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("state", "colour", "word"),
    [
        (link(), Colour.GREEN, "Connected"),
        (link(authorized=False), Colour.RED, "Disconnected"),
        (link(authorized=False, refreshing=True), Colour.RED, "Disconnected"),
        (link(refreshing=True), Colour.YELLOW, "Refreshing"),
        (link(up=False, down_for=None), Colour.YELLOW, "Connecting"),
        (link(up=False, down_for=59.9), Colour.YELLOW, "Connecting"),
        (link(up=False, down_for=60.0), Colour.RED, "Disconnected"),
    ],
)
def test_a_link_shows_how_it_stands(state: LinkState, colour: Colour, word: str):
    status = link_status(state)
    assert (status.colour, status.word) == (colour, word)


def test_the_reason_is_the_detail():
    assert link_status(link(up=False, down_for=90, reason="maintenance")).detail == "maintenance"


@pytest.mark.parametrize("state", [link(), link(authorized=False), link(up=False, down_for=99)])
def test_a_killed_account_is_red_whatever_its_link(state: LinkState):
    killed = account_status(state, Gates(halted=True, reason="news"), copying=True)
    assert killed == Status(Colour.RED, "Killed", "news", Fix.DISARM)


def test_an_account_is_green_in_a_running_group_and_gray_otherwise():
    assert account_status(link(), Gates(), copying=True).colour is Colour.GREEN
    assert account_status(link(), Gates(), copying=False).colour is Colour.GRAY


def test_a_guard_that_only_reduces_is_yellow():
    assert account_status(link(), Gates(reducing=True), copying=True).colour is Colour.YELLOW
    assert account_status(link(refreshing=True), Gates(reducing=True), copying=True).word == "Refreshing"


@pytest.mark.parametrize(
    ("leader", "gates", "active", "offline", "colour"),
    [
        (link(), Gates(), True, 0, Colour.GREEN),
        (link(), Gates(), True, 1, Colour.YELLOW),
        (link(), Gates(), False, 0, Colour.GRAY),
        (link(), Gates(halted=True), False, 0, Colour.RED),
        (link(), Gates(reducing=True), True, 0, Colour.YELLOW),
        (link(authorized=False), Gates(), True, 0, Colour.RED),
        (link(refreshing=True), Gates(), True, 0, Colour.YELLOW),
    ],
)
def test_a_group_shows_how_it_stands(
    leader: LinkState, gates: Gates, active: bool, offline: int, colour: Colour
):
    status = group_status(leader, gates, active=active, followers=3, offline=offline)
    assert status.colour is colour


def test_a_group_says_how_many_followers_are_away():
    status = group_status(link(), Gates(), active=True, followers=3, offline=2)
    assert status.detail == "2 of 3 followers cannot be reached."


@pytest.mark.parametrize("fix", list(Fix))
def test_every_fix_is_a_sentence(fix: Fix):
    assert Status(Colour.RED, "Word", "why", fix).remedy.endswith(".")
    assert Status(Colour.RED, "Word", "why").remedy == ""


def test_whatever_is_not_well_says_why():
    for status in (
        link_status(link(authorized=False)),
        link_status(link(refreshing=True)),
        link_status(link(up=False, down_for=1)),
        link_status(link(up=False, down_for=99)),
        account_status(link(), Gates(halted=True), copying=True),
        account_status(link(), Gates(reducing=True), copying=True),
        account_status(link(), Gates(), copying=False),
        group_status(link(), Gates(), active=False, followers=1, offline=0),
        group_status(link(), Gates(), active=True, followers=1, offline=0, has_plan=False),
    ):
        assert status.detail
