"""What takes the place of an order that rested for too long: when, how much, at which price, and when not."""

from typing import Any

import pytest

from syncgroups.core.decision import CopyStep, Weighed
from syncgroups.core.keys import chase_id
from syncgroups.core.plan import RestPolicy
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, PlaceOrder
from tradehaven.domain.enums import DriftPolicy, OrderType, RefusalReason, RestRule, Side, SyncMode
from tradehaven.domain.events import OrderWorking
from tradehaven.domain.ids import AccountId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
NQ = Symbol("NQZ6")


def entry_rests(rule: RestRule, *followers: Any, side: Side = BUY, **settings: Any) -> Desk:
    """Return a desk whose leader's limit entry has filled while its follower's rests."""
    world = desk(*followers, rests=RestPolicy(entries=rule, exits=rule, slack=3), **settings)
    order = world.trade(side, 2, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.fill(order)
    world.wait(1)
    return world


def exits_rest(rule: RestRule, *quantities: int) -> Desk:
    """Return a desk whose leader got out by several targets that rest at its follower."""
    world = desk(rests=RestPolicy(entries=rule, exits=rule, slack=3))
    world.market(BUY, sum(quantities))
    world.settle()
    targets = [world.trade(SELL, qty, OrderType.LIMIT, limit=20_100) for qty in quantities]
    world.settle()
    for target in targets:
        world.fill(target)
    world.wait(1)
    return world


def cancelled(world: Desk) -> None:
    """Let the time pass after which an order may not rest any more, and the broker cancel it."""
    world.wait(5)
    world.settle()


def placed(world: Desk) -> list[tuple[Side, int, OrderType]]:
    """Return the orders on their way: side, contracts, type."""
    found = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    return [(order.side, order.spec.qty, order.spec.order_type) for order in found]


def details(world: Desk) -> list[str]:
    return [refusal.detail for decision in world.decisions for refusal in decision.refusals]


# -- when --------------------------------------------------------------------------------------------


def test_five_seconds_are_five_seconds_and_late_fills_have_one_more() -> None:
    world = entry_rests(RestRule.MARKET)
    (since,) = world.book.resting_since.values()
    world.look_at(since + 5 * SECOND - 1)
    assert not world.outbox
    world.look_at(since + 5 * SECOND)
    assert [type(command) for command in world.outbox] == [CancelOrder]
    world.settle()
    (ended,) = world.book.chasing.values()
    world.look_at(ended + SECOND - 1)
    assert not world.outbox
    world.look_at(ended + SECOND)
    assert placed(world) == [(BUY, 2, OrderType.MARKET)]
    assert not world.book.chasing


def test_a_successor_waits_for_its_link_for_a_minute_and_not_a_moment_longer() -> None:
    world = entry_rests(RestRule.MARKET)
    cancelled(world)
    (ended,) = world.book.chasing.values()
    world.lose(TWO)
    world.look_at(ended + 60 * SECOND - 1)
    assert world.reasons() == []
    world.look_at(ended + 60 * SECOND)
    assert details(world) == ["its account was out of reach for too long"]
    assert not world.book.chasing


def test_what_another_engine_sent_already_is_not_sent_again() -> None:
    """It had placed the successor, and died before anybody else heard of it."""
    world = entry_rests(RestRule.MARKET)
    (copy,) = world.book.copies.values()
    cancelled(world)
    order = world.orders[world.trade(BUY, 2, account=TWO, seen=False)]
    order.client_order_id = chase_id(copy.key)
    world.step(
        OrderWorking(
            account=TWO,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            symbol=ES,
            side=BUY,
            spec=order.spec,
            at=world.at(),
        )
    )
    world.wait(2)
    assert not world.outbox
    assert not world.book.chasing


def test_a_group_that_stops_waits_for_no_successor() -> None:
    world = entry_rests(RestRule.MARKET)
    cancelled(world)
    world.plan = plan_of(group_of(follower(2), active=False))
    world.wait(1)
    assert not world.book.chasing
    assert not world.outbox


def test_an_entry_whose_leader_has_left_is_over_at_once() -> None:
    world = entry_rests(RestRule.MARKET)
    cancelled(world)
    world.market(SELL, 2)
    world.wait(1)
    assert details(world)[-1] == "its leader has left the contract in the meantime"
    assert not world.book.chasing


# -- how much ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reverse", "sign"), [(False, 1), (True, -1)])
def test_a_successor_is_weighed_and_held_as_the_order_before_it(reverse: bool, sign: int) -> None:
    world = entry_rests(RestRule.MARKET, follower(2, reverse=reverse))
    cancelled(world)
    decision = world.wait(1)
    (step,) = [step for step in decision.steps if isinstance(step, CopyStep)]
    assert isinstance(step.weighed, Weighed)
    figures = step.weighed
    assert (figures.leader, figures.change, figures.own) == (2 * sign, 2 * sign, 0)
    assert (figures.reduce, figures.enter, figures.allowed) == (0, 2, 2)
    world.settle()
    world.look()
    assert (world.held(2), world.differs()) == (2 * sign, [])
    assert world.book.held_for(GROUP, TWO, ES) == (ES, reverse)


def test_two_that_close_one_position_share_it_while_the_first_is_at_the_market() -> None:
    world = exits_rest(RestRule.MARKET, 2, 1)
    second = world.resting(2)[1]
    world.wait(5)
    first, late = world.outbox
    world.outbox = [first]
    world.settle()
    world.wait(1)
    assert placed(world) == [(SELL, 2, OrderType.MARKET)]
    world.deliver(late)
    assert second not in world.resting(2)
    world.wait(1)
    assert placed(world) == [(SELL, 2, OrderType.MARKET), (SELL, 1, OrderType.MARKET)]


def test_two_that_close_one_position_share_it_while_the_first_rests_within_its_limit() -> None:
    """The second one was made smaller by its leader, and for the follower is all that it holds."""
    world = desk(rests=RestPolicy(exits=RestRule.MARKET_WITHIN, slack=3))
    world.market(BUY, 3)
    world.settle()
    first = world.trade(SELL, 2, OrderType.LIMIT, limit=20_100)
    second = world.trade(SELL, 3, OrderType.LIMIT, limit=20_200)
    world.settle()
    world.fill(first)
    world.look(3)
    world.change(second, qty=1)
    world.fill(second)
    orders = []
    for _ in range(12):
        world.wait(1)
        orders += placed(world)
        world.settle()
    assert orders == [(SELL, 2, OrderType.LIMIT), (SELL, 1, OrderType.LIMIT)]


def test_three_that_close_one_position_in_one_second_share_it() -> None:
    world = exits_rest(RestRule.MARKET, 1, 1, 1)
    world.market(SELL, 1, account=TWO)
    cancelled(world)
    world.wait(1)
    assert placed(world) == [(SELL, 1, OrderType.MARKET), (SELL, 1, OrderType.MARKET)]
    assert details(world) == ["its leader has left the contract in the meantime"]


def test_a_successor_in_another_contract_takes_nothing_of_this_one() -> None:
    world = desk(rests=RestPolicy(exits=RestRule.MARKET_WITHIN, slack=3))
    for symbol in (NQ, ES):
        world.market(BUY, 2, symbol=symbol)
        world.settle()
        target = world.trade(SELL, 2, OrderType.LIMIT, limit=20_100, symbol=symbol)
        world.settle()
        world.fill(target)
    world.wait(1)
    cancelled(world)
    world.wait(1)
    assert placed(world) == [(SELL, 2, OrderType.LIMIT)] * 2


def test_an_entry_that_goes_after_its_leader_takes_nothing_from_an_exit() -> None:
    world = desk(rests=RestPolicy(entries=RestRule.MARKET_WITHIN, exits=RestRule.MARKET_WITHIN, slack=3))
    world.market(BUY, 2)
    world.settle()
    for side, qty, limit in ((BUY, 2, 19_900), (SELL, 3, 20_100)):
        resting = world.trade(side, qty, OrderType.LIMIT, limit=limit)
        world.settle()
        world.fill(resting)
        world.look(3)
    orders = []
    for _ in range(12):
        world.wait(1)
        orders += placed(world)
        world.settle()
    assert orders == [(BUY, 2, OrderType.LIMIT), (SELL, 1, OrderType.LIMIT)]


# -- at which price ----------------------------------------------------------------------------------


def test_an_entry_at_the_market_needs_no_price_of_its_leader() -> None:
    world = entry_rests(RestRule.MARKET)
    cancelled(world)
    world.fills = [fill for fill in world.fills if fill.account != LEADER]
    world.connect(LEADER)
    world.wait(2)
    assert placed(world) == [(BUY, 2, OrderType.MARKET)]


def test_a_successor_rests_within_its_limit_and_has_no_successor_of_its_own() -> None:
    world = entry_rests(RestRule.MARKET_WITHIN)
    for _ in range(60):
        world.wait(1)
        world.settle()
    assert [order.client_order_id[-2:] for order in world.placed] == ["f2", ".m"]
    assert [(one.spec.qty, one.spec.limit) for one in world.resting(2)] == [(2, 20_003)]
    world.market(SELL, 2)
    world.settle()
    assert not world.resting(2)


def test_an_exit_that_rests_within_its_limit_may_be_repaired() -> None:
    world = desk(rests=RestPolicy(exits=RestRule.MARKET_WITHIN), drift_policy=DriftPolicy.REPAIR)
    world.market(BUY, 1)
    world.settle()
    target = world.trade(SELL, 1, OrderType.LIMIT, limit=20_100)
    world.settle()
    world.fill(target)
    for _ in range(20):
        world.wait(1)
        world.settle()
    assert (world.held(2), world.resting(2)) == (0, [])


@pytest.mark.parametrize("listed", [True, False])
def test_an_entry_within_a_limit_of_a_price_that_nobody_knows_is_left(listed: bool) -> None:
    world = entry_rests(RestRule.MARKET_WITHIN)
    cancelled(world)
    world.fills = [fill for fill in world.fills if fill.account != LEADER]
    if not listed:
        world.orders = {key: order for key, order in world.orders.items() if order.account != LEADER}
    world.connect(LEADER)
    world.wait(2)
    assert placed(world) == []
    assert details(world)[-1] == "the leader's price is not known any more"
    assert world.reasons()[-1] == RefusalReason.STALE
    assert not world.book.chasing


def test_the_successor_of_a_fill_outlives_the_rest_of_its_leaders_order() -> None:
    rests = RestPolicy(entries=RestRule.MARKET_WITHIN, slack=3)
    world = desk(mode=SyncMode.CONFIRMED, entry_slack=0, rests=rests)
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=20_000)
    world.fill(order, 1)
    world.settle()
    world.wait(1)
    cancelled(world)
    world.wait(2)
    world.settle()
    assert [(one.spec.qty, one.spec.limit) for one in world.resting(2)] == [(1, 20_003)]
    world.cancel(order)
    world.settle()
    assert len(world.resting(2)) == 1
