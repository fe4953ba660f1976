"""Instants as whole nanoseconds and as aware datetimes: exact both ways, to the microsecond."""

from datetime import UTC, datetime, timedelta

from tradehaven.domain.ids import Nanos

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment(now: Nanos) -> datetime:
    """Return an instant as a datetime in UTC; what is below a microsecond is cut."""
    return _EPOCH + _MICROSECOND * (now // 1000)


def nanos(at: datetime) -> Nanos:
    """Return a datetime with a time zone as nanoseconds since 1970."""
    return Nanos((at - _EPOCH) // _MICROSECOND * 1000)
