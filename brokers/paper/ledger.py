"""Positions, first-in-first-out pairs, realised profit and cash of paper accounts.

Prices are decimals in points, money is USD in decimals, quantities are signed where they say net.
Events and ids stand in `executions`; this module only computes.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from brokers.paper.words import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Contracts of one fill that no later fill has closed yet; `qty` is signed."""

    fill_id: int
    qty: int
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Contracts closed by one fill against one older lot, with the profit in USD."""

    opening_fill_id: int
    closing_fill_id: int
    qty: int
    buy_price: Decimal
    sell_price: Decimal
    closing: Action
    realized: Decimal

    @property
    def buy_fill_id(self) -> int:
        """Return the fill that bought."""
        return self.closing_fill_id if self.closing is Action.BUY else self.opening_fill_id

    @property
    def sell_fill_id(self) -> int:
        """Return the fill that sold."""
        return self.opening_fill_id if self.closing is Action.BUY else self.closing_fill_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Open lots of one account in one contract, oldest first, all on one side."""

    lots: tuple[Lot, ...] = ()

    @property
    def net(self) -> int:
        """Return the signed position in contracts."""
        return sum(lot.qty for lot in self.lots)

    @property
    def average(self) -> Decimal | None:
        """Return the average entry of the open part in points, or None when flat."""
        net = self.net
        return sum((lot.price * lot.qty for lot in self.lots), Decimal(0)) / net if net else None

    def unrealized(self, mark: Decimal, point_value: Decimal) -> Decimal:
        """Return the open profit in USD at a mark price in points (trade-math 1)."""
        return sum(((mark - lot.price) * lot.qty for lot in self.lots), Decimal(0)) * point_value


def apply_fill(
    holding: Holding, *, fill_id: int, action: Action, qty: int, price: Decimal, point_value: Decimal
) -> tuple[Holding, tuple[Pair, ...]]:
    """Close the oldest lots first, open with the rest; return the holding and the pairs (trade-math 1)."""
    lots = list(holding.lots)
    pairs: list[Pair] = []
    left = qty
    while left and lots and lots[0].qty * action.sign < 0:
        lot = lots.pop(0)
        closed = min(left, abs(lot.qty))
        left -= closed
        pairs.append(_pair(lot, fill_id, action, closed, price, point_value))
        if closed < abs(lot.qty):
            # What is left of the oldest lot stays the oldest.
            lots.insert(0, replace(lot, qty=lot.qty + closed * action.sign))
    if left:
        lots.append(Lot(fill_id=fill_id, qty=left * action.sign, price=price))
    return Holding(lots=tuple(lots)), tuple(pairs)


def commission(per_side: Decimal, qty: int) -> Decimal:
    """Return the commission in USD of one side of `qty` contracts."""
    return per_side * qty


def required_margin(net: int, buying: int, selling: int, per_contract: Decimal) -> Decimal:
    """Return the margin in USD of a position if all its working buys, or all its sells, were to fill."""
    return max(abs(net + buying), abs(net - selling), abs(net)) * per_contract


def _pair(lot: Lot, fill_id: int, action: Action, qty: int, price: Decimal, point_value: Decimal) -> Pair:
    buy, sell = (price, lot.price) if action is Action.BUY else (lot.price, price)
    return Pair(
        opening_fill_id=lot.fill_id,
        closing_fill_id=fill_id,
        qty=qty,
        buy_price=buy,
        sell_price=sell,
        closing=action,
        realized=(sell - buy) * qty * point_value,
    )
