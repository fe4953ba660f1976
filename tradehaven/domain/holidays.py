"""The exchange's holiday table, as data: one row for each date and session template that is not usual.

What a row means for trading stands in `calendar`. The table is a forecast, and covers only the years
it has rows for; outside them every weekday counts as usual.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files

from tradehaven.domain.instruments import SessionTemplate


class DayKind(StrEnum):
    """How a listed day differs from a usual one."""

    CLOSED = "closed"
    CLOSED_UNTIL_REOPEN = "closed_until_reopen"
    EARLY_CLOSE = "early_close"
    EARLY_HALT = "early_halt"
    LATE_OPEN = "late_open"
    LATE_OPEN_EARLY_CLOSE = "late_open_early_close"
    NO_EVENING = "no_evening"
    USUAL_HOURS = "usual_hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """One unusual day of one template; times are Chicago's.

    `own_trade_date` is False where trades carry the date of the next business day.
    """

    day: date
    name: str
    template: SessionTemplate
    kind: DayKind
    halt: time | None
    reopen: time | None
    own_trade_date: bool


@cache
def _table() -> Mapping[tuple[SessionTemplate, date], Holiday]:
    source = files("tradehaven.domain").joinpath("data", "holidays.csv").read_text(encoding="utf-8")
    rows = (_holiday(row) for row in csv.DictReader(source.splitlines()))
    return {(row.template, row.day): row for row in rows}


def _holiday(row: Mapping[str, str]) -> Holiday:
    return Holiday(
        day=date.fromisoformat(row["date"]),
        name=row["holiday"],
        template=SessionTemplate(row["group"]),
        kind=DayKind(row["status"]),
        halt=_time(row["halt_ct"]),
        reopen=_time(row["reopen_ct"]),
        # "unknown" (Good Friday 2026) keeps its own date: no source says that it merges.
        own_trade_date=row["own_trade_date"] != "no",
    )


def _time(text: str) -> time | None:
    return time.fromisoformat(text) if text else None


@cache
def _years() -> frozenset[int]:
    # 1 January is listed in a row of the year before's table too, so one row does not make a year.
    summer = (row.day.year for row in _table().values() if row.day.month > 1)
    return frozenset(summer)


def holiday(template: SessionTemplate, day: date) -> Holiday | None:
    """Return what is unusual about a Chicago date, or None."""
    return _table().get((template, day))


def covers(year: int) -> bool:
    """Tell whether the table has the holidays of a year at all."""
    return year in _years()


def is_business_day(template: SessionTemplate, day: date) -> bool:
    """Tell whether a date is an exchange trade date of its own."""
    if day.weekday() >= 5:
        return False
    row = holiday(template, day)
    return row is None or row.own_trade_date


def business_day_before(template: SessionTemplate, day: date, count: int = 1) -> date:
    """Return the `count`-th business day strictly before a date."""
    while count:
        day -= timedelta(days=1)
        count -= is_business_day(template, day)
    return day


def business_day_from(template: SessionTemplate, day: date) -> date:
    """Return the date itself if it is a business day, else the next one."""
    while not is_business_day(template, day):
        day += timedelta(days=1)
    return day
