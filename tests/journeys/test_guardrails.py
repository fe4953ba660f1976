"""Rules on real processes: naked entries get their stop, breaches close one account and lock it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from brokers.models import Account
from risk.core.rules import DayLimit, Flat, Offset, Protection, Rules
from risk.models import Lockout
from syncgroups.models import Activity, ActivityKind
from tests.journeys.house import PRICE, House, wait_until
from tradehaven.domain.calendar import CHICAGO

pytestmark = pytest.mark.journey

COIN = "MBTZ6"
"""A market that never closes, so that its clock can be tried on every day of the year."""


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(autouse=True)
def _without_rules_afterwards(house: House) -> Iterator[None]:
    yield
    house.set_rules("ONE", Rules())
    house.set_rules("TWICE", Rules())
    house.price(PRICE)


def _account(house: House, name: str) -> Account:
    return Account.objects.get(connection__owner=house.owner, name=name)


def _said(house: House, text: str) -> bool:
    lines = Activity.objects.filter(owner=house.owner, kind=ActivityKind.GUARDRAIL)
    return lines.filter(text__contains=text).exists()


def test_a_naked_entry_gets_its_stop_within_a_second_and_loses_it_with_the_position(calm: House) -> None:
    calm.set_rules("ONE", Rules(protection=Protection(stop=Offset(value=Decimal(40)))))
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 2)
    wait_until(lambda: hand.net("ONE") == 2, "the copy")
    stops = wait_until(lambda: hand.working("ONE"), "its stop", 1)
    assert [(order["orderType"], order["orderQty"]) for order in stops] == [("Stop", 2)]
    own = hand.order("LEAD", "Sell", 2, "Stop", stopPrice=float(PRICE) - 50)
    wait_until(
        lambda: [order["stopPrice"] for order in hand.working("ONE")] == [float(PRICE) - 50], "the leader's"
    )
    hand.cancel(own)
    wait_until(lambda: [o["orderQty"] for o in hand.working("ONE")] == [2], "its own again")
    hand.order("LEAD", "Sell", 2)
    wait_until(lambda: hand.net("ONE") == 0 and not hand.working("ONE"), "flat, and nothing left behind")


def test_at_its_time_an_account_is_closed_also_by_an_engine_that_starts_late(calm: House) -> None:
    calm.price("90000.0", COIN)
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 1, symbol=COIN)
    wait_until(lambda: hand.net("ONE") == 1, "the copy")
    soon = (timezone.now().astimezone(CHICAGO) + timedelta(seconds=4)).time().replace(microsecond=0)
    calm.set_rules("ONE", Rules(flat=Flat(at=soon)))
    wait_until(lambda: hand.net("ONE") == 0, "closed at its time", 12)
    assert hand.net("LEAD") == 1
    wait_until(lambda: _said(calm, "time to be flat"), "said so")
    calm.stop_engine()
    hand.order("ONE", "Buy", 1, symbol=COIN)
    calm.start_engine()
    wait_until(lambda: hand.net("ONE") == 0, "closed by an engine that starts late")
    calm.set_rules("ONE", Rules())
    hand.order("LEAD", "Sell", 1, symbol=COIN)
    wait_until(lambda: hand.net("LEAD") == 0, "flat")


def test_a_fall_through_the_limit_closes_one_account_and_locks_it(calm: House) -> None:
    # The last test of the house: its lock outlives it, as locks do.
    calm.set_rules("ONE", Rules(daily_loss=DayLimit(amount=Decimal(1500)), fee=Decimal(0)))
    hand, other = calm.hands["lead"], calm.hands["other"]
    hand.order("LEAD", "Buy", 2)
    wait_until(lambda: (hand.net("ONE"), other.net("TWICE")) == (2, 4), "copies")
    calm.price(str(Decimal(PRICE) - 10))
    time.sleep(1)
    assert hand.net("ONE") == 2
    fell_at = time.monotonic()
    calm.price(str(Decimal(PRICE) - 20))
    wait_until(lambda: hand.net("ONE") == 0, "closed")
    took = time.monotonic() - fell_at
    assert took < 2, f"closed after {took:.1f} s"  # the exchange alone takes up to half a second
    assert (hand.net("LEAD"), other.net("TWICE")) == (2, 4)
    lock = wait_until(lambda: Lockout.objects.filter(account=_account(calm, "ONE")).first(), "on record")
    assert lock.reason == "daily_loss"
    assert lock.until is not None
    hand.order("LEAD", "Buy", 1)
    wait_until(lambda: other.net("TWICE") == 6, "the others go on")
    refused = Activity.objects.filter(owner=calm.owner, reason="daily_loss")
    wait_until(refused.exists, "refused with its reason")
    assert hand.net("ONE") == 0
    calm.kill_engine()
    calm.start_engine()
    before = refused.count()
    hand.order("LEAD", "Buy", 1)
    wait_until(lambda: refused.count() > before, "still locked")
    assert hand.net("ONE") == 0
    hand.order("LEAD", "Sell", 4)
    wait_until(lambda: (hand.net("LEAD"), other.net("TWICE")) == (0, 0), "flat")
