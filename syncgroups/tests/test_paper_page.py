"""Settings > Paper exchange: the venue and the fire drill, for the owner's own paper logins."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from brokers.models import Account, Connection
from brokers.paper.testing import OPERATOR_TOKEN, PASSWORD, RunningExchange
from risk.models import Gate
from syncgroups.models import Activity, Follower
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.paper import connected_exchange
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import Environment

PAGE = reverse("syncgroups:paper")


@pytest.fixture
def exchange() -> Iterator[RunningExchange]:
    with connected_exchange() as running, override_settings(PAPER_OPERATOR_TOKEN=OPERATOR_TOKEN):
        running.set_price("MESZ6", "5050.00", size=9)
        yield running


@pytest.fixture
def login(exchange: RunningExchange, alice: User) -> Connection:
    """Alice's login on the exchange, with our rows of its accounts."""
    tokens = there(exchange)
    headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
    found = requests.get(f"{exchange.base_url}/account/list", headers=headers, timeout=5).json()
    rows = accounts(
        alice, *(account["name"] for account in found), broker_user_id=tokens["userId"], name="lead"
    )
    for row, account in zip(rows, found, strict=True):
        row.broker_account_id = account["id"]
        row.save()
    return rows[0].connection


def there(exchange: RunningExchange) -> dict[str, Any]:
    body = {"name": "alice", "password": PASSWORD}
    answer: dict[str, Any] = requests.post(
        f"{exchange.base_url}/auth/accesstokenrequest", json=body, timeout=5
    ).json()
    return answer


def state(exchange: RunningExchange, account: Account) -> bool:
    return exchange.call(lambda running: bool(running.state.next_rejects[account.broker_account_id]))


def test_the_page_shows_prices_book_and_own_accounts(
    exchange: RunningExchange, login: Connection, alice_client: Client
):
    page = alice_client.get(PAGE).content.decode()
    for text in (
        "lead",
        "ALICE-1",
        "ALICE-2",
        "$50,000.00",
        "MESZ6",
        "5050.00",
        "Book of MESZ6",
        "in no group",
    ):
        assert text in page
    assert page.count('role="switch"') == 6
    assert page.count('aria-checked="true"') == 0


def test_the_page_says_who_leads_and_who_follows(
    exchange: RunningExchange, login: Connection, alice_client: Client
):
    first, second = login.accounts.order_by("name")
    group = GroupFactory.create(owner=login.owner, leader=first, name="Micros")
    FollowerFactory.create(group=group, account=second)
    page = alice_client.get(PAGE).content.decode()
    assert "leads Micros" in page
    assert "follows Micros" in page
    assert (Follower.objects.count(), Gate.objects.exists()) == (1, True)


@pytest.mark.parametrize("drill", ["offline", "penalty"])
def test_a_login_is_switched_off_and_on_again(
    exchange: RunningExchange, login: Connection, alice_client: Client, drill: str
):
    for on, checked in ((True, 1), (False, 0)):
        name = "syncgroups:drill-login-on" if on else "syncgroups:drill-login-off"
        url = reverse(name, args=[login.pk, drill])
        assert alice_client.post(url).headers["Location"] == PAGE
        assert alice_client.get(PAGE).content.decode().count('aria-checked="true"') == checked
    texts = list(Activity.objects.order_by("pk").values_list("text", flat=True))
    assert len(texts) == 2
    assert texts[0].startswith("Fire drill on lead:")
    assert "called off" in texts[1]


@pytest.mark.parametrize("drill", ["reject", "partial"])
def test_an_account_is_switched_on_and_off(
    exchange: RunningExchange, login: Connection, alice_client: Client, drill: str
):
    account = login.accounts.order_by("name")[0]
    answer = alice_client.post(
        reverse("syncgroups:drill-on", args=[account.pk, drill]), headers={"HX-Request": "true"}
    )
    assert (answer.status_code, "toast" in answer.headers["HX-Trigger"]) == (204, True)
    page = alice_client.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert page.count('aria-checked="true"') == 1
    assert state(exchange, account) is (drill == "reject")
    alice_client.post(reverse("syncgroups:drill-off", args=[account.pk, drill]))
    assert state(exchange, account) is False


