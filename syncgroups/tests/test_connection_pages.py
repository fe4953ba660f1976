"""Settings > Connected accounts, from the button to the broker's consent page and back."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import User
from accounts.tests.factories import confirm
from brokers.models import Account, Connection, EndpointCall
from brokers.paper.testing import RunningExchange
from brokers.services import consents
from brokers.tests.factories import ConnectionFactory
from syncgroups.tests.paper import connected_exchange, consent
from syncgroups.tests.people import accounts
from tradehaven.domain.errors import (
    BrokerError,
    CredentialsRejected,
    ProtocolError,
    RateLimited,
    RequestRejected,
)

LIST = reverse("syncgroups:connections")
CONNECT = reverse("syncgroups:connect", args=["paper"])
CALLBACK = reverse("syncgroups:connect-callback")


@pytest.fixture
def exchange(alice: User) -> Iterator[RunningExchange]:
    confirm(alice)
    cache.clear()
    with connected_exchange() as running:
        yield running


def begin(client: Client, url: str = CONNECT) -> str:
    page = client.post(url).content.decode()
    found = re.search(r'href="(http[^"]+/oauth\?[^"]+)"', page)
    assert found
    return unescape(found.group(1))


def test_connecting_brings_the_accounts_to_the_page(exchange: RunningExchange, alice_client: Client):
    answer = alice_client.get(CALLBACK, consent(begin(alice_client)), follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [(LIST, 302)]
    assert "ALICE-1" in page
    assert "ALICE-2" in page


def test_the_permissions_are_shown_before_the_person_leaves(exchange: RunningExchange, alice_client: Client):
    page = alice_client.post(CONNECT).content.decode()
    for scope in ("account:read", "order:read", "order:write", "position:read"):
        assert scope in page


def test_denied_consent_ends_on_a_page_that_helps(exchange: RunningExchange, alice_client: Client):
    brought = consent(begin(alice_client), allow=False)
    assert brought["error"] == "access_denied"
    answer = alice_client.get(CALLBACK, brought)
    assert answer.status_code == 400
    assert "did not give TradeHaven access" in answer.content.decode()
    assert alice_client.get(CALLBACK, brought | {"code": "ac_x"}).status_code == 400


@pytest.mark.parametrize("query", [{}, {"state": "made-up", "code": "x"}, {"code": "x"}])
def test_a_state_that_this_browser_did_not_begin_is_refused(
    exchange: RunningExchange, alice_client: Client, query: dict[str, str]
):
    answer = alice_client.get(CALLBACK, query)
    assert answer.status_code == 400
    assert "not begun in this browser" in answer.content.decode()


def test_a_state_of_another_session_of_the_same_person_is_refused(
    exchange: RunningExchange, alice: User, alice_client: Client
):
    brought = consent(begin(alice_client))
    other = Client()
    other.force_login(alice)
    assert other.get(CALLBACK, brought).status_code == 400
    assert not Connection.objects.exists()


def test_coming_back_twice_is_refused_the_second_time(exchange: RunningExchange, alice_client: Client):
    brought = consent(begin(alice_client))
    assert alice_client.get(CALLBACK, brought).status_code == 302
    assert alice_client.get(CALLBACK, brought).status_code == 400
    assert Connection.objects.count() == 1


def test_a_code_that_the_broker_refuses_ends_on_a_page(exchange: RunningExchange, alice_client: Client):
    brought = consent(begin(alice_client)) | {"code": "ac_other"}
    answer = alice_client.get(CALLBACK, brought)
    assert answer.status_code == 400
    assert "did not hand out a token" in answer.content.decode()


def test_a_broker_that_is_away_ends_on_a_page(exchange: RunningExchange, alice_client: Client, settings):
    brought = consent(begin(alice_client))
    dead = settings.BROKERS["paper"] | {"token_url": "http://127.0.0.1:9/x"}
    with override_settings(BROKERS=settings.BROKERS | {"paper": dead}):
        answer = alice_client.get(CALLBACK, brought)
    assert answer.status_code == 400
    assert "The broker does not answer" in answer.content.decode()


def test_a_login_without_accounts_ends_on_a_page(exchange: RunningExchange, alice_client: Client):
    answer = alice_client.get(CALLBACK, consent(begin(alice_client), "empty"))
    assert answer.status_code == 400
    assert "no open account" in answer.content.decode()


def fails(client: Client, brought: dict[str, str], *words: str) -> str:
    """Come back with this, and expect a page that says so and stores nothing."""
    before = Connection.objects.count()
    answer = client.get(CALLBACK, brought)
    page = " ".join(unescape(answer.content.decode()).split())
    assert answer.status_code == 400
    assert "What to do" in page
    for word in words:
        assert word in page
    assert Connection.objects.count() == before
    return page


def test_a_plan_that_is_full_leads_to_the_billing_page(
    exchange: RunningExchange, alice: User, alice_client: Client
):
    accounts(alice, "A", "B")
    page = fails(
        alice_client, consent(begin(alice_client)), "Your plan is full", "Starter holds 3 and 2 are in use"
    )
    assert reverse("syncgroups:billing") in page


def test_a_login_of_another_person_says_so(
    exchange: RunningExchange, alice_client: Client, bob: User, bob_client: Client
):
    confirm(bob)
    alice_client.get(CALLBACK, consent(begin(alice_client)))
    page = fails(bob_client, consent(begin(bob_client)), "connected by another TradeHaven user")
    assert "alice@" not in page


def test_a_login_that_is_connected_already_gets_a_new_authorization(
    exchange: RunningExchange, alice_client: Client
):
    alice_client.get(CALLBACK, consent(begin(alice_client)))
    page = alice_client.get(CALLBACK, consent(begin(alice_client)), follow=True).content.decode()
    assert "known already" in page
    assert Connection.objects.count() == 1


def test_a_wrong_client_secret_names_the_setting(exchange: RunningExchange, alice_client: Client, settings):
    brought = consent(begin(alice_client))
    wrong = settings.BROKERS["paper"] | {"client_secret": "wrong"}
    with override_settings(BROKERS=settings.BROKERS | {"paper": wrong}):
        fails(alice_client, brought, "PAPER_CLIENT_ID", CALLBACK, "invalid_client")


def test_a_clock_that_is_wrong_is_said(
    exchange: RunningExchange, alice_client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(consents, "SKEW_LIMIT", timedelta(minutes=-1))
    fails(alice_client, consent(begin(alice_client)), "This server's clock", "NTP")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CredentialsRejected("Access is denied"), "API access"),
        (RateLimited("429", retry_after=3600), "takes no calls"),
        (ProtocolError("garbage"), "could not be read"),
        (RequestRejected("Http400", "no"), "did not hand out a token"),
    ],
)
def test_what_the_broker_says_of_the_login_ends_on_a_page(
    exchange: RunningExchange,
    alice_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    error: BrokerError,
    words: str,
):
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr("brokers.tradovate.rest.me", refuse)
    fails(alice_client, consent(begin(alice_client)), words)


def test_an_address_that_has_failed_too_often_asks_no_more(exchange: RunningExchange, alice_client: Client):
    host = exchange.base_url.split("/")[2]
    now = timezone.now()
    for minutes in range(10):
        EndpointCall.objects.create(host=host, operation="auth/me", at=now - timedelta(minutes=minutes + 1))
    fails(alice_client, consent(begin(alice_client)), "takes no calls")


@pytest.mark.parametrize(
    ("error", "words"),
    [("server_error", "does not answer"), ("unauthorized_client", "PAPER_CLIENT_ID"), ("", "said no")],
)
def test_a_broker_that_sends_back_an_error_ends_on_a_page(
    exchange: RunningExchange, alice_client: Client, error: str, words: str
):
    state = parse_qs(urlsplit(begin(alice_client)).query)["state"][0]
    fails(alice_client, {"state": state, "error": error}, words)


def test_an_authorization_that_is_older_than_ten_minutes_is_said(
    exchange: RunningExchange, alice_client: Client
):
    brought = consent(begin(alice_client))
    cache.clear()
    fails(alice_client, brought, "older than ten minutes", "you are done")


def test_a_browser_that_was_handed_over_is_refused(
    exchange: RunningExchange, alice_client: Client, bob: User
):
    confirm(bob)
    brought = consent(begin(alice_client))
    consent_states = alice_client.session["consent_states"]
    other = Client()
    other.force_login(bob)
    session = other.session
    session["consent_states"] = consent_states
    session.save()
    fails(other, brought, "begun by somebody else")


def test_a_cache_that_is_away_ends_on_a_page(
    exchange: RunningExchange, alice_client: Client, monkeypatch: pytest.MonkeyPatch
):
    brought = consent(begin(alice_client))

    def fail(*_: object) -> None:
        raise RedisError("no route")

    monkeypatch.setattr(consents, "cache", SimpleNamespace(get=fail, set=fail))
    fails(alice_client, brought, "That is our fault")
    assert "That is our fault" in alice_client.post(CONNECT).content.decode()


def test_looking_for_accounts_brings_in_a_new_one(exchange: RunningExchange, alice_client: Client):
    alice_client.get(CALLBACK, consent(begin(alice_client)))
    row = Connection.objects.get()
    row.accounts.filter(name="ALICE-2").delete()
    look = reverse("syncgroups:look", args=[row.pk])
    assert "1 new, 0 gone" in alice_client.post(look, follow=True).content.decode()
    assert "No account has come or gone" in alice_client.post(look, follow=True).content.decode()


def test_an_account_that_vanished_is_shown_as_inactive(alice: User, alice_client: Client):
    (account,) = accounts(alice, "A")
    Account.objects.filter(pk=account.pk).update(active=False, standing="gone")
    assert "Inactive: not under this login any more" in alice_client.get(LIST).content.decode()


def test_reconnecting_as_somebody_else_is_said(exchange: RunningExchange, alice_client: Client):
    alice_client.get(CALLBACK, consent(begin(alice_client)))
    first = Connection.objects.get()
    again = begin(alice_client, reverse("syncgroups:reconnect", args=[first.pk]))
    page = alice_client.get(CALLBACK, consent(again, "second"), follow=True).content.decode()
    assert "still waits to be reconnected" in page
    assert Connection.objects.count() == 2


def test_no_token_is_ever_on_the_page(exchange: RunningExchange, alice_client: Client):
    alice_client.get(CALLBACK, consent(begin(alice_client)))
    row = Connection.objects.get()
    page = alice_client.get(LIST).content.decode()
    assert row.access_token not in page
    assert row.refresh_token not in page


def test_an_environment_without_client_id_is_disabled_with_the_reason(alice_client: Client, alice: User):
    confirm(alice)
    page = alice_client.get(LIST).content.decode()
    assert "<code>TRADOVATE_LIVE_CLIENT_ID</code>" in page
    assert "<code>TRADOVATE_DEMO_CLIENT_ID</code>" in page
    answer = alice_client.post(reverse("syncgroups:connect", args=["demo"]))
    assert answer.status_code == 400
    assert "An operator sets TRADOVATE_DEMO_CLIENT_ID" in answer.content.decode()


def test_an_environment_that_does_not_exist_is_not_found(alice_client: Client):
    assert alice_client.post(reverse("syncgroups:connect", args=["moon"])).status_code == 404


def test_an_unconfirmed_person_cannot_begin(alice_client: Client):
    assert "disabled" in alice_client.get(LIST).content.decode()
    assert alice_client.post(CONNECT).status_code == 403


def test_disconnecting_keeps_the_row(alice_client: Client, alice: User):
    (account,) = accounts(alice, "A")
    url = reverse("syncgroups:disconnect", args=[account.connection_id])
    assert alice_client.post(url).headers["Location"] == LIST
    assert Connection.objects.get().status == "disconnected"


@pytest.mark.parametrize("name", ["syncgroups:reconnect", "syncgroups:disconnect", "syncgroups:look"])
def test_doors_of_a_login(alice: User, alice_client: Client, bob_client: Client, client: Client, name: str):
    row = ConnectionFactory.create(owner=alice)
    url = reverse(name, args=[row.pk])
    assert bob_client.post(url).status_code == 404
    assert client.post(url).headers["Location"].startswith("/accounts/login/")
    assert alice_client.get(url).status_code == 405
    row.refresh_from_db()
    assert row.status == "active"


def test_doors_of_the_page(client: Client, alice_client: Client, bob_client: Client, alice: User):
    ConnectionFactory.create(owner=alice, name="alices-login")
    assert client.get(LIST).status_code == 302
    assert client.get(CALLBACK).status_code == 302
    assert alice_client.post(LIST).status_code == 405
    assert alice_client.post(CALLBACK).status_code == 405
    assert "alices-login" in alice_client.get(LIST).content.decode()
    assert "alices-login" not in bob_client.get(LIST).content.decode()
