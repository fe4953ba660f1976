"""What a guard closes where holdings of one contract stand against each other: the sum stays what is held."""

from dataclasses import replace
from decimal import Decimal

import pytest

from syncgroups.core import drift
from syncgroups.core.book import Book
from syncgroups.core.differences import DriftKind
from syncgroups.core.joining import taken_by_guard
from syncgroups.core.keys import manual_group
from syncgroups.tests.bracketing import Desk
from syncgroups.tests.desk import desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, follower, group_of, plan_of
from syncgroups.tests.test_protect import MINE, STOP, desk_with, guards
from tradehaven.domain.enums import Side
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId, FillId, GroupId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
OTHER = GroupId(GROUP + 1)
MANUAL, NEXT = manual_group(5), manual_group(4)
Nets = dict[GroupId, int]


def _book(nets: Nets, **others: int) -> Book:
    book = Book()
    for group, net in nets.items():
        book.hold((group, TWO, ES, ES), net)
    for symbol, net in others.items():
        book.hold((GROUP, TWO, Symbol(symbol), Symbol(symbol)), net)
    book.hold((GROUP, AccountId(3), ES, ES), -7)
    return book


def _fill(side: Side, qty: int) -> OrderFilled:
    at = Nanos(SECOND)
    return OrderFilled(
        account=TWO,
        order_id=OrderId(1),
        fill_id=FillId(2),
        symbol=ES,
        side=side,
        qty=qty,
        price=Ticks(20_000),
        at=at,
        traded_at=at,
    )


@pytest.mark.parametrize(
    ("nets", "side", "qty", "left", "taken"),
    [
        ({GROUP: 2, MANUAL: -3}, BUY, 1, {GROUP: 2, MANUAL: -2}, {}),
        ({GROUP: 2, MANUAL: -3}, BUY, 3, {GROUP: 2, MANUAL: 0}, {}),
        ({GROUP: -2, MANUAL: 3}, SELL, 1, {GROUP: -2, MANUAL: 2}, {}),
        ({GROUP: 3, MANUAL: -1}, SELL, 2, {GROUP: 1, MANUAL: -1}, {GROUP: 2}),
        ({GROUP: 3, OTHER: 2, MANUAL: -1}, SELL, 4, {GROUP: 0, OTHER: 1, MANUAL: -1}, {GROUP: 3, OTHER: 1}),
        ({GROUP: -3, OTHER: 2}, BUY, 1, {GROUP: -2, OTHER: 2}, {GROUP: -1}),
        ({GROUP: 3, MANUAL: -2, NEXT: -2}, BUY, 3, {GROUP: 3, MANUAL: 0, NEXT: -1}, {}),
        ({GROUP: 2, MANUAL: 1, OTHER: -1}, SELL, 1, {GROUP: 2, MANUAL: 0, OTHER: -1}, {}),
        ({GROUP: 2, MANUAL: 0}, SELL, 1, {GROUP: 2, MANUAL: 0}, {}),
        ({GROUP: 2, MANUAL: 1}, SELL, 1, {GROUP: 2, MANUAL: 1}, {}),  # `clamp` says what is left of these
    ],
)
def test_it_is_taken_from_its_side_and_from_manual_ones_first(
    nets: Nets, side: Side, qty: int, left: Nets, taken: Nets
) -> None:
    book = _book(nets)
    taken_by_guard(book, _fill(side, qty))
    assert {key[0]: net for key, net in book.copied.items() if key[1] == TWO} == left
    assert {key[0]: net for key, net in book.taken.items()} == taken
    assert book.copied[GROUP, AccountId(3), ES, ES] == -7


def test_other_contracts_are_none_of_it() -> None:
    book = _book({MANUAL: -1}, NQZ6=4)
    taken_by_guard(book, _fill(BUY, 1))
    assert (book.copied[MANUAL, TWO, ES, ES], book.taken) == (-1, {})


def test_what_comes_after_it_has_its_stop() -> None:
    """Seed -1401900: a rule's target had closed a part of what stood against a group's, and sums differed."""
    world = Desk(desk_with(STOP).plan)
    world.connect()
    world.balance(MINE, Decimal(50_000))
    for number in (5, 6):
        world.order(SELL, 1, int(MINE), number=number, stop_loss=None, take_profit=None)
        world.settle()
    world.market(BUY, 1)
    world.settle()
    (stop,) = guards(world)
    world.fill(stop.order_id, price=20_040)
    world.settle()
    world.market(BUY, 1)
    world.settle()
    world.wait(1)
    world.settle()
    assert world.held(int(MINE)) == 1
    assert [(order.side, order.spec.qty) for order in guards(world)] == [(SELL, 1)]


@pytest.mark.parametrize(
    ("traded", "held", "said"),
    [(1, 3, True), (2, 3, True), (0, 3, False), (-1, 3, False), (1, 5, False)],
)
def test_what_a_guard_has_opened_is_said_of_an_account_that_leads_as_well(
    *, traded: int, held: int, said: bool
) -> None:
    """Seed 1632823: in a dead session a guard and a copy had closed the same, and the rest had no stop.

    What no guard can have opened such an account holds of its own.
    """
    chain = replace(group_of(follower(3)), group=OTHER, leader=TWO)
    world = desk(follower(2))
    world.plan = plan_of(world.plan.groups[0], chain)
    world.market(BUY, 2)
    world.settle()
    world.book.positions[TWO, ES] = world.book.reported[TWO, ES] = held
    if traded:
        world.book.risk.guard_fills[TWO, ES] = Nanos(world.now), traded
    for _ in range(7):
        world.wait(1)
    assert ("drift" in world.remarks()) is said


@pytest.mark.parametrize(("traded", "held", "said"), [(-1, -1, True), (2, -1, False), (-1, -3, False)])
def test_on_the_other_side_it_is_found_where_the_guard_traded_that_much_that_way(
    *, traded: int, held: int, said: bool
) -> None:
    chain = replace(group_of(follower(3)), group=OTHER, leader=TWO)
    world = desk(follower(2))
    world.plan = plan_of(world.plan.groups[0], chain)
    world.market(BUY, 2)
    world.settle()
    world.book.positions[TWO, ES] = world.book.reported[TWO, ES] = held
    world.book.risk.guard_fills[TWO, ES] = Nanos(world.now), traded
    found = drift.find(world.plan, world.book, Nanos(world.now))
    kinds = {(key.kind, key.account) for key in found.differences}
    assert ((DriftKind.FOREIGN_POSITION, TWO) in kinds) is said


def test_what_an_account_that_only_leads_holds_is_its_own() -> None:
    """Its owner may have entered again what a guard of its has closed."""
    world = desk(follower(2))
    world.market(BUY, 2)
    world.settle()
    world.book.risk.guard_fills[LEADER, ES] = Nanos(world.now), 2
    assert drift.find(world.plan, world.book, Nanos(world.now)).differences == {}
