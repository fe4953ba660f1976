"""Uptime: what was looked at is counted, what was not is not, and nothing looks better than it was."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from analytics import tasks
from analytics.core.uptime import DAYS, Component, Count, Day, Shade, row_of_days, together
from analytics.models import Outage, UptimeDay
from analytics.selectors import uptime
from analytics.services import is_trading_week, note_look
from brokers.tests.factories import LeaseFactory

TUESDAY = datetime(2026, 11, 17, 15, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 15, tzinfo=UTC)


@given(looks=st.integers(1, 10**6), bad=st.integers(0, 10**6))
def test_a_share_is_never_better_than_it_was(looks: int, bad: int) -> None:
    count = Count(looks=looks, good=max(0, looks - bad))
    assert count.percent is not None
    assert count.percent <= Decimal(count.good) * 100 / looks
    assert (count.percent == 100) is (count.good == looks)


def test_what_nobody_looked_at_has_no_share() -> None:
    assert Count().percent is None
    assert together([]).percent is None
    assert Day(day=date(2026, 11, 17)).shade is Shade.NONE


@pytest.mark.parametrize(
    ("good", "shade"), [(1000, Shade.GOOD), (999, Shade.SHORT), (990, Shade.SHORT), (989, Shade.BAD)]
)
def test_one_bad_look_shows(good: int, shade: Shade) -> None:
    assert Day(day=date(2026, 11, 17), all=Count(looks=1000, good=good)).shade is shade


def test_the_row_of_days_ends_today_and_keeps_days_that_nobody_saw() -> None:
    today = date(2026, 11, 17)
    seen = Day(day=today - timedelta(days=3), all=Count(looks=5, good=5))
    row = row_of_days([seen, Day(day=today - timedelta(days=DAYS), all=Count(looks=1))], today)
    assert len(row) == DAYS
    assert row[-1] == Day(day=today)
    assert row[-4] == seen
    assert sum(day.all.looks for day in row) == 5


def test_trading_hours_are_the_week_of_the_exchange() -> None:
    assert is_trading_week(TUESDAY)
    assert not is_trading_week(SATURDAY)
    assert is_trading_week(datetime(2026, 11, 22, 23, 30, tzinfo=UTC))  # Sunday evening in Chicago


@pytest.mark.django_db
def test_bad_looks_are_one_outage_until_a_good_one() -> None:
    for minute, good in enumerate((True, False, False, True, False)):
        note_look(Component.ENGINE, good=good, now=TUESDAY + timedelta(minutes=minute))
    row = UptimeDay.objects.get()
    assert (row.looks, row.good, row.trading_looks, row.trading_good) == (5, 2, 5, 2)
    latest, first = Outage.objects.all()
    assert first.ended_at is not None
    assert first.ended_at - first.began_at == timedelta(minutes=2)
    assert (latest.ended_at, latest.trading) == (None, True)


@pytest.mark.django_db
def test_looks_out_of_hours_count_for_all_hours_only() -> None:
    note_look(Component.WEB, good=False, now=SATURDAY)
    (_, web) = uptime.status(SATURDAY).services
    assert (web.all, web.trading, web.keeps_goal) == (Count(looks=1, good=0), Count(), None)


@pytest.mark.django_db
def test_the_aim_is_kept_or_not_by_trading_hours() -> None:
    UptimeDay.objects.create(
        component=Component.ENGINE,
        day=TUESDAY.date(),
        looks=2000,
        good=1000,
        trading_looks=1000,
        trading_good=999,
    )
    engine, _ = uptime.status(TUESDAY).services
    assert engine.keeps_goal is True
    UptimeDay.objects.update(trading_good=998)
    engine, _ = uptime.status(TUESDAY).services
    assert engine.keeps_goal is False


class Answer:
    def __init__(self, *, ok: bool) -> None:
        self.ok = ok


@pytest.mark.django_db
@pytest.mark.parametrize(("answer", "good"), [(Answer(ok=True), 1), (Answer(ok=False), 0), (None, 0)])
def test_the_worker_looks_at_engine_and_pages(
    monkeypatch: pytest.MonkeyPatch, answer: Answer | None, good: int
) -> None:
    asked: list[str] = []

    def get(url: str, **_: Any) -> Answer:
        asked.append(url)
        if answer is None:
            raise requests.ConnectionError
        return answer

    monkeypatch.setattr(requests, "get", get)
    LeaseFactory.create()
    tasks.look_at_service()
    assert asked[0].endswith("/readyz")
    assert UptimeDay.objects.get(component=Component.WEB).good == good
    assert UptimeDay.objects.get(component=Component.ENGINE).good == 1


@pytest.mark.django_db
def test_the_page_says_what_was_measured_and_what_was_not(client: Client) -> None:
    page = " ".join(client.get("/status/").content.decode().split())
    assert "not measured yet" in page
    assert "No look was taken yet" in page
    assert "no sign of life" in page
    LeaseFactory.create()
    note_look(Component.ENGINE, good=False, now=timezone.now())
    page = " ".join(client.get("/status/").content.decode().split())
    assert "Everything answers." in page
    assert "not back yet" in page
    assert "0.000 %" in page
