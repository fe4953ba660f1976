"""The broker's own statements of positions, into the book. An answer that leaves one out is not "flat".

Statements are of three kinds: a snapshot replaces what was known, a report is news, and a list, which may
lag behind both, only confirms or contradicts what an earlier answer left out (I12, F29).
"""

from collections.abc import Iterable

from syncgroups.core import accounting
from syncgroups.core.book import Book
from tradehaven.domain.events import AccountSnapshot, PositionReported
from tradehaven.domain.ids import AccountId, Nanos, Symbol

SECOND_LOOK = 5 * 1_000_000_000


def within(copied: int, actual: int) -> int:
    """Return what of a copied holding is really there: signed contracts, never the other side."""
    return min(copied, actual, key=abs) if copied * actual > 0 else 0


def positions_stated(book: Book, account: AccountSnapshot, at: Nanos) -> None:
    """Take a snapshot's positions; remember those that it is silent about although they were held."""
    held = _held(book, account.account)
    for symbol in book.positions.of(account.account):
        del book.positions[account.account, symbol]
    for key in [key for key in book.reported if key[0] == account.account]:
        del book.reported[key]
    stated = {position.symbol: position.net for position in account.positions}
    book.listed[account.account] = at, stated
    for symbol, net in stated.items():
        book.positions[account.account, symbol] = net
        book.reported[account.account, symbol] = net
    _weigh(book, account.account, held, stated, at)


def positions_listed(
    book: Book, accounts: Iterable[AccountId], positions: Iterable[PositionReported], at: Nanos
) -> None:
    """Take a list of positions as the second look at what an answer before left out."""
    said: dict[AccountId, dict[Symbol, PositionReported]] = {account: {} for account in accounts}
    for position in positions:
        said.setdefault(position.account, {})[position.symbol] = position
    for account, positions_of in said.items():
        stated = {symbol: position.net for symbol, position in positions_of.items()}
        book.listed[account] = at, stated
        unsure = {symbol for holder, symbol in book.assumed if holder == account}
        for symbol in unsure & set(stated):
            book.positions[account, symbol] = stated[symbol]
            book.reported[account, symbol] = stated[symbol]
        _say_anew(book, account, positions_of, at)
        _weigh(book, account, unsure, stated, at)


def _say_anew(book: Book, account: AccountId, said: dict[Symbol, PositionReported], at: Nanos) -> None:
    """Take a list for news where it goes on saying what neither fills nor reports have said: those were lost.

    It is only a report then, and wants a second look like any other.
    """
    counted = book.positions.of(account)
    for symbol in counted.keys() | said.keys():
        key = account, symbol
        word = said.get(symbol) or PositionReported(account=account, symbol=symbol, net=0, price=None, at=at)
        heard = counted.get(symbol, 0), book.reported.get(key, counted.get(symbol, 0))
        first = book.unheard.get(key)
        if word.net in heard:
            book.unheard.pop(key, None)
        elif first is None or first[1:] != (*heard, word.net):
            book.unheard[key] = (at, *heard, word.net)
        elif at - first[0] >= SECOND_LOOK:
            book.reported[key] = word.net
            accounting.position_said(book, word)


def _held(book: Book, account: AccountId) -> set[Symbol]:
    """Return contracts that an account held by all that was known so far."""
    held = {symbol for symbol, net in book.positions.of(account).items() if net}
    held |= {symbol for (_, holder, symbol, _), net in book.copied.items() if holder == account and net}
    return held | {symbol for holder, symbol in book.assumed if holder == account}


def _weigh(book: Book, account: AccountId, held: set[Symbol], stated: dict[Symbol, int], at: Nanos) -> None:
    """Count what was left out twice, far enough apart, as flat."""
    for symbol in held:
        first = book.assumed.setdefault((account, symbol), at)
        if symbol in stated or at - first >= SECOND_LOOK:
            del book.assumed[account, symbol]
