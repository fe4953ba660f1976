"""Locks: how long each kind lasts on usual days, holidays and weekends, and that none is shortened."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.instants import moment, nanos
from risk.core.lockouts import longer, running, unlock_at
from risk.core.rules import Lockout, LockUntil
from risk.core.standing import Lock
from risk.tests.times import at
from tradehaven.domain.calendar import MarketState, market_state
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import SessionTemplate
from tradehaven.domain.tests.reference import load

MINUTE = 60 * 1_000_000_000
EQUITY, GRAINS, CRYPTO = SessionTemplate.EQUITY, SessionTemplate.GRAINS, SessionTemplate.CRYPTO
SESSION = Lockout(until=LockUntil.SESSION)
RESET = Lockout()
LOCK = Lock(reason=RefusalReason.DAILY_LOSS, detail="", since=Nanos(100), until=Nanos(200))


def test_a_lock_of_some_minutes_lasts_as_long() -> None:
    pause = Lockout(until=LockUntil.DURATION, minutes=30)
    assert unlock_at(pause, Nanos(7), time(17), EQUITY) == 7 + 30 * MINUTE


@pytest.mark.parametrize(
    ("now", "template", "ends"),
    [
        ("2026-08-12T10:00", EQUITY, "2026-08-12T16:00"),
        ("2026-08-12T17:00", EQUITY, "2026-08-13T16:00"),
        ("2026-08-12T16:00", EQUITY, "2026-08-12T17:00"),
        ("2026-08-12T07:30", GRAINS, "2026-08-12T13:20"),
        ("2026-08-12T08:00", GRAINS, "2026-08-12T13:20"),
        ("2026-11-26T09:00", EQUITY, "2026-11-26T12:00"),
        ("2026-11-26T12:30", EQUITY, "2026-11-26T17:00"),
        ("2026-11-27T09:00", EQUITY, "2026-11-27T12:15"),
        ("2026-08-14T18:00", EQUITY, "2026-08-15T17:00"),
        ("2026-08-12T10:00", CRYPTO, "2026-08-12T17:00"),
        ("2026-08-12T10:00", None, "2026-08-12T17:00"),
        ("2026-03-08T18:00", EQUITY, "2026-03-09T16:00"),
        ("2026-11-01T12:00", EQUITY, "2026-11-01T17:00"),
    ],
)
def test_a_lock_to_the_end_of_the_session_ends_with_the_market(
    now: str, template: SessionTemplate | None, ends: str
) -> None:
    assert unlock_at(SESSION, at(now), time(17), template) == at(ends)


@pytest.mark.parametrize(
    ("now", "reset_at", "ends"),
    [
        ("2026-08-12T10:00", time(17), "2026-08-12T17:00"),
        ("2026-08-12T17:00", time(17), "2026-08-13T17:00"),
        ("2026-11-26T09:00", time(17), "2026-11-26T17:00"),
        ("2026-08-12T10:00", time(8, 30), "2026-08-13T08:30"),
        ("2026-03-07T17:30", time(17), "2026-03-08T17:00"),
        ("2026-10-31T17:30", time(17), "2026-11-01T17:00"),
    ],
)
def test_a_lock_to_the_next_day_ends_at_the_reset(now: str, reset_at: time, ends: str) -> None:
    assert unlock_at(RESET, at(now), reset_at, EQUITY) == at(ends)
    assert unlock_at(RESET, at(now), reset_at) == at(ends)


@pytest.mark.parametrize("vector", load("sessions"), ids=lambda vector: vector["id"])
def test_a_session_lock_ends_when_the_market_has_stopped(vector: dict[str, str]) -> None:
    now = datetime.fromisoformat(vector["ts_utc"].replace("Z", "+00:00"))
    template = SessionTemplate(vector["group"])
    ends = unlock_at(SESSION, nanos(now), time(17), template)
    assert ends > nanos(now)
    if vector["market_state"] in ("open", "pause") and template is not CRYPTO:
        last = moment(ends) - timedelta(seconds=1)
        assert market_state(last, template) is MarketState.OPEN
        assert market_state(moment(ends), template) not in (MarketState.OPEN, MarketState.PAUSE)
    else:
        assert moment(ends) - now <= timedelta(hours=25)


instants = st.integers(0, 718 * 86_400).map(
    lambda n: nanos(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n))
)


@given(instants, st.sampled_from([RESET, SESSION]), st.sampled_from(SessionTemplate))
def test_every_lock_ends_after_it_begins_and_within_a_day(
    now: Nanos, lockout: Lockout, template: SessionTemplate
) -> None:
    assert 0 < unlock_at(lockout, now, time(17), template) - now <= 25 * 60 * MINUTE


def test_a_lock_holds_up_to_its_end() -> None:
    assert running(None, Nanos(1)) is None
    assert running(LOCK, Nanos(199)) is LOCK
    assert running(LOCK, Nanos(200)) is None


def test_of_two_locks_the_longer_holds() -> None:
    assert longer(None, LOCK) is LOCK
    assert longer(LOCK, LOCK.changed(until=Nanos(199))) is LOCK
    assert longer(LOCK, LOCK.changed(detail="the same end")) is LOCK
    later = LOCK.changed(until=Nanos(201))
    assert longer(LOCK, later) is later


@given(st.lists(st.integers(1, 1_000), min_size=1))
def test_no_further_lock_shortens_one(ends: list[int]) -> None:
    lock: Lock | None = None
    for end in ends:
        before = lock
        lock = longer(lock, LOCK.changed(until=Nanos(end)))
        assert before is None or lock.until >= before.until
