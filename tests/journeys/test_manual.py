"""A manual copy at the exchange: chosen followers, their own legs, and an engine that is killed between."""

import time
from typing import Any

import pytest
from django.utils import timezone

from brokers.models import Account
from syncgroups.models import Drift, ManualCopy
from syncgroups.selectors.manual import ManualStatus, results_of
from syncgroups.services.manual import Asked, copy_order
from tests.journeys.house import Hand, House, wait_until
from tradehaven.domain.enums import Side

pytestmark = pytest.mark.journey


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


def _ask(house: House, *followers: str, key: str = "", qty: int = 2) -> ManualCopy:
    mine = {account.name: account for account in Account.objects.filter(connection__owner=house.owner)}
    return copy_order(
        owner=house.owner,
        leader=mine["LEAD"],
        followers=[mine[name] for name in followers],
        order=Asked(symbol="ESZ6", side=Side.BUY, qty=qty, stop_loss=20, take_profit=40),
        key=key,
    )


def _legs(hand: Hand, account: str) -> dict[str, tuple[int, float]]:
    """Return quantity and price of an account's working orders, by type."""
    found = {}
    for order in hand.working(account):
        price = order.get("stopPrice") if order["orderType"] == "Stop" else order.get("price")
        found[str(order["orderType"])] = (int(order["orderQty"]), float(price or 0))
    return found


def _rest(hand: Hand, account: str, qty: int) -> bool:
    return _legs(hand, account) == {"Stop": (qty, 5045.0), "Limit": (qty, 5060.0)}


def test_chosen_followers_are_protected_across_a_crash_and_one_leg_ends_the_other(calm: House) -> None:
    lead, other = calm.hands["lead"], calm.hands["other"]
    copy = _ask(calm, "ONE", "TWICE", key="first")
    assert _ask(calm, "ONE", "TWICE", key="first") == copy
    wait_until(lambda: (lead.net("ONE"), other.net("TWICE")) == (2, 4), "entries")
    assert (lead.net("LEAD"), other.net("HALF")) == (0, 0)
    wait_until(lambda: _rest(lead, "ONE", 2) and _rest(other, "TWICE", 4), "legs at each own fill")
    results = wait_until(lambda: _filled(copy), "on record")
    assert [result.net for result in results] == [2, 4]

    calm.kill_engine()
    lead.order("ONE", "Sell", 1)
    calm.start_engine()
    wait_until(lambda: _rest(lead, "ONE", 1), "the legs follow what a hand left")
    assert _rest(other, "TWICE", 4)
    accepted = other.accepted("TWICE")
    lead.order("LEAD", "Buy", 1)
    wait_until(lambda: other.net("TWICE") == 6, "the leader's own entry beside it")
    lead.order("LEAD", "Sell", 1)
    wait_until(
        lambda: (lead.net("ONE"), other.net("TWICE")) == (1, 4), "its exit leaves the manual copy alone"
    )
    assert other.accepted("TWICE") == accepted + 2

    calm.price("5060.00")
    wait_until(lambda: (lead.net("ONE"), other.net("TWICE")) == (0, 0), "the target")
    wait_until(lambda: not lead.working("ONE") and not other.working("TWICE"), "and no stop is left")
    time.sleep(1.5)
    assert (lead.net("ONE"), other.net("TWICE")) == (0, 0)
    assert not Drift.objects.filter(owner=calm.owner, kind__in=["left_behind", "orphan"]).exists()


def _filled(copy: ManualCopy) -> Any:
    found = results_of(copy, timezone.now())
    protected = all(result.stop_loss_order_id and result.take_profit_order_id for result in found)
    return found if protected and all(one.status is ManualStatus.FILLED for one in found) else None
