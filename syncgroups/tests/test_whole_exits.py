"""An exit of all that a leader holds closes all that its follower holds, however both came to hold it."""

from dataclasses import replace

import pytest

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import LEADER, follower, gate_of
from tradehaven.domain.commands import ChangeOrder
from tradehaven.domain.enums import OrderType, Side, TradingState
from tradehaven.domain.ids import AccountId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def stopped(stop: int, side: Side = BUY) -> Desk:
    """Return a desk whose leader holds six behind a stop, of which four were too little for its follower."""
    world = desk(follower(2, ratio="1/2"))
    for qty in (1, 1, 1, 1, 2):
        world.market(side, qty)
    world.settle()
    world.trade(side.opposite, stop, OrderType.STOP, stop=20_000 - 1000 * side.sign)
    world.settle()
    return world


def up_and_down(world: Desk, side: Side = BUY) -> None:
    """Let the leader add two and take them off; its follower keeps its second: its share of six is three."""
    for way in (side, side.opposite):
        world.market(way, 2)
        world.settle()


def stop_of(world: Desk) -> int:
    (order,) = world.resting(2)
    return order.spec.qty


def changed(world: Desk) -> list[ChangeOrder]:
    """Return what a second that passes tells the follower's stop."""
    world.wait(1)
    return [command for command in world.outbox if isinstance(command, ChangeOrder)]


def test_a_stop_covers_all_again_when_a_leader_is_back_by_trades_too_small_to_copy() -> None:
    world = stopped(6)
    assert (world.held(2), stop_of(world)) == (1, 1)
    up_and_down(world)
    world.wait(1)
    world.settle()
    assert (world.held(int(LEADER)), world.held(2), stop_of(world)) == (6, 2, 2)


@pytest.mark.parametrize("side", Side)
def test_a_stop_for_a_part_stays_one_for_a_part(side: Side) -> None:
    world = stopped(5, side)
    up_and_down(world, side)
    assert not changed(world)


def test_while_the_leader_trades_its_stop_is_left_as_it_is() -> None:
    world = stopped(6)
    up_and_down(world)
    world.trade(SELL, 1)  # on its way: what the leader holds is not settled
    assert not changed(world)


def test_a_stop_whose_leader_is_out_already_grows_no_more() -> None:
    world = stopped(6)
    up_and_down(world)
    world.shut(gate_of(TWO))
    world.market(SELL, 6)
    world.shut(gate_of(TWO), state=TradingState.ACTIVE)
    assert (world.held(int(LEADER)), world.held(2)) == (0, 2)
    assert not changed(world), "from flat it is an entry of its leader's"


def test_a_stop_that_has_filled_is_told_nothing_while_its_end_is_not_heard() -> None:
    world = stopped(6)
    up_and_down(world)
    (stop,) = world.resting(2)
    stop.spec = replace(stop.spec, qty=9)  # the broker's own word of its end is still to come
    world.fill(stop.order_id, 1)
    assert world.held(2) == 1
    assert not changed(world)


def test_a_stop_that_was_kept_from_opening_opens_nothing_because_time_passes() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.shut(gate_of(TWO), state=TradingState.REDUCING)
    world.trade(SELL, 3, OrderType.STOP, stop=19_000)
    world.settle()
    world.shut(gate_of(TWO), state=TradingState.ACTIVE)
    assert stop_of(world) == 2
    assert not changed(world)


def test_a_stop_that_turns_its_follower_is_no_exit_however_much_is_held_by_hand() -> None:
    world = stopped(20)
    world.market(BUY, 10, account=TWO)
    up_and_down(world)
    assert not changed(world)
