"""What makes somebody look at an order again: which fills and ends do, and which leave it alone."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, follower, group_of, plan_of
from syncgroups.tests.test_second_looks import TWO, changes, holding, rerated, sizes
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import OrderStatus, OrderType, Side, SyncMode
from tradehaven.domain.ids import AccountId, GroupId, OrderId, Symbol
from tradehaven.domain.money import Ticks

BUY, SELL = Side.BUY, Side.SELL
THREE = AccountId(3)
NQ = Symbol("NQZ6")
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP


# -- what makes somebody look -------------------------------------------------------------------------


def test_a_refusal_that_was_said_is_not_said_again_with_each_fill() -> None:
    world = desk(follower(2, max_position=3))
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.change(order, qty=5)
    world.market(BUY, 1, account=TWO)
    assert world.reasons() == ["max_position"]


def test_orders_that_grow_with_one_fill_share_what_the_limit_leaves() -> None:
    world = desk(follower(2, max_position=4))
    free, held = world.plan, follower(2, max_position=4, quarantined=frozenset({ES}))
    world.market(SELL, 2)
    world.settle()
    world.plan = plan_of(group_of(held))
    for stop in (20100, 20110):
        world.trade(BUY, 4, STOP, stop=stop)
    world.settle()
    world.plan = free
    world.market(BUY, 1, account=TWO)  # by hand: both are looked at again
    world.settle()
    assert world.held(2) + sum(qty for _, qty in sizes(world)) == 4


def test_a_fill_leaves_other_contracts_and_the_order_itself_alone() -> None:
    world = desk()
    itself = world.trade(BUY, 2, LIMIT, limit=20000)
    world.trade(BUY, 1, LIMIT, limit=25000, symbol=NQ)
    world.settle()
    rerated(world)
    world.fill(next(order.order_id for order in world.resting(2) if order.symbol == ES), 1)
    assert not world.outbox
    world.change(itself, limit=20010)
    assert changes(world) == [(2, 4)]


def test_a_fill_leaves_orders_at_the_market_alone() -> None:
    world = holding(qty=3)
    world.trade(SELL, 1)
    world.deliver(world.outbox.pop(), fill_markets=False)
    rerated(world, "3")
    world.market(BUY, 2, account=TWO)
    assert not world.outbox


@pytest.mark.parametrize(
    "other",
    [
        {"side": SELL, "order_type": STOP, "stop": 25000, "symbol": NQ},
        {"side": BUY, "order_type": LIMIT, "limit": 19000},
    ],
)
def test_an_entry_that_fills_calls_no_orders_but_its_own_exits(other: dict[str, Any]) -> None:
    world = desk(follower(2, ratio="1/2"))
    world.trade(BUY, 2, LIMIT, limit=20000)
    world.trade(qty=1, **other)
    assert world.reasons() == ["rounds_to_zero"]
    world.settle()
    rerated(world)
    world.fill(world.resting(2)[0].order_id)
    assert not world.outbox


def test_an_entry_that_fills_sends_no_exit_at_the_market_late() -> None:
    world = desk()
    order = world.trade(BUY, 4, LIMIT, limit=20000)
    world.settle()
    world.fill(order, 2)
    world.trade(SELL, 2)
    assert world.reasons() == ["nothing_to_reduce"]
    world.fill(world.resting(2)[0].order_id)
    assert not world.outbox


def test_an_exit_that_fills_calls_no_entries() -> None:
    world = desk(follower(2, ratio="1/2"))
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 2, STOP, stop=19900)
    world.trade(BUY, 1, LIMIT, limit=19000)
    world.settle()
    rerated(world)
    (stop,) = world.resting(2)
    world.fill(stop.order_id)
    assert not world.outbox


def test_exits_go_out_in_the_order_in_which_their_leader_placed_them() -> None:
    world = desk()
    entry = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.fill(entry)
    world.last_id = 614
    exits = [world.trade(SELL, 2, STOP, stop=19900), world.trade(SELL, 2, LIMIT, limit=20100)]
    assert exits == [615, 616]
    world.fill(world.resting(2)[0].order_id)
    orders = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert [order.spec.order_type for order in orders] == [STOP, LIMIT]


def test_a_late_entry_gets_the_exit_of_its_own_follower() -> None:
    world = desk(follower(2), follower(3, ratio="2"))
    entry = world.trade(BUY, 1, LIMIT, limit=20000)
    world.settle()
    world.fill(entry)
    world.trade(SELL, 1, STOP, stop=19900)
    world.fill(next(order.order_id for order in world.resting(3)))
    world.settle()
    assert (sizes(world, 2), sizes(world, 3)) == ([(BUY, 1)], [(SELL, 2)])


@pytest.mark.parametrize(
    "left",
    [group_of(follower(2), leader=THREE), group_of(follower(2, ratio="2"), group=GroupId(10))],
)
def test_orders_of_a_group_that_is_no_more_are_left_alone_but_close_no_more_than_is_held(left: Any) -> None:
    world = holding()
    stop = world.trade(SELL, 2, STOP, stop=19900)
    world.settle()
    plan = plan_of(left)
    world.plan = replace(plan, accounts={**world.plan.accounts, **plan.accounts})
    world.change(stop, stop=Ticks(19800))
    assert not world.outbox
    world.market(SELL, 1, account=TWO)
    world.settle()
    assert sizes(world, 2) == [(SELL, 1)]
    world.market(BUY, 1, account=TWO)
    assert not world.outbox


def test_an_order_whose_product_has_no_counterpart_any_more_is_left_alone() -> None:
    world = desk(follower(2, ratio="1/2"))
    gold = Symbol("GCG7")
    world.trade(BUY, 2, LIMIT, limit=20000, symbol=gold)
    world.settle()
    world.trade(SELL, 1, STOP, stop=19900, symbol=gold)
    world.plan = plan_of(group_of(follower(2, products={"GC": follower(2, product="ES")})))
    world.fill(world.resting(2)[0].order_id)
    assert not world.outbox


# -- when an entry ends that exits stayed for ---------------------------------------------------------


def two_entries(**second: Any) -> tuple[Desk, OrderId]:
    """Return a desk with two entries at rest, of which the second is about to end."""
    world = desk()
    world.trade(BUY, 1, LIMIT, limit=19000)
    order = world.trade(BUY, 1, LIMIT, **({"limit": 19500} | second))
    world.settle()
    return world, order


def test_an_entry_that_ends_calls_what_rests_in_its_contract() -> None:
    world, order = two_entries()
    rerated(world)
    world.cancel(order)
    assert [change for change in changes(world)] == []
    world.settle()
    assert (BUY, 2) in sizes(world)


def test_an_entry_that_ends_leaves_other_contracts_alone() -> None:
    world, order = two_entries(limit=25000, symbol=NQ)
    rerated(world)
    world.cancel(order)
    world.settle()
    assert sizes(world) == [(BUY, 1)]


def test_an_entry_that_is_only_confirmed_calls_nobody() -> None:
    world = desk()
    world.trade(BUY, 1, LIMIT, limit=19000)
    world.settle()
    world.trade(BUY, 1, LIMIT, limit=19500)
    rerated(world)
    world.settle()
    assert sizes(world) == [(BUY, 1), (BUY, 1)]


def test_an_entry_that_ends_leaves_what_outlived_its_leader_alone() -> None:
    world = holding(qty=5)
    target = world.trade(SELL, 3, LIMIT, limit=20500)
    entry = world.trade(BUY, 1, LIMIT, limit=19000)
    world.settle()
    world.fill(target)
    rerated(world)
    (own,) = (order for order in world.resting(2) if order.side is BUY)
    world._end(own, OrderStatus.CANCELLED, seen=True)
    assert world.orders[entry].status is OrderStatus.WORKING
    assert changes(world) == []


def test_in_confirmed_mode_an_exit_that_was_not_one_so_far_is_placed_when_it_is() -> None:
    world = desk(mode=SyncMode.CONFIRMED)
    order = world.trade(SELL, 2, STOP, stop=19900)
    world.market(BUY, 2)
    world.settle()
    world.change(order, stop=19950)
    world.settle()
    assert sizes(world) == [(SELL, 2)]
    assert world.held(LEADER) == 2
