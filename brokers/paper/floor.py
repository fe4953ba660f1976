"""The outside market of every contract that somebody looks at or trades.

Streams are made on first use and are independent of each other: each has its own chance, seeded by
the exchange's seed and the contract's name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from brokers.paper.catalogue import Listing, Spec
from brokers.paper.market import LEVELS, Print, Quote, ReplayStream, Stream, SyntheticStream
from brokers.paper.matching import Depth, Level
from brokers.paper.tempo import pace, temper

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Recorded trades of one contract and the speed at which they run."""

    symbol: str
    prints: Sequence[Print]
    speed: float


class Floor:
    """Holds the streams and moves them on together."""

    def __init__(
        self,
        *,
        chance_of: Callable[[str], "Random"],
        recording: Recording | None = None,
        paused: bool = False,
        keeps_hours: bool = False,
    ) -> None:
        self._chance_of = chance_of
        self._recording = recording
        self._streams: dict[int, Stream] = {}
        self._specs: dict[int, Spec] = {}
        self._marks: dict[int, int] = {}
        self._keeps_hours = keeps_hours
        self.paused = paused

    def resume_at(self, marks: dict[int, int]) -> None:
        """Start streams made later from the last prices of an earlier run, in ticks by contract id."""
        self._marks = dict(marks)

    def marks(self) -> dict[int, int]:
        """Return the last prices in ticks by contract id."""
        return {
            **self._marks,
            **{number: stream.quote.depth.last for number, stream in self._streams.items()},
        }

    def known(self, contract_id: int) -> bool:
        """Return whether the contract has a market already."""
        return contract_id in self._streams

    def contract_ids(self) -> list[int]:
        """Return the contracts that have a market, in the order in which they were opened."""
        return list(self._streams)

    def quote(self, listing: Listing) -> Quote:
        """Return a contract's market, opening it on first use."""
        if listing.id not in self._streams:
            self._streams[listing.id] = self._open(listing)
        return self._streams[listing.id].quote

    def advance(self, seconds: float, now: datetime) -> dict[int, Quote]:
        """Move every open market on; return the new quotes by contract id, none while paused or halted."""
        if self.paused:
            return {}
        found: dict[int, Quote] = {}
        for number, stream in self._streams.items():
            speed = pace(self._specs[number], now) if self._keeps_hours else 1.0
            if speed:
                found[number] = stream.advance(seconds, speed)
        return found

    def settle(self) -> None:
        """End the day of every market: the last price settles it, and the day's figures begin anew."""
        for stream in self._streams.values():
            stream.quote = stream.quote.settled()

    def move(self, listing: Listing, last: int, *, spread: int = 0, size: int = 10_000) -> Quote:
        """Set a price in ticks: bid `last`, offer `last + spread`, `size` contracts on each level."""
        self.quote(listing)
        stream = self._streams[listing.id]
        stream.move_to(last)
        bids = tuple(Level(price=last - step, size=size) for step in range(LEVELS))
        offers = tuple(Level(price=last + spread + step, size=size) for step in range(LEVELS))
        stream.quote = replace(stream.quote, depth=Depth(bids=bids, offers=offers, last=last))
        return stream.quote

    def _open(self, listing: Listing) -> Stream:
        self._specs[listing.id] = listing.spec
        chance = self._chance_of(listing.name)
        recording = self._recording
        if recording is not None and recording.symbol == listing.name:
            return ReplayStream(prints=recording.prints, speed=recording.speed, chance=chance)
        # Later months trade a little away from the product's example price, as on a real curve.
        start = listing.spec.ticks(listing.spec.start) or 0
        shift = round(start * 0.0004) * ((listing.year * 12 + listing.month) % 12)
        begin = self._marks.get(listing.id, start + shift)
        return SyntheticStream(start=begin, chance=chance, temper=temper(listing.spec))
