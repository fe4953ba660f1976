"""Many seeds: drilled, checked, counted. What `make drill` prints and what its page in the docs says."""

import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.drill.grammar import script_of
from tests.drill.history import Died, History, Sent, Told, Trouble
from tests.drill.laws import LAWS, Violation, check
from tests.drill.world import drill


@dataclass
class Tally:
    """Counts over many drills. `failed` maps a seed to what it broke."""

    seeds: int = 0
    entries: int = 0
    events: int = 0
    requests: int = 0
    faults: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[Violation]] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, seed: int, history: History) -> None:
        """Count one drill and check it."""
        self.seeds += 1
        self.entries += len(history.entries)
        for entry in history.entries:
            if isinstance(entry, Told):
                self.events += 1
            elif isinstance(entry, Sent):
                self.requests += 1
            elif isinstance(entry, Trouble):
                self.faults += entry.what != "quiet"
            elif isinstance(entry, Died):
                self.crashes[entry.how] += 1
        if broken := check(history):
            self.failed[seed] = broken

    @property
    def by_law(self) -> Counter[str]:
        """Return in how many drills each law was broken."""
        return Counter(law for found in self.failed.values() for law in {v.law for v in found})

    def lines(self) -> list[str]:
        """Return the figures, one to a line."""
        crashes = ", ".join(f"{point} {count:,}" for point, count in sorted(self.crashes.items()))
        rate = self.events / self.seconds if self.seconds else 0.0
        broken = self.by_law
        return [
            f"drills          {self.seeds:,}",
            f"events          {self.events:,} told to the engine, {self.entries:,} in all",
            f"requests        {self.requests:,} sent by the engine",
            f"faults          {self.faults:,}",
            f"engine deaths   {self.crashes.total():,} ({crashes})",
            f"laws            {len(LAWS)}: "
            + (", ".join(f"{law} {broken[law]}" for law in broken) or "none broken"),
            f"failing seeds   {len(self.failed):,}",
            f"time            {self.seconds:.1f} s, {rate:,.0f} events a second",
        ]


def tally(seeds: Iterable[int]) -> Tally:
    """Drill these seeds; those below zero are the same stories without faults."""
    found, began = Tally(), time.monotonic()
    for seed in seeds:
        found.add(seed, drill(script_of(seed)))
    found.seconds = time.monotonic() - began
    return found


def hush() -> None:
    """Silence the engine's log: under trouble it is long, and a story says the same."""
    logging.disable(logging.CRITICAL)
