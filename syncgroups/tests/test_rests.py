"""A follower that still rests although its leader has filled."""

from typing import Any

import pytest

from syncgroups.core.keys import (
    CopyKey,
    chase_id,
    client_order_id,
    command_id,
    entry_id,
    fill_key,
    is_chase,
    parse_key,
    repair_id,
    rest_id,
)
from syncgroups.core.plan import RestPolicy
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, RestRule, Side, SyncMode
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def entry_rests(rule: RestRule, **settings: Any) -> Desk:
    """Return a desk whose leader's limit entry has filled while its follower's rests."""
    world = desk(rests=RestPolicy(entries=rule, after=5, slack=3), **settings)
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(order)
    world.wait(0.5)  # from here on it counts
    return world


def exit_rests(rule: RestRule = RestRule.MARKET, **settings: Any) -> Desk:
    """Return a desk whose leader's target has filled, and taken its stop away, while the follower's rests."""
    world = desk(rests=RestPolicy(exits=rule, after=5, slack=3), **settings)
    world.market(BUY, 2)
    world.settle()
    target = world.trade(SELL, 2, OrderType.LIMIT, limit=20100)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.fill(target)
    world.cancel(stop)
    world.settle()
    world.wait(0.5)
    return world


def last_of(world: Desk) -> PlaceOrder:
    return world.placed[-1]


def test_by_default_an_entry_goes_on_resting() -> None:
    world = entry_rests(RestPolicy().entries)
    world.wait(3600)
    assert world.outbox == []
    assert len(world.resting(2)) == 1


def test_an_entry_may_be_given_up() -> None:
    world = entry_rests(RestRule.CANCEL)
    world.wait(4)
    assert world.outbox == []
    world.wait(1)
    world.settle()
    world.wait(5)
    assert world.resting(2) == []
    assert world.held(2) == 0
    assert len(world.placed) == 1


def test_an_entry_may_be_bought_at_the_market_once_the_old_one_is_gone_for_certain() -> None:
    world = entry_rests(RestRule.MARKET)
    world.wait(5)
    assert [type(command) for command in world.outbox] == [CancelOrder]
    world.settle()
    world.wait(0.5)
    assert world.outbox == []
    world.wait(1)
    world.settle()
    assert world.held(2) == 2
    assert last_of(world).client_order_id.endswith(".m")
    world.wait(60)
    assert world.outbox == []


def test_what_filled_before_the_cancel_is_not_bought_again() -> None:
    world = entry_rests(RestRule.MARKET)
    world.wait(5)
    world.fill(world.resting(2)[0].order_id, 1)
    world.settle()
    world.wait(2)
    world.settle()
    assert (world.held(2), last_of(world).spec.qty) == (2, 1)


def test_an_order_that_filled_before_its_cancel_came_needs_no_successor() -> None:
    world = entry_rests(RestRule.MARKET)
    world.wait(5)
    world.fill(world.resting(2)[0].order_id)
    world.settle()
    world.wait(2)
    world.settle()
    assert world.held(2) == 2
    assert len(world.placed) == 1


def test_a_successor_may_be_at_most_some_ticks_worse_than_the_leaders_price() -> None:
    world = entry_rests(RestRule.MARKET_WITHIN)
    world.wait(5)
    world.settle()
    world.wait(2)
    (sent,) = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert (sent.spec.order_type, sent.spec.limit) == (OrderType.LIMIT, 20003)


def test_an_entry_whose_leader_has_left_is_not_bought_any_more() -> None:
    world = entry_rests(RestRule.MARKET)
    world.wait(5)
    world.settle()
    world.market(SELL, 2)
    world.wait(2)
    assert world.outbox == []
    assert RefusalReason.STALE in world.reasons()
    world.wait(2)
    assert world.reasons().count(RefusalReason.STALE) == 1


