"""What the exchange's clock says to who looks at the cockpit: shut, until when, or shut early today."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from tradehaven.domain.calendar import CHICAGO, MarketState, market_state, next_halt, session_at
from tradehaven.domain.instruments import SessionTemplate

USUAL_END = time(16)
"""Chicago's time at which a session usually ends."""
SOON = timedelta(hours=12)
"""How long before it an early close is worth a word."""


class Hours(StrEnum):
    """What there is to say."""

    CLOSED = "closed"
    BREAK = "break"
    EARLY_CLOSE = "early_close"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketNotice:
    """What to say, and the instant (UTC) at which it changes; None where that is not known."""

    hours: Hours
    at: datetime | None


def notice(now: datetime, template: SessionTemplate = SessionTemplate.EQUITY) -> MarketNotice | None:
    """Return what is worth saying of a market at a moment (UTC); nothing while it is open as usual."""
    state = market_state(now, template)
    if state is MarketState.OPEN:
        end = next_halt(now, template)
        early = end is not None and end - now <= SOON and end.astimezone(CHICAGO).time() < USUAL_END
        return MarketNotice(hours=Hours.EARLY_CLOSE, at=end) if early else None
    session = session_at(now, template)
    opens = session.start if session is not None and session.start > now else None
    shut = Hours.CLOSED if state is MarketState.CLOSED else Hours.BREAK
    return MarketNotice(hours=shut, at=opens)
