"""What the exchange promises about its store: nothing is told before it is kept, and order is kept."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from brokers.paper.store import Batch, MemoryStore
from brokers.paper.testing import running_exchange
from brokers.paper.tests.client import Client
from brokers.paper.tests.conftest import LOGINS


class SlowStore(MemoryStore):
    """Blocks like a database, holds writes back and fails when told to."""

    instant = False

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.failures = 0

    def save(self, batch: Batch) -> None:
        self.gate.wait(5)
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        super().save(batch)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


def market_order(alice: Client) -> str:
    body: dict[str, Any] = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6"}
    return str({**body, "orderQty": 1, "orderType": "Market"}).replace("'", '"')


def test_nothing_is_answered_or_told_before_it_is_stored(store: SlowStore) -> None:
    with running_exchange(logins=LOGINS, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        socket = alice.socket()
        store.gate.clear()
        socket.send_raw(f"order/placeorder\n5\n\n{market_order(alice)}")
        assert socket.quiet()
        store.gate.set()
        assert socket.message()["i"] == 5
        assert socket.events(1)[0]["eventType"] == "Created"


def test_reads_wait_for_what_was_sent_before_them(store: SlowStore) -> None:
    with running_exchange(logins=LOGINS, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        socket = alice.socket(sync=False)
        store.gate.clear()
        socket.send_raw(f"order/placeorder\n5\n\n{market_order(alice)}")
        socket.send_raw("order/list\n6\n\n")
        assert socket.quiet()
        store.gate.set()
        assert [socket.message()["i"], socket.message()["i"]] == [5, 6]


def test_failing_store_is_tried_again_and_order_is_kept(store: SlowStore) -> None:
    with running_exchange(logins=LOGINS, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        store.failures = 1
        first, second = alice.place()["orderId"], alice.place()["orderId"]
        assert first < second
        assert [row["id"] for row in alice.get("order/list")] == [first, second]


def test_moving_market_fills_orders_and_reaches_subscribers(store: SlowStore) -> None:
    with running_exchange(logins=LOGINS, store=store, paused=False, tick_seconds=0.01) as exchange:
        with Client(exchange, "alice") as alice:
            socket = alice.socket()
            socket.ask("md/subscribequote", 3, body={"symbol": "MESZ6"})
            prices: set[float] = set()
            while len(prices) < 4:
                message = socket.message()
                prices.add(message["d"]["quotes"][0]["entries"]["Trade"]["price"])
            number = alice.place()["orderId"]
            assert socket.until("order", id=number, ordStatus="Filled")


def test_session_is_rolled_by_the_clock(store: SlowStore) -> None:
    moments = [datetime(2026, 11, 18, 15, tzinfo=UTC)]
    with running_exchange(
        logins=LOGINS, store=store, clock=lambda: moments[0], token_seconds=86_400
    ) as exchange:
        with Client(exchange, "alice") as alice:
            socket = alice.socket()
            moments[0] += timedelta(hours=10)
            log = socket.until("cashBalanceLog", cashChangeType="NewSession")
            assert log["tradeDate"] == {"year": 2026, "month": 11, "day": 19}


def test_failing_step_is_counted_and_the_exchange_goes_on(
    store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_exchange(logins=LOGINS, store=store, tick_seconds=0.01) as exchange:
        with Client(exchange, "alice") as alice, monkeypatch.context() as patch:
            patch.setattr(exchange.exchange.floor, "advance", lambda seconds: 1 / 0)
            while not exchange.call(lambda running: running.failures):
                continue
            assert "orderId" in alice.place()


def test_token_of_a_user_that_is_gone_is_no_good() -> None:
    with running_exchange(logins=LOGINS) as exchange, Client(exchange, "alice") as alice:
        token = alice.token
    with running_exchange() as exchange:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{exchange.base_url}/auth/me", headers=headers, timeout=5)
        assert answer.status_code == 401


def test_sockets_are_told_when_the_exchange_ends() -> None:
    with running_exchange(logins=LOGINS) as exchange:
        alice = Client(exchange, "alice")
        socket = alice.socket()
    assert socket.frame() == 'c[3000,"Go away!"]'
    alice.session.close()
