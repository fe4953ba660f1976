"""Checklist for paper servers, part Transport (protocol 19): one test for each line, named by it.

Written like the unrelated clients that need each line; the names in the docstrings are theirs.
"""

import json
import time
from itertools import pairwise
from typing import Any

import pytest
import websocket

from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client, Socket
from brokers.paper.tests.conftest import LOGINS

SYNC = "user/syncrequest"


class Raw:
    """A socket that shows each frame as it came."""

    def __init__(self, alice: Client, host: str | None = None) -> None:
        self._socket = websocket.create_connection(alice.exchange.socket_url, timeout=5, host=host)
        self.send, self.close = self._socket.send, self._socket.close

    def recv(self) -> str:
        return str(self._socket.recv())


def order_text(alice: Client, indent: int | None = None) -> str:
    body = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6", "orderQty": 1}
    return json.dumps({**body, "orderType": "Limit", "price": 5000}, indent=indent)


def test_websocket_is_served_beside_rest_whatever_host_was_meant(alice: Client) -> None:
    """The role follows from the requests: trading and market data on one socket, under any host's name."""
    for host in ("md.example.com", "replay.example.com", "demo.example.com"):
        raw = Raw(alice, host=host)
        assert raw.recv() == "o"
        raw.send(f"authorize\n1\n\n{alice.token}")
        raw.send('md/subscribeQuote\n2\n\n{"symbol":"MESZ6"}')
        raw.send("account/list\n3\n\n")
        assert [raw.recv()[:16] for _ in range(2)] == ['a[{"s":200,"i":1', 'a[{"s":200,"i":2']
        while '"i":3' not in (text := raw.recv()):
            assert text[0] in "ah"
        raw.close()


def test_open_frame_is_the_very_first_even_for_clients_that_speak_before_reading(alice: Client) -> None:
    """NEX, SDK, TC."""
    raw = Raw(alice)
    raw.send(f"authorize\n1\n\n{alice.token}")
    raw.send(f"{SYNC}\n2\n\n{{}}")
    assert raw.recv() == "o"
    assert raw.recv() == 'a[{"s":200,"i":1}]'
    assert '"users":[{' in raw.recv()
    raw.close()


@pytest.mark.parametrize("body", ['{"token":"%s"}', '{\n  "token": "%s"\n}', '{"accessToken": "%s"}'])
def test_token_may_be_wrapped_into_an_object(alice: Client, body: str) -> None:
    """TS does so, over several lines."""
    raw = Raw(alice)
    raw.recv()
    raw.send("authorize\n0\n\n" + body % alice.token)
    assert raw.recv() == 'a[{"s":200,"i":0}]'
    raw.close()


def test_quoted_token_sent_to_the_log_in_address_authorises(alice: Client) -> None:
    """GO."""
    raw = Raw(alice)
    raw.recv()
    raw.send(f'auth/accessTokenRequest\n1\n\n"{alice.token}"\n')
    assert raw.recv() == 'a[{"s":200,"i":1}]'
    raw.send('auth/accessTokenRequest\n2\n\n{"name":"alice","password":"wrong"}')
    assert "Incorrect username or password" in raw.recv()
    raw.close()


@pytest.mark.parametrize("body", ["{}", "{broken", '{"token":7}', '{"token":null}'])
def test_object_without_a_good_token_is_denied(alice: Client, body: str) -> None:
    raw = Raw(alice)
    raw.recv()
    raw.send(f"authorize\n0\n\n{body}")
    assert raw.recv() == 'a[{"s":401,"i":0,"d":"Access is denied"}]'
    raw.close()


def test_client_that_beats_only_in_answer_is_kept_while_data_flows() -> None:
    """GO sends nothing of itself, and `h` is left out while data flows."""
    with running_exchange(
        heartbeat=0.2, silence_limit=0.9, logins=LOGINS, paused=False, tick_seconds=0.05
    ) as exchange:
        with Client(exchange, "alice") as alice:
            raw = Raw(alice)
            raw.send(f"authorize\n1\n\n{alice.token}")
            raw.send('md/subscribeQuote\n2\n\n{"symbol":"MESZ6"}')
            began, frames = time.monotonic(), [raw.recv()]
            while time.monotonic() - began < 2.5:
                frames.append(raw.recv())
                if frames[-1] == "h":
                    raw.send("[]")
            assert len(frames) > 20
            assert not [frame for frame in frames if frame[:1] not in ("o", "a", "h")]
            raw.close()


