"""Latency, slippage and the window in which a second command is refused."""

import time

from brokers.paper.testing import running_exchange
from brokers.paper.tests.client import Client
from brokers.paper.tests.conftest import LOGINS


def test_reply_comes_at_once_and_the_fill_after_the_latency() -> None:
    with running_exchange(logins=LOGINS, latency=(150, 150)) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        socket = alice.socket()
        started = time.monotonic()
        number = alice.place()["orderId"]
        replied = time.monotonic() - started
        socket.until("order", id=number, ordStatus="Filled")
        assert replied < 0.12
        assert 0.14 < time.monotonic() - started < 1.0


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
    with running_exchange(logins=LOGINS, latency=(80, 80)) as exchange, Client(exchange, "alice") as alice:
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
