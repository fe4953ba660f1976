"""The reliability rules over real processes, sockets and a real database, while all of them fail by a seed.

A short story runs on every change. `TRADEHAVEN_CHAOS_SECONDS=600 TRADEHAVEN_CHAOS_SEED=7` makes a long one,
and `TRADEHAVEN_CHAOS_SERVERS=own` one that restarts PostgreSQL and Valkey as well.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from brokers.models import Account
from syncgroups.services import gates
from syncgroups.services.groups import FollowerSettings
from tests.journeys import invariants, lineage
from tests.journeys.chaos import Chaos, run
from tests.journeys.conftest import free_port
from tests.journeys.house import House, open_house
from tests.journeys.proxy import Proxy
from tests.journeys.servers import Servers, own_servers
from tradehaven.domain.enums import DriftPolicy
from tradehaven.domain.instruments import product

SECONDS = float(os.environ.get("TRADEHAVEN_CHAOS_SECONDS", "12"))
SEED = int(os.environ.get("TRADEHAVEN_CHAOS_SEED", "1"))
OWN_SERVERS = os.environ.get("TRADEHAVEN_CHAOS_SERVERS") == "own"
OPENING = Decimal(1_000_000)
FOLLOWERS = ("ONE", "HALF", "TWICE")
LOGINS = {"LEAD": "lead", "ONE": "lead", "HALF": "other", "TWICE": "other"}
CAPS = {"ONE": 4}
CALLS = 80
"""What the exchange takes of a login in a minute."""

pytestmark = pytest.mark.journey


@pytest.fixture
def fragile(
    journey_database: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[tuple[House, Proxy, Servers | None]]:
    """Return a house whose engine reaches the exchange over a line that can go dead."""
    port, door = free_port(), free_port()
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        servers = stack.enter_context(own_servers()) if OWN_SERVERS else None
        proxy = Proxy(door, port)
        proxy.start()
        stack.callback(proxy.stop)
        more = {"PAPER_URL": f"http://127.0.0.1:{door}"}
        if servers is not None:
            more["REDIS_URL"] = servers.addresses[1]
        house = stack.enter_context(open_house(tmp_path_factory.mktemp("chaos"), port, **more))
        house.connect("lead", ["LEAD", "ONE"])
        house.connect("other", ["HALF", "TWICE"])
        ratios = zip(FOLLOWERS, ("1", "0.5", "2"), strict=True)
        sizes = {name: FollowerSettings(ratio=Decimal(ratio)) for name, ratio in ratios}
        # What was missed is mended, so that everybody has to be flat in the end.
        house.group("LEAD", sizes, drift_policy=DriftPolicy.REPAIR, drift_cap=100, drift_ticks=400)
        for name, cap in CAPS.items():
            account = Account.objects.get(connection__owner=house.owner, name=name)
            gates.set_max_position(account=account, qty=cap, by=house.owner)
        house.start_engine()
        yield house, proxy, servers


def test_no_rule_is_broken_while_everything_fails(fragile: tuple[House, Proxy, Servers | None]) -> None:
    house, proxy, servers = fragile
    chance = Random(SEED)
    chaos = Chaos(house, proxy, chance, is_long=SECONDS > 60, servers=servers)
    run(chaos, SECONDS, chance)
    down = tuple(house.owner.connections.filter(link_up=False).values_list("name", flat=True))
    house.stop_engine()  # it writes down what it has decided
    logging.getLogger(__name__).info("seed %s: %s; %s", SEED, dict(chaos.actions), dict(chaos.faults))
    assert _violations(house, down) == []
    assert sum(chaos.faults.values()) > 0


def _violations(house: House, down: tuple[str, ...]) -> list[str]:
    history = invariants.stated(house.hands.values())
    opening = dict.fromkeys(history.accounts.values(), OPENING)
    wrong = invariants.one_order_for_each_intent(history)
    wrong += invariants.reductions_only_reduce(history, "LEAD")
    wrong += invariants.books_balance(history, opening, product("ES").point_value)
    wrong += invariants.exposure_is_as_sized(history, dict.fromkeys(FOLLOWERS, 0))
    wrong += invariants.caps_hold(history, CAPS)
    wrong += invariants.told_in_turn(history)
    wrong += invariants.budget_is_kept(history, LOGINS, CALLS)
    wrong += invariants.nothing_is_left_working(history, FOLLOWERS)
    return wrong + _on_record(house, history, down)


def _on_record(house: House, history: invariants.History, down: tuple[str, ...]) -> list[str]:
    """What our rows say beside the books."""
    numbers = dict(Account.objects.filter(name__in=FOLLOWERS).values_list("name", "pk"))
    copies, said = lineage.copies_of(house.owner), lineage.said_to(house.owner)
    keys = {row.key for row in copies}
    wrong = invariants.nothing_lost_silently(history, "LEAD", numbers, set(said.refused) | keys)
    wrong += lineage.decided_before_placed(history, copies)
    wrong += lineage.unknown_is_not_refused(history, said)
    wrong += lineage.rows_tell_the_books(history, copies)
    wrong += lineage.everything_settles(copies, down, {})
    return wrong + lineage.lineage(history, copies)
