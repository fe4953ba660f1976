"""One house for each module of journeys; each test starts with everybody flat."""

import socket
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
    for hand in house.hands.values():
        for account in hand.accounts:
            for order in hand.working(account):
                hand.post("order/cancelorder", {"orderId": order["id"]})
    for hand in house.hands.values():
        for account, number in hand.accounts.items():
            for row in hand.get("position/list"):
                if row["accountId"] == number and row["netPos"]:
                    body = {"accountId": number, "contractId": row["contractId"], "admin": False}
                    hand.post("order/liquidateposition", body)
            wait_until(partial(_is_flat, hand, account), f"{account} flat")


def _is_flat(hand: Hand, account: str) -> bool:
    return hand.net(account) == 0
