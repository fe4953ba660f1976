"""Latency, slippage and the window in which a second command is refused."""

import time
from datetime import timedelta
from typing import Any

from brokers.paper.codec import instant
from brokers.paper.exchange import Exchange
from brokers.paper.store import MemoryStore
from brokers.paper.testing import running_exchange
from brokers.paper.tests.client import Client
from brokers.paper.tests.conftest import LOGINS


def test_reply_comes_at_once_and_the_fill_after_the_latency() -> None:
    with running_exchange(logins=LOGINS, latency=(400, 400)) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        socket = alice.socket()
        started = time.monotonic()
        number = alice.place()["orderId"]
        replied = time.monotonic() - started
        socket.until("order", id=number, ordStatus="Filled")
        assert replied < 0.4
        assert 0.4 <= time.monotonic() - started < 4.0


def test_commands_of_one_account_keep_their_order_whatever_chance_says() -> None:
    with running_exchange(logins=LOGINS, latency=(0, 40), seed=3) as exchange:
        exchange.set_price("MESZ6", "5050.00")
        with Client(exchange, "alice") as alice:
            socket = alice.socket()
            sent = [alice.place(orderType="Limit", price=5000)["orderId"] for _ in range(12)]
            worked = [socket.until("order", ordStatus="Working")["id"] for _ in sent]
            assert worked == sent


def test_cancel_sent_right_behind_its_order_finds_it() -> None:
    with running_exchange(logins=LOGINS, latency=(30, 60)) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        socket = alice.socket()
        number = alice.place(orderType="Limit", price=5000)["orderId"]
        assert "commandId" in alice.post("order/cancelorder", {"orderId": number})
        assert socket.until("order", id=number, ordStatus="Canceled")


def test_cancel_that_comes_after_the_fill_is_rejected_later() -> None:
    with running_exchange(logins=LOGINS, latency=(300, 300)) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        socket = alice.socket()
        number = alice.place()["orderId"]
        command = alice.post("order/cancelorder", {"orderId": number})["commandId"]
        report = socket.until("commandReport", commandId=command)
        assert (report["commandStatus"], report["rejectReason"]) == ("ExecutionRejected", "TooLate")
        assert alice.order(number)["ordStatus"] == "Filled"


def test_second_command_is_refused_while_the_first_is_under_way() -> None:
    with running_exchange(logins=LOGINS, command_window_ms=60_000) as exchange:
        exchange.set_price("MESZ6", "5050.00")
        with Client(exchange, "alice") as alice:
            number = alice.place(orderType="Limit", price=5000)["orderId"]
            change = {"orderId": number, "orderQty": 2, "orderType": "Limit", "price": 5001}
            assert "commandId" in alice.post("order/modifyorder", change)
            assert alice.post("order/modifyorder", change)["failureReason"] == "AnotherCommandPending"
            again = alice.post("order/cancelorder", {"orderId": number})
            assert again["failureReason"] == "AnotherCommandPending"


def test_slippage_is_drawn_from_its_range_and_hurts() -> None:
    with running_exchange(logins=LOGINS, slippage=(0, 2), seed=5) as exchange:
        exchange.set_price("MESZ6", "5050.00")
        with Client(exchange, "alice") as alice:
            for _ in range(20):
                alice.place()
            prices = {fill["price"] for fill in alice.get("fill/list")}
            assert prices == {5050, 5050.25, 5050.5}


def test_same_seed_gives_the_same_fills() -> None:
    def prices() -> list[float]:
        with running_exchange(logins=LOGINS, slippage=(0, 2), seed=9) as exchange:
            exchange.set_price("MESZ6", "5050.00")
            with Client(exchange, "alice") as alice:
                for _ in range(6):
                    alice.place()
                return [fill["price"] for fill in alice.get("fill/list")]

    assert prices() == prices()


def test_order_with_an_end_expires_by_itself() -> None:
    with running_exchange(logins=LOGINS) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        socket = alice.socket()
        moment = exchange.call(lambda running: running.clock().timestamp()) + 0.2
        ends = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"
        number = alice.place(orderType="Limit", price=5000, timeInForce="GTD", expireTime=ends)["orderId"]
        assert socket.until("order", id=number, ordStatus="Expired")


def test_modification_overtaken_by_a_linked_trade_is_rejected() -> None:
    with running_exchange(logins=LOGINS, command_window_ms=300) as exchange:
        exchange.set_price("MESZ6", "5050.00")
        with Client(exchange, "alice") as alice:
            pair = {"accountId": alice.accounts["A-1"], "action": "Sell", "symbol": "MESZ6", "orderQty": 5}
            other = {"action": "Sell", "orderType": "Stop", "stopPrice": 5040}
            legs = {**pair, "orderType": "Limit", "price": 5060, "other": other}
            stop = alice.post("order/placeoco", legs)["ocoId"]
            socket = alice.socket()
            change = {"orderId": stop, "orderQty": 5, "orderType": "Stop", "stopPrice": 5045}
            command = alice.post("order/modifyorder", change)["commandId"]
            exchange.set_price("MESZ6", "5060.00", size=2)
            report = socket.until("commandReport", commandId=command, commandStatus="ExecutionRejected")
            assert report["text"] == "The order has been changed meanwhile"
            assert alice.get("orderVersion/deps", masterid=stop)[-1]["orderQty"] == 3


def test_trailing_stop_waits_with_its_move_while_a_command_is_under_way() -> None:
    with running_exchange(logins=LOGINS, command_window_ms=200) as exchange:
        exchange.set_price("MESZ6", "5050.00")
        with Client(exchange, "alice") as alice:
            socket = alice.socket()
            number = alice.place(action="Sell", orderType="TrailingStop", stopPrice=5040)["orderId"]
            change = {"orderId": number, "orderType": "TrailingStop", "orderQty": 2, "stopPrice": 5040}
            command = alice.post("order/modifyorder", change)["commandId"]
            exchange.set_price("MESZ6", "5060.00")
            socket.until("executionReport", commandId=command, execType="Replaced")
            exchange.set_price("MESZ6", "5061.00")
            version = alice.get("orderVersion/deps", masterid=number)[-1]
            assert (version["orderQty"], version["stopPrice"]) == (2, 5051)


def in_seconds(running: Exchange, seconds: float) -> str:
    return instant(running.clock() + timedelta(seconds=seconds))


def test_end_can_be_put_off_by_a_modification_and_outlives_a_restart() -> None:
    store = MemoryStore()
    with running_exchange(logins=LOGINS, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        soon = exchange.call(lambda running: in_seconds(running, 0.1))
        later = exchange.call(lambda running: in_seconds(running, 1.2))
        order: dict[str, Any] = {"orderType": "Limit", "price": 5000, "timeInForce": "GTD"}
        number = alice.place(**order, expireTime=soon)["orderId"]
        change = {**order, "orderId": number, "orderQty": 1, "expireTime": later}
        assert "commandId" in alice.post("order/modifyorder", change)
        time.sleep(0.2)
        assert alice.order(number)["ordStatus"] == "Working"
    with running_exchange(store=store) as exchange, Client(exchange, "alice") as alice:
        socket = alice.socket()
        if alice.order(number)["ordStatus"] == "Working":
            assert socket.until("order", id=number)["ordStatus"] == "Expired"
        assert alice.order(number)["ordStatus"] == "Expired"
