"""Copies that outlive their leader's order: what may go on resting, and for how many contracts."""

import pytest

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
NQ = Symbol("NQZ6")


def test_an_exit_whose_leader_has_left_never_closes_more_than_is_held() -> None:
    world = desk()
    world.market(BUY, 4)
    world.settle()
    target = world.trade(SELL, 4, OrderType.LIMIT, limit=20100)
    world.settle()
    world.fill(target)  # the leader is out; the follower's own target still waits for its price
    mine = world.resting(2)[0].order_id
    world.market(SELL, 1, account=TWO)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [3]
    world.market(SELL, 3, account=TWO)
    world.settle()
    assert not world.resting(2)
    assert world.orders[mine].filled == 0
    assert world.held(2) == 0


def test_an_entry_that_rests_is_withdrawn_when_its_leader_came_and_went_unseen() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.lose(LEADER)
    world.fill(order, seen=False)
    world.market(SELL, 1, seen=False)
    world.connect(LEADER)
    world.settle()
    assert not world.resting(2)


def test_an_exit_that_outlived_its_leader_is_cut_to_what_a_snapshot_says_is_held() -> None:
    world = desk()
    world.market(BUY, 3)
    world.settle()
    target = world.trade(SELL, 3, OrderType.LIMIT, limit=20100)
    world.settle()
    world.fill(target)
    world.lose(TWO)
    world.market(SELL, 2, account=TWO, seen=False)
    world.connect(TWO)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [1]


def test_an_exit_that_protects_after_its_leader_has_left_is_cut_to_what_is_held() -> None:
    world = desk()
    world.market(BUY, 3)
    world.settle()
    stop = world.trade(SELL, 3, OrderType.STOP, stop=19900)
    world.settle()
    mine = world.resting(2)[0].order_id
    world.lose(LEADER)
    world.lose(TWO)
    world.fill(mine, 1, seen=False)
    world.market(SELL, 1, account=TWO, seen=False)
    world.cancel(stop, seen=False)
    world.market(SELL, 3, seen=False)
    world.connect()
    world.settle()
    (left,) = world.resting(2)
    assert left.spec.qty - left.filled == world.held(2) == 1


def unlisted(qty: int = 2) -> Desk:
    """Return a follower under target and stop whose leader is out, with orders that nobody lists any more."""
    world = desk()
    world.market(BUY, qty)
    world.settle()
    target = world.trade(SELL, qty, OrderType.LIMIT, limit=20100)
    stop = world.trade(SELL, qty, OrderType.STOP, stop=19900)
    world.settle()
    world.fill(target)  # at the leader alone
    world.cancel(stop)
    world.settle()
    world.lose(LEADER)
    del world.orders[stop], world.orders[target]
    world.connect(LEADER)
    return world


def test_an_exit_that_its_leader_lists_no_more_stays_when_the_one_beside_it_is_withdrawn() -> None:
    world = unlisted()
    mine, left = world.resting(2)
    world.cancel(mine.order_id)  # by another hand
    assert not world.outbox
    assert (world.resting(2), left.spec.qty, world.held(2)) == ([left], 2, 2)


def test_exits_that_their_leader_lists_no_more_never_close_more_than_is_held() -> None:
    world = unlisted(3)
    world.market(SELL, 1, account=TWO)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [2, 2]
    world.market(SELL, 2, account=TWO)
    world.settle()
    assert not world.resting(2)


def test_behind_a_shut_gate_exits_that_outlived_their_leaders_are_still_cut_to_what_is_held() -> None:
    world = unlisted()
    world.shut(gate_of(TWO))
    world.market(SELL, 1, account=TWO)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [1, 1]


def test_exits_that_a_leader_lists_no_more_are_cut_when_a_part_of_the_position_was_taken_back() -> None:
    world = unlisted()
    world.book.positions[TWO, ES] = world.book.reported[TWO, ES] = 1
    world.wait(1)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [1, 1]


