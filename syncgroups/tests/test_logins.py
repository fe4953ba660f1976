"""Logins against the paper exchange: connect, reconnect, disconnect."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.access import NotAllowed
from accounts.billing.services import cancel_plan, choose_plan
from accounts.core.plans import Plan
from accounts.models import User
from accounts.tests.factories import confirm
from brokers.core.troubles import Trouble
from brokers.models import (
    Account,
    Connection,
    ConnectionStatus,
    EngineStamp,
)
from brokers.services import consents, tokens
from brokers.services.consents import ConsentFailed
from risk.models import AccountRisk, Gate, GateKind
from risk.services.limits import set_max_position
from syncgroups.models import Activity
from syncgroups.services import logins
from syncgroups.tests.paper import connect, connected_exchange, consent
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import InvalidInput


@pytest.fixture
def exchange(db: None):
    cache.clear()
    with connected_exchange() as running:
        yield running


@pytest.fixture
def owner(alice: User) -> User:
    confirm(alice)
    return alice


def test_a_login_comes_in_with_all_its_accounts_and_their_gates(exchange, owner: User):
    done = connect(owner)
    assert done.is_new
    assert sorted(account.name for account in done.accounts) == ["ALICE-1", "ALICE-2"]
    assert AccountRisk.objects.filter(account__in=done.accounts).count() == 2
    assert Gate.objects.filter(owner=owner, kind=GateKind.OWNER).count() == 1
    assert "2 accounts" in Activity.objects.get().text
    assert EngineStamp.objects.get(owner=owner).version > 0


def test_stored_tokens_are_sealed_and_open_only_for_the_engine(exchange, owner: User):
    row = connect(owner).connection
    login = tokens.login_for_engine(row.pk)
    assert login is not None
    assert login.token
    assert login.token not in row.access_token
    assert row.access_token.startswith("v1.")
    assert login.token not in repr(login)
    assert set(login.accounts.values()) == set(row.accounts.values_list("pk", flat=True))
    assert login.socket_url == exchange.socket_url


def test_reconnecting_keeps_rows_gates_and_limits(exchange, owner: User):
    first = connect(owner)
    set_max_position(account=first.accounts[0], qty=3, by=owner)
    logins.disconnect(first.connection, owner)
    again = connect(owner, reconnects=first.connection)
    assert not again.is_new
    assert again.connection.pk == first.connection.pk
    assert again.instead_of == ""
    assert Connection.objects.get().status == ConnectionStatus.ACTIVE
    assert {account.pk for account in again.accounts} == {account.pk for account in first.accounts}
    assert AccountRisk.objects.get(account=first.accounts[0]).max_position == 3
    assert Gate.objects.filter(kind=GateKind.ACCOUNT).count() == 2


def test_coming_back_as_another_login_says_so(exchange, owner: User):
    first = connect(owner)
    other = connect(owner, "second", reconnects=first.connection)
    assert other.is_new
    assert other.instead_of == first.connection.name


def test_an_account_that_the_login_lost_becomes_inactive(exchange, owner: User):
    first = connect(owner)
    stray = Account.objects.create(connection=first.connection, broker_account_id=1, name="GONE")
    connect(owner)
    stray.refresh_from_db()
    assert not stray.active


def test_a_state_works_once(exchange, owner: User):
    url, state = consents.begin_connect(owner, Environment.PAPER)
    code = consent(url)["code"]
    logins.finish_connect(owner, state, code)
    with pytest.raises(ConsentFailed):
        logins.finish_connect(owner, state, code)


def test_a_state_of_somebody_else_is_refused(exchange, owner: User, bob: User):
    confirm(bob)
    url, state = consents.begin_connect(owner, Environment.PAPER)
    code = consent(url)["code"]
    with pytest.raises(ConsentFailed):
        logins.finish_connect(bob, state, code)
    assert not Connection.objects.exists()


def test_a_code_that_is_not_the_brokers_is_refused(exchange, owner: User):
    _, state = consents.begin_connect(owner, Environment.PAPER)
    with pytest.raises(ConsentFailed) as caught:
        logins.finish_connect(owner, state, "ac_made_up")
    assert caught.value.trouble is Trouble.CODE_OVER
    assert "invalid_grant" in Activity.objects.get(severity="danger").text


def test_a_login_without_accounts_says_what_to_do(exchange, owner: User):
    with pytest.raises(ConsentFailed, match="API access"):
        connect(owner, "empty")
    assert not Connection.objects.exists()


def test_a_person_without_confirmed_address_may_not_begin(exchange, bob: User):
    with pytest.raises(NotAllowed):
        consents.begin_connect(bob, Environment.PAPER)


def test_an_environment_without_client_id_is_refused(owner: User, settings):
    settings.BROKERS = settings.BROKERS | {"live": settings.BROKERS["live"] | {"client_id": ""}}
    with pytest.raises(InvalidInput, match="client id"):
        consents.begin_connect(owner, Environment.LIVE)


def test_a_login_that_another_person_has_connected_is_refused_until_they_let_it_go(
    exchange, owner: User, bob: User
):
    confirm(bob)
    first = connect(owner).connection
    with pytest.raises(ConsentFailed) as caught:
        connect(bob)
    assert caught.value.trouble is Trouble.TAKEN
    assert not Connection.objects.filter(owner=bob).exists()
    logins.disconnect(first, owner)
    assert connect(bob).is_new


def test_a_login_with_more_accounts_than_the_plan_holds_leaves_nothing_behind(exchange, owner: User):
    accounts(owner, "A", "B")
    with pytest.raises(ConsentFailed) as caught:
        connect(owner)
    assert caught.value.trouble is Trouble.PLAN_FULL
    assert "has 2 accounts; Starter holds 3 and 2 are in use" in caught.value.message
    assert "Professional" in caught.value.message
    assert not Connection.objects.filter(owner=owner, name="alice").exists()
    choose_plan(owner, Plan.PROFESSIONAL, used=2, now=timezone.now())
    assert connect(owner).is_new


def test_reconnecting_does_not_count_its_own_accounts_twice(exchange, owner: User):
    accounts(owner, "A")
    connect(owner)
    assert not connect(owner).is_new


def test_who_has_no_plan_connects_nothing(exchange, owner: User):
    cancel_plan(owner, now=timezone.now() - timedelta(days=40))
    with pytest.raises(ConsentFailed, match="No plan holds 0"):
        connect(owner)


def test_disconnecting_forgets_the_tokens_and_keeps_the_accounts(exchange, owner: User):
    row = connect(owner).connection
    logins.disconnect(row, owner)
    row.refresh_from_db()
    assert (row.access_token, row.refresh_token, row.status) == ("", "", ConnectionStatus.DISCONNECTED)
    assert row.accounts.count() == 2
    assert tokens.login_for_engine(row.pk) is None
