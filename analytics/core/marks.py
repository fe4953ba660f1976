"""What an open position is worth now: net contracts, average price, and the price it could be closed at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tradehaven.domain.contracts import product_of
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.instruments import Product

FRESH = timedelta(seconds=30)
"""How old a quote may be and still price a position."""
UNKNOWN = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A contract's latest prices in ticks, None where nobody has said one; `at` is UTC."""

    bid: int | None = None
    ask: int | None = None
    last: int | None = None
    at: datetime | None = None


Market = Mapping[tuple[str, str], Prices]
"""Prices by environment and contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An open position: signed contracts at an average price in points."""

    place: str
    symbol: str
    net: int
    price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a position is worth in USD: `gain` counts; `last` is by a price that is too old, of `age`."""

    now: str = UNKNOWN
    gain: Decimal | None = None
    last: Decimal | None = None
    age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An account, its login, what it realized today (USD), and what it holds."""

    account: int
    login: int
    realized: Decimal
    held: tuple[Held, ...]


def mark(net: int, prices: Prices) -> int | None:
    """Return the ticks at which a position could be closed: a long at the bid, a short at the ask."""
    side = prices.bid if net > 0 else prices.ask
    return side if side is not None else prices.last


def unrealized(product: Product, net: int, price: Decimal, ticks: int) -> Decimal:
    """Return the open gain in the product's currency, unrounded."""
    return (product.to_price(ticks) - price) * product.point_value * net


def written(product: Product, price: Decimal) -> str:
    """Write an average price: as traders do where it lies on the tick grid, else with the digits it has."""
    ticks, rest = divmod(price, product.tick_size)
    if not rest:
        return product.display(int(ticks))
    return f"{price.quantize(Decimal(10) ** -(product.decimals + 2)).normalize():f}"


def worth(held: Held, market: Market, now: datetime) -> Worth:
    """Return what a position is worth at a moment (UTC); by an old price it is shown and not counted."""
    prices = market.get((held.place, held.symbol))
    try:
        product = product_of(held.symbol)
    except UnknownInstrument:  # the broker may hold what we do not copy
        return Worth()
    ticks = mark(held.net, prices) if prices is not None else None
    if prices is None or ticks is None:
        return Worth()
    in_usd = held.price is not None and product.currency == "USD"
    gain = unrealized(product, held.net, held.price or Decimal(0), ticks) if in_usd else None
    age = now - prices.at if prices.at is not None else None
    if age is None or age <= FRESH:
        return Worth(now=product.display(ticks), gain=gain)
    return Worth(now=product.display(ticks), last=gain, age=age)


def summed(gains: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of gains, None where one of them is not known."""
    total = Decimal(0)
    for gain in gains:
        if gain is None:
            return None
        total += gain
    return total


def together(worths: Sequence[Worth]) -> Worth:
    """Return what several positions have gained; one by an old price makes the sum old, by the oldest age."""
    gain = summed(one.gain for one in worths)
    if gain is not None:
        return Worth(gain=gain)
    known = summed(one.gain if one.gain is not None else one.last for one in worths)
    ages = [one.age for one in worths if one.age is not None]
    return Worth(last=known, age=max(ages)) if known is not None and ages else Worth()
