"""Simulated time: what is due next happens next, and nothing else moves the clock."""

import heapq
from collections.abc import Callable

from tradehaven.domain.ids import Nanos

SECOND = 1_000_000_000
OPENING = Nanos(1_795_017_600 * SECOND)
"""Wednesday 2026-11-18, 10:00 in Chicago: the middle of a trading day."""


class Agenda:
    """A queue of things to do. Two things of one moment happen in the order they were put down."""

    def __init__(self) -> None:
        self.now = OPENING
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def seconds(self) -> float:
        """Return the seconds since the beginning."""
        return (self.now - OPENING) / SECOND

    def nanos(self) -> Nanos:
        """Return a moment that no other call was given, as a process clock would."""
        self.now = Nanos(self.now + 1000)
        return self.now

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        """Put something down for later."""
        self._count += 1
        heapq.heappush(self._heap, (self.now + int(seconds * SECOND), self._count, what))

    def until(self, second: float) -> None:
        """Let everything happen that is due before a second since the beginning."""
        end = OPENING + int(second * SECOND)
        while self._heap and self._heap[0][0] <= end:
            when, _, what = heapq.heappop(self._heap)
            self.now = Nanos(max(self.now, when))
            what()
        self.now = Nanos(max(self.now, end))