def test_an_exit_keeps_its_protection_and_then_leaves_at_the_market() -> None:
    world = exit_rests()
    assert sorted(order.spec.order_type for order in world.resting(2)) == [OrderType.LIMIT, OrderType.STOP]
    world.wait(5)
    world.settle()
    assert [order.spec.order_type for order in world.resting(2)] == [OrderType.STOP]
    world.wait(2)
    world.settle()
    assert world.held(2) == 0
    assert world.resting(2) == []


def test_protection_that_outlived_the_leaders_does_its_work_alone() -> None:
    world = exit_rests(RestRule.WAIT)
    (stop,) = [order for order in world.resting(2) if order.spec.order_type is OrderType.STOP]
    world.fill(stop.order_id)
    world.settle()
    assert world.held(2) == 0
    assert world.resting(2) == []


def test_protection_that_outlived_the_leaders_survives_a_reconnect() -> None:
    world = exit_rests(RestRule.WAIT)
    world.connect()
    world.settle()
    assert len(world.resting(2)) == 2


def test_an_exit_that_was_done_by_hand_meanwhile_is_not_done_again() -> None:
    world = exit_rests()
    world.wait(5)
    world.settle()
    world.market(SELL, 2, account=TWO)
    world.wait(2)
    world.settle()
    assert world.held(2) == 0
    assert world.resting(2) == []


def test_an_exit_closes_only_what_is_left() -> None:
    world = exit_rests()
    world.wait(5)
    world.settle()
    world.market(SELL, 1, account=TWO)
    world.wait(2)
    world.settle()
    assert world.held(2) == 0


@pytest.mark.parametrize("rule", [RestRule.MARKET, RestRule.MARKET_WITHIN])
@pytest.mark.parametrize("at_once", [True, False])
def test_two_exits_that_rest_share_what_is_held(rule: RestRule, at_once: bool) -> None:
    """The leader got out by both; the second one was made smaller, and for the follower is all it holds."""
    world = desk(rests=RestPolicy(exits=rule, after=5, slack=3))
    world.market(BUY, 3)
    world.settle()
    first = world.trade(SELL, 2, OrderType.LIMIT, limit=20100)
    second = world.trade(SELL, 3, OrderType.LIMIT, limit=20200)
    world.settle()
    assert sorted(order.spec.qty for order in world.resting(2)) == [2, 3]
    world.fill(first)
    world.change(second, qty=1)
    world.settle()
    if not at_once:
        world.wait(2)
    world.fill(second)
    world.wait(0.5)
    for _ in range(12):
        world.wait(1)
        world.settle()
        for order in world.resting(2):
            if is_chase(order.client_order_id or ClientOrderId("")):
                world.fill(order.order_id)
    assert world.held(2) == 0


def test_a_shut_gate_leaves_what_rests_alone() -> None:
    world = exit_rests()
    world.shut(gate_of(TWO))
    world.wait(10)
    assert world.outbox == []


def test_a_gate_that_shuts_between_cancel_and_successor_is_said() -> None:
    world = exit_rests()
    world.wait(5)
    world.settle()
    world.shut(gate_of(TWO))
    world.wait(2)
    assert world.outbox == []
    assert world.reasons() == [RefusalReason.KILL_SWITCH]


def test_a_successor_waits_for_its_link_but_not_for_ever() -> None:
    world = exit_rests()
    world.wait(5)
    world.settle()
    world.lose(TWO)
    world.wait(2)
    assert world.reasons() == []
    world.wait(70)
    assert world.reasons() == [RefusalReason.STALE]
    again = exit_rests()
    again.wait(5)
    again.settle()
    again.lose(TWO)
    again.wait(2)
    again.connect(TWO)
    again.wait(1)
    again.settle()
    assert again.held(2) == 0


def test_a_group_that_stops_leaves_its_followers_as_they_are() -> None:
    world = entry_rests(RestRule.MARKET)
    world.plan = plan_of(group_of(follower(2), active=False))
    world.wait(10)
    assert world.outbox == []
    other = entry_rests(RestRule.MARKET)
    other.wait(5)
    other.settle()
    other.plan = plan_of(group_of(follower(2), active=False))
    other.wait(2)
    assert other.outbox == []


