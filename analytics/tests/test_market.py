"""What the clock says to somebody who looks at the cockpit (calendar of the CME's equity indices)."""

from datetime import UTC, datetime

import pytest

from analytics.core.market import Hours, notice


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize("now", [at(11, 23, 15), at(11, 23, 2), at(11, 27, 3)])
def test_an_open_market_is_nothing_to_speak_of(now: datetime):
    assert notice(now) is None


@pytest.mark.parametrize(
    ("now", "hours", "changes"),
    [
        (at(11, 21, 20), Hours.CLOSED, at(11, 22, 23)),
        (at(11, 23, 22, 30), Hours.BREAK, at(11, 23, 23)),
        (at(11, 26, 20), Hours.BREAK, at(11, 26, 23)),
        (at(12, 25, 12), Hours.CLOSED, at(12, 27, 23)),
        (at(11, 27, 15), Hours.EARLY_CLOSE, at(11, 27, 18, 15)),
    ],
)
def test_a_shut_market_and_an_early_close_say_until_when(now: datetime, hours: Hours, changes: datetime):
    found = notice(now)
    assert found is not None
    assert (found.hours, found.at) == (hours, changes)
