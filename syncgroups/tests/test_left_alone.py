"""Orders that converge: what is withdrawn with their leader's, what stays, and what follows from answers."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.core.decision import CopyStep
from syncgroups.core.plan import FollowerPlan
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Denied, PlaceOrder
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, SyncMode
from tradehaven.domain.enums import TradingState as State
from tradehaven.domain.events import AccountLocked, OrderEnded
from tradehaven.domain.ids import AccountId, GroupId, Nanos, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
TWO, THREE = AccountId(2), AccountId(3)
NQ = Symbol("NQZ6")


def holding(*followers: FollowerPlan, qty: int = 2, **settings: Any) -> Desk:
    world = desk(*followers, **settings)
    world.market(BUY, qty)
    world.settle()
    return world


def resting(world: Desk, side: Side = BUY, qty: int = 2, **prices: Any) -> OrderId:
    """Return an order of the leader whose copy works as well."""
    order = world.trade(side, qty, LIMIT, **(prices or {"limit": 20000}))
    world.settle()
    return order


def sides(world: Desk) -> list[Side]:
    return [order.side for order in world.resting(2)]


def cancels(world: Desk) -> list[OrderId]:
    return [command.order_id for command in world.outbox if isinstance(command, CancelOrder)]


def over(world: Desk, order_id: OrderId, status: OrderStatus) -> None:
    """Say that an order has ended."""
    order = world.orders[order_id]
    order.status = status
    world.step(
        OrderEnded(
            account=order.account,
            order_id=order_id,
            client_order_id=order.client_order_id,
            status=status,
            reason="",
            at=world.at(),
        )
    )


# -- a leader that is out -----------------------------------------------------------------------------


def test_an_entry_is_left_alone_whose_leaders_fills_are_still_to_come() -> None:
    world = desk()
    order = resting(world)
    over(world, order, OrderStatus.FILLED)
    assert cancels(world) == []
    world.fill(order)
    assert cancels(world) == []
    world.fill(world.resting(2)[0].order_id)
    assert world.held(2) == world.held(LEADER) == 2


def test_an_entry_is_withdrawn_when_its_leader_is_out_before_its_end_is_told() -> None:
    world = desk()
    order = resting(world)
    entry = world.orders[order]
    entry.spec = replace(entry.spec, qty=3)
    world.fill(order, 2)  # all of it, and the end of the order is not told yet
    entry.spec = replace(entry.spec, qty=2)
    world.market(SELL, 2)
    assert cancels(world) == []
    over(world, order, OrderStatus.FILLED)
    assert len(cancels(world)) == 1


def test_an_entry_that_still_works_at_the_leader_outlasts_a_round_trip() -> None:
    world = desk()
    resting(world, limit=19000)
    world.market(BUY, 1)
    world.settle()
    world.market(SELL, 1)
    world.settle()
    assert sides(world) == [BUY]


def test_an_entry_in_another_contract_outlasts_the_leaders_exit() -> None:
    world = holding()
    order = resting(world, limit=25000, symbol=NQ)
    world.fill(order)
    world.market(SELL, 2)
    world.settle()
    assert [(one.side, one.symbol) for one in world.resting(2)] == [(BUY, NQ)]


def test_an_entry_of_another_group_outlasts_the_leaders_exit() -> None:
    plan = plan_of(group_of(follower(2)), group_of(follower(2), leader=THREE, group=GroupId(10)))
    world = Desk(plan)
    world.connect()
    world.market(BUY, 1)
    world.settle()
    other = world.trade(BUY, 1, LIMIT, limit=20000, account=THREE)
    world.settle()
    world.fill(other)
    world.market(SELL, 1)
    world.settle()
    assert sides(world) == [BUY]


def test_an_entry_waits_while_its_leader_is_on_the_way_in_again() -> None:
    world = desk()
    order = resting(world)
    world.fill(order)
    world.trade(BUY, 1)  # at the market, not filled yet
    world.market(SELL, 2)
    assert cancels(world) == []


def test_a_limited_entry_outlives_the_rest_of_its_leaders_order() -> None:
    world = desk(mode=SyncMode.CONFIRMED, entry_slack=0)
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.fill(order, 1)
    world.settle()
    world.cancel(order)
    world.settle()
    assert sides(world) == [BUY]


def test_a_limited_entry_is_withdrawn_though_its_leaders_order_is_not_listed_any_more() -> None:
    world = desk(mode=SyncMode.CONFIRMED, entry_slack=0)
    order = world.market(BUY, 2)
    world.settle()
    world.lose(LEADER)
    del world.orders[order]
    world.connect(LEADER)
    world.market(SELL, 2)
    assert len(cancels(world)) == 1


def test_the_end_of_an_order_that_was_never_seen_working_follows_nothing() -> None:
    world = desk()
    world.trade(BUY, 2)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    order = world._accept(TWO, command.client_order_id, ES, BUY, command.spec)
    world.answer(command, order.order_id)
    over(world, order.order_id, OrderStatus.FILLED)
    assert cancels(world) == []


def test_an_exit_that_has_filled_is_not_taken_back_before_its_end_is_told() -> None:
    world = holding()
    leaving = world.trade(SELL, 2)
    world.deliver(world.outbox.pop(), fill_markets=False)
    (exit_,) = world.resting(2)
    exit_.spec = replace(exit_.spec, qty=3)
    world.fill(exit_.order_id, 2)  # all of it, and the end of the order is not told yet
    world.fill(leaving)
    assert cancels(world) == []


def test_an_order_that_its_broker_completed_in_part_is_over_as_well() -> None:
    world = desk()
    order = resting(world)
    world.fill(order, 1)
    over(world, order, OrderStatus.COMPLETED)
    world.market(SELL, 1)
    assert len(cancels(world)) == 1


@pytest.mark.parametrize("stated", [True, False])
def test_an_entry_is_withdrawn_when_its_leader_is_out_by_a_zero_or_by_silence(*, stated: bool) -> None:
    world = desk()
    order = resting(world)
    world.lose(LEADER)
    world.fill(order, seen=False)
    world.market(SELL, 2, seen=False)
    if not stated:
        del world.positions[LEADER, ES]
    world.connect(LEADER)
    assert len(cancels(world)) == 1


# -- a leader that withdraws --------------------------------------------------------------------------


def test_an_order_that_has_ended_already_is_not_withdrawn() -> None:
    world = desk()
    order = resting(world)
    world.fill(world.resting(2)[0].order_id)
    world.cancel(order)
    assert not world.decisions[-1]


def test_an_order_that_is_being_taken_back_is_not_withdrawn_as_well() -> None:
    world = holding()
    stop = resting(world, SELL, limit=20100)
    world.market(SELL, 2, account=TWO)
    assert len(cancels(world)) == 1
    world.shut(gate_of(TWO))
    world.cancel(stop)
    assert not world.decisions[-1]


def test_a_flip_is_withdrawn_though_what_it_would_have_closed_is_held() -> None:
    world = holding()
    flip = resting(world, SELL, 5, limit=20100)
    world.market(SELL, 2)
    world.outbox.clear()  # the follower's exit is lost
    world.cancel(flip)
    assert len(cancels(world)) == 1


def test_an_exit_protects_what_its_leader_got_rid_of() -> None:
    world = holding()
    stop = resting(world, SELL, limit=20100)
    world.market(SELL, 2)
    world.outbox.clear()
    world.cancel(stop)
    assert cancels(world) == []


def test_an_exit_that_protects_nothing_any_more_is_withdrawn() -> None:
    world = holding()
    stop = resting(world, SELL, limit=20100)
    world.market(SELL, 2)
    world.settle()
    world.cancel(stop)
    world.settle()
    assert sides(world) == []


def test_an_exit_of_which_nothing_on_record_is_held_is_withdrawn_with_its_leaders() -> None:
    world = holding()
    stop = resting(world, SELL, limit=20100)
    world.market(SELL, 2)
    world.outbox.clear()
    world.book.copied.clear()
    world.cancel(stop)
    assert len(cancels(world)) == 1


def test_an_exit_of_an_account_that_is_gone_is_left_alone() -> None:
    world = holding(follower(2), follower(3))
    stop = resting(world, SELL, limit=20100)
    world.plan = plan_of(group_of(follower(3)))
    world.cancel(stop)
    assert [command.account for command in world.outbox] == [THREE]


def test_an_exit_that_fits_what_is_held_is_told_nothing() -> None:
    world = holding()
    world.fill(resting(world, SELL, limit=20100))
    world.market(BUY, 1, account=TWO)
    assert not any(decision.steps for decision in world.decisions[-3:])
    assert sides(world) == [SELL]


# -- behind gates and locks ---------------------------------------------------------------------------


def test_a_price_that_waited_for_its_turn_is_not_told_behind_a_gate_that_has_shut_since() -> None:
    world = desk()
    order = resting(world)
    world.change(order, limit=19990)
    world.reject(world.outbox.pop(), "AnotherCommandPending")
    world.shut(gate_of(TWO))
    world.wait(1)
    assert not world.outbox
    world.shut(gate_of(TWO), state=State.ACTIVE)
    world.wait(1)
    assert [type(command) for command in world.outbox] == [ChangeOrder]


def lock(world: Desk) -> None:
    """Lock the follower's account for an hour."""
    until = Nanos(world.now + 3600 * SECOND)
    why = RefusalReason.DAILY_LOSS
    world.step(
        AccountLocked(account=TWO, reason=why, detail="lost", until=until, flatten=False, at=world.at())
    )


