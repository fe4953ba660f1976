"""Copying under the broker's real limits: within the windows, through a 429, and across a restart."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from brokers.models import Connection
from syncgroups.models import Activity
from syncgroups.services.groups import FollowerSettings
from tests.journeys.conftest import free_port
from tests.journeys.house import House, open_house, wait_until

pytestmark = pytest.mark.journey
CROWD = [f"F{number}" for number in range(10)]
DRAGS = [f"D{number}" for number in range(10)]


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def house(journey_database: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[House]:
    """Return a house with the real limits on: ten followers under one login, one under another."""
    folder: Path = tmp_path_factory.mktemp("house")
    with django_db_blocker.unblock(), open_house(folder, free_port(), PAPER_LIMITS="real") as found:
        found.connect("lead", ["LEAD"])
        found.connect("crowd", CROWD)
        found.connect("lone", ["LONE"])
        found.connect("second", ["LEAD2"])
        found.connect("drags", DRAGS)
        found.group("LEAD", {name: FollowerSettings() for name in [*CROWD, "LONE"]})
        found.group("LEAD2", {name: FollowerSettings() for name in DRAGS})
        found.start_engine()
        yield found


def _nets(house: House, login: str) -> list[int]:
    """Return what each account of a login holds."""
    hand = house.hands[login]
    rows = hand.get("position/list")
    return [sum(row["netPos"] for row in rows if row["accountId"] == mine) for mine in hand.accounts.values()]


def _all_hold(house: House, held: int) -> bool:
    return _nets(house, "crowd") == [held] * 10


def _refused(house: House, login: str) -> int:
    lines = Activity.objects.filter(owner=house.owner, reason="rate_limited")
    return lines.filter(account__connection__name=login).count()


def _stops(house: House) -> list[float]:
    """Return where the stops of the followers rest that are to be dragged."""
    hand = house.hands["drags"]
    return [row["stopPrice"] for account in DRAGS for row in hand.working(account)]


def _trade(house: House, side: str, qty: int) -> None:
    house.hands["lead"].order("LEAD", side, qty)


def test_entries_stop_before_the_brokers_limit_and_exits_go_on(house: House) -> None:
    for held in range(1, 7):
        _trade(house, "Buy", 1)
        wait_until(partial(_all_hold, house, held), f"{held} each")
    _trade(house, "Buy", 1)
    wait_until(lambda: _refused(house, "crowd") == 10, "the seventh is refused, with its reason")
    assert _nets(house, "lone") == [7]
    _trade(house, "Sell", 7)
    wait_until(lambda: _nets(house, "crowd") == [0] * 10, "every exit found its reserve")
    wait_until(lambda: _nets(house, "lone") == [0], "and the other login's")
    assert not [entry for entry in house.log() if "p-ticket" in str(entry)]
    login = Connection.objects.get(owner=house.owner, name="crowd")
    wait_until(lambda: Connection.objects.get(pk=login.pk).calls_minute == 70, "the figures are written down")
    assert login.silent_until is None


def test_a_stop_that_the_leader_drags_costs_less_than_a_fifth_and_ends_where_it_was_dropped(
    house: House,
) -> None:
    hand = house.hands["second"]
    hand.order("LEAD2", "Buy", 1)
    stop = hand.order("LEAD2", "Sell", 1, "Stop", stopPrice=5000.0)
    wait_until(lambda: _stops(house) == [5000.0] * 10, "every stop rests")
    before = house.log()[-1]["seq"]
    for step in range(1, 51):
        hand.change(stop, 1, "Stop", stopPrice=5000.0 + step / 4)
    dropped = time.monotonic()
    wait_until(lambda: _stops(house) == [5012.5] * 10, "every stop is where it was dropped")
    assert time.monotonic() - dropped < 4
    asked = [entry for entry in house.log(before) if entry.get("endpoint") == "order/modifyorder"]
    mine = [entry for entry in asked if entry["what"] == "request" and entry["via"] == "ws"]
    assert 10 < len(mine) < 50 * 10 / 5


def test_a_429_is_remembered_by_the_next_engine_and_an_exit_gets_through(house: House) -> None:
    _trade(house, "Buy", 1)
    wait_until(lambda: _nets(house, "lone") == [1], "it holds something")
    house.operator("trouble", login="lone", kind="limit", endpoint="order/placeorder")
    _trade(house, "Buy", 1)
    wait_until(lambda: _refused(house, "lone") == 1, "the order was not carried out")
    silent = wait_until(
        lambda: Connection.objects.get(owner=house.owner, name="lone").silent_until, "the silence is known"
    )
    assert (silent - timezone.now()).total_seconds() > 3500
    house.kill_engine()
    house.start_engine()
    _trade(house, "Buy", 1)
    wait_until(lambda: _refused(house, "lone") == 2, "the next engine keeps silent")
    assert _nets(house, "lone") == [1]
    _trade(house, "Sell", 3)
    wait_until(lambda: _nets(house, "lone") == [0], "the exit is tried all the same", 20)