# -- orders that open something as well ---------------------------------------------------------------


def flipped(side: Side, *, seen: bool = True) -> Desk:
    """Return a follower of two contracts whose order, for the other side, outlived its leader's of three."""
    world = desk()
    world.market(side, 2)
    world.settle()
    flip = world.trade(side.opposite, 3, OrderType.LIMIT, limit=20000)
    world.settle()
    if seen:
        world.fill(flip)
    return world


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(("closed", "left"), [(1, 2), (2, 1), (3, 1)])
def test_an_order_that_outlived_its_leaders_opens_no_more_than_it_was_to(
    side: Side, closed: int, left: int
) -> None:
    world = flipped(side)
    world.market(side.opposite, closed, account=TWO)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [left]
    decided = len(world.decisions)
    world.market(side.opposite, 1, account=TWO)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [max(1, left - 1)]
    steps = [step for decision in world.decisions[decided:] for step in decision.steps]
    assert bool(steps) is (left > 1), "what fits is told nothing"


def test_an_order_that_outlived_its_leaders_is_cut_for_a_fill_in_its_own_contract_alone() -> None:
    world = flipped(BUY)
    world.book.positions[TWO, ES] = 1
    world.market(SELL, 1, account=TWO, symbol=NQ)
    assert not world.outbox


def test_an_order_at_the_market_is_not_cut_on_its_way() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 3)
    world.settle(fill_markets=False)
    world.market(SELL, 1, account=TWO)
    assert not world.outbox


def test_behind_a_shut_gate_an_order_that_lives_on_stands_as_it_did() -> None:
    world = flipped(BUY, seen=False)
    world.shut(gate_of(TWO))
    world.market(SELL, 1, account=TWO)
    assert not world.outbox


# -- orders that live on, and what is looked at each second -------------------------------------------


@pytest.mark.parametrize(("exits", "mine"), [(2, 1), (5, 2)])
def test_other_settings_touch_no_exit_that_fits_and_no_order_that_opens_something(
    exits: int, mine: int
) -> None:
    world = desk(follower(2, ratio="1/2"))
    world.market(BUY, 3)
    world.settle()
    world.trade(SELL, exits, OrderType.LIMIT, limit=20100)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [mine]
    world.plan = plan_of(group_of(follower(2, ratio="1")))
    world.wait(1)
    assert not world.outbox


def test_a_stop_of_an_account_that_is_flat_by_all_accounts_is_a_difference_and_not_taken_back() -> None:
    world = desk()
    world.market(BUY, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    del world.book.positions[TWO, ES], world.book.reported[TWO, ES]
    world.wait(1)
    assert not world.outbox


def test_a_stop_that_is_too_large_waits_for_what_is_on_its_way() -> None:
    world = desk()
    world.market(BUY, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    order = world.trade(BUY, 1, account=TWO)
    world.book.positions[TWO, ES] = world.book.reported[TWO, ES] = 1
    world.wait(1)
    assert not world.outbox
    world.cancel(order)
    world.wait(1)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [1]


def test_an_order_at_the_market_is_not_resized_when_the_one_before_it_is_turned_down() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 1)
    world.trade(SELL, 1)
    world.deliver(world.outbox.pop(), fill_markets=False)
    world.reject(world.outbox.pop(), "no")
    assert [type(command) for command in world.outbox] == [PlaceOrder], "what was turned down, once more"


def test_exits_that_an_entry_was_waited_for_with_are_placed_in_the_order_of_their_leaders() -> None:
    world = desk()
    world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(world.resting(LEADER)[0].order_id)
    world.last_id = 1022
    for stop in (19900, 19800):
        world.trade(SELL, 1, OrderType.STOP, stop=stop)
    world.fill(world.resting(2)[0].order_id)
    assert [order.spec.stop for order in world.outbox if isinstance(order, PlaceOrder)] == [19900, 19800]
