"""Locks on record, as a start is told of them: which run, and which still have an account to close."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from accounts.tests.factories import UserFactory
from brokers.models import Account
from brokers.tests.factories import AccountFactory
from risk.models import Lockout
from syncgroups.engine.guardrails import locks_of
from syncgroups.models import ActivityKind
from syncgroups.tests.factories import ActivityFactory
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import OwnerId

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 16, tzinfo=UTC)


@pytest.fixture
def owner() -> User:
    return UserFactory.create()


@pytest.fixture
def account(owner: User) -> Account:
    return AccountFactory.create(connection__owner=owner)


def lock(account: Account, *, since: int, until: int | None, flatten: bool) -> None:
    """Write a lock down, from and to some minutes from now; None is for good."""
    Lockout.objects.create(
        account=account,
        reason=RefusalReason.DAILY_LOSS,
        detail="lost",
        since=NOW + timedelta(minutes=since),
        until=None if until is None else NOW + timedelta(minutes=until),
        flatten=flatten,
    )


def told(owner: User) -> list[bool]:
    """Return of each lock that runs whether its account has to be closed."""
    return [event.flatten for event in locks_of(OwnerId(owner.pk), NOW)]


def test_a_lock_that_closes_an_account_says_so_until_the_broker_has_called_it_flat(
    owner: User, account: Account
) -> None:
    lock(account, since=-10, until=60, flatten=True)
    assert told(owner) == [True]
    flat = ActivityFactory.create(owner=owner, account=account, kind=ActivityKind.FLAT)
    type(flat).objects.filter(pk=flat.pk).update(at=NOW - timedelta(minutes=11))
    assert told(owner) == [True]  # that was before the lock
    type(flat).objects.filter(pk=flat.pk).update(at=NOW - timedelta(minutes=9))
    assert told(owner) == [False]


def test_a_longer_lock_that_closes_nothing_does_not_hide_one_that_does(owner: User, account: Account) -> None:
    lock(account, since=-10, until=60, flatten=True)
    lock(account, since=-5, until=None, flatten=False)
    assert told(owner) == [True]


def test_a_lock_that_has_ended_closes_nothing(owner: User, account: Account) -> None:
    lock(account, since=-90, until=-30, flatten=True)
    lock(account, since=-5, until=60, flatten=False)
    assert told(owner) == [False]


def test_the_locks_of_others_are_none_of_ones_own(owner: User, account: Account) -> None:
    lock(AccountFactory.create(), since=-10, until=60, flatten=True)
    lock(account, since=-5, until=60, flatten=False)
    assert told(owner) == [False]
