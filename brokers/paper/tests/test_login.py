"""Log-in by password and by OAuth: tokens, renewal, expiry, consent, rotation."""

import base64
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.utils.timezone import now

from brokers.paper.codec import parse_instant
from brokers.paper.testing import PASSWORD, RunningExchange, running_exchange
from brokers.paper.tests.client import Client, Socket
from brokers.paper.tests.conftest import CLIENTS, LOGINS
from brokers.paper.tokens import challenge

CALLBACK = CLIENTS["app"][1]


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.start = now()
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return self.start + self.ahead


def claims(token: str) -> dict[str, object]:
    middle = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


def authorize(exchange: RunningExchange, *, decision: str = "allow", password: str = PASSWORD, **more: str):
    query = {"response_type": "code", "client_id": "app", "redirect_uri": CALLBACK, "state": "s&1", **more}
    form = {"name": "alice", "password": password, "decision": decision}
    url = f"{exchange.root_url}/oauth"
    return requests.post(url, params=query, data=form, allow_redirects=False, timeout=5)


def code_of(answer: requests.Response) -> str:
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["state"] == ["s&1"]
    return query["code"][0]


def exchange_code(exchange: RunningExchange, code: str, **more: str) -> dict[str, Any]:
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": "app",
        "client_secret": "app-secret",
        **more,
    }
    answer = requests.post(f"{exchange.root_url}/auth/oauthtoken", data=body, timeout=5)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def refresh(exchange: RunningExchange, token: str) -> dict[str, Any]:
    body = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"}
    url = f"{exchange.base_url}/auth/oauthtoken"
    found: dict[str, Any] = requests.post(url, json={**body, "client_secret": "app-secret"}, timeout=5).json()
    return found


def test_login_answers_two_consistent_tokens(alice: Client) -> None:
    login = alice.login
    assert login == login | {"name": "alice", "userStatus": "Active", "hasLive": False}
    for token in (login["accessToken"], login["mdAccessToken"]):
        assert token.count(".") == 2
        assert claims(token)["sub"] == str(login["userId"])
        assert claims(token)["exp"] == parse_instant(login["expirationTime"]).timestamp()
    assert login["expirationTime"].endswith(".000Z")


