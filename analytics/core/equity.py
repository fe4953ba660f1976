"""The session's result fill by fill: what was realized so far, and with what is open at that fill's price.

Before fees: brokers state those in the balance and not with the fill.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import Side
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.instruments import Product
from tradehaven.domain.money import Ticks
from tradehaven.domain.positions import FLAT, Position, apply_fill

Key = tuple[int, str]
"""An account and a contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """One fill: contracts at a price in ticks, at a time (UTC)."""

    account: int
    symbol: str
    side: Side
    qty: int
    ticks: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The result after a fill, in USD: realized since the session began, and with open positions."""

    fill: Traded
    price: str
    realized: Decimal
    total: Decimal


def carried(fills: Iterable[Traded]) -> dict[Key, Position]:
    """Return the positions that fills of earlier sessions have left, oldest fill first."""
    found: dict[Key, Position] = {}
    for fill in fills:
        key = (fill.account, fill.symbol)
        position, _ = apply_fill(found.get(key, FLAT), side=fill.side, qty=fill.qty, price=Ticks(fill.ticks))
        found[key] = position
    return found


def curve(fills: Iterable[Traded], opening: Mapping[Key, Position]) -> list[Point]:
    """Return a point for each fill of a session, oldest first; contracts of unknown worth are left out.

    Every position of a contract is marked at the latest fill in it, whoever's that was: accounts that copy
    each other trade the same. `opening` is what was held before the first of these fills.
    """
    positions = dict(opening)
    # Of each contract over all accounts, in ticks: the result so far is its cash plus its net at the mark.
    nets: dict[str, int] = defaultdict(int)
    cash: dict[str, int] = defaultdict(int)
    for (_, symbol), held in opening.items():
        nets[symbol] += held.net
        sign = 1 if held.net > 0 else -1
        cash[symbol] -= sign * sum(lot.qty * lot.price for lot in held.lots)
    worth: dict[str, Decimal] = {}
    realized, total, points = Decimal(0), Decimal(0), []
    for fill in fills:
        product = _product(fill.symbol)
        if product is None:
            continue
        key, signed = (fill.account, fill.symbol), fill.side.sign * fill.qty
        positions[key], gain = apply_fill(
            positions.get(key, FLAT), side=fill.side, qty=fill.qty, price=Ticks(fill.ticks)
        )
        realized += product.value(gain).amount
        nets[fill.symbol] += signed
        cash[fill.symbol] -= signed * fill.ticks
        now = product.value(cash[fill.symbol] + nets[fill.symbol] * fill.ticks).amount
        total += now - worth.get(fill.symbol, Decimal(0))
        worth[fill.symbol] = now
        points.append(Point(fill=fill, price=product.display(fill.ticks), realized=realized, total=total))
    return points


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Return at most so many points that still draw the same line; the last one always stays."""
    if len(points) <= most:
        return list(points)
    step = -(-len(points) // most)
    kept = list(points[step - 1 :: step])
    return kept if kept[-1] is points[-1] else [*kept, points[-1]]


def _product(symbol: str) -> Product | None:
    try:
        product = product_of(symbol)
    except UnknownInstrument:  # the broker may trade what we do not know the worth of
        return None
    return product if product.currency == "USD" else None
