"""Sessions: whether a market is open at an instant, which trading day that is, and when it stops next.

By the clock and the holiday table only: a velocity halt, a price limit or an outage is seen in the
quotes, never here. Instants are aware datetimes, answers are UTC, the rules are Chicago's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from tradehaven.domain.enums import SessionHours
from tradehaven.domain.holidays import DayKind, Holiday, business_day_from, holiday
from tradehaven.domain.instruments import Product, SessionTemplate

CHICAGO = ZoneInfo("America/Chicago")
ROLL_HOUR = 17
"""The Chicago hour at which the exchange's trade date, and by default an account's limit day, begins."""
ROLL_AT = time(ROLL_HOUR)

# Announced by CME on 2026-02-19 for 16:00 that Friday, where the week would have ended.
CRYPTO_ALWAYS_OPEN_FROM = date(2026, 5, 29)
# No closure of a listed market lasts longer; past it there is no halt to find (crypto).
_HORIZON_DAYS = 14
_MIDNIGHT = time(0)
_FRIDAY, _SATURDAY = 4, 5


class MarketState(StrEnum):
    """What the clock says of a market. `HALTED` is an early end on a holiday, `CLOSED` any longer gap."""

    OPEN = "open"
    PAUSE = "pause"
    MAINTENANCE = "maintenance"
    HALTED = "halted"
    CLOSED = "closed"


Change = tuple[time, MarketState]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hours:
    """A usual weekday: its changes from midnight, its close, and the evening that begins the next day."""

    day: tuple[Change, ...]
    close: time
    gap: MarketState
    after_early_close: MarketState
    evening: time | None


_GLOBEX = _Hours(
    day=((_MIDNIGHT, MarketState.OPEN),),
    close=time(16),
    gap=MarketState.MAINTENANCE,
    after_early_close=MarketState.HALTED,
    evening=time(17),
)
_HOURS = dict.fromkeys(SessionTemplate, _GLOBEX) | {
    SessionTemplate.GRAINS: _Hours(
        day=(
            (_MIDNIGHT, MarketState.OPEN),
            (time(7, 45), MarketState.PAUSE),
            (time(8, 30), MarketState.OPEN),
        ),
        close=time(13, 20),
        gap=MarketState.CLOSED,
        after_early_close=MarketState.CLOSED,
        evening=time(19),
    ),
    SessionTemplate.LIVESTOCK: _Hours(
        day=((_MIDNIGHT, MarketState.CLOSED), (time(8, 30), MarketState.OPEN)),
        close=time(13, 5),
        gap=MarketState.CLOSED,
        after_early_close=MarketState.CLOSED,
        evening=None,
    ),
}
_SHUT = frozenset({DayKind.CLOSED, DayKind.CLOSED_UNTIL_REOPEN})
_LATE = frozenset({DayKind.LATE_OPEN, DayKind.LATE_OPEN_EARLY_CLOSE})
_EARLY = frozenset({DayKind.EARLY_CLOSE, DayKind.EARLY_HALT, DayKind.LATE_OPEN_EARLY_CLOSE})
_NO_EVENING_AFTER = frozenset(
    {DayKind.CLOSED, DayKind.EARLY_CLOSE, DayKind.LATE_OPEN_EARLY_CLOSE, DayKind.NO_EVENING}
)


def trade_date(instant: datetime, template: SessionTemplate) -> date:
    """Return the exchange trade date: rolls at 17:00 Chicago, skips weekends and merged holidays."""
    local = _local(instant)
    day = local.date() + timedelta(days=local.hour >= ROLL_HOUR)
    return business_day_from(template, day)


def market_state(instant: datetime, template: SessionTemplate) -> MarketState:
    """Return what the clock and the holiday table say of a market."""
    local = _local(instant)
    now = local.time()
    state = MarketState.CLOSED
    for start, following in _changes(template, local.date()):
        if start > now:
            break
        state = following
    return state


def session_hours(instant: datetime, traded: Product) -> SessionHours | None:
    """Return RTH or ETH, or None while the market is not open. RTH is a convention of each product."""
    if market_state(instant, traded.template) is not MarketState.OPEN:
        return None
    local = _local(instant)
    in_window = traded.rth_start <= local.time() < traded.rth_end
    return SessionHours.RTH if in_window and local.weekday() < _SATURDAY else SessionHours.ETH


def is_rth(instant: datetime, traded: Product) -> bool:
    """Tell whether an instant is in the product's regular trading hours."""
    return session_hours(instant, traded) is SessionHours.RTH


def in_hours(instant: datetime, traded: Product, wanted: SessionHours) -> bool:
    """Tell whether entries may be copied now under a session filter; exits never ask."""
    found = session_hours(instant, traded)
    return found is not None and wanted in (SessionHours.ALL, found)


