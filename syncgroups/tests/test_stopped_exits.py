"""Exits that rest on after copying was stopped: cut to what their account still holds, and never more."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from syncgroups.core.plan import GroupPlan
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, LEADER, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder
from tradehaven.domain.enums import OrderType, Side, TradingState
from tradehaven.domain.ids import AccountId, GroupId

BUY, SELL = Side.BUY, Side.SELL
TWO, FOUR = AccountId(2), AccountId(4)
OTHER = group_of(follower(2), leader=FOUR, group=GroupId(10))


def out(group: GroupPlan) -> GroupPlan:
    return replace(group, followers=(follower(3),))


def off(group: GroupPlan) -> GroupPlan:
    return replace(group, active=False)


STOPPED = pytest.mark.parametrize("stop", [out, off])


def stopped(stop: Callable[[GroupPlan], GroupPlan]) -> Desk:
    """Return a desk whose follower holds eight behind exits of a group that copies no more to it.

    Another group copies to it, too.
    """
    group = group_of(follower(2), follower(3))
    world = Desk(plan_of(group, OTHER))
    world.connect()
    world.market(SELL, 8)
    world.trade(BUY, 8, OrderType.LIMIT, limit=19_000)
    world.trade(BUY, 8, OrderType.STOP, stop=21_000)
    world.settle()
    world.plan = plan_of(stop(group), OTHER)
    return world


def sizes(world: Desk) -> list[int]:
    return [order.spec.qty for order in world.resting(2)]


@STOPPED
def test_what_another_group_has_closed_is_not_closed_again(stop: Callable[[GroupPlan], GroupPlan]) -> None:
    """Seed 2055821: the target of eight traded where six were held, and the account was turned."""
    world = stopped(stop)
    world.market(BUY, 2, account=FOUR)
    world.settle()
    assert sizes(world) == [6, 6]
    target, _ = world.resting(2)
    world.fill(target.order_id)
    assert world.held(2) == 0


@STOPPED
def test_of_one_that_has_traded_in_part_the_rest_is_cut(stop: Callable[[GroupPlan], GroupPlan]) -> None:
    world = stopped(stop)
    target, _ = world.resting(2)
    world.fill(target.order_id, 3)
    world.settle()
    assert sizes(world) == [8, 5]
    assert world.wait(1).steps == (), "what fits is told nothing, and nothing is written down"
    world.market(BUY, 1, account=FOUR)
    world.settle()
    assert sizes(world) == [7, 4]
    assert world.held(2) == -4


@STOPPED
def test_what_has_traded_in_part_does_not_grow_with_what_another_group_adds(
    stop: Callable[[GroupPlan], GroupPlan],
) -> None:
    world = stopped(stop)
    target, _ = world.resting(2)
    world.fill(target.order_id, 3)
    world.settle()
    world.market(SELL, 4, account=FOUR)
    world.settle()
    world.wait(1)
    assert not world.outbox
    assert (world.held(2), sizes(world)) == (-9, [8, 5])


@STOPPED
def test_while_what_is_held_is_disputed_nothing_is_cut_by_the_clock(
    stop: Callable[[GroupPlan], GroupPlan],
) -> None:
    """The word on the position may be an old one; the lists settle that."""
    world = stopped(stop)
    world.book.positions[TWO, ES] = -5
    world.wait(1)
    assert world.outbox == []
    world.book.reported[TWO, ES] = -5
    world.wait(1)
    assert sorted(command.spec.qty for command in world.outbox if isinstance(command, ChangeOrder)) == [5, 5]


@STOPPED
def test_nothing_grows_and_nothing_is_told_twice(stop: Callable[[GroupPlan], GroupPlan]) -> None:
    world = stopped(stop)
    world.market(SELL, 2, account=FOUR)
    world.settle()
    world.wait(1)
    assert not world.outbox
    world.market(BUY, 4, account=FOUR)
    world.deliver(world.outbox.pop())
    assert [command.spec.qty for command in world.outbox if isinstance(command, ChangeOrder)] == [6, 6]
    world.wait(1)
    assert len(world.outbox) == 2, "its answers are on their way"


def test_one_whose_cancel_is_on_its_way_is_told_nothing() -> None:
    world = stopped(out)
    target, _ = (order for order in world.orders.values() if order.account == LEADER and order.side is BUY)
    world.cancel(target.order_id)
    world.outbox.clear()  # its copy's cancel among them
    world.market(BUY, 2, account=FOUR)
    world.deliver(world.outbox.pop())
    (change,) = world.outbox
    assert isinstance(change, ChangeOrder)
    assert change.spec.order_type is OrderType.STOP


def test_behind_a_shut_gate_it_is_cut_as_well() -> None:
    world = stopped(out)
    world.shut(gate_of(TWO), state=TradingState.HALTED)
    world.market(BUY, 2, account=TWO)
    world.settle()
    assert sizes(world) == [6, 6]


def test_what_only_the_brokers_word_tells_of_cuts_it_within_a_second() -> None:
    """An execution that was taken back while the link was down comes without a fill."""
    world = stopped(out)
    world.lose(TWO)
    world.positions[TWO, ES] = -6
    world.connect(TWO)
    world.wait(8)
    world.wait(1)
    world.settle()
    assert sizes(world) == [6, 6]
