"""The traps of the transport that existing clients depend on (protocol 19, Transport)."""

import json
import time
from typing import Any

import pytest
import requests
import websocket

from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client, Socket
from brokers.paper.tests.conftest import LOGINS


@pytest.fixture
def socket(alice: Client) -> Socket:
    return alice.socket(sync=False)


def test_first_frame_is_open_even_when_the_client_spoke_first(alice: Client) -> None:
    raw = websocket.create_connection(alice.exchange.socket_url, timeout=5)
    raw.send(f"authorize\n0\n\n{alice.token}")
    assert [raw.recv(), raw.recv()] == ["o", 'a[{"s":200,"i":0}]']
    raw.close()


@pytest.mark.parametrize(
    "form", ["{}", '"{}"', "{}\n", "Bearer {}", "${}", '"Bearer {}"', "  {}  ", "bearer {}"]
)
def test_token_is_accepted_in_every_dress(alice: Client, form: str) -> None:
    socket = Socket(alice.exchange.socket_url)
    socket.send_raw("authorize\n7\n\n" + form.format(alice.token))
    assert socket.frame() == 'a[{"s":200,"i":7}]'
    socket.close()


def test_market_data_token_opens_the_same_doors(alice: Client) -> None:
    socket = Socket(alice.exchange.socket_url)
    socket.send_raw(f"authorize\n1\n\n{alice.login['mdAccessToken']}")
    assert socket.frame() == 'a[{"s":200,"i":1}]'
    assert len(socket.ask("account/list", 2)) == 2
    socket.close()


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "é.ü.ö"])
def test_bad_token_is_denied_with_a_text(exchange: RunningExchange, token: str) -> None:
    socket = Socket(exchange.socket_url)
    socket.send_raw(f"authorize\n1\n\n{token}")
    assert socket.message() == {"s": 401, "i": 1, "d": "Access is denied"}
    socket.close()


def test_forged_token_is_denied(alice: Client) -> None:
    head, _, signature = alice.token.rpartition(".")
    socket = Socket(alice.exchange.socket_url)
    socket.send_raw(f"authorize\n1\n\n{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}")
    assert socket.message()["s"] == 401
    socket.close()


def test_requests_before_authorisation_are_denied_and_those_after_it_served(alice: Client) -> None:
    socket = Socket(alice.exchange.socket_url)
    socket.send_raw("account/list\n5\n\n")
    assert socket.message() == {"s": 401, "i": 5, "d": "Access is denied"}
    socket.send_raw(f"authorize\n1\n\n{alice.token}")
    socket.send_raw("account/list\n6\n\n")
    assert socket.frame() == 'a[{"s":200,"i":1}]'
    assert socket.message()["i"] == 6
    socket.close()


def test_id_zero_and_repeated_ids_are_echoed(socket: Socket) -> None:
    for number in (0, 1, 1, 2**40, -3):
        assert len(socket.ask("account/list", number)) == 2


@pytest.mark.parametrize(
    "frame",
    [
        "account/list\n4",
        "account/list\n4\n",
        "account/list\n4\n\n",
        "account/list\n4\nundefined\nundefined",
        "account/list\n4\nnull\nnull",
        "/account/list\n4\n\n",
        "ACCOUNT/List\n4\n\n",
        "v1/account/list\n4\n\n{}",
        "/v1/account/list/\n4\n\n\n\n",
    ],
)
def test_missing_lines_and_odd_words_count_as_nothing(socket: Socket, frame: str) -> None:
    socket.send_raw(frame)
    reply = socket.message()
    assert (reply["s"], reply["i"], len(reply["d"])) == (200, 4, 2)


def test_body_may_have_line_ends_of_its_own(alice: Client, socket: Socket) -> None:
    body = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6", "orderQty": 1}
    text = json.dumps({**body, "orderType": "Market"}, indent=2)
    socket.send_raw(f"order/placeOrder\n9\n\n{text}")
    assert socket.reply(9)["d"]["orderId"] > 2**31


def test_heartbeats_are_swallowed_even_before_authorisation(alice: Client) -> None:
    socket = Socket(alice.exchange.socket_url)
    for _ in range(5):
        socket.send_raw("[]")
    socket.send_raw(f"authorize\n1\n\n{alice.token}")
    assert socket.frame() == 'a[{"s":200,"i":1}]'
    socket.close()


@pytest.mark.parametrize("frame", ["", "nonsense", "a\nb\nc\nd", "\n\n\n"])
def test_frames_without_an_id_are_ignored(socket: Socket, frame: str) -> None:
    socket.send_raw(frame)
    assert len(socket.ask("account/list", 3)) == 2


def test_authorising_again_is_welcome(alice: Client, socket: Socket) -> None:
    socket.send_raw(f"authorize\n8\n\n{alice.token}")
    assert socket.frame() == 'a[{"s":200,"i":8}]'


