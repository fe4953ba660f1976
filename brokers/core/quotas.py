"""What a broker lets one address ask of single endpoints, over all logins (protocol 4.1). Pure.

It is counted by the hour; between two calls lies the back-off. Addresses are counted by their /24 network,
so everything that shares ours shares these figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

HOUR = timedelta(hours=1)


class Operation(StrEnum):
    """The endpoints that are counted and that a process without a socket calls."""

    RENEW = "auth/renewaccesstoken"
    ME = "auth/me"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many calls an hour, and how far apart."""

    per_hour: int
    apart: timedelta


QUOTAS = {
    Operation.RENEW: Quota(per_hour=15, apart=timedelta(seconds=15)),
    Operation.ME: Quota(per_hour=10, apart=timedelta(seconds=30)),
}
"""Of `auth/me` only failures are counted."""


def free_at(calls: Sequence[datetime], quota: Quota, now: datetime) -> datetime | None:
    """Return when the next call may be made, None for now. `calls` are those that counted, in any order."""
    recent = sorted(call for call in calls if call > now - HOUR)
    if not recent:
        return None
    frees = recent[-1] + quota.apart
    if len(recent) >= quota.per_hour:
        frees = max(frees, recent[-quota.per_hour] + HOUR)
    return frees if frees > now else None
