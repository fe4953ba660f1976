"""The second look at the time to be flat, by rows: only what is due, only where a rule says so."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from brokers.models import Account, Position
from brokers.tests.factories import AccountFactory
from risk.core.rules import Flat, Rules
from risk.core.written import written
from risk.services.gates import ensure_account_risk
from syncgroups.models import Activity, Request
from syncgroups.services.closing import close_what_is_due
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.enums import Ask

pytestmark = pytest.mark.django_db
DUE = datetime(2026, 11, 18, 15, 56, tzinfo=CHICAGO)
"""A Wednesday, after 15:55 and before the market's end."""


@pytest.fixture
def account(alice: User) -> Account:
    found = AccountFactory.create(connection__owner=alice)
    book = ensure_account_risk(found, alice.pk).book
    book.rules = written(Rules(flat=Flat()))
    book.save()
    return found


def holds(account: Account, symbol: str, net: int) -> None:
    now = timezone.now()
    Position.objects.create(account=account, symbol=symbol, net=net, price=Decimal(1), updated_at=now)


@pytest.mark.parametrize("net", [2, -1])
def test_who_holds_something_past_the_time_is_asked_to_be_closed_and_once_a_minute(
    account: Account, net: int
) -> None:
    holds(account, "ESZ6", net)
    assert close_what_is_due(DUE) == [account.pk]
    (request,) = Request.objects.all()
    assert (request.ask, request.subject) == (Ask.FLATTEN, str(account.pk))
    assert close_what_is_due(DUE) == []
    assert Activity.objects.filter(account=account, kind="guardrail").count() == 1


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 18, 15, 50, tzinfo=CHICAGO),
        datetime(2026, 11, 18, 16, 30, tzinfo=CHICAGO),
        datetime(2026, 11, 18, 18, 0, tzinfo=CHICAGO),
    ],
)
def test_before_its_time_and_in_a_closed_market_nothing_is_asked(account: Account, moment: datetime) -> None:
    holds(account, "ESZ6", 1)
    assert close_what_is_due(moment) == []


def test_who_is_flat_or_has_no_such_rule_is_left_alone(account: Account, alice: User) -> None:
    holds(account, "ESZ6", 0)
    other = AccountFactory.create(connection__owner=alice)
    holds(other, "ESZ6", 1)
    assert close_what_is_due(DUE) == []


def test_a_market_that_is_not_due_yet_keeps_the_account_from_being_closed_as_a_whole(
    account: Account,
) -> None:
    holds(account, "ESZ6", 1)
    holds(account, "MBTZ6", 1)
    crypto_day = datetime(2026, 11, 18, 16, 2, tzinfo=CHICAGO)
    assert close_what_is_due(crypto_day) == []