def test_wrong_password_and_unknown_name_are_told_in_the_same_words(exchange: RunningExchange) -> None:
    url = f"{exchange.base_url}/auth/accesstokenrequest"
    answers = [
        requests.post(url, json={"name": name, "password": "wrong"}, timeout=5)
        for name in ("alice", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["errorText"].startswith("Incorrect username or password")
    assert requests.post(url, json={}, timeout=5).status_code == 400


def test_login_may_come_as_a_form(exchange: RunningExchange) -> None:
    url = f"{exchange.root_url}/auth/accesstokenrequest"
    answer = requests.post(url, data={"name": "alice", "password": PASSWORD, "cid": "8"}, timeout=5)
    assert "accessToken" in answer.json()


def test_token_expires_for_real_and_renewal_prevents_it() -> None:
    clock = Clock()
    with running_exchange(logins=LOGINS, clock=clock, token_seconds=600) as exchange:
        with Client(exchange, "alice") as alice:
            clock.ahead = timedelta(seconds=500)
            renewed = alice.get("auth/renewaccesstoken")
            clock.ahead = timedelta(seconds=700)
            assert alice.status("account/list") == 401
            assert alice.status("auth/renewaccesstoken") == 401
            alice.session.headers["Authorization"] = f"Bearer {renewed['accessToken']}"
            assert alice.status("account/list") == 200


def test_me_says_who_the_caller_is(alice: Client) -> None:
    me = alice.get("auth/me")
    assert (me["userId"], me["name"]) == (alice.user_id, "alice")


def test_login_made_while_the_exchange_runs_is_noticed(exchange: RunningExchange) -> None:
    exchange.store.add_login("carol", PASSWORD, [("C-1", Decimal(1))])
    with Client(exchange, "carol") as carol:
        assert list(carol.accounts) == ["C-1"]


def test_consent_page_names_client_and_permissions(exchange: RunningExchange) -> None:
    query = {"response_type": "code", "client_id": "app", "redirect_uri": CALLBACK}
    page = requests.get(f"{exchange.root_url}/oauth", params=query, timeout=5)
    assert page.status_code == 200
    for words in ("app", "account:read", "order:read", "order:write", "position:read"):
        assert words in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_unregistered_client_or_address_is_never_redirected_to(exchange: RunningExchange) -> None:
    for wrong in ({"client_id": "other"}, {"redirect_uri": "http://evil.example/"}):
        answer = authorize(exchange, **wrong)
        assert answer.status_code == 400
        assert "Location" not in answer.headers


def test_denial_goes_back_with_access_denied_and_the_state(exchange: RunningExchange) -> None:
    answer = authorize(exchange, decision="deny")
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == {
        "error": ["access_denied"],
        "state": ["s&1"],
    }


def test_wrong_password_shows_the_page_again(exchange: RunningExchange) -> None:
    answer = authorize(exchange, password="wrong")
    assert answer.status_code == 200
    assert "Incorrect username or password" in answer.text


def test_code_buys_a_token_that_works_everywhere_but_only_once(exchange: RunningExchange) -> None:
    code = code_of(authorize(exchange))
    tokens = exchange_code(exchange, code)
    assert (tokens["token_type"], tokens["refresh_token_expires_in"]) == ("bearer", 1_209_600)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    accounts = requests.get(f"{exchange.base_url}/account/list", headers=headers, timeout=5).json()
    assert [account["name"] for account in accounts] == ["A-1", "A-2"]
    socket = Socket(exchange.socket_url)
    socket.send_raw(f"authorize\n1\n\n{tokens['access_token']}")
    assert socket.frame() == 'a[{"s":200,"i":1}]'
    socket.close()
    assert exchange_code(exchange, code)["error"] == "invalid_grant"


def test_code_is_bound_to_client_address_and_verifier(exchange: RunningExchange) -> None:
    verifier = "v" * 50
    proof = {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    wrong = exchange_code(exchange, code_of(authorize(exchange, **proof)), code_verifier="w" * 50)
    missing = exchange_code(exchange, code_of(authorize(exchange, **proof)))
    right = exchange_code(exchange, code_of(authorize(exchange, **proof)), code_verifier=verifier)
    assert (wrong["error"], missing["error"]) == ("invalid_grant", "invalid_grant")
    assert "access_token" in right
    elsewhere = exchange_code(exchange, code_of(authorize(exchange)), redirect_uri="http://other/")
    assert elsewhere["error"] == "invalid_grant"


def test_wrong_secret_and_unknown_grant_are_refused_with_200(exchange: RunningExchange) -> None:
    assert exchange_code(exchange, "x", client_secret="wrong")["error"] == "invalid_client"
    assert exchange_code(exchange, "x", grant_type="password")["error"] == "invalid_request"


def test_refresh_token_rotates_and_works_once(exchange: RunningExchange) -> None:
    first = exchange_code(exchange, code_of(authorize(exchange)))
    second = refresh(exchange, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(exchange, first["refresh_token"])["error"] == "invalid_grant"
    assert "access_token" in refresh(exchange, second["refresh_token"])


def test_code_and_refresh_token_expire() -> None:
    clock = Clock()
    with running_exchange(logins=LOGINS, clients=CLIENTS, clock=clock, refresh_seconds=100) as exchange:
        code, other = code_of(authorize(exchange)), code_of(authorize(exchange))
        tokens = exchange_code(exchange, code)
        clock.ahead = timedelta(seconds=101)
        assert exchange_code(exchange, other)["error"] == "invalid_grant"
        assert refresh(exchange, tokens["refresh_token"])["error"] == "invalid_grant"


def test_http_auth_member_stands_for_id_and_secret(exchange: RunningExchange) -> None:
    code = code_of(authorize(exchange))
    body = {"client_id": "", "client_secret": "", "httpAuth": "app:app-secret"}
    assert "access_token" in exchange_code(exchange, code, **body)


@pytest.mark.parametrize("form", ["{}", "Basic {}", "basic {}"])
def test_credentials_come_in_base64_in_the_member_or_the_header(exchange: RunningExchange, form: str) -> None:
    basic = form.format(base64.b64encode(b"app:app-secret").decode())
    code = code_of(authorize(exchange))
    none = {"client_id": "", "client_secret": ""}
    assert "access_token" in exchange_code(exchange, code, **none, httpAuth=basic)
    grant = {
        "grant_type": "authorization_code",
        "code": code_of(authorize(exchange)),
        "redirect_uri": CALLBACK,
    }
    url = f"{exchange.base_url}/auth/oauthtoken"
    answer = requests.post(url, data=grant, auth=("app", "app-secret"), timeout=5).json()
    assert answer["token_type"] == "bearer"
    assert "app-secret" not in str(exchange.log())


@pytest.mark.parametrize("basic", ["app", "Basic", "Basic !!!", "Basic YXBw", "Basic /w==", "app:wrong"])
def test_broken_credentials_are_an_invalid_client(exchange: RunningExchange, basic: str) -> None:
    headers = {"Authorization": basic}
    body = {"grant_type": "refresh_token", "httpAuth": basic}
    for answer in (
        requests.post(f"{exchange.base_url}/auth/oauthtoken", json=body, timeout=5),
        requests.post(f"{exchange.base_url}/auth/oauthtoken", json={}, headers=headers, timeout=5),
    ):
        assert (answer.status_code, answer.json()["error"]) == (200, "invalid_client")


def test_page_is_shown_to_nobody_unknown_and_offers_codes_only(exchange: RunningExchange) -> None:
    url = f"{exchange.root_url}/oauth"
    assert requests.get(url, params={"client_id": "other"}, timeout=5).status_code == 400
    query = {"response_type": "token", "client_id": "app", "redirect_uri": CALLBACK}
    answer = requests.get(url, params=query, allow_redirects=False, timeout=5)
    assert answer.headers["Location"] == f"{CALLBACK}?error=unsupported_response_type"
