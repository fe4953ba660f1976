"""Alerts: lines of the log that are loud and that their owner has not acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from syncgroups.models import Activity, AlertsSeen, Severity

LOOK_BACK = timedelta(days=1)
SHOWN = 3
MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """The newest alerts, how many there are (`MOST` at most), and up to which line they go."""

    lines: Sequence[Activity]
    count: int
    upto: int

    @property
    def more(self) -> int:
        """Return how many are not shown."""
        return self.count - len(self.lines)


def alerts_of(user: User, now: datetime) -> Alerts:
    """Return what a person should know of the last day (UTC) and has not acknowledged."""
    seen = Coalesce(Subquery(AlertsSeen.objects.filter(owner=user).values("line")), 0)
    loud = Activity.objects.filter(
        owner=user, severity=Severity.DANGER, at__gte=now - LOOK_BACK, pk__gt=seen
    ).order_by("-pk")
    found = list(loud[:MOST])
    return Alerts(lines=found[:SHOWN], count=len(found), upto=found[0].pk if found else 0)
