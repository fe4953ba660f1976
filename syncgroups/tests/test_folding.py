"""Facts into the book: each is news once, and changes what it is about and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.core.book import Book
from syncgroups.core.folding import fold
from syncgroups.tests.desk import desk
from syncgroups.tests.plans import ES, GROUP, LEADER, connection_of
from syncgroups.tests.test_protect import guards
from syncgroups.tests.test_standing_guards import guarded
from tradehaven.domain.enums import Ask, Environment, OrderStatus, OrderType, RefusalReason, Side
from tradehaven.domain.events import (
    AccountLocked,
    Event,
    LinkLost,
    OrderAsked,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrderWorking,
    PersonAsked,
    PositionReported,
    PricesLost,
    SilenceAsked,
)
from tradehaven.domain.ids import AccountId, FillId, Nanos, OrderId
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
LOGIN = connection_of(TWO)
LIMIT = OrderSpec(order_type=OrderType.LIMIT, qty=3, limit=Ticks(19_000))
ORDER = OrderId(70)


def news(book: Book, *events: Event) -> list[bool]:
    """Return of each fact in turn whether it was news."""
    return [fold(book, event) for event in events]


def silence(until: int) -> SilenceAsked:
    return SilenceAsked(connection=LOGIN, until=Nanos(until), reason="429", at=Nanos(1))


def position(net: int) -> PositionReported:
    return PositionReported(account=TWO, symbol=ES, net=net, price=None, at=Nanos(1))


def locked(until: int) -> AccountLocked:
    why = RefusalReason.LOCKED_OUT
    return AccountLocked(account=TWO, reason=why, detail="by hand", until=Nanos(until), at=Nanos(5))


def asked(number: int) -> OrderAsked:
    return OrderAsked(
        number=number,
        leader=LEADER,
        followers=(TWO,),
        symbol=ES,
        side=BUY,
        spec=LIMIT,
        stop_loss=None,
        take_profit=None,
        at=Nanos(1),
    )


def clicked(number: int) -> PersonAsked:
    return PersonAsked(request=number, ask=Ask.FLATTEN, subject="2", at=Nanos(1))


LOST = PricesLost(environment=Environment.PAPER, at=Nanos(1))
DOWN = LinkLost(connection=LOGIN, reason="test", at=Nanos(1))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((silence(1), silence(9), silence(9), silence(5), silence(10)), [True, True, False, False, True]),
        ((position(1), position(1), position(0), position(0)), [True, False, True, False]),
        ((locked(9), locked(9), locked(8), locked(10)), [True, False, False, True]),
        ((asked(1), asked(1), asked(2)), [True, False, True]),
        ((clicked(1), clicked(1), clicked(2)), [True, False, True]),
        ((LOST, LOST, replace(LOST, environment=Environment.LIVE)), [True, False, True]),
        ((DOWN,), [False]),
    ],
)
def test_a_fact_that_is_told_again_is_no_news(events: tuple[Event, ...], said: list[bool]) -> None:
    assert news(Book(), *events) == said


def test_a_silence_is_never_shortened_and_a_lock_is_kept_as_it_was_told() -> None:
    book = Book()
    news(book, silence(9), silence(5), locked(9))
    assert book.silent_until == {LOGIN: 9}
    lock = book.risk.locks[TWO]
    assert (lock.reason, lock.detail, lock.since, lock.until) == (RefusalReason.LOCKED_OUT, "by hand", 5, 9)


def test_a_link_that_was_up_is_lost_once() -> None:
    world = desk()
    assert news(world.book, DOWN, DOWN) == [True, False]
    assert LOGIN not in world.book.links


def test_the_brokers_word_on_a_position_and_a_fill_end_a_doubt_about_it() -> None:
    book = Book()
    book.assumed[TWO, ES] = Nanos(1)
    fold(book, position(0))
    assert not book.assumed
    book.assumed[TWO, ES] = Nanos(1)
    fold(book, filled(1))
    assert not book.assumed


# -- orders ------------------------------------------------------------------------------------------


def working(order: OrderId = ORDER, **changes: Any) -> OrderWorking:
    event = OrderWorking(
        account=TWO, order_id=order, client_order_id=None, symbol=ES, side=BUY, spec=LIMIT, at=Nanos(2)
    )
    return replace(event, **changes)


def filled(number: int, qty: int = 1, price: int = 19_000, side: Side = BUY) -> OrderFilled:
    return OrderFilled(
        account=TWO,
        order_id=ORDER,
        fill_id=FillId(number),
        symbol=ES,
        side=side,
        qty=qty,
        price=Ticks(price),
        at=Nanos(3),
        traded_at=Nanos(3),
    )


def changed(**what: Any) -> OrderChanged:
    return OrderChanged(account=TWO, order_id=ORDER, spec=replace(LIMIT, **what), at=Nanos(4))


def ended(status: OrderStatus = OrderStatus.CANCELLED) -> OrderEnded:
    return OrderEnded(
        account=TWO, order_id=ORDER, client_order_id=None, status=status, reason="", at=Nanos(5)
    )


def test_an_order_is_news_when_it_comes_when_it_changes_and_when_it_ends() -> None:
    book = Book()
    assert news(book, changed(qty=2), ended(), working(), working()) == [False, False, True, False]
    assert news(book, changed(), changed(qty=2), changed(qty=2)) == [False, True, False]
    assert news(book, ended(), ended(), changed(qty=1), working()) == [True, False, False, False]
    record = book.orders[TWO, ORDER]
    assert (record.spec.qty, record.status, record.unfilled) == (2, OrderStatus.CANCELLED, 0)
    book.past.orders[TWO] = OrderId(80)
    assert news(book, working(OrderId(80)), working(OrderId(81))) == [False, True]


def test_a_fill_counts_once_with_what_it_cost_and_one_of_before_not_at_all() -> None:
    book = Book()
    fold(book, working())
    assert news(book, filled(5), filled(5), filled(6, 2, 19_010)) == [True, False, True]
    record = book.orders[TWO, ORDER]
    assert (record.filled, record.price, record.cost) == (3, 19_010, 19_000 + 2 * 19_010)
    assert book.positions[TWO, ES] == 3
    fold(book, filled(7, 1, side=SELL))
    assert book.positions[TWO, ES] == 2
    book.past.fills[TWO] = FillId(9)
    assert news(book, filled(9), filled(10)) == [False, True]


def test_the_second_leg_of_a_pair_names_itself_to_the_first_which_keeps_its_first_partner() -> None:
    book = Book()
    other, third = OrderId(71), OrderId(72)
    news(book, working(), working(other, oco=ORDER), working(third, oco=ORDER))
    assert (book.orders[TWO, ORDER].oco, book.orders[TWO, other].oco) == (other, ORDER)
    fold(book, working(OrderId(73), oco=OrderId(99)))
    assert (TWO, OrderId(99)) not in book.orders


def test_a_guard_that_every_record_was_lost_of_is_known_again_when_it_is_seen() -> None:
    world = guarded(2)
    (order,) = guards(world)
    book = Book()
    fold(book, world._working(order))
    (known,) = book.risk.guards_of(TWO)
    assert (known.key, known.order_id, known.spec) == (order.client_order_id, order.order_id, order.spec)


def test_the_end_of_an_order_says_nothing_about_what_a_statement_lacks() -> None:
    world = desk()
    world.market(Side.BUY, 2)
    world.trade(Side.SELL, 2, OrderType.LIMIT, limit=20_100)
    world.settle()
    world.positions[TWO, ES] = 1
    world.connect(TWO)
    world.cancel(world.resting(2)[0].order_id)
    assert (world.book.positions[TWO, ES], world.book.copied[GROUP, TWO, ES, ES]) == (1, 2)
