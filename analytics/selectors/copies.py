"""What came of copies: each follower's last one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from syncgroups.models import CopiedOrder

RECENT = timedelta(days=4)
"""How far back a follower's last copy is looked for: a long weekend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCopy:
    """A follower's newest copy: when its leader moved (UTC), how long the broker's answer took from then."""

    key: str
    at: datetime
    took: timedelta | None
    outcome: str


def last_copies(user: User, now: datetime) -> dict[int, LastCopy]:
    """Return the newest copy of each follower, by account."""
    rows = CopiedOrder.objects.filter(owner=user, received_at__gte=now - RECENT)
    newest = rows.order_by("follower_id", "-received_at", "-pk").distinct("follower_id")
    columns = ("follower_id", "key", "received_at", "acknowledged_at", "written_at", "outcome", "state")
    return {row[0]: _last(row[1:]) for row in newest.values_list(*columns)}


def _last(row: Iterable[object]) -> LastCopy:
    key, received, acknowledged, written, outcome, state = row
    assert isinstance(received, datetime)  # noqa: S101  # the column has no nulls
    answered = acknowledged or written
    took = answered - received if isinstance(answered, datetime) else None
    return LastCopy(key=str(key), at=received, took=took, outcome=str(outcome or state))
