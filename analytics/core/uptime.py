"""Uptime as it was measured: looks, how many of them were good, and what a day or ninety of them come to.

A minute in which nobody looked counts as nothing: it is shown as not measured, never as up. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

GOAL = Decimal("99.9")
"""Percent of the looks in trading hours that should find the copy engine at work (S0's promise)."""
DAYS = 90


class Component(StrEnum):
    """What is looked at."""

    ENGINE = "engine"
    WEB = "web"


class Shade(StrEnum):
    """How a day looks in the row of days."""

    NONE = "none"
    GOOD = "good"
    SHORT = "short"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Looks, and how many of them were good."""

    looks: int = 0
    good: int = 0

    @property
    def percent(self) -> Decimal | None:
        """Return the good share in percent, rounded down; None where nobody looked."""
        if not self.looks:
            return None
        return (Decimal(self.good) * 100 / self.looks).quantize(Decimal("0.001"), rounding=ROUND_DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day (UTC) of one component: all looks, and those in trading hours."""

    day: date
    all: Count = Count()
    trading: Count = Count()

    @property
    def shade(self) -> Shade:
        """Return how bad it was; a day with a single bad look is not good any more."""
        percent = self.all.percent
        if percent is None:
            return Shade.NONE
        if self.all.good == self.all.looks:
            return Shade.GOOD
        return Shade.SHORT if percent >= 99 else Shade.BAD


def together(counts: Iterable[Count]) -> Count:
    """Return several counts as one."""
    looks = good = 0
    for count in counts:
        looks += count.looks
        good += count.good
    return Count(looks=looks, good=good)


def row_of_days(known: Sequence[Day], today: date) -> tuple[Day, ...]:
    """Return the last ninety days up to today, the oldest first; unseen days are among them."""
    by_day = {found.day: found for found in known}
    days = (today - timedelta(days=ago) for ago in reversed(range(DAYS)))
    return tuple(by_day.get(day, Day(day=day)) for day in days)
