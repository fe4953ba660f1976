"""When entries are allowed at all: hours, news, and the daily time to be flat before a market ends.

Clock times are Chicago's, instants aware. Exits, cancels and flattening never ask here.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from functools import lru_cache

from risk.core.rules import Flat, NewsWindow, Window
from tradehaven.domain.calendar import (
    CHICAGO,
    MarketState,
    Session,
    last_reset,
    market_state,
    next_halt,
    next_reset,
    session_at,
)
from tradehaven.domain.instruments import Product, SessionTemplate


def flat_at(flat: Flat, template: SessionTemplate, now: datetime) -> datetime | None:
    """Return when a market must be flat in the session that runs, or else in the next one, in UTC.

    The earliest of the owner's time, the firm's, and the market's end less `lead` minutes. An instant that
    has passed means that it is due now and until the session ends. A market around the clock has a session
    from reset to reset, without an end to keep away from; None where nothing is asked of it.
    """
    session = session_at(now, template)
    if session is None:
        day = Session(start=last_reset(now), end=next_reset(now))
        return min(_asked(flat, day), default=None)
    return _deadline(flat, template, session)


def is_flat_time(flat: Flat, template: SessionTemplate, now: datetime) -> bool:
    """Tell whether nothing may be held or opened any more in the session that runs."""
    due = flat_at(flat, template, now)
    return due is not None and due <= now


def in_windows(hours: Iterable[Window], now: datetime) -> bool:
    """Tell whether one of the windows is open; none at all is always."""
    windows = tuple(hours)
    return not windows or covers(windows, now.astimezone(CHICAGO).time())


def covers(windows: Iterable[Window], local: time) -> bool:
    """Tell whether one of the windows is open when Chicago's clock shows this."""
    return any(_is_open(window, local) for window in windows)


def news_at(news: Iterable[NewsWindow], traded: Product, now: datetime) -> NewsWindow | None:
    """Return the first stretch of news that a product is in now; ES means every size of it."""
    for window in news:
        named = window.products
        if window.start <= now < window.end and (
            not named or traded.symbol in named or traded.full_size in named
        ):
            return window
    return None


def _is_open(window: Window, local: time) -> bool:
    if window.start < window.end:
        return window.start <= local < window.end
    return local >= window.start or local < window.end


@lru_cache(maxsize=1024)
def _deadline(flat: Flat, template: SessionTemplate, session: Session) -> datetime:
    lead = timedelta(minutes=flat.lead)
    ends = session.end - lead
    due = min((ends, *_asked(flat, session)))
    if market_state(due, template) is MarketState.OPEN:
        return due
    # A time inside a pause would come too late: the market was last open before the pause began.
    return _halt_before(due, template, session) - lead


def _asked(flat: Flat, session: Session) -> list[datetime]:
    """Return when the owner's and the firm's clock times come in a session, for as far as they do."""
    found = (next_reset(session.start, at) for at in (flat.at, flat.firm_at) if at is not None)
    return [at for at in found if at < session.end]


def _halt_before(due: datetime, template: SessionTemplate, session: Session) -> datetime:
    halt = session.start
    while (later := next_halt(halt, template)) is not None and later <= due:
        halt = later
    return halt
