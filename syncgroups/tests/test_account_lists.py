"""Accounts of a login that come, go, come back, or find no room in the plan."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.billing.services import choose_plan
from accounts.core.plans import Plan
from accounts.models import User
from accounts.tests.factories import confirm
from brokers.models import (
    Account,
    AccountStanding,
)
from brokers.services import connections
from brokers.services.tokens import Refreshed
from risk.models import AccountRisk
from syncgroups.models import Activity
from syncgroups.services import logins
from syncgroups.tests.paper import connect, connected_exchange, expire_soon
from syncgroups.tests.people import accounts
from tradehaven.domain.errors import RateLimited


@pytest.fixture
def exchange(db: None):
    cache.clear()
    with connected_exchange() as running:
        yield running


@pytest.fixture
def owner(alice: User) -> User:
    confirm(alice)
    return alice


def test_a_renewal_looks_for_accounts_that_came_and_went(exchange, owner: User):
    row = connect(owner).connection
    stray = Account.objects.create(connection=row, broker_account_id=1, name="GONE")
    Account.objects.filter(connection=row, name="ALICE-2").delete()
    expire_soon(row, minutes=10)
    assert logins.refresh_login(row.pk) is Refreshed.RENEWED
    stray.refresh_from_db()
    assert (stray.active, stray.standing) == (False, AccountStanding.GONE)
    came = Account.objects.get(connection=row, name="ALICE-2")
    assert came.active
    assert AccountRisk.objects.filter(account=came).exists()
    said = list(Activity.objects.order_by("pk").values_list("text", flat=True))[-2:]
    assert "ALICE-2 of alice (paper) came in" in said[0]
    assert "GONE of alice (paper) is not there any more" in said[1]


def test_an_account_that_comes_back_is_tradable_again(exchange, owner: User):
    row = connect(owner).connection
    Account.objects.filter(connection=row).update(active=False, standing=AccountStanding.GONE)
    assert len(logins.look_again(row.pk).came) == 2
    assert set(row.accounts.values_list("active", flat=True)) == {True}
    assert logins.look_again(row.pk) == connections.Moved()


def test_an_account_beyond_the_plan_stays_out_until_there_is_room(exchange, owner: User):
    row = connect(owner).connection
    accounts(owner, "A")
    Account.objects.filter(connection=row, name="ALICE-2").delete()
    accounts(owner, "B")
    assert [str(found) for found in logins.look_again(row.pk).beyond] == ["ALICE-2"]
    assert logins.look_again(row.pk) == connections.Moved()  # said once
    late = Account.objects.get(name="ALICE-2")
    assert (late.active, late.standing) == (False, AccountStanding.BEYOND_PLAN)
    choose_plan(owner, Plan.PROFESSIONAL, used=3, now=timezone.now())
    assert [str(found) for found in logins.look_again(row.pk).came] == ["ALICE-2"]


def test_a_broker_that_does_not_list_accounts_spoils_no_renewal(
    exchange, owner: User, monkeypatch: pytest.MonkeyPatch
):
    row = connect(owner).connection
    expire_soon(row, minutes=10)

    def refuse(*_: object) -> None:
        raise RateLimited("429", retry_after=1)

    monkeypatch.setattr("brokers.tradovate.rest.accounts", refuse)
    assert logins.refresh_login(row.pk) is Refreshed.RENEWED


def test_a_disconnected_login_is_not_asked_for_accounts(exchange, owner: User):
    row = connect(owner).connection
    logins.disconnect(row, owner)
    assert logins.look_again(row.pk) == connections.Moved()
