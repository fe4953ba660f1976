"""What waited opens by the rules of the moment at which it goes, not of that at which its leader traded."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from risk.core.rules import Rules, Window
from syncgroups.core.resume import LIMIT
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, SECOND, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import Denied
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.ids import AccountId, Nanos

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def entering(ends: time) -> Desk:
    """Return a desk whose follower's entry is on its way, and may not enter from `ends` on."""
    world = desk(follower(2))
    hours = Rules(hours=(Window(start=time(9), end=ends),))
    accounts = world.plan.accounts
    world.plan = replace(world.plan, accounts={**accounts, TWO: replace(accounts[TWO], rules=hours)})
    world.market(BUY, 1)
    return world


@pytest.mark.parametrize(("ends", "held"), [(time(10, 0, 1), 0), (time(10, 0, 2), -2)])
def test_a_flip_opens_its_other_side_by_the_hours_of_now(ends: time, held: int) -> None:
    world = entering(ends)
    world.market(SELL, 3)
    assert len(world.outbox) == 1, "the flip waits for the entry"
    world.now += SECOND
    world.settle()
    assert world.held(2) == held
    late = [one.reason for said in world.decisions for one in said.refusals]
    assert late == ([RefusalReason.CLOSED_HOURS] if held == 0 else [])


@pytest.mark.parametrize("shut", [False, True])
def test_what_waits_for_an_exit_behind_a_shut_gate_is_given_up_in_time(shut: bool) -> None:
    world = desk(follower(2))
    world.market(SELL, 2)
    world.settle()
    world.market(BUY, 1)
    (exit_,) = world.outbox
    late = Denied(
        account=TWO,
        client_order_id=exit_.client_order_id,
        reason=RefusalReason.RATE_LIMITED,
        text="no room",
        at=world.at(),
        retry_at=Nanos(world.now + 3600 * SECOND),
    )
    world.step(late)
    world.outbox.clear()
    world.market(BUY, 3)  # a flip: its other side is opened behind the exit that found no room
    if shut:
        world.shut(gate_of(TWO))
    world.wait(LIMIT // SECOND + 1)
    assert bool(world.book.waiting) is not shut


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"quarantined": frozenset({ES})}, RefusalReason.QUARANTINED),
        ({"max_contracts": 2}, None),
        ({"instruments": frozenset({"NQ"})}, RefusalReason.INSTRUMENT_FILTERED),
    ],
)
def test_a_flip_opens_its_other_side_by_the_settings_of_now(
    settings: dict[str, Any], reason: RefusalReason | None
) -> None:
    """Seed -507140: a contract that came into quarantine was entered by what waited."""
    world = desk(follower(2))
    world.market(BUY, 1)
    world.market(SELL, 3)
    mine = {name: value for name, value in settings.items() if name != "instruments"}
    groups = {name: value for name, value in settings.items() if name == "instruments"}
    world.plan = plan_of(group_of(follower(2, **mine), **groups))
    world.settle()
    assert world.held(2) == (0 if reason else -2)
    assert [one.reason for said in world.decisions for one in said.refusals] == ([reason] if reason else [])
