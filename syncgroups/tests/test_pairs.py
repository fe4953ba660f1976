"""One cancels other: a leader's pair stays a pair at every follower, whatever fills there first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import LEADER, follower
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import OrderId

BUY, SELL = Side.BUY, Side.SELL


def breakout(world: Desk, qty: int = 2, *, second: bool = True) -> tuple[OrderId, OrderId]:
    """Let the leader wait on both sides of the market: buy above, sell below, one cancels other."""
    above = world.trade(BUY, qty, OrderType.STOP, stop=20100, seen=False)
    below = world.trade(SELL, qty, OrderType.STOP, stop=19900, seen=False)
    world.pair(above, below, second=second)
    world.settle()
    return above, below


def own(world: Desk, side: Side) -> OrderId:
    """Return the follower's resting order on a side."""
    (order,) = (order for order in world.resting(2) if order.side is side)
    return order.order_id


@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("first", [BUY, SELL])
def test_the_other_leg_goes_when_one_fills_at_the_follower_first(first: Side, second: bool) -> None:
    world = desk()
    breakout(world, second=second)
    assert {order.side for order in world.resting(2)} == {BUY, SELL}
    world.fill(own(world, first))
    world.settle()
    assert world.resting(2) == []
    assert world.held(2) == 2 * first.sign
    assert world.held(LEADER) == 0


def test_a_part_that_fills_early_takes_as_much_off_the_other_leg() -> None:
    world = desk()
    breakout(world, 3)
    world.fill(own(world, BUY), 1)
    world.settle()
    below = world.orders[own(world, SELL)]
    assert below.spec.qty - below.filled == 2


@pytest.mark.parametrize("reduces", [True, False], ids=["its broker reduces", "its broker leaves it"])
def test_a_follower_that_keeps_pace_has_the_leaders_other_leg(reduces: bool) -> None:
    world = desk()
    above, below = breakout(world, 3)
    world.fill(above, 1)
    if reduces:
        world.change(below, qty=2)
    world.settle()
    world.fill(own(world, BUY), 1)
    world.settle()
    assert world.orders[own(world, SELL)].spec.qty == world.orders[below].spec.qty


def test_the_leaders_fill_ends_both_everywhere() -> None:
    world = desk(follower(2), follower(3))
    above, below = breakout(world)
    world.fill(above)
    world.cancel(below)
    world.settle()
    assert [order.side for order in world.resting(3)] == [BUY]
    world.fill(own(world, BUY))
    world.settle()
    assert world.resting(2) == []


def test_a_leg_that_is_seen_after_its_partner_filled_is_not_placed() -> None:
    world = desk()
    above = world.trade(BUY, 1, OrderType.STOP, stop=20100)
    below = world.trade(SELL, 1, OrderType.STOP, stop=19900, seen=False)
    world.settle()
    world.fill(own(world, BUY))
    world.orders[below].oco = above
    world.step(world._working(world.orders[below]))
    world.settle()
    assert world.resting(2) == []
    assert world.reasons() == ["copy_ended"]


def test_a_new_price_for_a_leg_does_not_bring_back_what_the_pair_has_ended() -> None:
    world = desk()
    _, below = breakout(world)
    world.fill(own(world, BUY), seen=True)
    world.change(below, stop=19910)  # before the follower's cancel has reached its broker
    world.settle()
    world.change(below, stop=19920)
    world.settle()
    assert world.resting(2) == []


def test_exits_of_a_pair_follow_what_is_held() -> None:
    world = desk()
    world.market(BUY, 3)
    world.settle()
    target = world.trade(SELL, 3, OrderType.LIMIT, limit=20100, seen=False)
    stop = world.trade(SELL, 3, OrderType.STOP, stop=19900, seen=False)
    world.pair(target, stop)
    world.settle()
    limit = next(order for order in world.resting(2) if order.spec.order_type is OrderType.LIMIT)
    world.fill(limit.order_id, 1)
    world.settle()
    kept = next(order for order in world.resting(2) if order.spec.order_type is OrderType.STOP)
    assert kept.spec.qty == 2
    world.fill(limit.order_id)
    world.settle()
    assert world.resting(2) == []
    assert world.held(2) == 0


