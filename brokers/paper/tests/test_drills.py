"""Conditions on demand: lagging reads, reordered and late events, half-open sockets, slow answers."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
import websocket

from brokers.paper.hub import array, turned_round
from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import SECONDS, Client, Socket
from brokers.paper.tests.conftest import LOGINS
from brokers.paper.tests.test_login import Clock
from brokers.paper.words import RejectReason


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["entityType"] for event in events]


def heard(socket: Socket) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not found or not socket.quiet(0.2):
        found += socket.events(1)
    return found


def test_lagging_reads_show_what_was_true_and_the_socket_what_is() -> None:
    clock = Clock()
    with running_exchange(logins=LOGINS, clock=clock) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        first = alice.place(orderType="Limit", price=5000)["orderId"]
        alice.operator("lag", login="alice", seconds=10)
        socket = alice.socket()
        second = alice.place()["orderId"]
        alice.post("order/cancelorder", {"orderId": first})
        assert socket.until("order", id=first, ordStatus="Canceled")
        assert [(row["id"], row["ordStatus"]) for row in alice.get("order/list")] == [(first, "Working")]
        assert alice.get("position/list") == []
        assert alice.get("fill/deps", masterid=second) == []
        assert alice.status("order/item", id=second) == 404
        over_socket = {row["id"] for row in socket.ask("order/list", 9)}
        assert over_socket == {first, second}
        clock.ahead = timedelta(seconds=10)
        statuses = {row["id"]: row["ordStatus"] for row in alice.get("order/list")}
        assert statuses == {first: "Canceled", second: "Filled"}
        assert alice.position()["netPos"] == 1


def test_lag_is_one_logins_own_and_ends_when_called_off(alice: Client, bob: Client) -> None:
    alice.operator("lag", login="alice", seconds=60)
    alice.place()
    bob.place("B-1")
    assert (len(alice.get("order/list")), len(bob.get("order/list"))) == (0, 1)
    alice.operator("lag", login="alice", seconds=0)
    assert len(alice.get("order/list")) == 1
    assert alice.operator("lag", login="alice", seconds=-1).status_code == 400


def test_reordered_frame_turns_its_types_round_and_keeps_each_types_order(alice: Client) -> None:
    plain, other = alice.socket(), alice.socket()
    alice.place()
    expected = heard(plain)
    assert types(heard(other)) == types(expected)
    alice.operator("events", login="alice", kind="reorder", times=20)
    alice.place()
    found = heard(plain)
    assert types(found) != types(expected)
    assert sorted(types(found)) == sorted(types(expected))
    orders = [event["entity"]["ordStatus"] for event in found if event["entityType"] == "order"]
    assert orders == [event["entity"]["ordStatus"] for event in expected if event["entityType"] == "order"]


def test_turning_a_frame_round_keeps_what_it_says() -> None:
    messages = [
        {"e": "props", "d": {"entityType": kind, "entity": {"id": number}}}
        for number, kind in enumerate(["order", "fill", "order", "position", "fill"])
    ]
    turned = turned_round(array(*messages))
    assert turned == array(messages[3], messages[1], messages[4], messages[0], messages[2])
    assert turned_round(turned) == array(*[messages[index] for index in (0, 2, 1, 4, 3)])


def test_late_frame_is_overtaken_by_those_behind_it(alice: Client) -> None:
    socket = alice.socket()
    alice.operator("events", login="alice", kind="late", milliseconds=200)
    number = alice.place(orderType="Limit", price=5000)["orderId"]
    alice.post("order/cancelorder", {"orderId": number})
    seen = []
    while "PendingNew" not in seen:
        event = socket.events(1)[0]
        if event["entityType"] == "order":
            seen.append(event["entity"]["ordStatus"])
    assert seen.index("Canceled") < seen.index("PendingNew")


def test_frozen_socket_hears_nothing_and_is_not_closed_while_another_goes_on() -> None:
    with running_exchange(logins=LOGINS, heartbeat=0.1, silence_limit=0.5) as exchange:
        with Client(exchange, "alice") as alice:
            raw = websocket.create_connection(exchange.socket_url, timeout=1)
            raw.send(f"authorize\n1\n\n{alice.token}")
            assert [raw.recv() for _ in range(2)] == ["o", 'a[{"s":200,"i":1}]']
            assert alice.operator("freeze", login="alice").json() == {"frozen": 1}
            raw.send("account/list\n2\n\n")
            # Longer than heartbeats and the limit of silence: neither may come through.
            with pytest.raises(websocket.WebSocketTimeoutException):
                raw.recv()
            assert len(alice.socket(sync=False).ask("account/list", 3)) == 2
            raw.close(timeout=0)


def test_frozen_socket_is_cut_in_the_end(alice: Client) -> None:
    socket = alice.socket(sync=False)
    alice.operator("freeze", login="alice", seconds=0)
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        socket.frame()


def test_exchange_ends_with_frozen_sockets_still_open() -> None:
    with running_exchange(logins=LOGINS) as exchange, Client(exchange, "alice") as alice:
        alice.socket(sync=False)
        alice.operator("freeze", login="alice")
        began = time.monotonic()
    assert time.monotonic() - began < SECONDS


def timed(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_slow_answers_wait_over_rest_and_socket_until_called_off(alice: Client, bob: Client) -> None:
    socket = alice.socket(sync=False)
    alice.operator("slow", login="alice", milliseconds=150, endpoint="order/")
    assert timed(lambda: alice.place()) >= 0.15
    assert timed(lambda: socket.ask("order/list", 5)) >= 0.15
    assert timed(lambda: alice.get("account/list")) < 0.15
    assert timed(lambda: bob.place("B-1")) < 0.15
    alice.operator("slow", login="alice", milliseconds=0)
    assert timed(lambda: alice.place()) < 0.15


def test_request_that_its_client_gave_up_waiting_for_is_carried_out_all_the_same(alice: Client) -> None:
    alice.operator("slow", login="alice", milliseconds=300, endpoint="placeorder")
    body = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6", "orderQty": 1}
    socket = alice.socket()
    url = f"{alice.exchange.base_url}/order/placeorder"
    with pytest.raises(requests.Timeout):
        alice.session.post(url, json={**body, "orderType": "Market", "clOrdId": "late"}, timeout=0.05)
    assert socket.until("command", clOrdId="late")


@pytest.mark.parametrize("reason", sorted(RejectReason))
def test_every_reason_can_be_given_in_the_reply_and_later(alice: Client, reason: RejectReason) -> None:
    alice.operator("trouble", login="alice", kind="refuse", reason=reason, text="no", endpoint="order/place")
    assert alice.place() == {"failureReason": reason, "failureText": "no"}
    assert alice.get("order/list") == []
    alice.operator("reject", account="A-1", reason=reason, text="not now")
    number = alice.place()["orderId"]
    assert alice.order(number)["ordStatus"] == "Rejected"
    report = alice.get("commandReport/deps", masterid=number)[-1]
    assert (report["rejectReason"], report["text"]) == (reason, "not now")


def test_penalty_can_ask_for_a_human(alice: Client, exchange: RunningExchange) -> None:
    alice.operator("trouble", login="alice", kind="penalty", seconds=3600, captcha=True)
    answer = alice.place()
    assert (answer["p-time"], answer["p-captcha"]) == (3600, True)
    assert exchange.exchange.failures == 0
