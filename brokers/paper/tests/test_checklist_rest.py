"""Checklist for paper servers, parts REST and Auth (protocol 19): one test for each line, named by it."""

import base64
import json
from datetime import UTC, datetime

import pytest
import requests

from brokers.paper.reads import OPERATIONS
from brokers.paper.testing import PASSWORD, RunningExchange
from brokers.paper.tests.client import Client
from brokers.paper.tests.test_login import authorize, code_of, exchange_code, refresh


def claims(token: str) -> dict[str, object]:
    head, middle, signature = token.split(".")
    assert head
    assert signature
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


def test_bodies_are_json_or_forms_with_text_for_numbers_and_null_for_nothing(alice: Client) -> None:
    """CUL posts forms, DEA sends every optional member as null."""
    url = f"{alice.exchange.base_url}/order/placeorder"
    order = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6", "orderType": "Limit"}
    form = {**order, "accountId": str(order["accountId"]), "orderQty": "2", "price": "5000.5"}
    number = alice.session.post(url, data={**form, "isAutomated": "true"}, timeout=5).json()["orderId"]
    assert alice.get("orderVersion/item", id=number)["orderQty"] == 2
    assert alice.get("command/item", id=number)["isAutomated"] is True
    absent = ("stopPrice", "maxShow", "pegDifference", "timeInForce", "expireTime", "text", "clOrdId")
    body = {**order, "orderQty": "1", "price": "5000.5", **dict.fromkeys((*absent, "activationTime"))}
    assert (
        alice.post("order/placeorder", {**body, "customTag50": None, "isAutomated": "false"})["orderId"] > 0
    )


def test_extra_members_are_ignored(alice: Client) -> None:
    """DSP names the account on modify and cancel too."""
    number = alice.place(orderType="Limit", price=5000, colour="blue", nested={"a": [1]})["orderId"]
    extra = {"accountSpec": "A-1", "accountId": alice.accounts["A-1"], "unheard": 1}
    terms = {"orderId": number, "orderQty": 1, "orderType": "Limit", "price": 5001}
    assert alice.post("order/modifyorder", {**terms, **extra})["commandId"] > number
    assert alice.post("order/cancelorder", {"orderId": number, **extra})["commandId"] > number


def test_trailing_question_mark_without_a_query_is_accepted(alice: Client) -> None:
    """TS."""
    url = f"{alice.exchange.base_url}/account/list?"
    answer = requests.Request("GET", url, headers=dict(alice.session.headers)).prepare()
    answer.url = url
    assert len(alice.session.send(answer, timeout=5).json()) == 2


@pytest.mark.parametrize(
    "entity", sorted(name for name, verbs in OPERATIONS.items() if "list" in verbs.split())
)
def test_every_list_answers_get_and_post(alice: Client, entity: str) -> None:
    url = f"{alice.exchange.base_url}/{entity}/list"
    got, posted = alice.session.get(url, timeout=5), alice.session.post(url, timeout=5)
    assert got.status_code == posted.status_code == 200
    assert got.json() == posted.json()


def test_parameters_come_by_query_or_body_with_either_method(alice: Client) -> None:
    account = alice.accounts["A-1"]
    assert alice.get("account/item", id=account)["id"] == account
    assert alice.post("account/item", {"id": account})["id"] == account
    assert alice.post(f"account/item?id={account}", {})["id"] == account
    cash = alice.get("cashBalance/getcashbalancesnapshot", accountId=account)
    assert cash == alice.post("cashBalance/getcashbalancesnapshot", {"accountId": account})


def test_replies_are_json_and_refusals_are_empty_or_plain(alice: Client, exchange: RunningExchange) -> None:
    url = exchange.base_url
    kinds = {
        name: alice.session.get(f"{url}/{name}", timeout=5)
        for name in ("account/list", "no/such", "order/item")
    }
    assert kinds["account/list"].headers["Content-Type"].startswith("application/json")
    for name in ("no/such", "order/item"):
        assert (kinds[name].status_code, kinds[name].text) == (404, "")
    denied = requests.get(f"{url}/account/list", timeout=5)
    assert (denied.status_code, denied.text) == (401, "Access is denied")
    assert denied.headers["Content-Type"].startswith("text/plain")
    alice.operator("trouble", login="alice", kind="limit")
    limited = alice.session.get(f"{url}/account/list", timeout=5)
    assert (limited.status_code, limited.text) == (429, "")


