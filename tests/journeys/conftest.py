"""One house for each module of journeys; each test starts with everybody flat."""

import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test.utils import setup_databases, teardown_databases

from syncgroups.services.groups import FollowerSettings
from tests.journeys.house import PRICE, Hand, House, open_house, wait_until

LEAVING = 5.0
"""Seconds that followers have to leave behind their leader before hands take them out."""


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def journey_database(django_db_setup: Any, django_db_blocker: Any) -> Iterator[None]:
    """Make the tests' database where the plugin did not, as no test of this run is marked for it."""
    if str(settings.DATABASES["default"]["NAME"]).startswith("test_"):
        yield
        return
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="module")
def house(journey_database: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[House]:
    """Return a running house: a leader with one to one, half and double followers on two logins."""
    folder: Path = tmp_path_factory.mktemp("house")
    with django_db_blocker.unblock(), open_house(folder, free_port()) as found:
        found.connect("lead", ["LEAD", "ONE"])
        found.connect("other", ["HALF", "TWICE"])
        found.group(
            "LEAD",
            {
                "ONE": FollowerSettings(),
                "HALF": FollowerSettings(ratio=Decimal("0.5")),
                "TWICE": FollowerSettings(ratio=Decimal(2)),
            },
        )
        found.start_engine()
        yield found


@pytest.fixture
def calm(house: House) -> Iterator[House]:
    """Return the house with nothing working and nobody holding anything."""
    yield house
    house.price(PRICE)
    leader = house.hands["lead"]
    wait_until(partial(_is_cleared, leader, "LEAD"), "LEAD flat")
    # The engine takes the followers out. A hand that closes beside it would turn them round.
    end = time.monotonic() + LEAVING
    while time.monotonic() < end and not all(_is_empty(*pair) for pair in _accounts(house)):
        time.sleep(0.05)
    for hand, account in _accounts(house):
        wait_until(partial(_is_cleared, hand, account), f"{account} flat")


def _accounts(house: House) -> list[tuple[Hand, str]]:
    return [(hand, account) for hand in house.hands.values() for account in hand.accounts]


def _is_empty(hand: Hand, account: str) -> bool:
    return hand.net(account) == 0 and not hand.working(account)


def _is_cleared(hand: Hand, account: str) -> bool:
    """Say whether an account is empty; where it is not, take everything out of it."""
    if _is_empty(hand, account):
        return True
    for order in hand.working(account):
        hand.post("order/cancelorder", {"orderId": order["id"]})
    number = hand.accounts[account]
    for row in hand.get("position/list"):
        if row["accountId"] == number and row["netPos"]:
            body = {"accountId": number, "contractId": row["contractId"], "admin": False}
            hand.post("order/liquidateposition", body)
    return False
