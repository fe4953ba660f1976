"""What waited opens by the rules of the moment at which it goes, not of that at which its leader traded."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from risk.core.rules import Rules, Window
from syncgroups.core.resume import LIMIT
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import Denied
from tradehaven.domain.enums import OrderType, RefusalReason, SessionHours, Side, SyncMode
from tradehaven.domain.ids import AccountId, Nanos

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def entering(ends: time = time(15), **settings: Any) -> Desk:
    """Return a desk whose follower's entry is on its way, and may not enter from `ends` on."""
    world = desk(follower(2), **settings)
    hours = Rules(hours=(Window(start=time(9), end=ends),))
    accounts = world.plan.accounts
    world.plan = replace(world.plan, accounts={**accounts, TWO: replace(accounts[TWO], rules=hours)})
    world.market(BUY, 1)
    return world


def why(world: Desk) -> list[RefusalReason]:
    return [one.reason for said in world.decisions for one in said.refusals]


@pytest.mark.parametrize("mode", SyncMode)
@pytest.mark.parametrize(("ends", "held"), [(time(10, 0, 1), 0), (time(10, 0, 2), -2)])
def test_a_flip_opens_its_other_side_by_the_hours_of_now(mode: SyncMode, ends: time, held: int) -> None:
    world = entering(ends, mode=mode)
    world.market(SELL, 3)
    assert len(world.outbox) == 1, "the flip waits for the entry"
    world.now += SECOND
    world.settle()
    assert world.held(2) == held
    assert why(world) == ([RefusalReason.CLOSED_HOURS] if held == 0 else [])


@pytest.mark.parametrize("late", [0, 1])
def test_an_entry_at_rest_that_waited_is_asked_for_its_groups_hours_of_now(late: int) -> None:
    world = desk(follower(2, max_contracts=1), hours=SessionHours.RTH)
    world.now += 5 * 3600 * SECOND - 2 * SECOND  # two seconds before three in Chicago
    world.market(SELL, 1)
    world.settle()
    world.market(BUY, 1)
    world.trade(SELL, 1, OrderType.LIMIT, limit=20_100)
    world.now += (1 + late) * SECOND
    world.settle()
    assert [order.side for order in world.resting(2)] == ([] if late else [SELL])
    assert why(world) == ([RefusalReason.OUTSIDE_HOURS] if late else [])


@pytest.mark.parametrize("barred", ["filter", "quarantine"])
def test_a_flip_does_not_open_what_was_barred_while_it_waited(barred: str) -> None:
    world = entering()
    world.market(SELL, 3)
    (group,) = world.plan.groups
    if barred == "filter":
        world.plan = plan_of(replace(group, instruments=frozenset({"NQ"})))
    else:
        world.book.quarantined.add((group.group, TWO, ES))
    world.settle()
    assert world.held(2) == 0
    assert why(world) == [
        RefusalReason.INSTRUMENT_FILTERED if barred == "filter" else RefusalReason.QUARANTINED
    ]


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


@pytest.mark.parametrize("left", ["taken back", "filled"])
def test_an_exit_that_waited_follows_what_its_leader_traded_of_an_order_it_took_back(left: str) -> None:
    """Seed 647768: a stop was placed for what a leader's stop had traded before that was cancelled."""
    world = desk(follower(2))
    world.market(BUY, 3)
    entry = world.outbox[0]
    stop = world.trade(SELL, 3, OrderType.STOP, stop=19_900)
    assert [command for command in world.outbox if command is not entry] == []
    world.fill(stop, 2)
    if left == "filled":
        world.fill(stop, 1)
    else:
        world.cancel(stop)
    world.settle()
    (closing,) = [one for one in world.placed if one.account == TWO and one.side is SELL]
    by = OrderType.STOP if left == "filled" else OrderType.MARKET
    assert (closing.spec.order_type, closing.spec.qty) == (by, 3 if left == "filled" else 2)


@pytest.mark.parametrize(("mode", "held"), [(SyncMode.IMMEDIATE, 0), (SyncMode.CONFIRMED, -2)])
def test_of_a_flip_that_was_cut_short_only_what_has_filled_is_opened_late(mode: SyncMode, held: int) -> None:
    world = desk(follower(2), mode=mode)
    world.market(BUY, 1)
    flip = world.trade(SELL, 4)
    world.fill(flip, 3)
    world.cancel(flip)
    world.settle()
    assert (world.held(LEADER), world.held(2)) == (-2, held)
    assert why(world) == ([] if held else [RefusalReason.STALE])
