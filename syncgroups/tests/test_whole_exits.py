"""An exit of all that a leader holds closes all that its follower holds, however both came to hold it."""

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import LEADER, follower
from tradehaven.domain.commands import ChangeOrder
from tradehaven.domain.enums import OrderType, Side

BUY, SELL = Side.BUY, Side.SELL


def stopped(stop: int) -> Desk:
    """Return a desk whose leader holds six behind a stop, of which four were too little for its follower."""
    world = desk(follower(2, ratio="1/2"))
    for qty in (1, 1, 1, 1, 2):
        world.market(BUY, qty)
    world.settle()
    world.trade(SELL, stop, OrderType.STOP, stop=19_000)
    world.settle()
    return world


def up_and_down(world: Desk) -> None:
    """Let the leader add two and take them off; its follower keeps its second: its share of six is three."""
    for side in (BUY, SELL):
        world.market(side, 2)
        world.settle()


def stop_of(world: Desk) -> int:
    (order,) = world.resting(2)
    return order.spec.qty


def test_a_stop_covers_all_again_when_a_leader_is_back_by_trades_too_small_to_copy() -> None:
    world = stopped(6)
    assert (world.held(2), stop_of(world)) == (1, 1)
    up_and_down(world)
    world.wait(1)
    world.settle()
    assert (world.held(int(LEADER)), world.held(2), stop_of(world)) == (6, 2, 2)


def test_a_stop_for_a_part_stays_one_for_a_part() -> None:
    world = stopped(5)
    up_and_down(world)
    before = stop_of(world)
    world.wait(1)
    assert not [command for command in world.outbox if isinstance(command, ChangeOrder)]
    assert stop_of(world) == before


def test_while_the_leader_trades_its_stop_is_left_as_it_is() -> None:
    world = stopped(6)
    up_and_down(world)
    world.trade(SELL, 1)  # on its way: what the leader holds is not settled
    world.wait(1)
    assert not [command for command in world.outbox if isinstance(command, ChangeOrder)]