@pytest.mark.parametrize("dress", ["{}", '"{}"', "{}\n", "Bearer {}", "${}", '"Bearer {}"\n'])
def test_token_comes_raw_quoted_with_a_line_end_with_bearer_or_a_dollar(alice: Client, dress: str) -> None:
    """EX-JS, GO, CUL."""
    raw = Raw(alice)
    raw.recv()
    raw.send("authorize\n4\n\n" + dress.format(alice.token))
    assert raw.recv() == 'a[{"s":200,"i":4}]'
    raw.close()


def test_reply_to_authorize_is_exact_and_alone_while_events_pour_in(alice: Client) -> None:
    """EX-STRAT, ENR, QC reject anything else, so events of a busy account must not come before it."""
    raw = Raw(alice)
    raw.recv()
    alice.place(orderQty=3)
    raw.send(f"authorize\n1\n\n{alice.token}")
    alice.place(orderQty=3)
    assert raw.recv() == 'a[{"s":200,"i":1}]'
    raw.close()


def test_ids_may_be_zero_and_may_repeat_and_come_back_as_they_were(alice: Client) -> None:
    """MOT sends id 1 twice: to authorize and to subscribe."""
    socket = alice.socket(sync=False)
    for number in (1, 0, 0, 1, 2**53 - 1):
        assert len(socket.ask("account/list", number)) == 2


@pytest.mark.parametrize(
    "frame", ["\n10", "\n10\n", "\n10\n\n", "\n10\nundefined\nnull", "\n10\nnull\nundefined"]
)
def test_missing_lines_empty_lines_and_the_words_for_nothing_are_accepted(alice: Client, frame: str) -> None:
    """EX-STRAT, EX-JS."""
    socket = alice.socket(sync=False)
    socket.send_raw(SYNC + frame)
    assert socket.reply(10)["d"]["users"][0]["name"] == "alice"


def test_frames_are_cut_at_the_first_three_line_ends_only(alice: Client) -> None:
    """TS sends JSON over several lines."""
    socket = alice.socket(sync=False)
    socket.send_raw(f"order/placeorder\n5\n\n{order_text(alice, indent=4)}")
    assert socket.reply(5)["d"]["orderId"] > 0


def test_every_other_reply_and_every_event_carries_data(alice: Client, exchange: RunningExchange) -> None:
    """EX-JS, SDK and ENR read members of `d` without looking."""
    socket = alice.socket(sync=False)
    for number, (name, body) in enumerate(
        [
            (SYNC, "{}"),
            ("md/subscribequote", '{"symbol":"MESZ6"}'),
            ("order/placeorder", order_text(alice)),
            ("md/unsubscribequote", '{"symbol":"MESZ6"}'),
            ("contract/rollcontract", '{"name":"MESZ6"}'),
            ("nothing/here", ""),
        ],
        start=2,
    ):
        socket.send_raw(f"{name}\n{number}\n\n{body}")
    exchange.set_price("MESZ6", "5001.00")
    alice.operator("shutdown", login="alice")
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1].get("e") != "shutdown":
        seen.append(socket.message())
    assert all("d" in message for message in seen)
    assert {message["e"] for message in seen if "e" in message} >= {"props", "md", "shutdown"}


