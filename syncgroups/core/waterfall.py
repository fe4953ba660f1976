"""A copy's five times as a waterfall: how long each step took and where it lies on the whole (COPY-08)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

CELLS = 40
"""Columns of the drawn waterfall; every step that happened shows at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `took` is since the step before, `after` since the leader's event; None: not happened."""

    name: str
    at: datetime | None
    took: timedelta | None
    after: timedelta | None
    start: int
    width: int


def waterfall(times: Sequence[tuple[str, datetime | None]]) -> list[Step]:
    """Return the steps of a copy; the first time is the beginning."""
    known = [at for _, at in times if at is not None]
    if not known:
        return [Step(name=name, at=None, took=None, after=None, start=0, width=0) for name, _ in times]
    first = known[0]
    whole = max(max(known) - first, timedelta(microseconds=1))
    steps, before = [], first
    for name, at in times:
        if at is None:
            steps.append(Step(name=name, at=None, took=None, after=None, start=0, width=0))
            continue
        start = min(int((before - first) / whole * CELLS), CELLS - 1)
        end = min(max(round((at - first) / whole * CELLS), start + 1), CELLS)
        steps.append(
            Step(name=name, at=at, took=at - before, after=at - first, start=max(start, 0), width=end - start)
        )
        before = max(at, before)
    return steps


def percentile(values: Sequence[timedelta], percent: int) -> timedelta | None:
    """Return the value that `percent` of a hundred do not exceed (nearest rank), None without values."""
    if not values:
        return None
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank, 1) - 1]