def next_halt(instant: datetime, template: SessionTemplate) -> datetime | None:
    """Return the first instant after this one at which an open market stops, in UTC.

    Pauses and daily breaks count as stops; None where nothing stops within two weeks (crypto around the
    clock, whose weekend maintenance is not published).
    """
    was = MarketState.CLOSED
    for at, state in _timeline(template, _local(instant).date()):
        if at > instant and was is MarketState.OPEN and state is not MarketState.OPEN:
            return at
        was = state
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session of a market, from its opening to its end, both UTC; pauses inside it belong to it."""

    start: datetime
    end: datetime


def session_at(instant: datetime, template: SessionTemplate) -> Session | None:
    """Return the session that runs at an instant or, between two, the next one.

    None where the market never stops within two weeks (crypto around the clock).
    """
    sessions = _sessions(template, _local(instant).date())
    return next((session for session in sessions if session.end > instant), None)


def next_reset(instant: datetime, at: time = ROLL_AT) -> datetime:
    """Return the first instant after this one when Chicago's clock shows `at`, in UTC.

    A limit day ends there, on holidays too. Counted in local time, so it is 23 or 25 hours long when
    the clocks change.
    """
    day = _local(instant).date()
    while (reset := _instant(day, at)) <= instant:
        day += timedelta(days=1)
    return reset


def last_reset(instant: datetime, at: time = ROLL_AT) -> datetime:
    """Return the last instant, this one included, when Chicago's clock showed `at`, in UTC."""
    day = _local(instant).date()
    while (reset := _instant(day, at)) > instant:
        day -= timedelta(days=1)
    return reset


def day_span(day: date) -> tuple[datetime, datetime]:
    """Return when a trading day begins and ends (UTC): 17:00 Chicago to 17:00, a Monday with its weekend.

    By the clock alone: a holiday is a day of its own here, for things happen on it.
    """
    before = day - timedelta(days=3 if day.weekday() == 0 else 1)
    return _instant(before, ROLL_AT), _instant(day, ROLL_AT)


def _local(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone; a naive one would mean the server's")
    return instant.astimezone(CHICAGO)


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, CHICAGO).astimezone(UTC)


def _timeline(template: SessionTemplate, first: date) -> Iterator[tuple[datetime, MarketState]]:
    for offset in range(_HORIZON_DAYS):
        day = first + timedelta(days=offset)
        for start, state in _changes(template, day):
            yield _instant(day, start), state


@lru_cache(maxsize=4096)
def _sessions(template: SessionTemplate, day: date) -> tuple[Session, ...]:
    """Return the sessions from the one before a Chicago date on; the first may be seen from its middle."""
    found: list[Session] = []
    start: datetime | None = None
    for at, state in _timeline(template, day - timedelta(days=2)):
        if state is MarketState.OPEN:
            start = start or at
        elif state is not MarketState.PAUSE and start is not None:
            found.append(Session(start=start, end=at))
            start = None
    return tuple(found)


@lru_cache(maxsize=4096)
def _changes(template: SessionTemplate, day: date) -> tuple[Change, ...]:
    """Return the states of one Chicago date from midnight on, each with its start."""
    if template is SessionTemplate.CRYPTO and day >= CRYPTO_ALWAYS_OPEN_FROM:
        return ((_MIDNIGHT, MarketState.OPEN),)
    hours = _HOURS[template]
    row = holiday(template, day)
    evening = _has_evening(template, day)
    changes = _daytime(hours, day, row, evening)
    if evening and hours.evening:
        changes.append((hours.evening, MarketState.OPEN))
    return tuple(changes)


def _daytime(hours: _Hours, day: date, row: Holiday | None, evening: bool) -> list[Change]:
    if day.weekday() >= _SATURDAY or (row and row.kind in _SHUT):
        return [(_MIDNIGHT, MarketState.CLOSED)]
    changes = list(hours.day)
    if row and row.kind in _LATE and row.reopen:
        changes = [(_MIDNIGHT, MarketState.CLOSED), (row.reopen, MarketState.OPEN)]
    if row and row.kind in _EARLY and row.halt:
        halt = row.halt
        changes = [change for change in changes if change[0] < halt]
        changes.append((halt, hours.after_early_close))
    # A holiday halt with a reopening lasts until then: there is no separate break at 16:00.
    if not (row and row.kind is DayKind.EARLY_HALT):
        changes.append((hours.close, hours.gap if evening else MarketState.CLOSED))
    return changes


def _has_evening(template: SessionTemplate, day: date) -> bool:
    """Tell whether the next day's session begins this evening.

    It does not before a day that has no overnight session, even where the table has no row for the eve.
    """
    if _HOURS[template].evening is None or day.weekday() in (_FRIDAY, _SATURDAY):
        return False
    row = holiday(template, day)
    if row and row.kind in _NO_EVENING_AFTER:
        return False
    tomorrow = holiday(template, day + timedelta(days=1))
    return tomorrow is None or tomorrow.kind not in _SHUT | _LATE
