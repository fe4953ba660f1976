"""What brokers say of guards, into the book: placed, changed, turned down, filled, gone. Facts only."""

from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.guards import Guard, answered, leg_of
from syncgroups.core.joining import taken_by_guard
from tradehaven.domain.commands import Denied, Outcome
from tradehaven.domain.enums import OrderStatus, RefusalReason
from tradehaven.domain.events import (
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderState,
    OrderWorking,
)
from tradehaven.domain.ids import AccountId, Nanos
from tradehaven.domain.transitions import is_final

LOST_AFTER = 6_000_000_000
"""A guard that a list lacks so long after it was sent was never taken (I12)."""


TRY_AGAIN = 1_000_000_000
"""When a login had no room for a guard and nobody said until when."""


def seen(book: Book, account: AccountId, order: OrderWorking | OrderState, at: Nanos) -> None:
    """Take note of an order that is one of our guards, also one that we had forgotten."""
    named = leg_of(order.client_order_id)
    if named is None or (isinstance(order, OrderState) and is_final(order.status)):
        return
    key, leg = named
    known = book.risk.guards.get(key)
    fresh = Guard(
        key=key,
        account=account,
        symbol=order.symbol,
        leg=leg,
        side=order.side,
        spec=order.spec,
        at=at,
        order_id=order.order_id,
    )
    if known is not None:
        fresh = replace(known, order_id=order.order_id, spec=order.spec)
    book.risk.guards[key] = fresh
    book.risk.guard_orders[account, order.order_id] = key


def restated(book: Book, account: AccountId) -> None:
    """Forget an account's guards before its broker states all of its orders anew; what flies is kept."""
    for guard in book.risk.guards_of(account):
        if guard.order_id is not None:
            _forget(book, guard)


def changed(book: Book, event: OrderChanged) -> None:
    """Take the parameters that are in force for a guard."""
    guard = _of(book, event.account, event)
    if guard is not None:
        # An older change may have come into force while a newer one is out.
        in_flight = None if event.spec == guard.spec else guard.in_flight
        book.risk.guards[guard.key] = replace(guard, spec=event.spec, in_flight=in_flight, refusals=0)


def filled(book: Book, event: OrderFilled) -> None:
    """Remember that a guard has closed something, so that a second exit of the same is noticed."""
    forgive(book)
    if _of(book, event.account, event) is not None:
        closed(book, event, event.at)


def closed(book: Book, fill: OrderFilled, when: Nanos) -> None:
    """Remember what a guard has closed, and when: as it was told, or as it was traded while nobody looked."""
    at, before = book.risk.guard_fills.get((fill.account, fill.symbol), (when, 0))
    fresh = before if when - at < LOST_AFTER else 0
    book.risk.guard_fills[fill.account, fill.symbol] = when, fresh + fill.qty * fill.side.sign
    taken_by_guard(book, fill)


def forgive(book: Book) -> None:
    """Forget what was turned down where nothing is held any more: the next position has its own tries."""
    failures = book.risk.guard_failures
    for account, symbol, leg in [key for key in failures if not book.positions.get(key[:2], 0)]:
        del failures[account, symbol, leg]


def ended(book: Book, event: OrderEnded) -> None:
    """Take the end of a guard; one that the broker turned down afterwards counts as refused."""
    named = leg_of(event.client_order_id)
    guard = _of(book, event.account, event)
    if guard is None and named is not None:  # it may have ended before the answer that numbers it
        guard = book.risk.guards.get(named[0])
        guard = guard if guard is not None and guard.order_id is None else None
    if guard is None:
        return
    _forget(book, guard)
    if event.status is OrderStatus.REJECTED:
        _fail(book, guard)


def outcome(book: Book, event: Outcome) -> bool:
    """Take the answer to a command about a guard; say whether it was one."""
    named = leg_of(event.client_order_id)
    guard = book.risk.guards.get(named[0]) if named is not None else None
    if guard is None:
        return False
    has_room = True
    if isinstance(event, Denied) and event.reason is RefusalReason.RATE_LIMITED:
        # Whoever tried again at once would be denied at once, and so on for as long as there is no room.
        has_room = False
        until = event.retry_at or Nanos(event.at + TRY_AGAIN)
        book.risk.guard_waits[guard.account, guard.symbol, guard.leg, guard.ending] = until
    after = answered(guard, event)
    if after is not None:
        book.risk.guards[guard.key] = after
        if after.order_id is not None:
            book.risk.guard_orders[guard.account, after.order_id] = guard.key
        return True
    _forget(book, guard)
    if has_room:
        _fail(book, guard)
    return True


def listed(book: Book, event: OrdersListed) -> None:
    """Forget guards of which nothing was ever heard and that the broker does not list."""
    for account in event.accounts:
        for guard in book.risk.guards_of(account):
            absent = guard.order_id is None and guard.key not in event.client_order_ids
            if absent and event.at - guard.at >= LOST_AFTER:
                _forget(book, guard)


def _of(book: Book, account: AccountId, event: OrderChanged | OrderFilled | OrderEnded) -> Guard | None:
    key = book.risk.guard_orders.get((account, event.order_id))
    return book.risk.guards.get(key) if key is not None else None


def _fail(book: Book, guard: Guard) -> None:
    book.risk.guard_failures[guard.account, guard.symbol, guard.leg] += 1


def _forget(book: Book, guard: Guard) -> None:
    book.risk.guards.pop(guard.key, None)
    if guard.order_id is not None:
        book.risk.guard_orders.pop((guard.account, guard.order_id), None)
