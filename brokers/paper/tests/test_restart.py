"""What survives the end of the process: orders, positions, cash, versions, steps under way, ids."""

from brokers.paper.store import MemoryStore
from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client
from brokers.paper.tests.conftest import LOGINS


def first_run(store: MemoryStore) -> tuple[int, int, int]:
    with running_exchange(logins=LOGINS, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        filled = alice.place(orderQty=3)["orderId"]
        exchange.set_price("MESZ6", "5060.00")
        alice.place(action="Sell", orderQty=1)
        resting = alice.place(orderType="Limit", price=5000, orderQty=2)["orderId"]
        change = {"orderId": resting, "orderQty": 1, "orderType": "Limit", "price": 5001}
        alice.post("order/modifyorder", change)
        stop = alice.place(action="Sell", orderType="Stop", stopPrice=5040)["orderId"]
    return filled, resting, stop


def test_everything_of_the_session_is_back_and_goes_on() -> None:
    store = MemoryStore()
    filled, resting, stop = first_run(store)
    with running_exchange(store=store) as exchange, Client(exchange, "alice") as alice:
        assert alice.order(filled)["ordStatus"] == "Filled"
        assert len(alice.get("orderVersion/deps", masterid=resting)) == 2
        assert alice.position() == alice.position() | {"netPos": 2, "netPrice": 5050}
        assert alice.cash()["realizedPnL"] == 50 - 4 * 2.5
        assert alice.cash()["openPnL"] == 100
        exchange.set_price("MESZ6", "5001.00")
        assert alice.order(resting)["ordStatus"] == "Filled"
        assert alice.order(stop)["ordStatus"] == "Filled"
        assert alice.position()["netPos"] == 2
        newest = alice.place()["orderId"]
        assert newest > max(row["id"] for row in alice.get("fill/list") if row["orderId"] != newest)


def test_price_goes_on_where_it_was() -> None:
    store = MemoryStore()
    first_run(store)
    with running_exchange(store=store) as exchange:
        quote = exchange.call(lambda running: running.floor.marks())
        assert set(quote.values()) == {20240}


def test_commands_under_way_arrive_after_the_restart() -> None:
    store = MemoryStore()
    slow = (60_000, 60_000)
    with running_exchange(logins=LOGINS, store=store, latency=slow) as exchange:
        exchange.set_price("MESZ6", "5050.00")
        with Client(exchange, "alice") as alice:
            new = alice.place(orderType="Limit", price=5000)["orderId"]
            gone = alice.place(orderType="Limit", price=5000)["orderId"]
            alice.post("order/cancelorder", {"orderId": gone})
            assert alice.order(new)["ordStatus"] == "PendingNew"
    with running_exchange(store=store) as exchange, Client(exchange, "alice") as alice:
        wait_until(exchange, lambda: alice.order(gone)["ordStatus"] == "Canceled")
        assert alice.order(new)["ordStatus"] == "Working"


def test_sleeping_legs_still_sleep_after_the_restart() -> None:
    store = MemoryStore()
    with running_exchange(logins=LOGINS, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        body = {
            "accountId": alice.accounts["A-1"],
            "action": "Buy",
            "symbol": "MESZ6",
            "orderQty": 1,
            "orderType": "Limit",
            "price": 5045,
            "bracket1": {"action": "Sell", "orderType": "Limit", "price": 5060},
        }
        leg = alice.post("order/placeoso", body)["oso1Id"]
    with running_exchange(store=store) as exchange, Client(exchange, "alice") as alice:
        assert alice.order(leg)["ordStatus"] == "Suspended"
        exchange.set_price("MESZ6", "5045.00")
        assert alice.order(leg)["ordStatus"] == "Working"


def test_triggered_stop_limit_stays_triggered() -> None:
    store = MemoryStore()
    with running_exchange(logins=LOGINS, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        number = alice.place(orderType="StopLimit", stopPrice=5060, price=5052)["orderId"]
        exchange.set_price("MESZ6", "5060.00")
        exchange.set_price("MESZ6", "5055.00")
    with running_exchange(store=store) as exchange, Client(exchange, "alice") as alice:
        assert alice.order(number)["ordStatus"] == "Working"
        exchange.set_price("MESZ6", "5052.00")
        assert alice.order(number)["ordStatus"] == "Filled"


def wait_until(exchange: RunningExchange, true: object) -> None:
    for _ in range(100):
        if true():  # type: ignore[operator]
            return
        exchange.call(lambda running: None)
    raise AssertionError("it did not happen")
