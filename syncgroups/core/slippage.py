"""What a follower paid more, or got less, than its leader: in ticks of its own contract and in USD."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tradehaven.domain.enums import Side
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.instruments import Product, size_factor

_THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slippage:
    """Average prices in points, and the cost: above 0 the follower did worse. `usd` is for all its contracts.

    `ticks` and `usd` are None where the two contracts have no common price.
    """

    price: Decimal
    against: Decimal | None
    ticks: Decimal | None
    usd: Decimal | None


def average(fills: Sequence[tuple[int, int]], traded: Product) -> Decimal | None:
    """Return the average price in points of fills given as contracts and ticks; None without any."""
    qty = sum(count for count, _ in fills)
    if not qty:
        return None
    return traded.tick_size * sum(count * ticks for count, ticks in fills) / qty


def slippage(
    side: Side,
    fills: Sequence[tuple[int, int]],
    traded: Product,
    leaders: Sequence[tuple[int, int]],
    led: Product,
) -> Slippage | None:
    """Return what fills of a follower cost against its leader's; None while the follower has none."""
    price = average(fills, traded)
    if price is None:
        return None
    against = average(leaders, led) if _share_prices(traded, led) else None
    if against is None:
        return Slippage(price=price, against=None, ticks=None, usd=None)
    ticks = (price - against) * side.sign / traded.tick_size
    contracts = sum(count for count, _ in fills)
    usd = ticks * traded.tick_value * contracts if traded.currency == "USD" else None
    return Slippage(price=price, against=against, ticks=ticks.quantize(_THOUSANDTH), usd=usd)


def _share_prices(one: Product, other: Product) -> bool:
    try:
        size_factor(one, other)
    except UnknownInstrument:
        return False
    return True