def test_browsers_get_cors_headers_on_every_answer_and_to_options(alice: Client) -> None:
    url = alice.exchange.base_url
    headers = {
        "Origin": "https://chart.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = requests.options(f"{url}/order/placeorder", headers=headers, timeout=5)
    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    for path in ("account/list", "no/such", "order/item"):
        answer = alice.session.get(f"{url}/{path}", timeout=5)
        assert answer.headers["Access-Control-Allow-Origin"] == "*", path
    unreadable = alice.session.post(f"{url}/order/placeorder", data="{", timeout=5)
    assert (unreadable.status_code, unreadable.headers["Access-Control-Allow-Origin"]) == (400, "*")


def test_unknown_members_of_a_query_are_ignored(alice: Client) -> None:
    alice.place()
    assert len(alice.get("position/list", accountId=1, unheard="x")) == 1


def test_log_in_and_renewal_give_both_tokens_as_jwt_and_both_open_everything(alice: Client) -> None:
    for answer in (alice.login, alice.get("auth/renewaccesstoken")):
        for token in (answer["accessToken"], answer["mdAccessToken"]):
            found = claims(token)
            assert found["sub"] == str(alice.user_id)
            expires = datetime.fromisoformat(answer["expirationTime"])
            assert datetime.fromtimestamp(int(str(found["exp"])), UTC) == expires
            headers = {"Authorization": f"Bearer {token}"}
            url = f"{alice.exchange.base_url}/account/list"
            assert len(requests.get(url, headers=headers, timeout=5).json()) == 2


def test_expiry_has_milliseconds_and_z(alice: Client) -> None:
    """TPY cuts the last eight characters and reads the rest."""
    text = alice.login["expirationTime"]
    assert text[-1] == "Z"
    assert text[-5] == "."
    assert datetime.strptime(text[:-8], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC) > datetime.now(UTC)  # noqa: TID251


def test_log_in_says_who_came_in_which_state_and_whether_live(alice: Client) -> None:
    login = alice.login
    assert (login["name"], login["userStatus"]) == ("alice", "Active")
    assert login["userId"] == alice.user_id
    assert isinstance(login["hasLive"], bool)


def test_transformed_password_is_refused_with_a_text_and_the_plain_one_then_works(
    exchange: RunningExchange,
) -> None:
    """MOT tries the web platform's form first and falls back when it reads `errorText`."""
    url = f"{exchange.base_url}/auth/accesstokenrequest"
    web = {
        "name": "alice",
        "password": PASSWORD[::-1],
        "cid": 8,
        "sec": "hmac",
        "chl": "",
        "organization": "",
    }
    first = requests.post(url, json={**web, "appId": "tradovate_trader(web)", "enc": True}, timeout=5)
    assert first.status_code == 200
    assert first.json()["errorText"].startswith("Incorrect username or password")
    assert "accessToken" not in first.json()
    plain = {"name": "alice", "password": PASSWORD, "appId": "x", "appVersion": "1", "cid": "77", "sec": "s"}
    assert requests.post(url, json={**plain, "deviceId": "d"}, timeout=5).json()["accessToken"]


def test_who_am_i_the_list_of_users_and_oauth_with_rotation_are_there(
    alice: Client, exchange: RunningExchange
) -> None:
    assert alice.get("auth/me")["userId"] == alice.user_id
    assert [user["id"] for user in alice.get("user/list")] == [alice.user_id]
    tokens = exchange_code(exchange, code_of(authorize(exchange)))
    renewed = refresh(exchange, tokens["refresh_token"])
    assert renewed["refresh_token"] != tokens["refresh_token"]
    # Refused with HTTP 200: `refresh` would have told another status.
    assert refresh(exchange, tokens["refresh_token"])["error"] == "invalid_grant"