def test_optional_calls_of_a_cautious_client_are_all_answered_with_200(alice: Client) -> None:
    """QC counts any other status as a lost log-in."""
    socket = alice.socket(sync=False)
    optional = [
        (SYNC, "", "{}"),
        ("account/list", "", ""),
        ("position/list", "", ""),
        ("order/list", "", ""),
        ("orderStrategy/list", "", ""),
        ("cashBalance/list", "", ""),
        ("userAccountAutoLiq/deps", "masterid=1", ""),
        ("userAccountPositionLimit/deps", "masterid=1", ""),
        ("accountRiskStatus/list", "", ""),
        ("marketDataSubscription/list", "", ""),
        ("entitlement/list", "", ""),
        ("userPlugin/list", "", ""),
        ("tradovateSubscription/list", "", ""),
        ("contract/suggest", "t=MES&l=3", ""),
        ("product/list", "", ""),
        ("md/subscribeQuote", "", '{"symbol":"NOPE"}'),
        ("md/unsubscribeQuote", "", '{"symbol":"MESZ6"}'),
        ("md/unsubscribeDOM", "", '{"symbol":"MESZ6"}'),
        ("auth/me", "", ""),
        ("user/list", "", ""),
    ]
    for number, (name, query, body) in enumerate(optional, start=2):
        socket.send_raw(f"{name}\n{number}\n{query}\n{body}")
        assert socket.reply(number)["s"] == 200, name


def test_heartbeats_are_swallowed_before_authorisation_and_several_a_second(alice: Client) -> None:
    raw = Raw(alice)
    raw.recv()
    for _ in range(10):
        raw.send("[]")
    raw.send(f"authorize\n0\n\n{alice.token}")
    for _ in range(10):
        raw.send("[]")
    raw.send("account/list\n1\n\n")
    assert raw.recv() == 'a[{"s":200,"i":0}]'
    assert raw.recv().startswith('a[{"s":200,"i":1,"d":[')
    raw.close()


def test_idle_sockets_hear_h_and_pings_are_answered_and_silent_clients_are_told_and_dropped() -> None:
    """Ten times as fast as in life, in the same proportions."""
    with running_exchange(heartbeat=0.25, silence_limit=1.2, logins=LOGINS) as exchange:
        raw = websocket.create_connection(exchange.socket_url, timeout=3)
        assert raw.recv() == "o"
        raw.ping("are you there")
        opcode, data = raw.recv_data(control_frame=True)
        assert (opcode, data) == (websocket.ABNF.OPCODE_PONG, b"are you there")
        frames, times = [], []
        while (frame := raw.recv()) != "":
            frames.append(frame)
            times.append(time.monotonic())
        assert set(frames[:-1]) == {"h"}
        assert frames[-1] == 'c[3000,"Go away!"]'
        gaps = [later - earlier for earlier, later in pairwise(times[:-1])]
        assert all(0.2 < gap < 0.45 for gap in gaps)


def test_defaults_of_heartbeat_and_silence_are_those_of_the_protocol(exchange: RunningExchange) -> None:
    options = exchange.exchange.options
    assert options.heartbeat == 2.5
    assert 10 <= options.silence_limit <= 15


@pytest.mark.parametrize(
    "name", ["order/placeOrder", "/order/PLACEORDER", "v1/order/placeorder", "/v1/Order/placeOrder/"]
)
def test_endpoints_come_in_any_case_with_slashes_and_version_or_without(alice: Client, name: str) -> None:
    """DSP calls the bare host."""
    socket = alice.socket(sync=False)
    socket.send_raw(f"{name}\n5\n\n{order_text(alice)}")
    assert socket.reply(5)["d"]["orderId"] > 0
    url = f"{alice.exchange.root_url}/{name.strip('/')}"
    assert alice.session.post(url, data=order_text(alice), timeout=5).json()["orderId"] > 0


def test_authorising_again_is_answered_200_and_disturbs_nothing(alice: Client) -> None:
    """QC does so with each renewed token."""
    socket: Socket = alice.socket()
    renewed = alice.get("auth/renewaccesstoken")["accessToken"]
    socket.send_raw(f"authorize\n8\n\n{renewed}")
    assert socket.frame() == 'a[{"s":200,"i":8}]'
    number = alice.place(orderType="Limit", price=5000)["orderId"]
    assert socket.until("order", id=number)["accountId"] == alice.accounts["A-1"]
