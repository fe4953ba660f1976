"""How long a lock lasts, and that nothing shortens one while it runs (RISK-05)."""

from datetime import time

from risk.core.days import end_of
from risk.core.instants import moment, nanos
from risk.core.rules import RESET_AT, Lockout, LockUntil
from risk.core.standing import Lock
from tradehaven.domain.calendar import session_at
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import SessionTemplate

_MINUTE = 60 * 1_000_000_000


def unlock_at(
    lockout: Lockout, now: Nanos, reset_at: time = RESET_AT, template: SessionTemplate | None = None
) -> Nanos:
    """Return when a lock that begins now ends.

    The end of the session is that of the market `template`. Where that has no session now, never stops, or
    is not known, it is the end of the limit day.
    """
    if lockout.until is LockUntil.DURATION:
        return Nanos(now + lockout.minutes * _MINUTE)
    if lockout.until is LockUntil.SESSION and template is not None:
        at = moment(now)
        session = session_at(at, template)
        if session is not None and session.start <= at:
            return nanos(session.end)
    return end_of(now, reset_at)


def running(lock: Lock | None, now: Nanos) -> Lock | None:
    """Return the lock that holds at an instant; it has ended at its end."""
    return lock if lock is not None and now < lock.until else None


def longer(old: Lock | None, new: Lock) -> Lock:
    """Return which of two locks holds: the one that ends later, the older where both end at once."""
    return new if old is None or new.until > old.until else old
