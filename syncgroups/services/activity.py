"""Lines of the activity log that people and services write; the engine's come through lineage."""

from django.utils import timezone

from brokers.models import Account
from syncgroups.models import Activity, ActivityKind, Severity, SyncGroup
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


def note(
    owner_id: int,
    kind: ActivityKind,
    text: str,
    *,
    severity: Severity = Severity.INFO,
    account: Account | None = None,
    group: SyncGroup | None = None,
) -> None:
    """Write one line, as of now, and tell the pages."""
    Activity.objects.create(
        owner_id=owner_id,
        at=timezone.now(),
        kind=kind,
        severity=severity,
        account=account,
        group=group,
        text=text[:300],
    )
    publish(owner_id, [Topic.ACTIVITY])
