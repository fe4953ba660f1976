"""How logins feel and how often they fall, written down: by the engine's figures and the journal's events."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from brokers.core.vitals import DROPS_AN_HOUR, Figures
from brokers.models import Connection, ConnectionStatus, LinkDrop
from brokers.services.facts import moment
from tradehaven.domain.ids import ConnectionId

KEPT_FOR = timedelta(days=30)
ALERT_AFTER = timedelta(seconds=60)
"""How long a login may be without its link before its owner is alerted (CONN-06)."""


def record_health(found: Mapping[ConnectionId, Figures]) -> None:
    """Store what each login's link has measured; nothing is overwritten by nothing."""
    for connection, figures in found.items():
        spans = {
            "beat_p50": figures.beat_p50,
            "beat_p99": figures.beat_p99,
            "ack_p50": figures.ack_p50,
            "ack_p99": figures.ack_p99,
        }
        said = {name: timedelta(seconds=span) for name, span in spans.items() if span is not None}
        Connection.objects.filter(pk=connection).update(heard_at=moment(figures.heard_at), **said)


def record_drop(connection: ConnectionId, at: datetime, reason: str) -> int | None:
    """Store that a link fell (UTC); return how many fell within the hour when that is worth a warning now.

    Recorded twice it is one drop, and one warning stands for an hour.
    """
    drop, is_new = LinkDrop.objects.get_or_create(
        connection_id=connection, at=at, defaults={"reason": reason[:200]}
    )
    if not is_new:
        return None
    LinkDrop.objects.filter(connection_id=connection, at__lt=at - KEPT_FOR).delete()
    hour = LinkDrop.objects.filter(connection_id=connection, at__gt=at - timedelta(hours=1), at__lte=at)
    count = hour.count()
    if count <= DROPS_AN_HOUR or hour.filter(warned=True).exists():
        return None
    LinkDrop.objects.filter(pk=drop.pk).update(warned=True)
    return count


def claim_alerts(now: datetime) -> list[Connection]:
    """Return the logins that have been without their link for too long, each once for each time it fell."""
    down = Connection.objects.filter(link_up=False).exclude(status=ConnectionStatus.DISCONNECTED)
    down = down.annotate(since=Coalesce("link_changed_at", "created_at")).filter(since__lte=now - ALERT_AFTER)
    untold = Q(alerted_at=None) | Q(alerted_at__lt=F("since"))
    found: list[Connection] = []
    for row in down.filter(untold).select_related("owner"):
        # Guarded by what was seen: of two workers one tells.
        if Connection.objects.filter(pk=row.pk, alerted_at=row.alerted_at).update(alerted_at=now):
            found.append(row)
    return found
