"""The money of the drill's broker: what fills make of an account's cash. Written for the drill alone.

First in, first out, dollars exact, a fee for each contract on each side. The engine's own counting is
compared with this and shares nothing with it.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId, Symbol

START = Decimal(50_000)
FEE = Decimal("2.50")
"""What the broker takes for a contract on one side, in USD: as much as rules count with."""
TICK = Decimal("0.25")
_VALUES = {"ES": Decimal("12.50"), "MES": Decimal("1.25"), "NQ": Decimal(5), "MNQ": Decimal("0.50")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cash:
    """What the broker says of an account's money: USD after fees, and the gross profit of the day."""

    account: AccountId
    cash: Decimal
    realized: Decimal


@dataclass
class Purse:
    """One account's money as its fills have made it. `lots` are signed contracts and their ticks."""

    start: Decimal = START
    cash: Decimal = START
    realized: Decimal = Decimal(0)
    lots: dict[Symbol, deque[tuple[int, int]]] = field(default_factory=dict)

    def take(self, fill: OrderFilled) -> None:
        """Count one more fill."""
        lots = self.lots.setdefault(fill.symbol, deque())
        left, sign = fill.qty, fill.side.sign
        made = 0
        while left and lots and lots[0][0] * sign < 0:
            qty, price = lots[0]
            closed = min(left, abs(qty))
            made += (fill.price - price) * closed * -sign
            rest = qty + closed * sign
            if rest:
                lots[0] = (rest, price)
            else:
                lots.popleft()
            left -= closed
        if left:
            lots.append((left * sign, int(fill.price)))
        profit = made * tick_value(fill.symbol)
        self.realized += profit
        self.cash += profit - FEE * fill.qty

    def average(self, symbol: Symbol) -> Decimal | None:
        """Return the average price of what is held, in points; None when that is nothing."""
        lots = self.lots.get(symbol)
        if not lots:
            return None
        held = sum(abs(qty) for qty, _ in lots)
        return sum((abs(qty) * price * TICK for qty, price in lots), Decimal(0)) / held

    def equity(self, prices: Mapping[Symbol, int]) -> Decimal:
        """Return what the account is worth in USD at these prices, in ticks; closing costs nothing here."""
        open_profit = (
            (prices[symbol] - price) * qty * tick_value(symbol)
            for symbol, lots in self.lots.items()
            for qty, price in lots
        )
        return self.cash + sum(open_profit, Decimal(0))


def tick_value(symbol: Symbol) -> Decimal:
    """Return what one tick of a contract of the drill is worth, in USD."""
    return _VALUES[symbol[:-2]]


def purse_of(fills: Iterable[OrderFilled], start: Decimal = START) -> Purse:
    """Return an account's money after these fills, oldest first."""
    found = Purse(start=start, cash=start)
    for fill in fills:
        found.take(fill)
    return found
