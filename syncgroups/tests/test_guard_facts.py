"""What a guard is after each thing that its broker says, and what the book keeps of it (RISK-06)."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.core import guarding
from syncgroups.core.book import Book
from syncgroups.core.guards import Guard, GuardLeg, answered, guard_id
from syncgroups.tests.plans import ES
from tradehaven.domain.commands import Confirmed, Denied, Rejected, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, TimeInForce
from tradehaven.domain.events import (
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderState,
    OrderWorking,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

ME, OTHER = AccountId(2), AccountId(3)
SECOND = 1_000_000_000
KEY = guard_id(ME, ES, GuardLeg.STOP, 7)
CHANGE = ClientOrderId(f"{KEY}.c1")
SPEC = OrderSpec(order_type=OrderType.STOP, qty=2, stop=Ticks(19_000), tif=TimeInForce.GTC)
FLYING = Guard(key=KEY, account=ME, symbol=ES, leg=GuardLeg.STOP, side=Side.SELL, spec=SPEC, at=Nanos(SECOND))
STANDING = replace(FLYING, order_id=OrderId(70))
CHANGING = replace(STANDING, in_flight=CHANGE, commands=1, refusals=1)
ENDING = replace(CHANGING, ending=True)


def said(kind: type, name: ClientOrderId = CHANGE, **what: Any) -> Any:
    return kind(account=ME, client_order_id=name, at=Nanos(SECOND), **what)


def denied(name: ClientOrderId, reason: RefusalReason, retry_at: int | None = None) -> Denied:
    until = None if retry_at is None else Nanos(retry_at)
    found: Denied = said(Denied, name, reason=reason, text="", retry_at=until)
    return found


NO: dict[str, Any] = {"code": "no", "text": ""}
MAYBE: dict[str, Any] = {"text": "no answer"}
RATE, OFFLINE = RefusalReason.RATE_LIMITED, RefusalReason.FOLLOWER_OFFLINE


def test_a_guard_that_is_taken_has_its_number_and_is_free() -> None:
    assert answered(FLYING, said(Confirmed, KEY, order_id=OrderId(70))) == STANDING
    named = replace(CHANGING, order_id=OrderId(71))
    assert answered(named, said(Confirmed, KEY, order_id=OrderId(70))) == named


def test_a_change_that_is_taken_frees_its_guard_and_leaves_the_rest() -> None:
    assert answered(CHANGING, said(Confirmed, order_id=None)) == replace(CHANGING, in_flight=None)


@pytest.mark.parametrize("outcome", [said(Rejected, KEY, **NO), denied(KEY, OFFLINE)])
def test_a_guard_that_is_turned_down_is_none_also_after_it_was_seen(outcome: Any) -> None:
    assert answered(FLYING, outcome) is None
    assert answered(STANDING, outcome) is None


@pytest.mark.parametrize("outcome", [said(Rejected, **NO), denied(CHANGE, OFFLINE)])
def test_a_command_that_is_turned_down_is_counted_and_ends_nothing(outcome: Any) -> None:
    assert answered(ENDING, outcome) == replace(STANDING, commands=1, refusals=2)


def test_a_command_without_room_is_not_counted() -> None:
    assert answered(ENDING, denied(CHANGE, RATE)) == replace(STANDING, commands=1, refusals=1)


def test_without_an_answer_a_command_is_past_and_an_order_is_still_out() -> None:
    assert answered(CHANGING, said(Unresolved, **MAYBE)) == replace(CHANGING, in_flight=None)
    assert answered(FLYING, said(Unresolved, KEY, **MAYBE)) == FLYING
    assert answered(CHANGING, said(Unresolved, KEY, **MAYBE)) == CHANGING


@pytest.mark.parametrize(
    "outcome", [said(Confirmed, order_id=None), said(Rejected, **NO), said(Unresolved, **MAYBE)]
)
def test_an_answer_to_a_command_that_is_past_says_nothing(outcome: Any) -> None:
    newer = replace(CHANGING, in_flight=ClientOrderId(f"{KEY}.c2"), commands=2)
    assert answered(newer, outcome) == newer


# -- in the book ------------------------------------------------------------------------------------


def book_with(*guards: Guard) -> Book:
    book = Book()
    for guard in guards:
        book.risk.guards[guard.key] = guard
        if guard.order_id is not None:
            book.risk.guard_orders[guard.account, guard.order_id] = guard.key
    return book


def kept(book: Book) -> Guard | None:
    return book.risk.guards.get(KEY)


def working(name: ClientOrderId | None = KEY, **changes: Any) -> OrderWorking:
    event = OrderWorking(
        account=ME,
        order_id=OrderId(70),
        client_order_id=name,
        symbol=ES,
        side=Side.SELL,
        spec=SPEC,
        at=Nanos(5),
    )
    return replace(event, **changes)


def stated(status: OrderStatus) -> OrderState:
    return OrderState(
        order_id=OrderId(70),
        client_order_id=KEY,
        symbol=ES,
        side=Side.SELL,
        spec=SPEC,
        status=status,
        created_at=Nanos(5),
        oco=None,
    )


def test_a_forgotten_guard_is_known_again_by_its_name() -> None:
    book = book_with()
    guarding.seen(book, ME, working(), Nanos(5))
    assert kept(book) == replace(STANDING, at=Nanos(5))
    assert book.risk.guard_orders == {(ME, OrderId(70)): KEY}


def test_a_guard_that_is_seen_at_work_stands_as_its_broker_says() -> None:
    book = book_with(FLYING)
    larger = replace(SPEC, qty=3)
    guarding.seen(book, ME, working(spec=larger), Nanos(5))
    assert kept(book) == replace(STANDING, spec=larger)


def test_a_change_stays_out_when_its_order_is_only_seen_again() -> None:
    book = book_with(CHANGING)
    guarding.seen(book, ME, working(), Nanos(5))
    assert kept(book) == CHANGING


@pytest.mark.parametrize("order", [working(None), working(ClientOrderId("th1.g9.l1.o1.f2"))])
def test_an_order_of_another_name_is_no_guard(order: OrderWorking) -> None:
    book = book_with()
    guarding.seen(book, ME, order, Nanos(5))
    assert not book.risk.guards


def test_a_guard_that_has_ended_is_not_known_again() -> None:
    book = book_with()
    guarding.seen(book, ME, stated(OrderStatus.FILLED), Nanos(5))
    assert not book.risk.guards
    guarding.seen(book, ME, stated(OrderStatus.WORKING), Nanos(5))
    assert kept(book) is not None


def test_before_all_is_stated_anew_only_what_flies_is_kept() -> None:
    other = replace(FLYING, key=guard_id(ME, ES, GuardLeg.TARGET, 8), leg=GuardLeg.TARGET)
    book = book_with(STANDING, other)
    guarding.restated(book, ME)
    assert book.risk.guards == {other.key: other}
    assert not book.risk.guard_orders
    elsewhere = book_with(STANDING)
    guarding.restated(elsewhere, OTHER)
    assert kept(elsewhere) == STANDING


def test_a_change_in_force_frees_its_guard_and_its_refusals_are_past() -> None:
    book = book_with(CHANGING)
    larger = replace(SPEC, qty=5)
    guarding.changed(book, OrderChanged(account=ME, order_id=OrderId(70), spec=larger, at=Nanos(9)))
    assert kept(book) == replace(CHANGING, refusals=0, spec=larger), "an older change; a newer one is out"
    book = book_with(CHANGING)
    guarding.changed(book, OrderChanged(account=ME, order_id=OrderId(70), spec=SPEC, at=Nanos(9)))
    assert kept(book) == replace(CHANGING, in_flight=None, refusals=0)
    guarding.changed(book, OrderChanged(account=ME, order_id=OrderId(70), spec=larger, at=Nanos(9)))
    assert kept(book) == replace(CHANGING, in_flight=None, refusals=0, spec=larger)
    guarding.changed(book, OrderChanged(account=ME, order_id=OrderId(99), spec=SPEC, at=Nanos(9)))


def fill(qty: int, at: int, order: int = 70, symbol: Symbol = ES) -> OrderFilled:
    return OrderFilled(
        account=ME,
        order_id=OrderId(order),
        fill_id=FillId(at),
        symbol=symbol,
        side=Side.SELL,
        qty=qty,
        price=Ticks(19_000),
        at=Nanos(at),
        traded_at=Nanos(at),
    )


def test_what_guards_close_is_summed_while_their_fills_are_near_each_other() -> None:
    book = book_with(STANDING)
    guarding.filled(book, fill(2, SECOND))
    assert book.risk.guard_fills[ME, ES] == (SECOND, -2)
    guarding.filled(book, fill(3, 7 * SECOND - 1))
    assert book.risk.guard_fills[ME, ES] == (7 * SECOND - 1, -5)
    guarding.filled(book, fill(1, 13 * SECOND - 1))
    assert book.risk.guard_fills[ME, ES] == (13 * SECOND - 1, -1)


def test_fills_of_other_orders_are_no_guards() -> None:
    book = book_with(STANDING)
    guarding.filled(book, fill(2, SECOND, order=71))
    assert not book.risk.guard_fills


def test_what_was_turned_down_is_past_once_nothing_is_held() -> None:
    book = book_with(STANDING)
    book.risk.guard_failures[ME, ES, GuardLeg.STOP] = 1
    book.risk.guard_failures[ME, Symbol("NQZ6"), GuardLeg.STOP] = 1
    book.positions[ME, ES] = book.positions[ME, Symbol("NQZ6")] = 1
    guarding.filled(book, fill(1, SECOND))
    assert len(book.risk.guard_failures) == 2
    del book.positions[ME, ES]
    guarding.filled(book, fill(1, 2 * SECOND))
    assert list(book.risk.guard_failures) == [(ME, Symbol("NQZ6"), GuardLeg.STOP)]


def ended(status: OrderStatus, order: int = 70) -> OrderEnded:
    return OrderEnded(
        account=ME, order_id=OrderId(order), client_order_id=KEY, status=status, reason="", at=Nanos(9)
    )


@pytest.mark.parametrize(
    ("status", "failures"), [(OrderStatus.FILLED, 0), (OrderStatus.CANCELLED, 0), (OrderStatus.REJECTED, 1)]
)
def test_a_guard_that_has_ended_is_forgotten_and_one_turned_down_late_is_counted(
    status: OrderStatus, failures: int
) -> None:
    book = book_with(STANDING)
    guarding.ended(book, ended(status, order=71))
    assert kept(book) == STANDING
    guarding.ended(book, ended(status))
    assert not book.risk.guards
    assert not book.risk.guard_orders
    assert book.risk.guard_failures[ME, ES, GuardLeg.STOP] == failures


def test_an_answer_is_a_guards_only_by_its_name() -> None:
    book = book_with(FLYING)
    assert guarding.outcome(book, said(Confirmed, KEY, order_id=OrderId(70))) is True
    assert kept(book) == STANDING
    assert book.risk.guard_orders == {(ME, OrderId(70)): KEY}
    assert guarding.outcome(book, said(Confirmed, ClientOrderId("x"), order_id=OrderId(1))) is False
    unknown = guard_id(ME, ES, GuardLeg.STOP, 8)
    assert guarding.outcome(book, said(Confirmed, unknown, order_id=OrderId(1))) is False


def test_an_answer_without_a_number_names_no_order() -> None:
    book = book_with(FLYING)
    assert guarding.outcome(book, said(Unresolved, KEY, **MAYBE)) is True
    assert not book.risk.guard_orders


@pytest.mark.parametrize(
    ("outcome", "failures"),
    [(said(Rejected, KEY, **NO), 1), (denied(KEY, OFFLINE), 1), (denied(KEY, RATE), 0)],
)
def test_only_what_was_looked_at_counts_as_turned_down(outcome: Any, failures: int) -> None:
    book = book_with(FLYING)
    assert guarding.outcome(book, outcome) is True
    assert not book.risk.guards
    assert book.risk.guard_failures[ME, ES, GuardLeg.STOP] == failures


def test_a_guard_without_room_waits_as_long_as_it_was_told_or_a_second() -> None:
    book = book_with(FLYING)
    guarding.outcome(book, denied(KEY, RATE, retry_at=40))
    assert book.risk.guard_waits == {(ME, ES, GuardLeg.STOP, False): 40}
    book = book_with(ENDING)
    guarding.outcome(book, denied(CHANGE, RATE))
    assert book.risk.guard_waits == {(ME, ES, GuardLeg.STOP, True): 2 * SECOND}
    book = book_with(ENDING)
    guarding.outcome(book, denied(CHANGE, OFFLINE))
    assert not book.risk.guard_waits


def listed(*names: ClientOrderId, at: int) -> OrdersListed:
    return OrdersListed(
        connection=ConnectionId(1002), accounts=(ME,), client_order_ids=frozenset(names), at=Nanos(at)
    )


def test_a_guard_of_which_nothing_was_heard_is_none_when_a_later_list_lacks_it() -> None:
    book = book_with(FLYING)
    guarding.listed(book, listed(at=7 * SECOND - 1))
    assert kept(book) == FLYING
    guarding.listed(book, listed(KEY, at=7 * SECOND))
    assert kept(book) == FLYING
    guarding.listed(book, listed(at=7 * SECOND))
    assert kept(book) is None


def test_a_guard_that_has_a_number_is_not_missed_by_a_list() -> None:
    book = book_with(STANDING)
    guarding.listed(book, listed(at=60 * SECOND))
    assert kept(book) == STANDING
