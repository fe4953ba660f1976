"""Counts, for all processes together, the calls that a broker counts by our address."""

from datetime import datetime
from urllib.parse import urlsplit

from django.db import connection, transaction

from brokers.core.quotas import HOUR, QUOTAS, Operation, free_at
from brokers.models import EndpointCall


@transaction.atomic
def take(url: str, operation: Operation, now: datetime) -> datetime | None:
    """Count a call that is about to be made; return when it may be made if there is no room now (UTC)."""
    host = urlsplit(url).netloc
    _alone(host, operation)
    frees = _frees(host, operation, now)
    if frees is None:
        EndpointCall.objects.create(host=host, operation=operation, at=now)
        EndpointCall.objects.filter(at__lte=now - HOUR).delete()
    return frees


def room(url: str, operation: Operation, now: datetime) -> datetime | None:
    """Return when an endpoint may be asked of which only failures count, None for now (UTC)."""
    return _frees(urlsplit(url).netloc, operation, now)


def count_failure(url: str, operation: Operation, now: datetime) -> None:
    """Count a call that failed."""
    EndpointCall.objects.create(host=urlsplit(url).netloc, operation=operation, at=now)


def _frees(host: str, operation: Operation, now: datetime) -> datetime | None:
    calls = EndpointCall.objects.filter(host=host, operation=operation, at__gt=now - HOUR)
    return free_at(list(calls.values_list("at", flat=True)), QUOTAS[operation], now)


def _alone(host: str, operation: Operation) -> None:
    """Let one process at a time count: two that read the same figures would both go."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"{host} {operation}"])
