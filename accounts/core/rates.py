"""How many calls a minute an API key and its owner may make, by plan, and the window that counts them."""

from dataclasses import dataclass

from accounts.core.plans import Plan

WINDOW = 60
"""Seconds of one window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Calls a minute: of one key, and of all keys of one person together."""

    key: int
    owner: int


RATES = {
    Plan.STARTER: Rates(key=120, owner=240),
    Plan.PROFESSIONAL: Rates(key=300, owner=900),
    Plan.ENTERPRISE: Rates(key=600, owner=3000),
}
REFUSALS = 30
"""Refused keys a minute from one address, after which it is told to wait."""


def seconds_to_wait(*, before: int, now: int, passed: float, limit: int) -> float:
    """Return for how long a caller is over `limit`: zero when this call, counted in `now`, still fits.

    `before` and `now` are the calls of the last and the current window, `passed` the seconds of the current
    one. The last window counts as if its calls had been spread evenly, so no burst at the turn of a minute
    gets twice the limit.
    """
    share = 1 - passed / WINDOW
    if before * share + now <= limit:
        return 0.0
    if now > limit:
        # What is counted now weighs on the next window too: wait until enough of it has aged.
        return (WINDOW - passed) + WINDOW * (1 - limit / now)
    return WINDOW * (share - (limit - now) / before)
