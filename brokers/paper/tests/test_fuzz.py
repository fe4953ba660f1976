"""Strangers' bodies, frames and OAuth parameters: clear answers, no 500, no stuck socket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from brokers.paper import bodies
from brokers.paper.testing import PASSWORD, RunningExchange, running_exchange
from brokers.paper.tests.client import SECONDS, Client, Socket
from brokers.paper.tests.conftest import CLIENTS, LOGINS
from brokers.paper.tests.test_login import CALLBACK

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
ENDPOINTS = [
    "account/list",
    "account/item",
    "auth/accesstokenrequest",
    "auth/me",
    "auth/oauthtoken",
    "auth/renewaccesstoken",
    "cashBalance/changedemobalance",
    "cashBalance/getcashbalancesnapshot",
    "contract/find",
    "contract/getproductfeeparams",
    "contract/rollcontract",
    "contract/suggest",
    "md/subscribeDOM",
    "md/subscribeQuote",
    "md/unsubscribeQuote",
    "order/cancelorder",
    "order/liquidateposition",
    "order/liquidatepositions",
    "order/modifyorder",
    "order/placeoco",
    "order/placeorder",
    "order/placeoso",
    "orderVersion/ldeps",
    "user/syncrequest",
]
MEMBERS = [
    *(
        "accountId",
        "accountSpec",
        "action",
        "symbol",
        "orderQty",
        "orderType",
        "price",
        "stopPrice",
        "maxShow",
    ),
    *(
        "pegDifference",
        "timeInForce",
        "expireTime",
        "text",
        "clOrdId",
        "activationTime",
        "customTag50",
        "orderId",
    ),
    *("isAutomated", "other", "bracket1", "bracket2", "id", "ids", "masterid", "masterids", "name", "t", "l"),
    *(
        "users",
        "accounts",
        "entityTypes",
        "splitResponses",
        "contractId",
        "positions",
        "productIds",
        "password",
    ),
    *("cashChange", "accountIds", "grant_type", "code", "refresh_token", "client_id", "httpAuth", "p-ticket"),
]
# What a header may carry: HTTP itself refuses control characters.
LATIN = st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"])
# Values that programs really send, and those at which they usually break.
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=70),
    st.sampled_from(
        [
            "Buy",
            "Sell",
            "MESZ6",
            "Limit",
            "Stop",
            "Market",
            "GTD",
            "A-1",
            "1e400",
            "NaN",
            "-0",
            "\0",
            "\ud800",
            "1,2,,x",
        ]
    ),
)
VALUES = st.one_of(ODD, st.lists(ODD, max_size=4), st.dictionaries(st.sampled_from(MEMBERS), ODD, max_size=5))
MANY = st.dictionaries(st.one_of(st.sampled_from(MEMBERS), st.text(max_size=8)), VALUES, max_size=10)
# Mostly a good order, so that what is odd about it gets past the first check.
ORDERS = MANY.map(
    lambda odd: (
        {"accountSpec": "A-1", "action": "Buy", "symbol": "MESZ6", "orderQty": 1, "orderType": "Market"} | odd
    )
)


@pytest.fixture(scope="module")
def exchange() -> Iterator[RunningExchange]:
    """One exchange for all of these requests."""
    with running_exchange(logins=LOGINS, clients=CLIENTS) as running:
        running.set_price("MESZ6", "5050.00")
        yield running


@pytest.fixture(scope="module")
def alice(exchange: RunningExchange) -> Iterator[Client]:
    """Alice, who sends what nobody should."""
    with Client(exchange, "alice") as client:
        yield client
        assert exchange.exchange.failures == 0


@pytest.fixture(scope="module")
def socket(alice: Client) -> Socket:
    """One socket for all frames: none of them may end it."""
    return alice.socket(sync=False)


def clear(answer: requests.Response) -> None:
    assert answer.status_code in (200, 400, 401, 404), (answer.status_code, answer.text)
    if answer.status_code == 200:
        body = json.loads(answer.text, parse_constant=pytest.fail)
        for violation in body.get("violations", []) if isinstance(body, dict) else []:
            assert violation["description"]


@FEW
@given(endpoint=st.sampled_from(ENDPOINTS), body=st.one_of(MANY, ORDERS))
@example(endpoint="order/placeorder", body={"accountSpec": "\0"})
@example(endpoint="order/placeorder", body={"text": "\ud800"})
@example(endpoint="auth/accesstokenrequest", body={"name": "\udfff", "password": "x"})
@example(endpoint="contract/suggest", body={"t": "M", "l": -5})
def test_any_json_object_is_answered_clearly(alice: Client, endpoint: str, body: dict[str, Any]) -> None:
    url = f"{alice.exchange.base_url}/{endpoint}"
    clear(alice.session.post(url, data=json.dumps(body).encode(), timeout=SECONDS))


@FEW
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    query=st.dictionaries(st.sampled_from(MEMBERS), st.text(max_size=40), max_size=5),
)
def test_any_query_is_answered_clearly(alice: Client, endpoint: str, query: dict[str, str]) -> None:
    given_ = {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}
    clear(alice.session.get(f"{alice.exchange.base_url}/{endpoint}", params=given_, timeout=SECONDS))


@FEW
@given(
    raw=st.binary(max_size=200),
    kind=st.sampled_from(
        [
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain; charset=utf-7",
            "application/json; charset=nonsense",
            "multipart/form-data; boundary=x",
            "",
        ]
    ),
)
@example(raw=b"[" * 100_000, kind="application/json")
@example(raw=b'{"a":' * 50_000, kind="application/json")
@example(raw=b'{"orderQty":' + b"9" * 5_000 + b"}", kind="application/json")
@example(raw=b"\x81", kind="application/json; charset=utf-8")
def test_any_bytes_of_any_kind_are_answered_clearly(alice: Client, raw: bytes, kind: str) -> None:
    url = f"{alice.exchange.base_url}/order/placeorder"
    clear(alice.session.post(url, data=raw, headers={"Content-Type": kind}, timeout=SECONDS))


@FEW
@given(
    token=st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"]), max_size=80)
)
def test_any_token_is_denied(alice: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
    answer = requests.get(f"{alice.exchange.base_url}/account/list", headers=headers, timeout=SECONDS)
    assert (answer.status_code, answer.text) == (401, "Access is denied")


@FEW
@given(
    endpoint=st.one_of(st.sampled_from(ENDPOINTS), st.text(max_size=30)),
    number=st.one_of(st.integers(-(2**70), 2**70).map(str), st.text(max_size=12)),
    query=st.text(max_size=40),
    body=st.one_of(MANY.map(json.dumps), ORDERS.map(json.dumps), st.text(max_size=60)),
)
@example(endpoint="authorize", number="5", query="", body="\u0660.\u0661.\u0662")
@example(endpoint="order/placeorder", number="5", query="", body="[" * 100_000)
@example(endpoint="", number="9" * 5_000, query="", body="")
def test_any_frame_is_answered_or_ignored_and_the_socket_goes_on(
    socket: Socket, endpoint: str, number: str, query: str, body: str
) -> None:
    frame = "\n".join((endpoint, number, query, body)).encode("utf-8", "replace").decode()
    socket.send_raw(frame)
    request = bodies.socket_request(frame)
    if request is not None and frame.strip() != "[]":
        answer = socket.reply(request.request_id)
        assert answer["s"] in (200, 400, 401, 404), answer
    assert len(socket.ask("account/list", 2**60)) == 2


@FEW
@given(
    form=st.dictionaries(
        st.sampled_from(
            ["grant_type", "code", "refresh_token", "client_id", "client_secret", "redirect_uri", "httpAuth"]
        ),
        st.one_of(
            st.text(max_size=30),
            st.sampled_from(["app", "app-secret", "authorization_code", "refresh_token", "\0"]),
        ),
    ),
    as_json=st.booleans(),
)
@example(form={"client_id": "app", "client_secret": "app-secret", "grant_type": "\0"}, as_json=True)
def test_any_token_request_is_refused_with_200_and_an_error(
    exchange: RunningExchange, form: dict[str, str], as_json: bool
) -> None:
    url = f"{exchange.root_url}/auth/oauthtoken"
    plain = {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}
    answer = requests.post(
        url, timeout=SECONDS, json=plain if as_json else None, data=None if as_json else plain
    )
    assert answer.status_code == 200
    assert {"error", "error_description"} <= set(answer.json()) or answer.json()["violations"]


@FEW
@given(
    query=st.dictionaries(
        st.sampled_from(
            [
                "client_id",
                "redirect_uri",
                "state",
                "response_type",
                "code_challenge",
                "code_challenge_method",
                "scope",
            ]
        ),
        st.one_of(
            st.text(max_size=30),
            st.sampled_from(["app", CALLBACK, "code", "S256", "plain", "\0", "\r\nX: y"]),
        ),
    ),
    form=st.dictionaries(
        st.sampled_from(["name", "password", "decision"]),
        st.one_of(st.text(max_size=20), st.sampled_from(["alice", PASSWORD, "allow", "deny", "\0"])),
    ),
)
@example(
    query={"client_id": "app", "redirect_uri": CALLBACK, "state": "\r\nSet-Cookie: a=b"},
    form={"decision": "deny"},
)
@example(query={"client_id": "\0"}, form={})
def test_consent_page_redirects_to_registered_addresses_only(
    exchange: RunningExchange, query: dict[str, str], form: dict[str, str]
) -> None:
    asked = {name: value.encode("utf-8", "replace") for name, value in query.items()}
    filled = {name: value.encode("utf-8", "replace") for name, value in form.items()}
    url = f"{exchange.root_url}/oauth"
    shown = requests.get(url, params=asked, allow_redirects=False, timeout=SECONDS)
    sent = requests.post(url, params=asked, data=filled, allow_redirects=False, timeout=SECONDS)
    for answer in (shown, sent):
        assert answer.status_code in (200, 302, 400)
        assert answer.headers.get("Location", CALLBACK).startswith(CALLBACK)
        assert "Set-Cookie" not in answer.headers


def test_torn_consent_forms_are_like_empty_ones(exchange: RunningExchange) -> None:
    query = {"client_id": "app", "redirect_uri": CALLBACK}
    for kind, raw in (
        ("multipart/form-data; boundary=x", b"--y\r\n"),
        ("application/x-www-form-urlencoded", b"\xff=\xfe"),
    ):
        headers = {"Content-Type": kind}
        url = f"{exchange.root_url}/oauth"
        answer = requests.post(
            url, params=query, data=raw, headers=headers, allow_redirects=False, timeout=SECONDS
        )
        assert answer.status_code == 302
        assert "access_denied" in answer.headers["Location"]
