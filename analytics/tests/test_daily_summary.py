"""The mail that sums a day up: after the close, once, and only for who wants it and traded."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from accounts.models import Notice, User
from analytics import services
from analytics.tasks import send_daily_summaries
from brokers.models import Account
from brokers.tests.factories import FillFactory
from syncgroups.tests.people import accounts

# A Friday in winter: Chicago is six hours behind UTC.
CLOSED = datetime(2026, 1, 9, 22, 15, tzinfo=UTC)


@pytest.fixture
def trader(alice: User) -> User:
    """Alice, who traded on one of two accounts and wants to be told."""
    traded, idle = accounts(alice, "ONE", "TWO")
    FillFactory.create(account=traded, trade_date=CLOSED.date())
    Account.objects.filter(pk=traded.pk).update(realized=Decimal("120.5"), balance_at=CLOSED)
    Account.objects.filter(pk=idle.pk).update(
        realized=Decimal("999"), balance_at=datetime(2026, 1, 8, tzinfo=UTC)
    )
    alice.tell_daily_summary = True
    alice.save()
    return alice


def at(moment: datetime) -> None:
    with time_machine.travel(moment, tick=False):
        send_daily_summaries()


def test_the_day_is_told_once_after_the_close(trader: User):
    at(CLOSED)
    at(CLOSED.replace(minute=25))
    notice = Notice.objects.get()
    assert notice.subject == "9 January: +$120.50 on 2 accounts"
    assert "ONE: +$120.50" in notice.text
    assert "TWO: $0.00" in notice.text, "a figure of an earlier day is not today's"
    assert "Friday, 9 January 2026" in notice.text


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 9, 22, 5, tzinfo=UTC),
        datetime(2026, 1, 9, 23, 0, tzinfo=UTC),
        datetime(2026, 1, 9, 15, 0, tzinfo=UTC),
        datetime(2026, 1, 10, 22, 15, tzinfo=UTC),
    ],
    ids=["before the figures stand", "the next day has begun", "in the session", "on a Saturday"],
)
def test_nobody_is_told_at_other_times(trader: User, moment: datetime):
    at(moment)
    assert not Notice.objects.exists()


def test_who_does_not_want_it_or_leaves_is_not_told(trader: User):
    for change in ({"tell_daily_summary": False}, {"tell_daily_summary": True, "is_active": False}):
        User.objects.update(**change)
        at(CLOSED)
    User.objects.update(is_active=True, delete_after=CLOSED)
    at(CLOSED)
    assert not Notice.objects.exists()


def test_a_day_without_trades_is_not_worth_a_mail(trader: User):
    trader.connections.get().accounts.get(name="ONE").fills.all().delete()
    assert services.due_for_summary(now=CLOSED) == [trader.pk]
    assert not services.summarize(trader.pk, now=CLOSED)


def test_nobody_is_told_of_strangers(trader: User, bob: User):
    accounts(bob, "BOBS")
    User.objects.update(tell_daily_summary=True)
    at(CLOSED)
    assert "BOBS" not in Notice.objects.get().text