def test_a_pair_is_known_again_after_a_new_start() -> None:
    world = desk()
    breakout(world)
    world.lose(LEADER)
    world.connect(LEADER)
    world.fill(own(world, SELL))
    world.settle()
    assert world.resting(2) == []


FILLS = st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 3))
RATIOS = st.sampled_from(["1", "2", "1/2"])


@given(fills=st.lists(FILLS, max_size=8), qty=st.integers(1, 4), ratio=RATIOS)
def test_both_legs_of_a_follower_together_never_trade_more_than_one(
    fills: list[tuple[Side, int]], qty: int, ratio: str
) -> None:
    world = desk(follower(2, ratio=ratio))
    breakout(world, qty)
    share = max((order.spec.qty for order in world.resting(2)), default=0)
    for side, wanted in fills:
        _follower_fills(world, side, wanted)
    assert sum(order.filled for order in world.orders.values() if order.account == 2) <= share


@given(fills=st.lists(st.tuples(st.booleans(), FILLS), max_size=10), qty=st.integers(1, 4), ratio=RATIOS)
def test_no_order_of_fills_at_leader_and_follower_leaves_more_than_a_share(
    fills: list[tuple[bool, tuple[Side, int]]], qty: int, ratio: str
) -> None:
    world = desk(follower(2, ratio=ratio))
    legs = dict(zip((BUY, SELL), breakout(world, qty), strict=True))
    share = max((order.spec.qty for order in world.resting(2)), default=0)
    for leads, (side, wanted) in fills:
        if leads:
            _leader_fills(world, legs, side, wanted)
        else:
            _follower_fills(world, side, wanted)
        assert abs(world.held(2)) <= share


def _follower_fills(world: Desk, side: Side, wanted: int) -> None:
    for order in [order for order in world.resting(2) if order.side is side]:
        world.fill(order.order_id, min(wanted, order.spec.qty - order.filled))
    world.settle()


def _leader_fills(world: Desk, legs: dict[Side, OrderId], side: Side, wanted: int) -> None:
    order, other = world.orders[legs[side]], world.orders[legs[side.opposite]]
    if order not in world.resting(LEADER):
        return
    done = min(wanted, order.spec.qty - order.filled)
    world.fill(order.order_id, done)
    if other.spec.qty - other.filled > done:
        world.change(other.order_id, qty=other.spec.qty - done)
    else:
        world.cancel(other.order_id)
    world.settle()


def test_what_another_follower_filled_of_the_other_leg_takes_nothing_off_this_one() -> None:
    world = desk(follower(2), follower(3))
    breakout(world, 3)
    (theirs,) = (order.order_id for order in world.resting(3) if order.side is BUY)
    world.fill(theirs, 2)
    world.settle()
    (resting,) = (order for order in world.resting(LEADER) if order.side is SELL)
    world.change(resting.order_id, stop=19_890)  # everybody's leg is looked at again
    world.settle()
    below = {account: own_of(world, account) for account in (2, 3)}
    assert below == {2: 3, 3: 1}


def own_of(world: Desk, account: int) -> int:
    """Return what an account's sell leg may still trade."""
    (leg,) = (order for order in world.resting(account) if order.side is SELL)
    return leg.spec.qty - leg.filled


@pytest.mark.parametrize(("done", "left"), [(1, 2), (2, 3)])
def test_a_follower_of_half_the_size_owes_its_share_of_the_leaders_leg_rounded_down(
    done: int, left: int
) -> None:
    world = desk(follower(2, ratio="1/2"))
    above, below = breakout(world, 6)
    world.fill(above, done)  # half of what the leader has done, in whole contracts, is no head start
    world.change(below, qty=6)
    world.settle()
    world.fill(own(world, BUY), 1)
    world.settle()
    assert own_of(world, 2) == left
