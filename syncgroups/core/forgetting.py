"""What a book may forget, so that a process which lives for weeks does not grow with every order it saw.

Nothing is forgotten before it has been over for as long as a start looks back, so no process knows less than
a start would. And nothing that was forgotten can be news again: a broker's numbers only grow, so the
highest one that was forgotten stands for all below it.
"""

from collections.abc import Iterable

from syncgroups.core.book import Book, OrderKey
from syncgroups.core.keys import parse_key
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos
from tradehaven.domain.transitions import is_final

REMEMBER = 4 * 24 * 3600 * 1_000_000_000
"""Nanoseconds; `engine.books` looks back as far. Further than a weekend: an open session is never touched."""


def tidy(book: Book, at: Nanos, remember: int = REMEMBER) -> None:
    """Forget what was over a whole span (nanoseconds) ago already; does nothing before that has passed."""
    if at < book.past.tidy_at:
        return
    began, book.past.tidy_at = book.past.tidy_at, Nanos(at + remember)
    if began:
        _forget(book, _over(book) & book.past.aged_orders)
        _forget_fills(book)
    book.past.aged_orders = _over(book)
    book.past.aged_fills = _newest(book.fills)


def _over(book: Book) -> set[OrderKey]:
    """Return orders that nothing hangs on any more: ended, with every answer to them ended, and settled."""
    known = _named(book.refused) | set(book.orders) | set(book.by_leader)
    return {key for key in known if _is_over(book, key)} - _kept(book)


def _named(names: Iterable[ClientOrderId]) -> set[OrderKey]:
    """Return the leaders' orders that our ids name; what belongs to a manual copy names none."""
    keys = (parse_key(name) for name in names)
    return {(key.leader, key.leader_order) for key in keys if key is not None}


def _is_over(book: Book, key: OrderKey) -> bool:
    record = book.orders.get(key)
    works = record is not None and not is_final(record.status)
    answers = book.copies_of_order(*key)
    goes_on = any(copy.is_open or copy.key in book.manual.get(copy.follower, ()) for copy in answers)
    return not works and not goes_on


def _kept(book: Book) -> set[OrderKey]:
    """Return orders that something unfinished names."""
    kept = _named(book.missed)
    kept |= {(waiting.order.account, waiting.order.order_id) for waiting in book.waiting.values()}
    doubts = {doubt.key for waiting in book.waiting.values() for doubt in waiting.doubts}
    kept |= {(book.copies[name].leader, book.copies[name].leader_order) for name in doubts & set(book.copies)}
    owed = {key.order for key in book.differences if key.order}
    return kept | {key for key in book.by_leader if key[1] in owed}


def _forget(book: Book, over: set[OrderKey]) -> None:
    for account, order in over:
        book.orders.pop((account, order), None)
        book.past.orders[account] = max(order, book.past.orders.get(account, order))
        for name in book.by_leader.pop((account, order), ()):
            copy = book.copies.pop(name)
            book.adopted.discard(name)
            book.absent_since.pop(name, None)
            book.chasing.pop(name, None)
            if copy.order_id is not None:
                book.by_order.pop((copy.follower, copy.order_id), None)
    for name in [name for name in book.refused if _named([name]) & over]:
        del book.refused[name]


def _forget_fills(book: Book) -> None:
    book.past.fills.update(book.past.aged_fills)
    book.fills = {(account, fill) for account, fill in book.fills if fill > book.past.fills.get(account, 0)}


def _newest(fills: Iterable[tuple[AccountId, FillId]]) -> dict[AccountId, FillId]:
    newest: dict[AccountId, FillId] = {}
    for account, fill in fills:
        newest[account] = max(fill, newest.get(account, fill))
    return newest
