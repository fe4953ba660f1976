"""How long each step of a copy took, and where it lies on an axis that all copies of an order share.

Positions are percent of the drawing's width. Steps take from microseconds to hours, so the axis is
logarithmic unless somebody asks for the plain one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import log10

_MICROSECOND = timedelta(microseconds=1)
NARROWEST = 0.35
"""Percent: what took no time at all still shows."""
_MARKS = tuple(
    (timedelta(microseconds=micros), label)
    for micros, label in (
        (10, "10 µs"),
        (100, "100 µs"),
        (1_000, "1 ms"),
        (10_000, "10 ms"),
        (100_000, "100 ms"),
        (1_000_000, "1 s"),
        (10_000_000, "10 s"),
        (60_000_000, "1 min"),
        (600_000_000, "10 min"),
        (3_600_000_000, "1 h"),
        (36_000_000_000, "10 h"),
        (360_000_000_000, "100 h"),
        (3_600_000_000_000, "1,000 h"),
    )
)
_SHORTEST = _MARKS[0][0]
_STEPS = 4


class Phase(StrEnum):
    """What a copy spends its time on, in this order."""

    DECIDE = "decide"
    QUEUE = "queue"
    BROKER = "broker"
    MARKET = "market"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When a copy, or a command about it, reached each step (UTC); `ended` is when it was over unfilled."""

    received: datetime
    decided: datetime | None = None
    written: datetime | None = None
    acknowledged: datetime | None = None
    filled: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line of the axis."""

    label: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The span that a drawing covers, and how."""

    longest: timedelta
    linear: bool
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One phase as a bar. `took` is its length, `after` when it ended since the leader's event."""

    phase: Phase
    took: timedelta
    after: timedelta
    start: float
    width: float
    filled: bool


def axis_of(spans: Iterable[timedelta], *, linear: bool = False) -> Axis:
    """Return an axis on which all these spans find room."""
    longest = max(spans, default=_SHORTEST)
    if linear:
        whole = max(longest, _SHORTEST)
        parts = [(whole * step / _STEPS, 100.0 * step / _STEPS) for step in range(1, _STEPS + 1)]
        return Axis(
            longest=whole, linear=True, marks=tuple(Mark(label=span_text(span), at=at) for span, at in parts)
        )
    last = next((span for span, _ in _MARKS[1:] if span >= longest), longest)
    axis = Axis(longest=last, linear=False, marks=())
    shown = [Mark(label=label, at=place(span, axis)) for span, label in _MARKS if span <= last]
    return Axis(longest=last, linear=False, marks=tuple(shown))


def place(span: timedelta, axis: Axis) -> float:
    """Return where a span since the leader's event lies on an axis, from 0 to 100."""
    if axis.linear:
        return min(100.0, max(0.0, span / axis.longest * 100))
    decades = log10(axis.longest / _SHORTEST)
    return min(100.0, max(0.0, log10(max(span, _SHORTEST) / _SHORTEST) / decades * 100))


def steps(times: Times) -> list[tuple[Phase, timedelta, timedelta]]:
    """Return the phases that happened, each with its length and its end since the leader's event.

    A step whose time is not known is part of the one that follows it.
    """
    ends = (
        (Phase.DECIDE, times.decided),
        (Phase.QUEUE, times.written),
        (Phase.BROKER, times.acknowledged),
        (Phase.MARKET, times.filled or times.ended),
    )
    found = []
    before = times.received
    for phase, at in ends:
        if at is not None:
            at = max(at, before)  # the broker's answer may overtake the note of our own write
            found.append((phase, at - before, at - times.received))
            before = at
    return found


def segments(times: Times, axis: Axis) -> tuple[Segment, ...]:
    """Return a copy's phases as bars on an axis."""
    bars = []
    for phase, took, after in steps(times):
        start, end = place(after - took, axis), place(after, axis)
        start = min(start, 100 - NARROWEST)
        bars.append(
            Segment(
                phase=phase,
                took=took,
                after=after,
                start=round(start, 2),
                width=round(max(end - start, NARROWEST), 2),
                filled=phase is not Phase.MARKET or times.filled is not None,
            )
        )
    return tuple(bars)


def span_text(span: timedelta) -> str:
    """Write a span as people say it: 850 µs, 12.4 ms, 1.25 s, 2 min 5 s, 1 h 12 min."""
    micros = span // _MICROSECOND
    if abs(micros) < 1_000:
        return f"{micros} µs"
    if abs(micros) < 1_000_000:
        return f"{micros / 1_000:.1f} ms"
    if abs(micros) < 60_000_000:
        return f"{micros / 1_000_000:.2f} s"
    minutes, seconds = divmod(round(micros / 1_000_000), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def percentile(values: Sequence[timedelta], percent: int) -> timedelta | None:
    """Return the value that `percent` of a hundred do not exceed (nearest rank), None without values."""
    if not values:
        return None
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank, 1) - 1]
