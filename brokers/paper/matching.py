"""The order book of one contract: who trades with whom, how much and at what tick.

Prices are whole ticks. Two kinds of counterparty stand in the book: the outside market, refreshed
as a ladder of levels, and the resting orders of paper accounts. Ids, times and chance come in as
arguments; what a trade does to an account stands in `ledger`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from brokers.paper.words import Action, OrderType, TimeInForce

_MARKET_LIKE = frozenset({OrderType.MARKET, OrderType.STOP, OrderType.MIT, OrderType.TRAILING_STOP})
_TOUCHED_TYPES = frozenset({OrderType.MIT, OrderType.LIMIT_IF_TOUCHED})
_TRIGGERED_TYPES = _TOUCHED_TYPES | {
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.TRAILING_STOP,
    OrderType.TRAILING_STOP_LIMIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Contracts on offer at one tick."""

    price: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """The outside market: best levels first, and the last traded tick."""

    bids: tuple[Level, ...]
    offers: tuple[Level, ...]
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order in the book; `qty` is what is still open, `cap` what may trade at all now.

    `stop` is the price that wakes it, also where it is a touch; `trail` is the distance in ticks at which
    a trailing stop follows the market. `guard` is the worst tick that an order at the market still takes:
    what it cannot get there rests at that price, as the exchange's market orders with protection do.
    """

    order_id: int
    account_id: int
    action: Action
    order_type: OrderType
    qty: int
    limit: int | None = None
    stop: int | None = None
    trail: int | None = None
    guard: int | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    triggered: bool = False
    rank: int = 0
    cap: int | None = None

    @property
    def waiting(self) -> bool:
        """Return whether the order still waits for its trigger price."""
        return self.order_type in _TRIGGERED_TYPES and not self.triggered

    @property
    def market_like(self) -> bool:
        """Return whether the order takes any price once it may trade."""
        return self.order_type in _MARKET_LIKE

    @property
    def worst(self) -> int | None:
        """Return the worst tick at which the order trades, None for any; it rests there if it rests."""
        return self.guard if self.market_like else self.limit

    @property
    def tradable(self) -> int:
        """Return how many contracts may trade now."""
        return self.qty if self.cap is None else min(self.qty, self.cap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One order's side of a trade at one tick."""

    order_id: int
    qty: int
    price: int


