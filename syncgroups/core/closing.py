"""The daily time to be flat (RISK-07): every contract is closed before its own market's end.

Decided each second by the clock and the holiday table, so an engine that starts late closes at once what is
still open. What is open after the market has ended can only be said.
"""

from collections.abc import Iterator
from datetime import datetime

from risk.core.instants import moment
from risk.core.rules import Flat
from risk.core.schedule import is_flat_time
from syncgroups.core.book import Book
from syncgroups.core.decision import Decision, GuardStep, Remark, RemarkKind
from syncgroups.core.expected import is_seen
from syncgroups.core.flatness import AGAIN
from syncgroups.core.keys import close_id
from syncgroups.core.plan import AccountPlan, OwnerPlan
from tradehaven.domain.calendar import MarketState, market_state
from tradehaven.domain.commands import CancelOrder, ClosePosition
from tradehaven.domain.contracts import known_product
from tradehaven.domain.ids import AccountId, Nanos, Symbol
from tradehaven.domain.instruments import SessionTemplate

SECOND = 1_000_000_000
SAY_AGAIN = 3600 * SECOND


def due(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    """Return what has to be closed at this second, and what was left open over the end of its session."""
    look = _Look(book, at)
    for account in plan.watched:
        known = plan.accounts[account]
        flat = known.rules_at(at).flat
        if flat is not None and is_seen(plan, book, account) and account not in book.flattening:
            look.account(known, flat)
    return look.decision()


class _Look:
    """One second's look at the clock; what one market asks for is worked out once for all accounts."""

    def __init__(self, book: Book, at: Nanos) -> None:
        self._book = book
        self._at = at
        self._now: datetime = moment(at)
        self._known: dict[tuple[Flat, SessionTemplate], bool] = {}
        self._steps: list[GuardStep] = []
        self._remarks: list[Remark] = []

    def decision(self) -> Decision:
        """Return what was found."""
        return Decision(steps=tuple(self._steps), remarks=tuple(self._remarks))

    def account(self, known: AccountPlan, flat: Flat) -> None:
        """Look at every contract in which an account holds or works something."""
        for symbol, net in sorted(self._open(known.account).items()):
            traded = known_product(symbol)
            if traded is None:
                continue  # nobody knows its market's hours
            if self._is_due(flat, traded.template):
                self._close(known.account, symbol, net)
            elif net and market_state(self._now, traded.template) is MarketState.CLOSED:
                self._say_late(known.account, symbol, net)

    def _open(self, account: AccountId) -> dict[Symbol, int]:
        found = {symbol: net for symbol, net in self._book.held_symbols(account).items() if net}
        for order in self._book.working.get(account, ()):
            found.setdefault(self._book.orders[account, order].symbol, 0)
        return found

    def _is_due(self, flat: Flat, template: SessionTemplate) -> bool:
        key = flat, template
        if key not in self._known:
            open_ = market_state(self._now, template) is MarketState.OPEN
            self._known[key] = open_ and is_flat_time(flat, template, self._now)
        return self._known[key]

    def _close(self, account: AccountId, symbol: Symbol, net: int) -> None:
        closed_at = self._book.risk.guard_closes.get((account, symbol))
        if closed_at is not None and self._at - closed_at < AGAIN:
            return
        if closed_at is None or self._at - closed_at > SAY_AGAIN:
            what = f"{net:+d} held" if net else "orders work"
            self._say(RemarkKind.FLAT_DUE, account, symbol, f"time to be flat: {what}, closing")
        self._steps.extend(self._orders_of(account, symbol) if not net else self._position(account, symbol))

    def _position(self, account: AccountId, symbol: Symbol) -> Iterator[GuardStep]:
        name = close_id(account, symbol, self._at // SECOND)
        command = ClosePosition(account=account, client_order_id=name, symbol=symbol)
        yield GuardStep(guard=None, command=command, at=self._at)

    def _orders_of(self, account: AccountId, symbol: Symbol) -> Iterator[GuardStep]:
        for order in sorted(self._book.working[account]):
            if self._book.orders[account, order].symbol == symbol:
                name = close_id(account, f"o{order}", self._at // SECOND)
                command = CancelOrder(account=account, client_order_id=name, order_id=order)
                yield GuardStep(guard=None, command=command, symbol=symbol, at=self._at)

    def _say_late(self, account: AccountId, symbol: Symbol, net: int) -> None:
        if (account, symbol) in self._book.risk.late_said:
            return
        detail = f"the market has closed and {net:+d} are still held: look at the account"
        self._say(RemarkKind.LEFT_OPEN, account, symbol, detail)

    def _say(self, kind: RemarkKind, account: AccountId, symbol: Symbol, detail: str) -> None:
        self._remarks.append(Remark(kind=kind, account=account, group=None, symbol=symbol, detail=detail))
