"""After the loss of every record: what an order is by its name alone, and what of it counts."""

from syncgroups.core.book import Book
from syncgroups.tests import bracketing
from syncgroups.tests.drifting import TWO, desk
from tradehaven.domain.enums import OrderType, Side

BUY, SELL = Side.BUY, Side.SELL


def test_what_a_life_before_had_counted_of_an_order_counts_once_and_what_it_had_not_as_well() -> None:
    """Only the fills were in its rows; the order is known by its name alone."""
    world = desk()
    world.trade(BUY, 3, OrderType.LIMIT, limit=20_000)
    world.settle()
    (mine,) = world.resting(2)
    world.fill(mine.order_id, 1)
    world.market(SELL, 5, account=TWO)
    counted = set(world.book.fills)
    world.fill(mine.order_id, 1, price=19_998, seen=False)
    world.book = Book()
    world.book.fills |= counted
    world.connect(TWO)
    (copy,) = world.book.copies.values()
    assert (copy.filled, copy.cost, copy.outstanding) == (2, 39_998, 1)


def test_a_manual_entry_that_is_known_by_its_name_alone_is_noted_as_one_of_before() -> None:
    """Of its legs only those may be known that its broker still has."""
    world = bracketing.desk()
    world.order(BUY, 2, order_type=OrderType.LIMIT, limit=19_000)
    world.settle()
    (entry,) = world.book.manual[TWO]
    assert not world.book.adopted
    world.book = Book()
    world.connect()
    assert entry in world.book.adopted
