"""Orders that are looked at again: what makes somebody look, and what is told, kept or left alone then."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.core.decision import CopyStep, Decision
from syncgroups.core.plan import FollowerPlan
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder, Command, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, Side, SyncMode
from tradehaven.domain.enums import TradingState as State
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
NQ = Symbol("NQZ6")
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP


def holding(*followers: FollowerPlan, qty: int = 2, **settings: Any) -> Desk:
    world = desk(*followers, **settings)
    world.market(BUY, qty)
    world.settle()
    return world


def rerated(world: Desk, ratio: str = "2", **settings: Any) -> None:
    """Let a follower's size be another from now on: whatever is looked at again gets that size."""
    world.plan = plan_of(group_of(follower(2, ratio=ratio), **settings))


def lost(world: Desk) -> PlaceOrder:
    order = world.outbox.pop()
    assert isinstance(order, PlaceOrder)
    name = order.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    return order


def sizes(world: Desk, account: int = 2) -> list[tuple[Side, int]]:
    """Return what works at an account."""
    return [(order.side, order.spec.qty) for order in world.resting(account)]


def changes(world: Desk) -> list[tuple[int, int]]:
    found = (command for command in world.outbox if isinstance(command, ChangeOrder))
    return [(change.account, change.spec.qty) for change in found]


def last(world: Desk) -> Decision:
    return world.decisions[-1]


# -- the leader moves or sizes its order --------------------------------------------------------------


def test_an_order_that_its_followers_broker_has_already_is_not_placed_again() -> None:
    world = desk()
    spec = OrderSpec(order_type=LIMIT, qty=1, limit=Ticks(19000))
    known = world._accept(TWO, ClientOrderId("th1.g9.l1.o700.f2"), ES, BUY, spec)
    world.step(world._working(known))
    world.last_id = 699
    assert world.trade(BUY, 1, LIMIT, limit=19000) == 700
    assert not world.outbox


def test_an_order_from_before_the_group_ran_is_not_taken_up_when_it_moves() -> None:
    world = desk(active=False)
    order = world.trade(BUY, 1, LIMIT, limit=19000)
    rerated(world, "1")
    world.change(order, limit=19100)
    assert not world.outbox
    assert world.reasons() == []


def test_a_moved_price_says_nothing_to_a_copy_that_has_ended() -> None:
    world = desk()
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.change(order, limit=19990)
    assert not last(world)
    assert world.reasons() == []


def test_an_order_that_grows_past_a_copy_that_has_ended_says_so() -> None:
    world = desk()
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.change(order, qty=3)
    (refusal,) = last(world).refusals
    assert (refusal.reason, refusal.detail) == ("copy_ended", "its own order has ended already")


def test_a_size_that_stays_nought_is_said_once() -> None:
    world = desk(follower(2, ratio="1/2"))
    order = world.trade(BUY, 1, LIMIT, limit=20000)
    world.change(order, limit=20010)
    assert world.reasons() == ["rounds_to_zero"]


def test_a_change_is_on_record_with_what_it_was_decided_on() -> None:
    world = desk()
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.change(order, qty=3)
    (step,) = last(world).steps
    assert isinstance(step, CopyStep)
    assert step.weighed is not None
    assert (step.weighed.change, step.weighed.enter, step.weighed.allowed) == (3, 3, 3)


def test_a_stop_that_trails_and_means_the_same_is_told_nothing() -> None:
    world = holding()
    stop = world.trade(SELL, 2, OrderType.TRAILING_STOP, stop=19900, trail=100)
    world.settle()
    world.change(stop, stop=19950)
    assert last(world).steps == ()


def test_a_change_that_cannot_be_told_offline_is_no_refusal() -> None:
    world = desk()
    order = world.trade(BUY, 1, LIMIT, limit=20000)
    world.settle()
    world.lose(TWO)
    world.change(order, limit=19990)
    assert world.reasons() == []


def test_behind_the_kill_switch_a_change_is_refused_and_not_wished_for_later() -> None:
    world = desk()
    order = world.trade(BUY, 1, LIMIT, limit=20000)
    world.settle()
    world.shut(gate_of(TWO))
    world.change(order, limit=19990)
    assert (last(world).steps, world.reasons()) == ((), ["kill_switch"])


def test_an_order_cut_to_what_it_closes_is_an_exit_and_stays_behind_the_switch() -> None:
    world = holding()
    order = world.trade(SELL, 5, LIMIT, limit=20100)
    world.settle()
    world.change(order, qty=2)
    world.settle()
    world.shut(gate_of(TWO))
    world.cancel(order)
    world.settle()
    assert sizes(world) == [(SELL, 2)]


def test_an_exit_that_has_become_an_entry_is_withdrawn_behind_the_switch() -> None:
    world = holding()
    order = world.trade(SELL, 2, LIMIT, limit=20100)
    world.settle()
    world.market(SELL, 2)  # what the limit would close is closed: it opens a short now
    world.change(order, limit=20110)
    world.settle()
    world.shut(gate_of(TWO))
    world.cancel(order)
    world.settle()
    assert sizes(world) == []


