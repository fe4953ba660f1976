"""What our address may ask of single endpoints: by the hour, with a pause between, for all processes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.core.quotas import HOUR, QUOTAS, Operation, Quota, free_at
from brokers.models import EndpointCall
from brokers.services import quotas

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RENEW = QUOTAS[Operation.RENEW]
URL = "https://demo.tradovateapi.com/v1"


def test_the_first_call_is_free() -> None:
    assert free_at([], RENEW, NOW) is None
    assert free_at([NOW - HOUR], RENEW, NOW) is None


def test_between_two_calls_lies_the_pause() -> None:
    assert free_at([NOW - 5 * SECOND], RENEW, NOW) == NOW + 10 * SECOND
    assert free_at([NOW - 15 * SECOND], RENEW, NOW) is None


def test_a_full_hour_frees_with_its_oldest_call() -> None:
    calls = [NOW - timedelta(minutes=3 * number) for number in range(1, 16)]
    assert free_at(calls, RENEW, NOW) == NOW + timedelta(minutes=15)
    assert free_at(calls[:14], RENEW, NOW) is None


@given(
    st.lists(st.integers(0, 900), max_size=80),
    st.builds(Quota, per_hour=st.integers(1, 20), apart=st.integers(0, 60).map(lambda n: n * SECOND)),
)
def test_who_asks_first_never_breaks_a_quota(steps: list[int], quota: Quota) -> None:
    now = NOW
    made: list[datetime] = []
    for step in steps:
        now += step * SECOND
        if free_at(made, quota, now) is None:
            made.append(now)
    for index, call in enumerate(made):
        assert sum(call - HOUR < other <= call for other in made) <= quota.per_hour
        assert index == 0 or call - made[index - 1] >= quota.apart


@given(st.lists(st.integers(1, 3599), max_size=40))
def test_at_the_time_that_is_named_there_is_room(ages: list[int]) -> None:
    calls = [NOW - age * SECOND for age in ages]
    frees = free_at(calls, RENEW, NOW)
    if frees is not None and len(calls) <= RENEW.per_hour:
        assert frees > NOW
        assert free_at(calls, RENEW, frees) is None


@pytest.mark.django_db
def test_calls_are_counted_for_each_host_and_forgotten_after_an_hour() -> None:
    assert quotas.take(URL, Operation.RENEW, NOW) is None
    assert quotas.take(URL, Operation.RENEW, NOW + SECOND) == NOW + 15 * SECOND
    assert quotas.take("https://live.tradovateapi.com/v1", Operation.RENEW, NOW + SECOND) is None
    assert quotas.take(URL, Operation.RENEW, NOW + HOUR) is None
    assert EndpointCall.objects.filter(at__lte=NOW).count() == 0


@pytest.mark.django_db
def test_an_endpoint_that_counts_failures_is_free_until_they_are_many() -> None:
    for minutes in range(10):
        assert quotas.room(URL, Operation.ME, NOW + timedelta(minutes=minutes)) is None
        quotas.count_failure(URL, Operation.ME, NOW + timedelta(minutes=minutes))
    assert quotas.room(URL, Operation.ME, NOW + timedelta(minutes=20)) == NOW + HOUR
