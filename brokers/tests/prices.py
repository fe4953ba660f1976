"""A price that was just said, for tests."""

from brokers.clock import process_clock
from brokers.ports import PriceSeen
from tradehaven.domain.ids import Symbol
from tradehaven.domain.money import Ticks


def price(symbol: str, *, bid: int) -> PriceSeen:
    """Return a price one tick wide, said now."""
    at = process_clock().nanos()
    return PriceSeen(symbol=Symbol(symbol), bid=Ticks(bid), ask=Ticks(bid + 1), last=Ticks(bid), at=at)
