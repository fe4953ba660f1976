"""Tokens against the paper exchange: renewed by one, lost, and what is said about it."""

from datetime import timedelta
from threading import Thread

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test import override_settings
from django.utils import timezone

from accounts.models import AuditEvent, Notice, User
from accounts.tests.factories import confirm
from brokers.models import (
    Connection,
    ConnectionStatus,
    EndpointCall,
)
from brokers.services import tokens
from brokers.services.tokens import Refreshed
from syncgroups.engine.plans import settings_of
from syncgroups.models import Activity
from syncgroups.services import logins
from syncgroups.tests.paper import connect, connected_exchange, expire_soon
from tradehaven.domain.enums import NoticeKind
from tradehaven.domain.errors import RequestRejected
from tradehaven.domain.ids import OwnerId


@pytest.fixture
def exchange(db: None):
    cache.clear()
    with connected_exchange() as running:
        yield running


@pytest.fixture
def owner(alice: User) -> User:
    confirm(alice)
    return alice


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


def test_a_token_that_was_refused_early_is_renewed_once(exchange, owner: User):
    row = connect(owner).connection
    assert logins.refresh_login(row.pk, refused=row.token_version) is Refreshed.RENEWED
    # Whoever was refused with the old one finds the new one already there.
    assert logins.refresh_login(row.pk, refused=row.token_version) is Refreshed.NOT_DUE


def test_a_renewal_that_somebody_has_begun_is_left_to_them_until_they_are_taken_for_dead(
    exchange, owner: User
):
    row = connect(owner).connection
    expire_soon(row, minutes=10)
    Connection.objects.filter(pk=row.pk).update(renewing_since=timezone.now() - timedelta(seconds=59))
    assert logins.refresh_login(row.pk) is Refreshed.UNDER_WAY
    Connection.objects.filter(pk=row.pk).update(renewing_since=timezone.now() - timedelta(seconds=61))
    assert logins.refresh_login(row.pk) is Refreshed.RENEWED
    assert Connection.objects.get(pk=row.pk).renewing_since is None


@pytest.mark.parametrize("fails", [False, True])
def test_a_login_that_moved_on_during_its_renewal_keeps_what_it_has(
    exchange, owner: User, monkeypatch: pytest.MonkeyPatch, fails: bool
):
    row = connect(owner).connection
    expire_soon(row, minutes=10)
    original = tokens._ask_for_tokens

    def meanwhile(asked: Connection) -> object:
        found = original(asked)
        connect(owner)  # the owner reconnects while the broker thinks
        if fails:
            raise RequestRejected("invalid_grant", "rotated away")
        return found

    monkeypatch.setattr(tokens, "_ask_for_tokens", meanwhile)
    assert logins.refresh_login(row.pk) is Refreshed.NOT_DUE
    after = Connection.objects.get(pk=row.pk)
    assert (after.status, after.token_version) == (ConnectionStatus.ACTIVE, row.token_version + 1)


def test_a_login_that_was_disconnected_during_its_renewal_stays_so(
    exchange, owner: User, monkeypatch: pytest.MonkeyPatch
):
    row = connect(owner).connection
    expire_soon(row, minutes=10)
    original = tokens._ask_for_tokens

    def meanwhile(asked: Connection) -> object:
        found = original(asked)
        logins.disconnect(row, owner)
        return found

    monkeypatch.setattr(tokens, "_ask_for_tokens", meanwhile)
    assert logins.refresh_login(row.pk) is Refreshed.NOT_DUE
    after = Connection.objects.get(pk=row.pk)
    assert (after.status, after.access_token) == (ConnectionStatus.DISCONNECTED, "")


def test_renewals_without_refresh_tokens_keep_to_what_the_address_may_ask(exchange, owner: User):
    row = connect(owner).connection
    Connection.objects.filter(pk=row.pk).update(refresh_token="")
    expire_soon(row, minutes=10)
    assert logins.refresh_login(row.pk) is Refreshed.RENEWED
    expire_soon(row, minutes=10)
    assert logins.refresh_login(row.pk) is Refreshed.LATER  # fifteen seconds must lie between two
    after = Connection.objects.get(pk=row.pk)
    assert after.status == ConnectionStatus.REFRESHING
    assert after.silent_until is None  # the address waits, not the login
    EndpointCall.objects.update(at=timezone.now() - timedelta(seconds=16))
    assert logins.refresh_login(row.pk) is Refreshed.RENEWED


def test_losing_a_login_is_written_down_audited_and_mailed(exchange, owner: User):
    row = connect(owner).connection
    Connection.objects.filter(pk=row.pk).update(refresh_token=row.access_token)
    expire_soon(row, minutes=10)
    assert logins.refresh_login(row.pk) is Refreshed.LOST
    assert Notice.objects.get(owner=owner).kind == NoticeKind.CONNECTION_LOST
    actions = set(AuditEvent.objects.filter(owner=owner).values_list("action", flat=True))
    assert actions == {"connected", "connection_lost"}
    assert settings_of(OwnerId(owner.pk)).logins == ()  # the engine lets its accounts go


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
    assert outcomes.count(Refreshed.RENEWED) == 1
    assert set(outcomes) <= {Refreshed.RENEWED, Refreshed.UNDER_WAY, Refreshed.NOT_DUE}
    row.refresh_from_db()
    assert row.status == ConnectionStatus.ACTIVE
