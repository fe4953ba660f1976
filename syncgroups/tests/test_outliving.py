"""Copies that outlive their leader's order: what may go on resting, and for how many contracts."""

from syncgroups.tests.desk import desk
from syncgroups.tests.plans import LEADER
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


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


def test_an_exit_that_its_leader_lists_no_more_stays_when_the_one_beside_it_is_withdrawn() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    target = world.trade(SELL, 2, OrderType.LIMIT, limit=20100)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.fill(target)  # at the leader alone
    world.cancel(stop)
    world.settle()
    world.lose(LEADER)
    del world.orders[stop], world.orders[target]
    world.connect(LEADER)
    mine, left = world.resting(2)
    world.cancel(mine.order_id)  # by another hand
    assert not world.outbox
    assert (world.resting(2), left.spec.qty, world.held(2)) == ([left], 2, 2)
