"""One login's budget: says of each call whether it may go now, and if not, until when it has to wait.

It lives as long as the engine and outlives its links, because the broker goes on counting while a socket
is down. It keeps no commands: what has to wait stays a wish of the copy, so it is never stale.
"""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from brokers.core.budget import CallLimits, Usage, ceiling
from tradehaven.domain.commands import Lane
from tradehaven.domain.ids import Nanos, OrderId

SECOND = 1_000_000_000
SLACK = SECOND
"""Calls age on the broker's clock from their arrival: each window is counted this much longer than it is."""
MINUTE = 60 * SECOND + SLACK
HOUR = 3600 * SECOND + SLACK
PROBE_EVERY = 5 * SECOND
"""How often one exit is tried although the broker asked for silence: money depends on it.

Once such a call was answered as usual the silence evidently does not mean orders, and exits go freely.
"""
FAST = SECOND // 4
SLOW = SECOND
"""The least time between two changes of one order; slow once `CROWDED` percent of their ceiling is used."""
CROWDED = 25
REMEMBERED = 512
_EXITS = Lane.PROTECTIVE


class Why(StrEnum):
    """What a call waits for."""

    MINUTE = "minute"
    HOUR = "hour"
    PACE = "pace"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Wait:
    """A call that may not go: what for, until when (UTC), and the sentence that says so."""

    why: Why
    until: Nanos
    text: str


class _Window:
    """The calls of a sliding span, oldest first; each lane may fill it to a ceiling of its own."""

    def __init__(self, span: int, limit: int, name: str) -> None:
        self.calls: deque[Nanos] = deque()
        self.limit = limit
        self._span = span
        self._name = name
        self.ceilings = tuple(ceiling(limit, lane) for lane in Lane)

    def used(self, now: Nanos) -> int:
        """Return the calls that count now."""
        calls, edge = self.calls, now - self._span
        while calls and calls[0] <= edge:
            calls.popleft()
        return len(calls)

    def is_full(self, lane: Lane, now: Nanos) -> bool:
        """Say whether a lane finds no room; what has aged is dropped only where that may make some."""
        most = self.ceilings[lane]
        return len(self.calls) >= most and self.used(now) >= most

    def free_at(self, lane: Lane) -> Nanos:
        """Return when the next call of a lane finds room in a window that is full for it."""
        return Nanos(self.calls[len(self.calls) - self.ceilings[lane]] + self._span)

    def text(self, lane: Lane) -> str:
        """Return why a lane has to wait, with the figures."""
        used, kept = len(self.calls), self.limit - self.ceilings[lane]
        reserve = f"; {kept} are kept for what is more urgent" if kept else ""
        return f"{used} of the login's {self.limit} calls in {self._name} are used{reserve}"


class Governor:
    """Counts one login's calls. All times are UTC nanoseconds that never step back."""

    def __init__(self, limits: CallLimits) -> None:
        self._minute = _Window(MINUTE, limits.per_minute, "a minute")
        self._hour = _Window(HOUR, limits.per_hour, "an hour")
        self._changed: dict[OrderId, Nanos] = {}
        self.silent_until = Nanos(0)
        self._next_probe = Nanos(0)
        self._probing = False
        self._exits_pass = False

    # -- the question -------------------------------------------------------------------------------

    def admit(self, lane: Lane, now: Nanos, order: OrderId | None = None) -> Wait | None:
        """Count a call and return None, or return what it has to wait for.

        `order` is the order that a change is for: changes of one order keep a distance.
        """
        silent = now < self.silent_until
        wait = self._in_silence(lane, now) if silent else None
        if wait is None and lane is Lane.CHANGE and order is not None:
            wait = self._in_pace(order, now)
        if wait is None:
            wait = self._in_window(lane, now)
        if wait is not None:
            return wait
        if silent:
            self._probing, self._next_probe = True, Nanos(now + PROBE_EVERY)
        self._count(lane, now, order)
        return None

    def has_room(self, lane: Lane, now: Nanos) -> bool:
        """Say whether a call of this lane would find room now; nothing is counted."""
        return now >= self.silent_until and self._in_window(lane, now) is None

    def give_back(self, lane: Lane, order: OrderId | None = None) -> None:
        """Take back the call that was counted last: it did not leave."""
        self._hour.calls.pop()
        if lane is not Lane.QUERY:
            self._minute.calls.pop()
        if order is not None:
            self._changed.pop(order, None)

    def _count(self, lane: Lane, now: Nanos, order: OrderId | None) -> None:
        self._hour.calls.append(now)
        if lane is not Lane.QUERY:
            self._minute.calls.append(now)
        if lane is Lane.CHANGE and order is not None:
            if len(self._changed) >= REMEMBERED:
                self._changed = {known: at for known, at in self._changed.items() if at > now - SLOW}
            self._changed[order] = now

    def _in_silence(self, lane: Lane, now: Nanos) -> Wait | None:
        if lane > _EXITS:
            return self._silence(self.silent_until)
        if self._exits_pass or now >= self._next_probe:
            return None
        return self._silence(min(self._next_probe, self.silent_until))

    def _silence(self, until: Nanos) -> Wait:
        ends = datetime.fromtimestamp(self.silent_until // SECOND, UTC)
        return Wait(Why.SILENCE, until, f"the broker takes no calls of this login until {ends:%H:%M:%S} UTC")

    def _in_pace(self, order: OrderId, now: Nanos) -> Wait | None:
        last = self._changed.get(order)
        if last is None:
            return None
        until = Nanos(last + self._pace(now))
        return (
            Wait(Why.PACE, until, "changes that follow fast are merged to the latest")
            if until > now
            else None
        )

    def _pace(self, now: Nanos) -> int:
        percent = 100 * self._minute.used(now) // self._minute.ceilings[Lane.CHANGE]
        return FAST if percent < CROWDED else SLOW

    def _in_window(self, lane: Lane, now: Nanos) -> Wait | None:
        hour, minute = self._hour, self._minute
        if hour.is_full(lane, now):
            return Wait(Why.HOUR, hour.free_at(lane), hour.text(lane))
        if lane is not Lane.QUERY and minute.is_full(lane, now):
            return Wait(Why.MINUTE, minute.free_at(lane), minute.text(lane))
        return None

    # -- what the broker says -----------------------------------------------------------------------

    def silence(self, until: Nanos, now: Nanos) -> bool:
        """Keep quiet until then; return whether that is noticeably longer than was known."""
        news = until > self.silent_until + SECOND
        self.silent_until = max(until, self.silent_until)
        self._next_probe = Nanos(now + PROBE_EVERY)
        self._probing = self._exits_pass = False
        return news

    def heard(self) -> None:
        """Learn that the broker answered a command as usual: if it was tried in silence, exits pass now."""
        self._exits_pass |= self._probing

    # -- figures ------------------------------------------------------------------------------------

    def usage(self, now: Nanos) -> Usage:
        """Return the calls that count now."""
        return Usage(minute=self._minute.used(now), hour=self._hour.used(now))

    def remember(self, usage: Usage, at: Nanos) -> None:
        """Take in what an engine before this one had used at a moment: the broker has not forgotten it."""
        self._minute.calls.extend([at] * usage.minute)
        self._hour.calls.extend([at] * usage.hour)
