"""Where prices come from: a seeded synthetic market and a replay of recorded trades.

Both turn elapsed seconds into quotes in whole ticks. Chance comes in as a seeded `Random`; nothing
here reads a clock or a file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from brokers.paper.matching import Depth, Level
from brokers.paper.tempo import Temper

if TYPE_CHECKING:
    from random import Random

LEVELS = 10
_MEAN_REVERSION = 0.002
_VOLATILITY_MEMORY = 0.97
_CALM, _WILD = 0.4, 3.5
_SPREAD_TWO_CHANCE = 0.06
_JUMP = (8.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The outside market of one contract at one moment; prices in ticks, volumes in contracts.

    `prints` are the trades since the last step, as tick and contracts.
    """

    depth: Depth
    last_size: int
    volume: int
    open: int
    high: int
    low: int
    settlement: int
    prints: tuple[tuple[int, int], ...] = ()

    @property
    def bid(self) -> Level:
        """Return the best bid."""
        return self.depth.bids[0]

    @property
    def offer(self) -> Level:
        """Return the best offer."""
        return self.depth.offers[0]

    def traded(self, depth: Depth, size: int) -> "Quote":
        """Return the quote after a trade of `size` contracts at the depth's last price."""
        last = depth.last
        return replace(
            self,
            depth=depth,
            last_size=size,
            volume=self.volume + size,
            high=max(self.high, last),
            low=min(self.low, last),
            prints=(*self.prints, (last, size)),
        )

    def settled(self) -> "Quote":
        """Return the quote with which the next day begins: this one's last price is the settlement."""
        last = self.depth.last
        return replace(self, volume=0, open=last, high=last, low=last, settlement=last, prints=())

    def quiet(self) -> "Quote":
        """Return the quote at the beginning of a step, before anything has traded in it."""
        return replace(self, prints=())


class Stream(Protocol):
    """A source of quotes for one contract."""

    quote: Quote

    def advance(self, seconds: float, pace: float = 1.0) -> Quote:
        """Move on by elapsed seconds, at a pace of 1 on a usual day, and return the quote then."""
        ...

    def move_to(self, last: int) -> None:
        """Continue from another last price, in ticks."""
        ...


def ladder(bid: int, offer: int, last: int, sizes: Sequence[int]) -> Depth:
    """Return a ladder whose level k away from the best has the k-th size, on both sides."""
    return Depth(
        bids=tuple(Level(price=bid - step, size=size) for step, size in enumerate(sizes)),
        offers=tuple(Level(price=offer + step, size=size) for step, size in enumerate(sizes)),
        last=last,
    )


def opening(last: int, sizes: Sequence[int]) -> Quote:
    """Return the first quote of a day that opens at a tick."""
    depth = ladder(last - 1, last, last, sizes)
    return Quote(depth=depth, last_size=1, volume=1, open=last, high=last, low=last, settlement=last)


_PLAIN = Temper()


class SyntheticStream:
    """A walk in ticks that is drawn back to its start, whose volatility comes in waves, with rare jumps."""

    def __init__(self, *, start: int, chance: "Random", temper: Temper = _PLAIN) -> None:
        self._chance = chance
        self._temper = temper
        self._anchor = float(start)
        self._level = float(start)
        self._volatility = 1.0
        self.quote = opening(start, self._sizes())

    def advance(self, seconds: float, pace: float = 1.0) -> Quote:
        """Move on by elapsed seconds and return the quote then."""
        draw = self._chance.gauss
        self.quote = self.quote.quiet()
        # Big moves raise volatility and calm lowers it again, as markets do.
        shock = abs(draw(0.0, 1.0))
        self._volatility = min(_WILD, max(_CALM, _VOLATILITY_MEMORY * self._volatility + 0.035 * shock))
        pull = (self._anchor - self._level) * min(1.0, _MEAN_REVERSION * seconds)
        sigma = self._temper.sigma * pace
        self._level += pull + draw(0.0, self._volatility) * sigma * seconds**0.5 + self._jump(seconds, sigma)
        # The anchor itself drifts, or the market would look like a spring on a long chart.
        self._anchor += draw(0.0, 0.5) * sigma * seconds**0.5
        last = round(self._level)
        spread = 2 if self._chance.random() < _SPREAD_TWO_CHANCE * self._volatility else 1
        # Who trades on a rise has lifted the offer, who trades on a fall has hit the bid.
        offer = last if last >= self.quote.depth.last else last + spread
        depth = self._depth(offer - spread, offer, last)
        self.quote = self.quote.traded(depth, 1 + int(self._chance.expovariate(0.4)))
        return self.quote

    def move_to(self, last: int) -> None:
        """Continue from another last price, in ticks."""
        self._level = self._anchor = float(last)
        self.quote = self.quote.quiet().traded(ladder(last - 1, last, last, self._sizes()), 1)

    def _depth(self, bid: int, offer: int, last: int) -> Depth:
        bids = tuple(Level(price=bid - step, size=size) for step, size in enumerate(self._sizes()))
        offers = tuple(Level(price=offer + step, size=size) for step, size in enumerate(self._sizes()))
        return Depth(bids=bids, offers=offers, last=last)

    def _jump(self, seconds: float, sigma: float) -> float:
        """Return how far news throws the price now: mostly nowhere, seldom many usual seconds' worth."""
        if not self._temper.jumps or self._chance.random() >= self._temper.jumps * seconds / 3600:
            return 0.0
        self._volatility = _WILD
        return self._chance.choice((-1, 1)) * self._chance.uniform(*_JUMP) * sigma

    def _sizes(self) -> tuple[int, ...]:
        sizes = (self._chance.randint(4, 18) + 9 * min(step, 5) for step in range(LEVELS))
        return tuple(round(size * self._temper.book) for size in sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """A recorded trade: milliseconds since midnight UTC, tick, contracts (0 is a print without volume)."""

    at: int
    price: int
    size: int


class ReplayStream:
    """Recorded trades at a chosen speed; starts again with the first when the last has passed."""

    def __init__(self, *, prints: Sequence[Print], speed: float, chance: "Random") -> None:
        if not prints:
            raise ValueError("a replay needs at least one recorded trade")
        self._prints = prints
        self._speed = speed
        self._chance = chance
        self._next = 1 % len(prints)
        self._clock = float(prints[0].at)
        self._shift = 0
        self.quote = opening(prints[0].price, self._sizes())

    def advance(self, seconds: float, pace: float = 1.0) -> Quote:
        """Move on by elapsed seconds and return the quote then."""
        self.quote = self.quote.quiet()
        self._clock += seconds * 1000 * self._speed
        while self._clock >= self._due():
            self._print(self._prints[self._next])
            self._next += 1
            if self._next == len(self._prints):
                self._next = 0
                self._clock = float(self._prints[0].at)
                break
        return self.quote

    def move_to(self, last: int) -> None:
        """Shift the rest of the recording so that it continues from another last price, in ticks."""
        self._shift += last - self.quote.depth.last
        self.quote = self.quote.quiet().traded(ladder(last - 1, last, last, self._sizes()), 1)

    def _due(self) -> float:
        return float(self._prints[self._next].at)

    def _print(self, trade: Print) -> None:
        price = trade.price + self._shift
        # Recorded trades carry no quotes: a rise means somebody lifted the offer, a fall hit the bid.
        offer = price if price >= self.quote.depth.last else price + 1
        self.quote = self.quote.traded(ladder(offer - 1, offer, price, self._sizes()), trade.size)

    def _sizes(self) -> tuple[int, ...]:
        return tuple(self._chance.randint(3, 25) + 6 * min(step, 5) for step in range(LEVELS))
