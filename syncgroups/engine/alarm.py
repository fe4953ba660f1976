"""Wakes an owner's mailbox when a login's budget has room again, instead of at the next second."""

import asyncio
import heapq

from brokers.ports import Clock, Sink
from tradehaven.domain.events import TimePassed
from tradehaven.domain.ids import Nanos

STEP = 10_000_000
"""Nanoseconds: rings are put together to steps of this size, so that twenty that wait ring once."""


class Alarm:
    """The moments at which something may go on that had to wait."""

    def __init__(self, post: Sink, clock: Clock) -> None:
        self._post = post
        self._clock = clock
        self._due: list[Nanos] = []
        self._handle: asyncio.TimerHandle | None = None

    def ring_at(self, when: Nanos) -> None:
        """Tell the mailbox that time has passed, at that moment (UTC) or hardly later."""
        step = Nanos(-(-when // STEP) * STEP)
        if step in self._due:
            return
        heapq.heappush(self._due, step)
        if self._due[0] == step:
            self._set()

    def _set(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        delay = max(0.0, (self._due[0] - self._clock.nanos()) / 1e9)
        self._handle = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._handle = None
        at = max(self._clock.nanos(), self._due[0])
        while self._due and self._due[0] <= at:
            heapq.heappop(self._due)
        if self._due:
            self._set()
        self._post(TimePassed(at=at))
