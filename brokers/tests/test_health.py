"""How a link feels: samples, drops, and who is alerted when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.core.vitals import KEPT, Figures, Vitals, nearest_rank
from brokers.models import Connection, LinkDrop
from brokers.services.health import claim_alerts, record_drop, record_health
from brokers.tests.factories import ConnectionFactory
from tradehaven.domain.ids import ConnectionId, Nanos

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_without_samples_there_are_no_figures() -> None:
    assert Vitals().figures() == Figures(heard_at=Nanos(0))


def test_figures_are_nearest_ranks_of_the_newest_samples() -> None:
    vitals = Vitals()
    for _ in range(50):
        vitals.beat(9.0)
    for number in range(KEPT):
        vitals.beat(number / 1000)
    vitals.ack(0.25)
    figures = vitals.figures()
    assert (figures.beat_p50, figures.beat_p99) == (0.099, 0.197)  # the nines are out
    assert (figures.ack_p50, figures.ack_p99) == (0.25, 0.25)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=300), st.integers(0, 100))
def test_a_rank_is_a_sample_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    found = nearest_rank(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)


@pytest.fixture
def login(db: None) -> Connection:
    return ConnectionFactory.create(link_changed_at=NOW)


def drop(login: Connection, minutes: float) -> int | None:
    return record_drop(ConnectionId(login.pk), NOW + minutes * MINUTE, "fell")


def test_measured_figures_are_kept_and_missing_ones_overwrite_nothing(login: Connection) -> None:
    heard = Nanos(1_795_262_400_000_000_000)
    record_health({ConnectionId(login.pk): Figures(heard_at=heard, beat_p50=0.02, ack_p99=0.3)})
    record_health({ConnectionId(login.pk): Figures(heard_at=heard, beat_p50=0.04)})
    login.refresh_from_db()
    assert login.beat_p50 == timedelta(milliseconds=40)
    assert login.ack_p99 == timedelta(milliseconds=300)
    assert login.beat_p99 is None
    assert login.heard_at == datetime.fromtimestamp(heard / 1e9, UTC)


def test_more_than_three_drops_an_hour_are_worth_one_warning(login: Connection) -> None:
    assert [drop(login, minutes) for minutes in (0, 10, 20, 30, 40, 59)] == [None, None, None, 4, None, None]


def test_a_new_hour_may_warn_anew(login: Connection) -> None:
    found = [drop(login, minutes) for minutes in (0, 1, 2, 3, 61, 62, 63, 64)]
    assert found == [None, None, None, 4, None, None, None, 4]


def test_the_same_drop_recorded_twice_is_one(login: Connection) -> None:
    for _ in range(5):
        drop(login, 0)
    assert LinkDrop.objects.count() == 1


def test_drops_are_forgotten_after_a_month(login: Connection) -> None:
    drop(login, 0)
    record_drop(ConnectionId(login.pk), NOW + timedelta(days=31), "fell")
    assert LinkDrop.objects.count() == 1


def test_three_drops_an_hour_apart_from_another_login_do_not_count(login: Connection) -> None:
    other = ConnectionFactory.create()
    assert [drop(login, 0), drop(other, 1), drop(login, 2), drop(other, 3), drop(login, 4)] == [None] * 5


def test_a_login_without_its_link_is_claimed_once_after_a_minute(login: Connection) -> None:
    Connection.objects.filter(pk=login.pk).update(link_up=False)
    assert claim_alerts(NOW + timedelta(seconds=59)) == []
    assert claim_alerts(NOW + timedelta(seconds=60)) == [login]
    assert claim_alerts(NOW + timedelta(seconds=75)) == []


def test_a_link_that_falls_again_is_another_alert(login: Connection) -> None:
    Connection.objects.filter(pk=login.pk).update(link_up=False)
    claim_alerts(NOW + MINUTE)
    Connection.objects.filter(pk=login.pk).update(link_changed_at=NOW + 5 * MINUTE)
    assert claim_alerts(NOW + 5.5 * MINUTE) == []
    assert claim_alerts(NOW + 6 * MINUTE) == [login]


@pytest.mark.parametrize("column", [{"link_up": True}, {"link_up": False, "status": "disconnected"}])
def test_who_is_up_or_disconnected_is_not_alerted(login: Connection, column: dict[str, object]) -> None:
    Connection.objects.filter(pk=login.pk).update(**column)
    assert claim_alerts(NOW + 9 * MINUTE) == []


def test_a_login_that_never_came_up_counts_from_its_beginning(db: None) -> None:
    row = ConnectionFactory.create(link_up=False, link_changed_at=None)
    assert claim_alerts(row.created_at + timedelta(seconds=59)) == []
    assert claim_alerts(row.created_at + timedelta(seconds=61)) == [row]