def test_behind_a_lock_an_order_moves_and_opens_as_much_as_before() -> None:
    world = desk()
    order = resting(world)
    lock(world)
    world.change(order, limit=19990)
    (step,) = world.decisions[-1].steps
    assert isinstance(step, CopyStep)
    assert isinstance(step.command, ChangeOrder)
    assert (step.command.spec.limit, step.command.spec.qty, step.copy.enters) == (19990, 2, 2)


def test_behind_a_lock_an_order_is_made_smaller() -> None:
    world = desk()
    order = resting(world)
    lock(world)
    world.change(order, qty=1)
    (change,) = world.outbox
    assert isinstance(change, ChangeOrder)
    assert change.spec.qty == 1


def test_behind_a_lock_a_change_that_waited_for_its_turn_moves_and_does_not_grow() -> None:
    world = desk()
    order = resting(world)
    world.change(order, qty=5, limit=19990)
    world.reject(world.outbox.pop(), "AnotherCommandPending")
    lock(world)
    world.wait(1)
    (step,) = [step for step in world.decisions[-1].steps if isinstance(step, CopyStep)]
    assert isinstance(step.command, ChangeOrder)
    assert (step.command.spec.limit, step.command.spec.qty, step.copy.enters) == (19990, 2, 2)


def test_behind_a_lock_an_order_is_withdrawn_with_its_leaders() -> None:
    world = desk()
    order = resting(world)
    lock(world)
    world.cancel(order)
    assert len(cancels(world)) == 1


