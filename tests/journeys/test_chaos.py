"""The reliability rules over real processes, sockets and a real database, while all of them fail by a seed.

A short story runs on every change. `TRADEHAVEN_CHAOS_SECONDS=600 TRADEHAVEN_CHAOS_SEED=7` makes a long one.
"""

import logging
import os
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from brokers.models import Account
from syncgroups.core.keys import parse_key
from syncgroups.models import Activity, CopiedOrder
from syncgroups.services.groups import FollowerSettings
from tests.journeys import invariants
from tests.journeys.chaos import Chaos, run
from tests.journeys.conftest import free_port
from tests.journeys.house import House, open_house
from tests.journeys.proxy import Proxy
from tradehaven.domain.enums import DriftPolicy
from tradehaven.domain.instruments import product

SECONDS = float(os.environ.get("TRADEHAVEN_CHAOS_SECONDS", "12"))
SEED = int(os.environ.get("TRADEHAVEN_CHAOS_SEED", "1"))
OPENING = Decimal(1_000_000)
FOLLOWERS = ("ONE", "HALF", "TWICE")

pytestmark = pytest.mark.journey


@pytest.fixture
def fragile(
    journey_database: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[tuple[House, Proxy]]:
    """Return a house whose engine reaches the exchange over a line that can go dead."""
    port, door = free_port(), free_port()
    proxy = Proxy(door, port)
    proxy.start()
    folder = tmp_path_factory.mktemp("chaos")
    try:
        line = f"http://127.0.0.1:{door}"
        with django_db_blocker.unblock(), open_house(folder, port, PAPER_URL=line) as house:
            house.connect("lead", ["LEAD", "ONE"])
            house.connect("other", ["HALF", "TWICE"])
            ratios = zip(FOLLOWERS, ("1", "0.5", "2"), strict=True)
            sizes = {name: FollowerSettings(ratio=Decimal(ratio)) for name, ratio in ratios}
            # What was missed is mended, so that everybody has to be flat in the end.
            house.group("LEAD", sizes, drift_policy=DriftPolicy.REPAIR, drift_cap=100, drift_ticks=400)
            house.start_engine()
            yield house, proxy
    finally:
        proxy.stop()


def test_no_rule_is_broken_while_everything_fails(fragile: tuple[House, Proxy]) -> None:
    house, proxy = fragile
    chance = Random(SEED)
    chaos = Chaos(house, proxy, chance, is_long=SECONDS > 60)
    run(chaos, SECONDS, chance)
    house.stop_engine()  # it writes down what it has decided
    logging.getLogger(__name__).info("seed %s: %s; %s", SEED, dict(chaos.actions), dict(chaos.faults))
    assert _violations(house) == []
    assert sum(chaos.faults.values()) > 0


def _violations(house: House) -> list[str]:
    history = invariants.stated(house.hands.values())
    opening = dict.fromkeys(history.accounts.values(), OPENING)
    wrong = invariants.one_order_for_each_intent(history)
    wrong += invariants.reductions_only_reduce(history, "LEAD")
    wrong += invariants.books_balance(history, opening, product("ES").point_value)
    wrong += invariants.exposure_is_as_sized(history, dict.fromkeys(FOLLOWERS, 0))
    wrong += invariants.nothing_is_left_working(history, FOLLOWERS)
    return wrong + _on_record(house, history)


def _on_record(house: House, history: invariants.History) -> list[str]:
    """I2 and I17: every order has its answer for every follower, every order of ours its decision."""
    numbers = dict(Account.objects.filter(name__in=FOLLOWERS).values_list("name", "pk"))
    said = set(Activity.objects.filter(owner=house.owner).values_list("key", flat=True))
    copies = set(CopiedOrder.objects.filter(owner=house.owner).values_list("key", flat=True))
    wrong = invariants.nothing_lost_silently(history, "LEAD", numbers, said | copies)
    ours = {key for key in history.client_ids.values() if parse_key(key) is not None}
    return wrong + [f"I17 {key} is at the broker, but not on record" for key in sorted(ours - copies)]