@pytest.mark.parametrize(("reverse", "held"), [(False, 2), (True, -2)])
def test_a_confirmed_entry_within_a_limit_obeys_the_rule_too(reverse: bool, held: int) -> None:
    rests = RestPolicy(entries=RestRule.MARKET, after=5)
    one = follower(2, reverse=reverse)
    world = desk(one, mode=SyncMode.CONFIRMED, entry_slack=0, rests=rests)
    world.market(BUY, 2)
    world.settle()
    world.wait(0.5)
    world.wait(5)
    world.settle()
    world.wait(2)
    world.settle()
    assert world.held(2) == held


def test_a_successor_is_priced_on_the_followers_grid() -> None:
    rule = follower(2, product="QM")
    rests = RestPolicy(entries=RestRule.MARKET_WITHIN, slack=1)
    world = desk(follower(2, products={"CL": rule}), rests=rests)
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000, symbol=Symbol("CLF7"))
    world.settle()
    world.fill(order)
    world.wait(0.5)
    world.wait(5)
    world.settle()
    world.wait(2)
    (sent,) = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert (sent.symbol, sent.spec.limit, sent.spec.qty) == ("QMF7", 8001, 2)


def test_the_leaders_price_is_still_known_after_a_reconnect() -> None:
    world = entry_rests(RestRule.MARKET_WITHIN)
    world.wait(5)
    world.settle()
    world.connect(LEADER)
    world.wait(2)
    (sent,) = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert sent.spec.limit == 20003


@pytest.mark.parametrize("entry", [True, False])
def test_without_a_price_an_exit_goes_at_the_market_and_an_entry_not_at_all(entry: bool) -> None:
    world = (entry_rests if entry else exit_rests)(RestRule.MARKET_WITHIN)
    world.wait(5)
    world.settle()
    world.fills = [fill for fill in world.fills if fill.account != LEADER]
    world.connect(LEADER)
    world.wait(2)
    sent = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert [order.spec.order_type for order in sent] == ([] if entry else [OrderType.MARKET])
    assert (RefusalReason.STALE in world.reasons()) is entry


def test_every_name_that_a_successor_can_have_is_understood() -> None:
    plain = client_order_id(GROUP, LEADER, OrderId(7), TWO)
    one = fill_key(plain, FillId(8))
    for key in (plain, one, entry_id(one), rest_id(plain, 2), rest_id(one, 3)):
        for name in (chase_id(key), command_id(chase_id(key), 4)):
            found = parse_key(name)
            assert found is not None, name
            assert (found.leader_order, found.follower) == (7, TWO)
    mending = repair_id(CopyKey(group=GROUP, leader=LEADER, leader_order=OrderId(7), follower=TWO), ES, ES, 9)
    assert parse_key(chase_id(mending)) is not None


@pytest.mark.parametrize(
    ("mine", "group", "why"),
    [
        ({"quarantined": frozenset({ES})}, {}, RefusalReason.QUARANTINED),
        ({}, {"instruments": frozenset({Symbol("NQ")})}, RefusalReason.INSTRUMENT_FILTERED),
    ],
)
def test_what_may_open_nothing_any_more_gets_no_successor(
    mine: dict[str, Any], group: dict[str, Any], why: RefusalReason
) -> None:
    """Seed 2317493: the entry was cancelled, and bought at the market in a contract that only exits."""
    world = entry_rests(RestRule.MARKET)
    rests = world.plan.groups[0].rests
    world.plan = plan_of(group_of(follower(2, **mine), rests=rests, **group))
    world.wait(5)
    world.settle()
    world.wait(5)
    assert not world.outbox
    assert not world.resting(2)
    assert world.held(2) == 0
    assert world.reasons() == [why]


def test_in_quarantine_an_exit_has_its_successor_all_the_same() -> None:
    world = exit_rests()
    rests = world.plan.groups[0].rests
    world.plan = plan_of(group_of(follower(2, quarantined=frozenset({ES})), rests=rests))
    world.wait(5)
    world.settle()
    world.wait(5)
    world.settle()
    assert world.held(2) == 0
