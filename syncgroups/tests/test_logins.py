"""Logins against the paper exchange: connect, renew, lose, disconnect."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test import override_settings
from django.utils import timezone

from accounts.access import NotAllowed
from accounts.models import User
from accounts.tests.factories import confirm
from brokers.models import Account, Connection, ConnectionStatus, EngineStamp
from brokers.services import connections
from brokers.services.connections import ConsentFailed, Refreshed
from risk.models import AccountRisk, Gate, GateKind
from syncgroups.models import Activity
from syncgroups.services import logins
from syncgroups.tests.paper import connected_exchange, consent
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import InvalidInput, RequestRejected


@pytest.fixture
def exchange(db: None):
    cache.clear()
    with connected_exchange() as running:
        yield running


@pytest.fixture
def owner(alice: User) -> User:
    confirm(alice)
    return alice


def connect(owner: User, login: str = "alice", **options: Any) -> connections.Connected:
    url, state = connections.begin_connect(owner, Environment.PAPER, **options)
    brought = consent(url, login)
    assert brought["state"] == state
    return logins.finish_connect(owner, state, brought["code"])


def expire_soon(connection: Connection, **left: int) -> None:
    Connection.objects.filter(pk=connection.pk).update(token_expires_at=timezone.now() + timedelta(**left))


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
    login = connections.login_for_engine(row.pk)
    assert login is not None
    assert login.token
    assert login.token not in row.access_token
    assert row.access_token.startswith("v1.")
    assert login.token not in repr(login)
    assert set(login.accounts.values()) == set(row.accounts.values_list("pk", flat=True))
    assert login.socket_url == exchange.socket_url


def test_reconnecting_keeps_rows_gates_and_limits(exchange, owner: User):
    first = connect(owner)
    AccountRisk.objects.filter(account=first.accounts[0]).update(max_position=3)
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
    url, state = connections.begin_connect(owner, Environment.PAPER)
    code = consent(url)["code"]
    logins.finish_connect(owner, state, code)
    with pytest.raises(ConsentFailed):
        logins.finish_connect(owner, state, code)


def test_a_state_of_somebody_else_is_refused(exchange, owner: User, bob: User):
    confirm(bob)
    url, state = connections.begin_connect(owner, Environment.PAPER)
    code = consent(url)["code"]
    with pytest.raises(ConsentFailed):
        logins.finish_connect(bob, state, code)
    assert not Connection.objects.exists()


def test_a_code_that_is_not_the_brokers_is_refused(exchange, owner: User):
    _, state = connections.begin_connect(owner, Environment.PAPER)
    with pytest.raises(RequestRejected, match="invalid_grant"):
        logins.finish_connect(owner, state, "ac_made_up")
    assert "invalid_grant" in Activity.objects.get(severity="danger").text


def test_a_login_without_accounts_says_what_to_do(exchange, owner: User):
    with pytest.raises(ConsentFailed, match="API access"):
        connect(owner, "empty")
    assert not Connection.objects.exists()


def test_a_person_without_confirmed_address_may_not_begin(exchange, bob: User):
    with pytest.raises(NotAllowed):
        connections.begin_connect(bob, Environment.PAPER)


def test_an_environment_without_client_id_is_refused(owner: User, settings):
    settings.BROKERS = settings.BROKERS | {"live": settings.BROKERS["live"] | {"client_id": ""}}
    with pytest.raises(InvalidInput, match="client id"):
        connections.begin_connect(owner, Environment.LIVE)


def test_two_people_may_connect_the_same_login_apart(exchange, owner: User, bob: User):
    confirm(bob)
    assert connect(owner).connection.pk != connect(bob).connection.pk


def test_disconnecting_forgets_the_tokens_and_keeps_the_accounts(exchange, owner: User):
    row = connect(owner).connection
    logins.disconnect(row, owner)
    row.refresh_from_db()
    assert (row.access_token, row.refresh_token, row.status) == ("", "", ConnectionStatus.DISCONNECTED)
    assert row.accounts.count() == 2
    assert connections.login_for_engine(row.pk) is None


def test_a_token_with_time_left_is_not_renewed(exchange, owner: User):
    row = connect(owner).connection
    expire_soon(row, minutes=16)
    assert logins.refresh_login(row.pk) is Refreshed.NOT_DUE


def test_a_renewal_rotates_both_tokens(exchange, owner: User):
    row = connect(owner).connection
    expire_soon(row, minutes=10)
    assert logins.refresh_login(row.pk) is Refreshed.RENEWED
    after = Connection.objects.get(pk=row.pk)
    assert after.refresh_token != row.refresh_token
    assert after.token_version == row.token_version + 1
    assert after.token_expires_at is not None
    assert after.token_expires_at > timezone.now() + timedelta(minutes=15)
    assert logins.refresh_login(row.pk) is Refreshed.NOT_DUE


def test_a_void_refresh_token_loses_the_login_and_says_so(exchange, owner: User):
    row = connect(owner).connection
    stolen = row.refresh_token
    expire_soon(row, minutes=10)
    logins.refresh_login(row.pk)
    expire_soon(row, minutes=10)
    Connection.objects.filter(pk=row.pk).update(refresh_token=stolen)
    assert logins.refresh_login(row.pk) is Refreshed.LOST
    row.refresh_from_db()
    assert row.status == ConnectionStatus.DISCONNECTED
    assert "invalid_grant" in row.status_reason
    assert Activity.objects.filter(severity="danger", text__contains="reconnect").count() == 1
    assert logins.refresh_login(row.pk) is Refreshed.NOT_DUE


def test_a_broker_that_is_away_leaves_the_login_waiting(exchange, owner: User, settings):
    row = connect(owner).connection
    expire_soon(row, minutes=-5)
    dead = settings.BROKERS["paper"] | {"token_url": "http://127.0.0.1:9/v1/auth/oauthtoken"}
    with override_settings(BROKERS=settings.BROKERS | {"paper": dead}):
        assert logins.refresh_login(row.pk) is Refreshed.LATER
    row.refresh_from_db()
    assert row.status == ConnectionStatus.REFRESHING
    assert logins.refresh_login(row.pk) is Refreshed.RENEWED


def test_tokens_that_do_not_open_lose_the_login(exchange, owner: User):
    row = connect(owner).connection
    Connection.objects.filter(pk=row.pk).update(refresh_token=row.access_token)
    expire_soon(row, minutes=10)
    assert logins.refresh_login(row.pk) is Refreshed.LOST


def test_without_a_refresh_token_the_access_token_is_renewed(exchange, owner: User):
    row = connect(owner).connection
    Connection.objects.filter(pk=row.pk).update(refresh_token="")
    expire_soon(row, minutes=10)
    assert logins.refresh_login(row.pk) is Refreshed.RENEWED


@pytest.mark.django_db(transaction=True)
def test_of_four_renewals_at_once_one_asks_the_broker():
    cache.clear()
    person = User.objects.create_user("race@example.org", "x")
    confirm(person)
    with connected_exchange():
        row = connect(person).connection
        expire_soon(row, minutes=10)
        outcomes: list[Refreshed] = []

        def renew() -> None:
            outcomes.append(logins.refresh_login(row.pk))
            database.close()

        threads = [Thread(target=renew) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert sorted(outcomes) == [Refreshed.NOT_DUE] * 3 + [Refreshed.RENEWED]
    row.refresh_from_db()
    assert row.status == ConnectionStatus.ACTIVE
