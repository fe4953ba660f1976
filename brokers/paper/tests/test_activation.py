"""Orders and cancels with an activation time: they sleep, survive a restart, and wake once."""

from datetime import timedelta
from time import monotonic, sleep

from django.utils import timezone

from brokers.paper.store import MemoryStore
from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client


def _soon(seconds: float) -> str:
    return (timezone.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _reaches(client: Client, order_id: int, status: str, seconds: float = 5) -> bool:
    end = monotonic() + seconds
    while monotonic() < end:
        if client.order(order_id)["ordStatus"] == status:
            return True
        sleep(0.02)
    return False


def test_order_sleeps_until_its_activation_time(alice: Client, exchange: RunningExchange) -> None:
    number = alice.place(activationTime=_soon(1.5))["orderId"]
    assert alice.order(number)["ordStatus"] == "Suspended"
    assert "activationTime" in alice.get("command/item", id=number)
    assert _reaches(alice, number, "Filled")


def test_sleeping_order_can_be_cancelled(alice: Client) -> None:
    number = alice.place(activationTime=_soon(60))["orderId"]
    assert "commandId" in alice.post("order/cancelorder", {"orderId": number})
    assert alice.order(number)["ordStatus"] == "Canceled"


def test_modify_with_an_activation_time_wakes_the_order_at_once(alice: Client) -> None:
    number = alice.place(orderType="Limit", price=5000, activationTime=_soon(60))["orderId"]
    body = {"orderId": number, "orderQty": 1, "orderType": "Limit", "price": 5001}
    alice.post("order/modifyorder", body)
    assert alice.order(number)["ordStatus"] == "Suspended"
    alice.post("order/modifyorder", {**body, "activationTime": _soon(60)})
    assert alice.order(number)["ordStatus"] == "Working"


def test_cancel_with_an_activation_time_comes_then(alice: Client) -> None:
    number = alice.place(orderType="Limit", price=5000)["orderId"]
    alice.post("order/cancelorder", {"orderId": number, "activationTime": _soon(1.5)})
    assert alice.order(number)["ordStatus"] == "Working"
    assert _reaches(alice, number, "Canceled")


def test_restart_wakes_nobody_before_the_time() -> None:
    store = MemoryStore()
    logins = {"alice": {"A-1": 50_000}}
    with running_exchange(logins=logins, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        late = alice.place(activationTime=_soon(60))["orderId"]
        early = alice.place(activationTime=_soon(0.3))["orderId"]
        resting = alice.place(orderType="Limit", price=5000)["orderId"]
        alice.post("order/cancelorder", {"orderId": resting, "activationTime": _soon(60)})
    sleep(0.3)
    with running_exchange(logins=logins, store=store) as exchange, Client(exchange, "alice") as alice:
        assert _reaches(alice, early, "Filled")
        assert alice.order(late)["ordStatus"] == "Suspended"
        assert alice.order(resting)["ordStatus"] == "Working"
