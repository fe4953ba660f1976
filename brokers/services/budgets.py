"""What a login's budget looks like, written down: for pages, and for every process to obey (CONN-07).

The engine writes figures behind its work; whoever meets a refusal for too many calls writes the silence.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from brokers.core.budget import Usage
from brokers.models import Connection
from brokers.services.stamps import touch
from tradehaven.domain.errors import RateLimited
from tradehaven.domain.ids import ConnectionId


def record_usage(usages: Mapping[ConnectionId, Usage], at: datetime) -> None:
    """Store how many calls each login has used as of a moment (UTC)."""
    for connection, usage in usages.items():
        Connection.objects.filter(pk=connection).update(
            calls_minute=usage.minute, calls_hour=usage.hour, calls_at=at
        )


def record_silence(connection: int, until: datetime, reason: str) -> bool:
    """Store that a login must not be used before `until` (UTC), unless longer is known; return whether so."""
    rows = Connection.objects.filter(Q(silent_until=None) | Q(silent_until__lt=until), pk=connection)
    return bool(rows.update(silent_until=until, silent_reason=reason[:200]))


def obey(connection: Connection, error: RateLimited) -> None:
    """Keep silent after a refusal by REST, and let the engine know; a ticket alone concerns one endpoint."""
    if error.ticket and not error.captcha:
        return
    until = timezone.now() + timedelta(seconds=error.retry_after)
    if record_silence(connection.pk, until, str(error)):
        touch(connection.owner_id)
