"""What came of copies: each follower's last one, and how many were done, skipped and failed today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q

from accounts.models import User
from syncgroups.models import Activity, ActivityKind, CopiedOrder

RECENT = timedelta(days=4)
"""How far back a follower's last copy is looked for: a long weekend."""
FAILED = (ActivityKind.COPY_REJECTED, ActivityKind.UNRESOLVED, ActivityKind.MISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCopy:
    """A follower's newest copy: when its leader moved (UTC), how long the broker's answer took from then."""

    key: str
    at: datetime
    took: timedelta | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How many copies of the day went out, were left out on purpose, and failed."""

    done: int
    skipped: int
    failed: int


def last_copies(user: User, now: datetime) -> dict[int, LastCopy]:
    """Return the newest copy of each follower, by account."""
    rows = CopiedOrder.objects.filter(owner=user, received_at__gte=now - RECENT)
    newest = rows.order_by("follower_id", "-received_at", "-pk").distinct("follower_id")
    columns = ("follower_id", "key", "received_at", "acknowledged_at", "written_at", "outcome", "state")
    return {row[0]: _last(row[1:]) for row in newest.values_list(*columns)}


def outcomes_since(user: User, since: datetime) -> Outcomes:
    """Return what became of copies since a moment (UTC), as the activity log counts them."""
    lines = Activity.objects.filter(owner=user, at__gte=since)
    left = CopiedOrder.objects.filter(key=OuterRef("key"), written_at__isnull=False)
    failed = Activity.objects.filter(key=OuterRef("key"), kind__in=FAILED)
    done = Q(Exists(left), ~Exists(failed), kind=ActivityKind.COPY_SENT)
    counted = lines.aggregate(
        done=Count("pk", filter=done),
        skipped=Count("pk", filter=Q(kind=ActivityKind.COPY_REFUSED)),
        failed=Count("pk", filter=Q(kind__in=FAILED)),
    )
    return Outcomes(**counted)


def _last(row: Iterable[object]) -> LastCopy:
    key, received, acknowledged, written, outcome, state = row
    assert isinstance(received, datetime)  # noqa: S101  # the column has no nulls
    answered = acknowledged or written
    took = answered - received if isinstance(answered, datetime) else None
    return LastCopy(key=str(key), at=received, took=took, outcome=str(outcome or state))