def test_a_login_that_the_exchange_has_forgotten_is_said(
    exchange: RunningExchange, alice: User, alice_client: Client
):
    accounts(alice, "OLD", name="gone")
    page = alice_client.get(PAGE).content.decode()
    assert "does not know this login any more" in page
    assert "OLD" not in page


def test_without_paper_logins_the_page_leads_to_connecting(
    exchange: RunningExchange, alice: User, alice_client: Client
):
    accounts(alice, "REAL", environment=Environment.LIVE)
    page = alice_client.get(PAGE).content.decode()
    assert "None of your logins is on the paper exchange" in page
    assert "REAL" not in page


def test_an_exchange_that_is_away_is_said_and_switches_fail_clearly(
    exchange: RunningExchange, login: Connection, alice_client: Client
):
    url = reverse("syncgroups:drill-login-on", args=[login.pk, "offline"])
    with override_settings(PAPER_OPERATOR_TOKEN="wrong"):
        assert "does not answer" in alice_client.get(PAGE).content.decode()
        assert alice_client.post(url).status_code == 502
    assert not Activity.objects.exists()


def test_without_an_operator_token_nothing_shows(
    exchange: RunningExchange, login: Connection, alice_client: Client
):
    connections = reverse("syncgroups:connections")
    assert PAGE in alice_client.get(connections).content.decode()
    with override_settings(PAPER_OPERATOR_TOKEN=""):
        assert PAGE not in alice_client.get(connections).content.decode()
        assert alice_client.get(PAGE).status_code == 404
        url = reverse("syncgroups:drill-login-on", args=[login.pk, "offline"])
        assert alice_client.post(url).status_code == 404


def test_a_stranger_meets_nothing_of_it(
    exchange: RunningExchange, login: Connection, bob: User, bob_client: Client, alice_client: Client
):
    account = login.accounts.order_by("name")[0]
    for name, pk, drill in (("drill-login-on", login.pk, "offline"), ("drill-on", account.pk, "reject")):
        assert bob_client.post(reverse(f"syncgroups:{name}", args=[pk, drill])).status_code == 404
    page = bob_client.get(PAGE).content.decode()
    assert "ALICE-1" not in page
    assert 'aria-checked="true"' not in alice_client.get(PAGE).content.decode()


def test_only_paper_logins_can_be_drilled(exchange: RunningExchange, alice: User, alice_client: Client):
    (account,) = accounts(alice, "REAL", environment=Environment.DEMO)
    login_url = reverse("syncgroups:drill-login-on", args=[account.connection_id, "offline"])
    assert alice_client.post(login_url).status_code == 404
    assert alice_client.post(reverse("syncgroups:drill-on", args=[account.pk, "reject"])).status_code == 404


@pytest.mark.parametrize(
    ("name", "drill"), [("drill-login-on", "reject"), ("drill-on", "offline"), ("drill-on", "plague")]
)
def test_a_drill_of_the_wrong_kind_does_not_exist(
    exchange: RunningExchange, login: Connection, alice_client: Client, name: str, drill: str
):
    pk = login.pk if name == "drill-login-on" else login.accounts.order_by("name")[0].pk
    assert alice_client.post(reverse(f"syncgroups:{name}", args=[pk, drill])).status_code == 404


def test_doors_of_the_page(
    exchange: RunningExchange, login: Connection, client: Client, alice_client: Client
):
    url = reverse("syncgroups:drill-login-on", args=[login.pk, "offline"])
    for door in (client.get(PAGE), client.post(url)):
        assert door.headers["Location"].startswith("/accounts/login/")
    assert alice_client.post(PAGE).status_code == 405
    assert alice_client.get(url).status_code == 405