def test_read_takes_its_parameters_from_the_query_only(alice: Client, socket: Socket) -> None:
    account = alice.accounts["A-1"]
    assert socket.ask("account/item", 3, query=f"id={account}")["name"] == "A-1"
    socket.send_raw(f'account/item\n4\n\n{{"id":{account}}}')
    assert socket.message() == {"s": 404, "i": 4, "d": ""}


def test_unknown_endpoint_and_unreadable_body_are_told_apart(socket: Socket) -> None:
    socket.send_raw("order/dance\n3\n\n")
    assert socket.message() == {"s": 404, "i": 3, "d": ""}
    socket.send_raw("order/placeorder\n4\n\n{broken")
    assert socket.message() == {"s": 400, "i": 4, "d": ""}


def test_idle_socket_hears_a_heartbeat() -> None:
    with running_exchange(heartbeat=0.2) as exchange:
        raw = websocket.create_connection(exchange.socket_url, timeout=3)
        assert [raw.recv(), raw.recv()] == ["o", "h"]
        raw.close()


def test_silent_client_is_told_to_go_and_dropped() -> None:
    with running_exchange(heartbeat=0.2, silence_limit=0.3) as exchange:
        raw = websocket.create_connection(exchange.socket_url, timeout=3)
        frames = [raw.recv()]
        while frames[-1] in ("o", "h"):
            frames.append(raw.recv())
        assert frames[-1] == 'c[3000,"Go away!"]'
        assert raw.recv() == ""


def test_socket_that_beats_but_never_authorises_is_told_to_go() -> None:
    with running_exchange(heartbeat=0.2, authorize_limit=0.5) as exchange:
        raw = websocket.create_connection(exchange.socket_url, timeout=3)
        frames = [raw.recv()]
        while frames[-1] in ("o", "h"):
            raw.send("[]")
            frames.append(raw.recv())
        assert frames[-1] == 'c[3000,"Go away!"]'


def test_client_that_beats_is_kept() -> None:
    with running_exchange(heartbeat=0.2, silence_limit=0.6, logins=LOGINS) as exchange:
        with Client(exchange, "alice") as alice:
            socket = alice.socket(sync=False)
            for _ in range(8):
                time.sleep(0.1)
                socket.send_raw("[]")
            assert len(socket.ask("account/list", 2)) == 2


def test_rest_works_with_and_without_version_and_in_any_case(alice: Client) -> None:
    headers = {"Authorization": f"Bearer ${alice.token}"}
    for path in ("v1/account/list", "account/list", "V1/Account/LIST", "account/list?", "account/list/"):
        answer = requests.get(f"{alice.exchange.root_url}/{path}", headers=headers, timeout=5)
        assert (answer.status_code, len(answer.json())) == (200, 2)
        assert answer.headers["Content-Type"].startswith("application/json")


def test_rest_ignores_the_method_and_unknown_members(alice: Client) -> None:
    assert len(alice.post("position/list", {})) == 0
    assert len(alice.get("account/list", accountId=1)) == 2
    renewed = alice.post("auth/renewaccesstoken", {})
    assert renewed["accessToken"].count(".") == 2


def test_form_bodies_with_text_for_numbers_are_read(alice: Client) -> None:
    form = {
        "accountId": str(alice.accounts["A-1"]),
        "action": "Buy",
        "symbol": "MESZ6",
        "orderQty": "1",
        "orderType": "Limit",
        "price": "5000.25",
        "isAutomated": "true",
    }
    url = f"{alice.exchange.base_url}/order/placeorder"
    number = alice.session.post(url, data=form, timeout=5).json()["orderId"]
    assert alice.get("command/item", id=number)["isAutomated"] is True
    assert alice.get("orderVersion/item", id=number)["price"] == 5000.25


def test_null_members_count_as_absent(alice: Client) -> None:
    nothing: dict[str, Any] = {
        name: None for name in ("price", "stopPrice", "timeInForce", "clOrdId", "activationTime")
    }
    assert alice.place(**nothing)["orderId"] > 0


def test_unreadable_body_is_a_bad_request(alice: Client) -> None:
    url = f"{alice.exchange.base_url}/order/placeorder"
    for body in ("{broken", "[1]", '"text"'):
        assert alice.session.post(url, data=body, timeout=5).status_code == 400


def test_browsers_may_call_from_elsewhere(alice: Client) -> None:
    url = f"{alice.exchange.base_url}/account/list"
    preflight = requests.options(url, timeout=5)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert alice.session.get(url, timeout=5).headers["Access-Control-Allow-Origin"] == "*"


def test_rest_without_a_token_is_denied_and_unknown_things_are_missing(alice: Client) -> None:
    answer = requests.get(f"{alice.exchange.base_url}/account/list", timeout=5)
    assert (answer.status_code, answer.text) == (401, "Access is denied")
    assert alice.status("nothing/here") == 404
    assert alice.status("order/item", id=1) == 404
    assert alice.status("order/123") == 404
