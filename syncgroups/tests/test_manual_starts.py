"""Manual copies over a start: the rows know of them, and the broker's word comes seconds later."""

import pytest

from syncgroups.core.keys import Leg, leg_id, manual_group, manual_id, parse_manual
from syncgroups.tests.bracketing import NUMBER, Desk, desk
from syncgroups.tests.plans import ES, LEADER
from tradehaven.domain.enums import OrderStatus, OrderType, Side
from tradehaven.domain.ids import AccountId, ClientOrderId

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


@pytest.mark.parametrize("refused", [False, True])
def test_a_leg_of_which_only_a_later_try_is_known_is_not_placed_beside_it(*, refused: bool) -> None:
    """Seed 1723718: a disk had lost the first tries, and its broker had the fourth."""
    world = desk()
    world.order(BUY, 2)
    world.settle()
    names = {order.client_order_id: order for order in world.resting(2)}
    for name, order in names.items():
        order.client_order_id = leg_id(manual_id(NUMBER, LEADER, TWO, 20, 40), _leg_of(name), 3)
    later = Desk(world.plan, orders=world.orders, positions=world.positions, fills=world.fills)
    later.now, later.last_id = world.now, world.last_id
    later.connect()
    if refused:
        stop = later.leg(OrderType.STOP)
        assert stop is not None
        later._end(stop, OrderStatus.REJECTED, seen=True)
    for _ in range(9):
        later.wait(1)
        later.settle()
    assert later.legs() == ((2, 19980), (2, 20040))
    newest = later.leg(OrderType.STOP)
    assert newest is not None
    assert str(newest.client_order_id).endswith(".r4" if refused else ".r3")


def _leg_of(name: ClientOrderId | None) -> Leg:
    named = parse_manual(name)
    assert named is not None
    assert named.leg is not None
    return named.leg