# -- what an answer is followed by --------------------------------------------------------------------


def test_news_of_an_order_that_stands_as_it_should_is_followed_by_nothing() -> None:
    world = desk()
    world.trade(BUY, 2, LIMIT, limit=20000)
    before = len(world.decisions)
    world.settle()
    assert not any(world.decisions[before:])


def test_an_order_that_is_named_late_is_brought_to_where_its_leaders_stands_by_then() -> None:
    world = desk()
    leaders = world.trade(BUY, 2, LIMIT, limit=20000)
    command = world.outbox.pop()
    assert isinstance(command, PlaceOrder)
    order = world._accept(TWO, None, ES, BUY, command.spec)
    world.step(world._working(order))
    world.change(leaders, limit=19990)
    assert not world.outbox
    world.answer(command, order.order_id)
    (change,) = world.outbox
    assert isinstance(change, ChangeOrder)
    assert change.spec.limit == 19990


def test_a_smaller_size_without_room_is_not_sent_again_in_the_same_event() -> None:
    world = desk()
    order = resting(world)
    world.change(order, qty=1)
    (change,) = world.outbox
    world.outbox.clear()
    why = RefusalReason.RATE_LIMITED
    at, name = world.at(), change.client_order_id
    later = Nanos(at + SECOND)
    world.step(Denied(account=TWO, client_order_id=name, reason=why, text="", at=at, retry_at=later))
    assert not world.outbox


def test_an_order_that_is_stuck_is_named_once_and_not_for_anothers_sake() -> None:
    world = desk()
    one, other = resting(world), resting(world, limit=19000)
    stuck = world.resting(2)[0].order_id
    world.cancel(one)
    for _ in range(5):
        world.reject(world.outbox.pop(), "NotNow")
        world.wait(1)
    (remark,) = [remark for decision in world.decisions for remark in decision.remarks]
    assert (remark.kind, remark.detail) == ("command_stuck", "the broker did not do it 5 times: NotNow")
    assert world.orders[stuck].status is OrderStatus.WORKING
    world.change(other, limit=19010)
    world.reject(world.outbox.pop(), "NotNow")
    assert world.remarks() == ["command_stuck"]
