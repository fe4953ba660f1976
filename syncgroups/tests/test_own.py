"""What a follower holds for certain, what it may hold in the end, and what an exit may still close of it."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.converge import fitted
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.plan import FollowerPlan, GroupPlan
from syncgroups.core.share import Own, own_of, ratio_between
from syncgroups.core.waiting import LeaderOrder
from syncgroups.tests.plans import ES, GROUP, LEADER
from tradehaven.domain.enums import OrderStatus, OrderType, Side, SizingMode
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

ME, ELSEWHERE = AccountId(2), GroupId(12)
NQ = Symbol("NQZ6")
BUY, SELL = Side.BUY, Side.SELL


def market(qty: int) -> OrderSpec:
    return OrderSpec(order_type=OrderType.MARKET, qty=qty)


def limit(qty: int) -> OrderSpec:
    return OrderSpec(order_type=OrderType.LIMIT, qty=qty, limit=Ticks(20_100))


def copy(side: Side, spec: OrderSpec, number: int = 5, **changes: Any) -> Copy:
    made = Copy(
        key=ClientOrderId(f"th1.g9.l1.o{number}.f2"),
        group=GROUP,
        leader=LEADER,
        leader_order=OrderId(number),
        follower=ME,
        symbol=ES,
        side=side,
        target=spec,
        sent=spec,
        enters=0,
        state=CopyState.LIVE,
    )
    return made.changed(**changes)


def order(side: Side, spec: OrderSpec, number: int = 5) -> LeaderOrder:
    return LeaderOrder(
        account=LEADER,
        order_id=OrderId(number),
        symbol=ES,
        leads=ES,
        side=side,
        spec=spec,
        before=5,
        change=spec.qty * side.sign,
        at=Nanos(1),
    )


EXIT = order(SELL, market(5))


def book_with(copied: int, actual: int, *copies: Copy) -> Book:
    book = Book()
    book.hold((GROUP, ME, ES, ES), copied)
    book.positions[ME, ES] = actual
    for one in copies:
        book.keep(one)
    return book


def own(book: Book, asked: LeaderOrder = EXIT, but: Copy | None = None) -> tuple[int, int]:
    found = own_of(book, GROUP, ME, asked, but)
    return found.certain, found.possible


@pytest.mark.parametrize(
    ("copied", "actual", "held"), [(3, 5, 3), (5, 3, 3), (-3, -5, -3), (3, -2, 0), (0, 4, 0), (4, 0, 0)]
)
def test_no_more_than_was_copied_and_no_more_than_is_there(copied: int, actual: int, held: int) -> None:
    assert own_of(book_with(copied, actual), GROUP, ME, EXIT) == Own(certain=held, possible=held)


def test_an_exit_on_its_way_counts_as_filled_and_an_entry_as_not_yet() -> None:
    exit_, entry = copy(SELL, market(2), 6), copy(BUY, market(3), 7)
    assert own(book_with(5, 5, exit_)) == (3, 5)
    assert own(book_with(5, 5, entry)) == (5, 8)
    assert own(book_with(5, 5, exit_, entry)) == (3, 8)
    assert own(book_with(3, 5, exit_)) == (1, 3)


def test_what_has_filled_of_an_order_on_its_way_is_held_already() -> None:
    assert own(book_with(5, 5, copy(SELL, market(4), 6, filled=3))) == (4, 5)
    assert own_of(book_with(5, 5, copy(SELL, market(4), 6, filled=4)), GROUP, ME, EXIT).doubts == ()


def test_orders_of_another_group_weigh_on_what_is_there_and_not_on_what_was_copied() -> None:
    book = book_with(5, 6, copy(SELL, market(2), 6, group=ELSEWHERE))
    assert own(book) == (4, 5)
    assert not own_of(book, GROUP, ME, EXIT).doubts
    assert own(book_with(5, 6, copy(SELL, market(2), 6, leads=NQ))) == (4, 5)


def test_orders_in_another_contract_weigh_nothing() -> None:
    assert own(book_with(5, 5, copy(SELL, market(2), 6, symbol=NQ))) == (5, 5)


def foreign(book: Book, side: Side, qty: int) -> None:
    record = OrderRecord(symbol=ES, side=side, spec=market(qty), status=OrderStatus.WORKING)
    book.set_order(ME, OrderId(900), record)


def test_a_strange_order_at_the_market_counts_on_the_careful_side() -> None:
    book = book_with(5, 5)
    foreign(book, SELL, 2)
    assert own(book) == (3, 5)
    foreign(book, SELL, 1)
    assert own(book) == (4, 5)
    book = book_with(5, 3)
    foreign(book, BUY, 2)
    assert own(book) == (3, 5)


def test_what_rests_weighs_only_once_its_cancel_is_out_and_only_on_an_exit_at_the_market() -> None:
    resting = copy(SELL, limit(2), 6)
    pulled = resting.changed(target=None)
    assert own(book_with(5, 5, resting)) == (5, 5)
    assert own(book_with(5, 5, pulled)) == (3, 5)
    assert own(book_with(5, 5, pulled), order(SELL, limit(5))) == (5, 5)


def test_an_entry_that_rests_after_its_leader_has_ended_weighs_on_an_exit() -> None:
    entry = copy(BUY, limit(2), 6)
    book = book_with(5, 5, entry)
    record = OrderRecord(symbol=ES, side=BUY, spec=limit(2), status=OrderStatus.WORKING)
    book.set_order(LEADER, OrderId(6), record)
    assert own(book) == (5, 5)
    book.set_order(LEADER, OrderId(6), replace(record, status=OrderStatus.CANCELLED))
    assert own(book) == (5, 7)


def test_an_order_that_changes_is_weighed_as_if_it_had_not_been_there() -> None:
    mine = copy(SELL, market(4), filled=1)
    assert own(book_with(4, 4, mine), but=mine) == (5, 5)
    entry = copy(BUY, market(4), filled=2)
    assert own(book_with(5, 5, entry), but=entry) == (3, 3)


# -- an exit that outlived its leader's order -------------------------------------------------------


@pytest.mark.parametrize(
    ("copied", "actual", "filled", "left"),
    [
        (5, 5, 0, 4),
        (4, 4, 0, 4),
        (3, 5, 0, 3),
        (5, 3, 0, 3),
        (2, 2, 1, 3),
        (0, 5, 0, None),
        (5, 0, 0, None),
        (-4, -4, 0, None),
        (4, -4, 0, None),
    ],
)
def test_an_exit_rests_for_no_more_than_is_held(
    copied: int, actual: int, filled: int, left: int | None
) -> None:
    resting = copy(SELL, limit(4), filled=filled)
    fits = fitted(book_with(copied, actual, resting), resting)
    assert (fits.target.qty if fits.target is not None else None) == left
    assert (fits is resting) is (left == 4)


@pytest.mark.parametrize(("held", "left"), [(-5, 4), (-3, 3)])
def test_an_exit_of_a_short_rests_for_no_more_than_is_held(held: int, left: int) -> None:
    resting = copy(BUY, limit(4))
    fits = fitted(book_with(held, held, resting), resting)
    assert fits.target is not None
    assert fits.target.qty == left


def test_an_exit_of_which_nothing_on_record_is_held_is_taken_back() -> None:
    resting = copy(SELL, limit(4))
    book = Book()
    book.positions[ME, ES] = 4
    assert fitted(book, resting).target is None
    book = Book()
    book.copied[GROUP, ME, ES, ES] = 4
    assert fitted(book, resting).target is None


@pytest.mark.parametrize("untouched", [copy(SELL, limit(4), enters=1), copy(SELL, market(4))])
def test_what_enters_or_is_at_the_market_is_not_fitted(untouched: Copy) -> None:
    assert fitted(book_with(0, 0, untouched), untouched) is untouched


def test_an_exit_that_is_being_taken_back_stays_so() -> None:
    pulled = copy(SELL, limit(4), target=None)
    assert fitted(book_with(0, 0, pulled), pulled) is pulled


# -- ratios -----------------------------------------------------------------------------------------


def test_balances_make_a_ratio_only_where_both_are_known() -> None:
    group = GroupPlan(group=GROUP, name="g", leader=LEADER, followers=())
    plan = FollowerPlan(account=ME, gates=(), sizing=SizingMode.BALANCE)
    book = Book()
    assert ratio_between(book, group, plan) is None
    book.sizing_balances[LEADER] = Decimal(50_000)
    assert ratio_between(book, group, plan) is None
    book.sizing_balances[ME] = Decimal(25_000)
    assert ratio_between(book, group, plan) == Fraction(1, 2)
    del book.sizing_balances[LEADER]
    assert ratio_between(book, group, plan) is None
