"""Confirmed mode, another contract and the other side, from socket to socket."""

from typing import Any

import pytest

from brokers.models import Account
from syncgroups.models import CopiedOrder, Follower, SyncGroup
from syncgroups.services import groups
from syncgroups.services.groups import FollowerSettings, GroupSettings
from syncgroups.services.products import ProductSettings, set_product
from tests.journeys.house import PRICE, House, wait_until
from tradehaven.domain.enums import SyncMode

pytestmark = pytest.mark.journey
MICRO = "MESZ6"


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def confirmed(house: House) -> House:
    """Return the house with a group that waits for fills: one to one, against the leader, in micros."""
    group = SyncGroup.objects.get()
    groups.update_group(group, settings=GroupSettings(name="LEAD", mode=SyncMode.CONFIRMED))
    against = Account.objects.get(name="HALF")
    groups.set_follower(group, account=against, settings=FollowerSettings(reverse=True))
    micro = Follower.objects.get(account__name="TWICE")
    groups.set_follower(group, account=micro.account, settings=FollowerSettings())
    set_product(micro, settings=ProductSettings(product="ES", trades="MES"))
    house.price(PRICE, MICRO)
    house.stop_engine()
    house.start_engine()
    return house


def _nets(house: House) -> tuple[int, int, int]:
    lead, other = house.hands["lead"], house.hands["other"]
    return lead.net("ONE"), other.net("HALF"), other.net("TWICE")


def _kinds(house: House) -> list[list[tuple[str, str, int]]]:
    lead, other = house.hands["lead"], house.hands["other"]
    hands = ((lead, "ONE"), (other, "HALF"), (other, "TWICE"))
    shown = ("action", "orderType", "orderQty")
    return [[tuple(row[name] for name in shown) for row in hand.working(one)] for hand, one in hands]


def test_an_entry_is_copied_by_its_fills_and_its_exits_as_they_work(confirmed: House, calm: House) -> None:
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 2, "Limit", price=5040.0)
    stop = hand.order("LEAD", "Sell", 2, "Stop", stopPrice=5000.0)
    wait_until(lambda: len(hand.working("LEAD")) == 2, "both work at the leader")
    assert _nets(calm) == (0, 0, 0)
    calm.price("5040.00")
    wait_until(lambda: _nets(calm) == (2, -2, 20), "entries by fills")
    wait_until(
        lambda: _kinds(calm) == [[("Sell", "Stop", 2)], [("Buy", "Limit", 2)], [("Sell", "Stop", 20)]],
        "the stop protects what is held",
    )
    hand.change(stop, 2, "Stop", stopPrice=5010.0)
    wait_until(lambda: hand.working("LEAD")[0]["stopPrice"] == 5010.0, "moved at the leader")
    wait_until(lambda: [row["stopPrice"] for row in hand.working("ONE")] == [5010.0], "moved at the follower")
    assert _nets(calm) == (2, -2, 20)
    calm.price("5009.00", MICRO)
    calm.price("5009.00")
    wait_until(lambda: hand.net("LEAD") == 0, "the leader is stopped out")
    wait_until(lambda: _nets(calm)[0] == 0 and _nets(calm)[2] == 0, "and who stands with it")
    wait_until(lambda: _nets(calm) == (0, 0, 0), "and who stands against it, at the market in the end", 20)
    assert CopiedOrder.objects.filter(symbol=MICRO, leads="ESZ6").exists()


def test_an_exit_at_the_market_is_copied_by_its_fills(confirmed: House, calm: House) -> None:
    hand = calm.hands["lead"]
    hand.order("LEAD", "Sell", 2)
    wait_until(lambda: _nets(calm) == (-2, 2, -20), "entries")
    hand.order("LEAD", "Buy", 2)
    wait_until(lambda: _nets(calm) == (0, 0, 0), "exits")


def test_a_killed_engine_neither_repeats_fills_nor_loses_the_protection(
    confirmed: House, calm: House
) -> None:
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 1)
    wait_until(lambda: _nets(calm) == (1, -1, 10), "entries")
    calm.kill_engine()
    hand.order("LEAD", "Sell", 1, "Stop", stopPrice=4990.0)
    calm.start_engine()
    wait_until(lambda: [len(rows) for rows in _kinds(calm)] == [1, 1, 1], "protected after the start")
    assert _nets(calm) == (1, -1, 10)
    hand.order("LEAD", "Sell", 1)
    wait_until(lambda: _nets(calm) == (0, 0, 0), "exits")
