"""Accounts' money in the book: what fills, cash, positions and prices make of it. Facts only.

`risk.core.ledger` knows how; here it is kept for every account, with who holds what, so that a price finds
those whom it moves. What follows from it is decided in `guardrails`.
"""

from dataclasses import replace
from decimal import Decimal

from risk.core import ledger
from risk.core.days import flowed, traded
from risk.core.ledger import Ledger
from risk.core.marks import Mark, is_near, marked
from syncgroups.core.book import Book
from tradehaven.domain.contracts import product_of
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.events import (
    AccountSnapshot,
    BalanceReported,
    LimitsReported,
    OrderFilled,
    PositionReported,
    PriceMoved,
)
from tradehaven.domain.ids import AccountId, Nanos


def snapshot_taken(book: Book, account: AccountSnapshot) -> None:
    """Take an account's money as its broker states all of it; what a dead line lost is in here."""
    book.risk.stated.pop(account.account, None)
    if account.limits is not None:
        limits_said(book, account.limits)
    try:
        fresh = ledger.opened(account)
    except UnknownInstrument:
        book.risk.give_up(account.account)
        return
    if fresh is None:
        return
    known = book.risk.ledgers.get(account.account)
    if known is not None and not known.unbilled and fresh.profit == known.profit:
        _paid_in(book, account.account, fresh.cash - known.cash)
    book.risk.keep(account.account, fresh)


def filled(book: Book, event: OrderFilled) -> None:
    """Take a fill that is news."""
    known = book.risk.ledgers.get(event.account)
    if known is None:
        return
    try:
        changed, result = ledger.filled(known, event)
    except UnknownInstrument:
        book.risk.give_up(event.account)
        return
    book.risk.keep(event.account, changed)
    standing = book.risk.standings.get(event.account)
    if standing is not None and result is not None:
        book.risk.stand(event.account, standing.changed(day=traded(standing.day, result)))


def balance_said(book: Book, event: BalanceReported) -> bool:
    """Take the broker's cash; say whether it is another figure."""
    # Sizes by balance keep the day's first figure: a ratio that moves makes exits unequal to entries.
    book.sizing_balances.setdefault(event.account, event.cash)
    before = book.balances.get(event.account)
    book.balances[event.account] = event.cash
    known = book.risk.ledgers.get(event.account)
    if known is None and event.account not in book.risk.unvalued:
        book.risk.keep(event.account, Ledger(cash=event.cash, profit=event.realized))
    elif known is not None:
        book.risk.ledgers[event.account] = ledger.balanced(known, event)
    return before != event.cash


def limits_said(book: Book, event: LimitsReported) -> bool:
    """Take the word of the broker's risk desk; say whether it is another one."""
    before = book.risk.stated.get(event.account)
    book.risk.stated[event.account] = event
    return before is None or replace(before, at=event.at) != event


def position_said(book: Book, event: PositionReported) -> None:
    """Take the broker's word on a position; an account that holds what we do not know has no value."""
    known = book.risk.ledgers.get(event.account)
    if known is None:
        return
    try:
        product_of(event.symbol)
    except UnknownInstrument:
        if event.net:
            book.risk.give_up(event.account)
        return
    book.risk.ledgers[event.account] = ledger.positioned(known, event)


def time_passed(book: Book, at: Nanos) -> None:
    """Put in force what the brokers said and no fill is near to."""
    book.risk.clock = at
    for account, known in list(book.risk.ledgers.items()):
        nets = {symbol: book.positions.get((account, symbol), 0) for symbol in known.unsettled.positions}
        settled = ledger.settled(known, at, nets)
        _paid_in(book, account, settled.flows - known.flows)
        book.risk.keep(account, settled)


def price_moved(book: Book, event: PriceMoved) -> bool:
    """Take a quote; say whether the contract's mark is another one now."""
    book.risk.blind.discard(event.environment)
    marks = book.risk.marks[event.environment]
    known = marks.get(event.symbol)
    mark = marked(known, event)
    if mark is None or (known is None and not _is_likely(book, event, mark)):
        return False
    if known is not None and mark.doubt is None:
        book.risk.quoted.pop((event.environment, event.symbol), None)
    marks[event.symbol] = mark
    return known is None or (mark.bid, mark.ask, mark.last) != (known.bid, known.ask, known.last)


def _is_likely(book: Book, event: PriceMoved, fresh: Mark) -> bool:
    """Say whether a contract's very first quote may be believed: near to what was paid, or seen twice (F40).

    Nothing stands before it that it could be held against, and a position hangs on it. Where none does, it
    counts until one comes that paid something else, see `RiskBook.keep`.
    """
    key = event.environment, event.symbol
    before = book.risk.quoted.get(key)
    book.risk.quoted[key] = fresh.bid
    stakes = [book.risk.ledgers[account].stakes[event.symbol] for account in book.risk.holders[event.symbol]]
    if not stakes:
        return True
    if (before is None or not is_near(before, fresh.bid)) and not any(
        is_near(stake.price, fresh.bid) for stake in stakes
    ):
        return False
    del book.risk.quoted[key]
    return True


def _paid_in(book: Book, account: AccountId, amount: Decimal) -> None:
    """Move the day's beginning along with money that was paid in or out: it is neither won nor lost."""
    standing = book.risk.standings.get(account)
    if standing is not None and amount:
        book.risk.stand(account, flowed(standing, amount))