def test_a_limit_leaves_an_order_that_may_not_grow_as_large_as_it_is() -> None:
    world = holding(follower(2, max_position=3))
    order = world.trade(SELL, 4, LIMIT, limit=20100)
    world.settle()
    world.change(order, qty=9, limit=20110)
    world.settle()
    assert sizes(world) == [(SELL, 4)]
    assert world.reasons() == ["max_position"]


def test_a_limit_that_was_tightened_cuts_what_an_order_opens() -> None:
    world = holding(follower(2, max_position=3))
    order = world.trade(SELL, 4, LIMIT, limit=20100)
    world.settle()
    world.plan = plan_of(group_of(follower(2, max_position=1)))
    world.change(order, qty=9)
    world.settle()
    assert sizes(world) == [(SELL, 3)]


def test_an_exit_that_may_not_open_anything_stays_the_exit_it_was() -> None:
    world = holding(follower(2, max_position=1), qty=1)
    order = world.trade(SELL, 1, LIMIT, limit=20100)
    world.settle()
    world.change(order, qty=4)
    world.settle()
    assert sizes(world) == [(SELL, 1)]


# -- an exit that stays for what may come -------------------------------------------------------------


def test_a_stop_is_cut_to_what_is_certain_while_more_may_come() -> None:
    world = holding()
    world.market(BUY, 1)
    lost(world)
    world.trade(SELL, 3, STOP, stop=19900)
    world.settle()
    assert sizes(world) == [(SELL, 2)]
    world.market(SELL, 1, account=TWO)
    assert changes(world) == [(2, 1)]


def test_a_stop_with_nothing_to_close_stays_at_the_new_price_while_something_may_come() -> None:
    world = holding()
    world.market(BUY, 2)
    lost(world)
    stop = world.trade(SELL, 4, STOP, stop=19900)
    world.settle()
    world.market(SELL, 2, account=TWO)
    assert not world.outbox
    world.change(stop, stop=19950)
    world.settle()
    assert [(order.spec.qty, order.spec.stop) for order in world.resting(2)] == [(2, 19950)]


def withdrawn_stop() -> tuple[Desk, OrderId, Command]:
    """Return a desk on which a hand closed what a stop protects, with the stop's cancel on its way."""
    world = holding()
    stop = world.trade(SELL, 2, STOP, stop=19900)
    world.settle()
    world.market(SELL, 2, account=TWO)
    cancel = world.outbox.pop()
    (step,) = (step for step in world.decisions[-3].steps if isinstance(step, CopyStep))
    assert (step.copy.target, step.copy.enters) == (None, 0)
    return world, stop, cancel


def test_a_stop_that_is_being_taken_back_is_told_nothing_more() -> None:
    world, stop, _ = withdrawn_stop()
    world.change(stop, stop=19950)
    assert last(world).steps == ()


def test_a_stop_that_is_being_taken_back_is_not_wished_for_by_what_may_come() -> None:
    world, stop, _ = withdrawn_stop()
    world.market(BUY, 2)
    lost(world)
    world.change(stop, stop=19950)
    assert last(world).steps == ()


def test_a_stop_that_is_being_taken_back_is_not_wished_for_without_a_link() -> None:
    world, stop, _ = withdrawn_stop()
    world.lose(TWO)
    world.change(stop, stop=19950)
    assert last(world).steps == ()


def test_a_stop_that_is_being_taken_back_is_wished_for_again_when_something_is_held() -> None:
    world, stop, cancel = withdrawn_stop()
    world.market(BUY, 2)
    world.settle()
    world.change(stop, qty=4)
    world.reject(cancel, "TooLate")
    world.settle()
    world.wait(1)
    world.settle()
    assert sizes(world) == [(SELL, 2)]


# -- what makes somebody look -------------------------------------------------------------------------


def test_a_refusal_that_was_said_is_not_said_again_with_each_fill() -> None:
    world = desk(follower(2, max_position=3))
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.change(order, qty=5)
    world.market(BUY, 1, account=TWO)
    assert world.reasons() == ["max_position"]


def test_orders_that_grow_with_one_fill_share_what_the_limit_leaves() -> None:
    world = desk(follower(2, max_position=3))
    world.market(SELL, 2)
    world.settle()
    world.shut(gate_of(TWO), state=State.REDUCING)
    for stop in (20100, 20110):
        world.trade(BUY, 4, STOP, stop=stop)
    world.settle()
    world.shut(gate_of(TWO), state=State.ACTIVE)
    world.market(BUY, 1, account=TWO)  # by hand: both are looked at again
    world.settle()
    assert world.held(2) + sum(qty for _, qty in sizes(world)) == 3


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
    world.trade(other.pop("side"), 1, other.pop("order_type"), **other)
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
def test_orders_of_a_group_that_is_no_more_are_left_alone(left: Any) -> None:
    world = holding()
    world.trade(SELL, 2, STOP, stop=19900)
    world.settle()
    plan = plan_of(left)
    world.plan = replace(plan, accounts={**world.plan.accounts, **plan.accounts})
    world.market(SELL, 1, account=TWO)
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


def test_an_exit_that_ends_calls_nobody() -> None:
    world = holding()
    stop = world.trade(SELL, 1, STOP, stop=19900)
    world.trade(BUY, 1, LIMIT, limit=19000)
    world.settle()
    rerated(world)
    world.cancel(stop)
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
    world = holding(qty=3)
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
