"""The prices that open positions are valued at: the newest believable quote of a contract, in ticks.

A print far from the last one proves nothing by itself: it waits for a second one beside it (F40). A side
that the market does not show is taken from the last trade.
"""

from dataclasses import dataclass

from tradehaven.domain.events import PriceMoved
from tradehaven.domain.ids import Nanos
from tradehaven.domain.money import Ticks

JUMP_PARTS = 100
"""A price that moves by more than one part in so many has to be confirmed."""
LEAST_JUMP = 20
"""Ticks that no market counts as a jump, however low its price: spreads of options and calendar months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a contract can be sold and bought at. `at` is when this price was read, UTC nanoseconds.

    `doubt` is a price that was too far away to be believed at once.
    """

    bid: Ticks
    ask: Ticks
    last: Ticks | None
    at: Nanos
    doubt: Ticks | None = None

    def exit_of(self, net: int) -> Ticks:
        """Return what a position of so many signed contracts would be closed at."""
        return self.bid if net > 0 else self.ask

    def best_of(self, net: int) -> Ticks:
        """Return the kindest price that this quote shows for a position: what a peak may have counted."""
        seen = (self.bid, self.ask) if self.last is None else (self.bid, self.ask, self.last)
        return max(seen) if net > 0 else min(seen)


def marked(known: Mark | None, price: PriceMoved) -> Mark | None:
    """Return a contract's mark after a quote: the new one, the old one with a doubt, or the old one.

    A quote without any price changes nothing; nor does one that was read before the known one.
    """
    bid = price.bid if price.bid is not None else price.last
    ask = price.ask if price.ask is not None else price.last
    bid, ask = bid if bid is not None else ask, ask if ask is not None else bid
    if bid is None or ask is None or (known is not None and price.at < known.at):
        return known
    fresh = Mark(bid=bid, ask=ask, last=price.last, at=price.at)
    if known is None or is_near(known.bid, bid):
        return fresh
    if known.doubt is not None and is_near(known.doubt, bid):
        return fresh  # a second one says the same: the market has moved
    return Mark(bid=known.bid, ask=known.ask, last=known.last, at=known.at, doubt=bid)


def is_near(one: Ticks, other: Ticks) -> bool:
    """Say whether two prices are so near to each other that either may follow the other at once."""
    return abs(one - other) <= max(LEAST_JUMP, abs(one) // JUMP_PARTS)
