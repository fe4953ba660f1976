"""Manual copies over a start: the rows know of them, and the broker's word comes seconds later."""

import pytest

from syncgroups.core.keys import manual_group
from syncgroups.tests.bracketing import NUMBER, desk
from syncgroups.tests.plans import ES
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId

BUY = Side.BUY
TWO = AccountId(2)


@pytest.mark.parametrize("filled", [True, False])
def test_legs_of_what_had_traded_before_a_start_wait_until_the_lists_can_have_them(*, filled: bool) -> None:
    """The last records of a life that broke off may be lost, and what it sent may still be under way."""
    world = desk()
    world.order(BUY, 1, order_type=OrderType.LIMIT, limit=20000)
    world.settle()
    (entry,) = world.resting(2)
    if filled:
        world.fill(entry.order_id, price=20000, seen=False)
    later = world.restarted()
    later.connect()
    if not filled:
        later.fill(entry.order_id, price=20000)
    later.wait(1)
    later.settle()
    assert later.legs() == ((None, None) if filled else ((1, 19980), (1, 20040)))
    for _ in range(6):
        later.wait(1)
        later.settle()
    assert later.legs() == ((1, 19980), (1, 20040))


def test_what_is_held_is_not_forgotten_before_its_login_is_up() -> None:
    """After a start seconds pass in which the book knows of a holding, and of no position."""
    world = desk()
    world.order(BUY, 2)
    world.settle()
    life = world.restarted()
    life.book.hold((manual_group(NUMBER), TWO, ES, ES), 2)
    life.book.fills.update(world.book.fills)
    for _ in range(3):
        life.wait(1)
    assert life.manual_held() == 2
    life.connect()
    for _ in range(8):
        life.wait(1)
        life.settle()
    assert (life.manual_held(), life.legs()) == (2, ((2, 19980), (2, 20040)))
