"""What a live order is told of an old wish: the rules of now are asked, and what they leave out is named."""

import pytest

from syncgroups.tests.desk import desk
from syncgroups.tests.plans import ES, GROUP
from syncgroups.tests.test_growth import TWO, told
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import OrderType, Side


def test_what_the_rules_of_now_leave_out_is_named_where_the_rest_of_the_wish_is_told() -> None:
    world = desk()
    order = world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_900)
    world.settle()
    world.change(order, limit=19_901)
    world.change(order, qty=3, limit=19_902)  # it waits for the answer to the first
    world.outbox.clear()
    world.book.quarantined.add((GROUP, TWO, ES))
    (mine,) = world.resting(TWO)
    world.change(mine.order_id, limit=19_901)  # its broker's news is there before the answer is
    assert told(world) == [(1, 19_902)]
    assert world.reasons() == ["quarantined"]


def test_an_exit_grows_whatever_the_rules_of_now_say_of_entries() -> None:
    world = desk()
    world.market(Side.BUY, 2)
    world.settle()
    stop = world.trade(Side.SELL, 1, OrderType.STOP, stop=19_900)
    world.change(stop, qty=2)  # it waits for the answer to its stop
    world.book.quarantined.add((GROUP, TWO, ES))
    world.settle()
    assert [order.spec.qty for order in world.resting(TWO)] == [2]
    assert world.reasons() == []


@pytest.mark.parametrize(("barred", "qty"), [(False, 3), (True, 1)])
def test_an_order_whose_leader_has_filled_grows_after_a_snapshot_by_the_rules_of_now(
    *, barred: bool, qty: int
) -> None:
    world = desk()
    order = world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_900)
    (mine,) = world.outbox
    assert isinstance(mine, PlaceOrder)
    world.outbox.clear()
    world.change(order, qty=3)
    world.fill(order)
    world.lose(TWO)
    world._accept(TWO, mine.client_order_id, ES, Side.BUY, mine.spec)
    if barred:
        world.book.quarantined.add((GROUP, TWO, ES))
    world.connect(TWO)
    world.settle()
    assert [order.spec.qty for order in world.resting(TWO)] == [qty]
    assert world.reasons() == (["quarantined"] if barred else [])


@pytest.mark.parametrize(("barred", "qty"), [(False, 3), (True, 2)])
def test_an_order_is_not_told_to_grow_because_what_it_was_to_close_is_gone(*, barred: bool, qty: int) -> None:
    world = desk()
    world.market(Side.BUY, 1)
    world.settle()
    order = world.trade(Side.SELL, 2, OrderType.LIMIT, limit=20_100)
    world.change(order, qty=4)  # it waits for the answer: one contract closes, three open
    if barred:
        world.book.quarantined.add((GROUP, TWO, ES))
        world.settle()
    world.fill(order)
    world.market(Side.SELL, 1, account=TWO)
    world.settle()
    assert [order.spec.qty for order in world.resting(TWO)] == [qty]
    assert world.reasons() == (["quarantined"] if barred else [])
