"""What a login may ask of its broker: limits, what each lane may use of them, and what that still allows.

Values and sums only; `governor` counts the calls.
"""

from dataclasses import dataclass

from tradehaven.domain.commands import Lane

SHARES = {
    Lane.FLATTEN_CANCEL: 100,
    Lane.PROTECTIVE: 90,
    Lane.ENTRY: 75,
    Lane.CHANGE: 60,
    Lane.QUERY: 50,
}
"""Percent of a window up to which each lane may fill it.

With the real 80 a minute entries leave 20 calls: one exit for each of twenty followers. The last 8 are for
making flat alone. Changes stop at 48, so that a stop which is dragged leaves room for a new entry.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What one login may ask: every order call of every account under it counts once (protocol 4.1)."""

    per_minute: int = 80
    per_hour: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Calls in the windows that end now: orders in the minute, everything in the hour."""

    minute: int = 0
    hour: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a budget still allows. `orders_left` leader orders fit now, None where nobody follows."""

    usage: Usage
    limits: CallLimits
    kept_for_exits: int
    orders_left: int | None


def ceiling(limit: int, lane: Lane) -> int:
    """Return how full (calls) a lane may make a window of `limit`; at least one call for everybody."""
    return max(1, limit * SHARES[lane] // 100)


def outlook(usage: Usage, limits: CallLimits, followers: int) -> Outlook:
    """Return what is left, and how many leader orders with so many followers that is (BEY-05)."""
    minute = ceiling(limits.per_minute, Lane.ENTRY) - usage.minute
    hour = ceiling(limits.per_hour, Lane.ENTRY) - usage.hour
    left = max(0, min(minute, hour))
    return Outlook(
        usage=usage,
        limits=limits,
        kept_for_exits=limits.per_minute - ceiling(limits.per_minute, Lane.ENTRY),
        orders_left=left // followers if followers else None,
    )
