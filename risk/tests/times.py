"""Instants for tests, written as Chicago's clock shows them."""

from datetime import UTC, datetime, timedelta

from risk.core.instants import nanos
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.ids import Nanos

SECOND = timedelta(seconds=1)


def ct(text: str) -> datetime:
    """Return an instant of Chicago, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO).astimezone(UTC)


def at(text: str) -> Nanos:
    """Return an instant of Chicago in nanoseconds."""
    return nanos(ct(text))
