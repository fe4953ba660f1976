"""What an open position is worth now: net contracts, average price, and the price it could be closed at."""

from dataclasses import dataclass
from decimal import Decimal

from tradehaven.domain.instruments import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A contract's latest prices in ticks; None where nobody has said one."""

    bid: int | None = None
    ask: int | None = None
    last: int | None = None


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