@dataclass(slots=True)
class Book:
    """Resting orders of one contract and the outside liquidity that is left.

    While `halted` nothing trades and nothing triggers; orders come and go. `floor` and `ceiling` are the
    day's price limits in ticks: nothing trades beyond them.
    """

    bids: list[Level] = field(default_factory=list)
    offers: list[Level] = field(default_factory=list)
    last: int | None = None
    halted: bool = False
    floor: int | None = None
    ceiling: int | None = None
    tickets: dict[int, Ticket] = field(default_factory=dict)
    _rank: int = 0

    def refresh(self, depth: Depth) -> None:
        """Replace the outside market."""
        self.bids, self.offers, self.last = list(depth.bids), list(depth.offers), depth.last

    def add(self, ticket: Ticket) -> None:
        """Put an order into the book, behind those of its price; an order known already keeps its
        place only if neither price nor a larger quantity asks for a new one.
        """
        known = self.tickets.get(ticket.order_id)
        keeps = (
            known is not None
            and (known.limit, known.stop) == (ticket.limit, ticket.stop)
            and ticket.qty <= known.qty
        )
        if known is not None and keeps:
            rank = known.rank
            ticket = replace(ticket, guard=known.guard)
        else:
            self._rank += 1
            rank = self._rank
        self.tickets[ticket.order_id] = replace(ticket, rank=rank)

    def remove(self, order_id: int) -> None:
        """Take an order out of the book, if it is there."""
        self.tickets.pop(order_id, None)

    def trigger(self) -> list[int]:
        """Trigger stops that the last trade has reached; return their order ids in time order."""
        waiting = [] if self.halted else [ticket for ticket in self.tickets.values() if ticket.waiting]
        hit = [ticket for ticket in waiting if self._reached(ticket)]
        for ticket in hit:
            self.tickets[ticket.order_id] = replace(ticket, triggered=True)
        return [ticket.order_id for ticket in sorted(hit, key=lambda ticket: ticket.rank)]

    def trailed(self) -> list[tuple[int, int]]:
        """Return trailing stops that the market has drawn along, with the ticks they move to."""
        found: list[tuple[int, int]] = []
        for ticket in self.tickets.values():
            if ticket.waiting and self.last is not None and ticket.trail and ticket.stop is not None:
                stop = self.last + ticket.trail * ticket.action.sign
                if (stop - ticket.stop) * ticket.action.sign < 0:
                    found.append((ticket.order_id, stop))
        return found

    def fillable(self, order_id: int) -> int:
        """Return how many contracts an order could trade at once, without trading."""
        ticket = self.tickets[order_id]
        found = 0 if self.halted else sum(size for _, size, _ in self._offered(ticket, 0))
        return min(ticket.qty, found)

    def protect(self, order_id: int, ticks: int) -> None:
        """Let an order at the market take nothing more than `ticks` away from the best price there is."""
        ticket = self.tickets[order_id]
        best = next((price for price, _, _ in self._offered(ticket, 0)), self.last)
        if ticks and ticket.market_like and ticket.guard is None and best is not None:
            self.tickets[order_id] = replace(ticket, guard=best + ticks * ticket.action.sign)

    def take(self, order_id: int, slippage: int = 0) -> list[Execution]:
        """Trade an arriving order against the book; market orders pay `slippage` ticks outside.

        Both sides of a trade between two paper accounts are in the answer. The best effective
        price goes first, a resting order before outside liquidity at the same price.
        """
        ticket = self.tickets[order_id]
        if ticket.waiting or self.halted:
            return []
        # A limit order takes no slippage, or it could pay more than its limit.
        slip = slippage if ticket.market_like else 0
        executions: list[Execution] = []
        left = ticket.tradable
        # A copy: trading changes the book that the rows are read from.
        for price, size, maker_id in list(self._offered(ticket, slip)):
            if left == 0:
                break
            qty = min(left, size)
            left -= qty
            if maker_id is None:
                self._use_outside(ticket.action, price - slip * ticket.action.sign, qty)
            else:
                executions.append(self._reduce(maker_id, qty, price))
            executions.append(self._reduce(order_id, qty, price))
        return executions

    def sweep(self) -> list[Execution]:
        """Trade the first resting limit order that the outside market has come to, at its own price.

        One order at a time, because its trade may take a linked order out of the book; call until empty.
        """
        for ticket in [] if self.halted else sorted(self.tickets.values(), key=_priority):
            if ticket.worst is None or ticket.waiting:
                continue
            if executions := self._fill_resting(ticket, ticket.worst):
                return executions
        return []

    def resting_market(self) -> list[int]:
        """Return market-like orders that found too little liquidity and wait for more."""
        rest = [] if self.halted else [found for found in self.tickets.values() if found.worst is None]
        found = [ticket for ticket in rest if not ticket.waiting and ticket.tradable > 0]
        return [ticket.order_id for ticket in sorted(found, key=lambda ticket: ticket.rank)]

    def _fill_resting(self, ticket: Ticket, limit: int) -> list[Execution]:
        executions: list[Execution] = []
        left = ticket.tradable
        for level in list(self._outside(ticket.action)):
            if left == 0 or not self._acceptable(ticket, level.price):
                break
            qty = min(left, level.size)
            left -= qty
            self._use_outside(ticket.action, level.price, qty)
            executions.append(self._reduce(ticket.order_id, qty, limit))
        return executions

    def _reached(self, ticket: Ticket) -> bool:
        if self.last is None or ticket.stop is None:
            return False
        # A touch order waits on the other side of the market than a stop.
        upward = (ticket.action is Action.BUY) != (ticket.order_type in _TOUCHED_TYPES)
        return self.last >= ticket.stop if upward else self.last <= ticket.stop

    def _outside(self, action: Action) -> list[Level]:
        return self.offers if action is Action.BUY else self.bids

    def _offered(self, ticket: Ticket, slip: int) -> Iterator[tuple[int, int, int | None]]:
        """Yield (effective tick, size, resting order or None) that the order would meet, best first."""
        # Multiplied by the sign, the best price is the lowest number for buyers and sellers alike.
        sign = ticket.action.sign
        makers: list[tuple[int, int, int, int, int, int | None]] = [
            (other.worst * sign, 0, other.rank, other.worst, other.tradable, other.order_id)
            for other in self.tickets.values()
            if other.worst is not None and not other.waiting and self._meets(ticket, other)
        ]
        outside: list[tuple[int, int, int, int, int, int | None]] = [
            ((level.price + slip * sign) * sign, 1, 0, level.price + slip * sign, level.size, None)
            for level in self._outside(ticket.action)
        ]
        for _, _, _, price, size, maker_id in sorted(makers + outside, key=lambda row: row[:3]):
            if not self._acceptable(ticket, price):
                return
            if size:
                yield price, size, maker_id

    @staticmethod
    def _meets(ticket: Ticket, other: Ticket) -> bool:
        # An account never trades with itself; its own crossing orders rest side by side.
        return other.action is not ticket.action and other.account_id != ticket.account_id

    def _acceptable(self, ticket: Ticket, price: int) -> bool:
        beyond = (self.floor is not None and price < self.floor) or (
            self.ceiling is not None and price > self.ceiling
        )
        worst = ticket.worst
        return not beyond and (worst is None or price * ticket.action.sign <= worst * ticket.action.sign)

    def _use_outside(self, action: Action, price: int, qty: int) -> None:
        levels = self._outside(action)
        at = next(index for index, level in enumerate(levels) if level.price == price)
        left = levels[at].size - qty
        levels[at : at + 1] = [replace(levels[at], size=left)] if left else []

    def _reduce(self, order_id: int, qty: int, price: int) -> Execution:
        ticket = self.tickets[order_id]
        cap = None if ticket.cap is None else ticket.cap - qty
        if ticket.qty == qty:
            del self.tickets[order_id]
        else:
            self.tickets[order_id] = replace(ticket, qty=ticket.qty - qty, cap=cap)
        return Execution(order_id=order_id, qty=qty, price=price)


def _priority(ticket: Ticket) -> tuple[int, int]:
    return (-(ticket.worst or 0) * ticket.action.sign, ticket.rank)
