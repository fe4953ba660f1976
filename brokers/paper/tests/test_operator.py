"""Trouble on demand, and the exchange's own log."""

import pytest
import requests
import websocket

from brokers.paper.testing import PASSWORD, RunningExchange, running_exchange
from brokers.paper.tests.client import Client
from brokers.paper.tests.conftest import LOGINS


def test_operator_needs_the_token_and_does_not_exist_without_one(alice: Client) -> None:
    url = f"{alice.exchange.root_url}/operator/log"
    assert requests.get(url, timeout=5).status_code == 401
    assert requests.get(url, headers={"X-Operator-Token": "wrong"}, timeout=5).status_code == 401
    assert alice.operator("unheard").status_code == 404
    with running_exchange(operator_token="") as closed:
        headers = {"X-Operator-Token": ""}
        answer = requests.get(f"{closed.root_url}/operator/log", headers=headers, timeout=5)
        assert answer.status_code == 404


def test_dropped_socket_ends_without_a_word(alice: Client) -> None:
    socket = alice.socket()
    assert alice.operator("drop", login="alice").json() == {"dropped": 1}
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        socket.frame()


def test_next_order_is_rejected_for_the_chosen_reason_and_the_one_after_is_not(alice: Client) -> None:
    alice.operator("reject", account="A-1", reason="TradingLocked", text="no trading today")
    number = alice.place()["orderId"]
    assert alice.order(number)["ordStatus"] == "Rejected"
    report = alice.get("commandReport/deps", masterid=number)[-1]
    assert (report["rejectReason"], report["text"]) == ("TradingLocked", "no trading today")
    assert alice.order(alice.place()["orderId"])["ordStatus"] == "Filled"


def test_fill_pattern_is_traded_part_by_part_and_the_rest_waits(alice: Client) -> None:
    alice.operator("fills", account="A-1", parts=[2, 1])
    number = alice.place(orderQty=5)["orderId"]
    assert [fill["qty"] for fill in alice.get("fill/deps", masterid=number)] == [2, 1]
    assert alice.order(number)["ordStatus"] == "Working"
    alice.post("order/cancelorder", {"orderId": number})
    assert alice.order(number)["ordStatus"] == "Canceled"
    whole = alice.place(orderQty=5)["orderId"]
    assert len(alice.get("fill/deps", masterid=whole)) == 1


def test_fill_pattern_also_shapes_resting_orders(alice: Client, exchange: RunningExchange) -> None:
    alice.operator("fills", account="A-1", parts=[1, 2, 1])
    number = alice.place(orderQty=4, orderType="Limit", price=5040)["orderId"]
    exchange.set_price("MESZ6", "5040.00")
    exchange.set_price("MESZ6", "5039.75")
    exchange.set_price("MESZ6", "5039.50")
    assert [fill["qty"] for fill in alice.get("fill/deps", masterid=number)] == [1, 2, 1]
    assert alice.order(number)["ordStatus"] == "Filled"


def test_silenced_request_is_carried_out_and_never_answered(alice: Client) -> None:
    socket = alice.socket()
    alice.operator("trouble", login="alice", kind="silence", endpoint="placeorder")
    body = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6", "orderQty": 1}
    text = str({**body, "orderType": "Market"}).replace("'", '"')
    socket.send_raw(f"order/placeorder\n9\n\n{text}")
    events = socket.events(15)
    assert events[-1]["entityType"] == "cashBalance"
    assert len(alice.get("order/list")) == 1


def test_lost_request_leaves_no_trace(alice: Client) -> None:
    socket = alice.socket(sync=False)
    alice.operator("trouble", login="alice", kind="lose")
    socket.send_raw("account/list\n3\n\n")
    assert socket.quiet()
    assert len(socket.ask("account/list", 4)) == 2


@pytest.mark.parametrize(("kind", "status"), [("limit", 429), ("deny", 401), ("fail", 500)])
def test_trouble_answers_instead_of_carrying_out(alice: Client, kind: str, status: int) -> None:
    alice.operator("trouble", login="alice", kind=kind, endpoint="order/", times=2)
    url = f"{alice.exchange.base_url}/order/list"
    assert [alice.session.get(url, timeout=5).status_code for _ in range(3)] == [status, status, 200]


@pytest.mark.parametrize("status", [408, 423, 502, 503])
def test_failure_may_have_any_status_of_an_error(alice: Client, status: int) -> None:
    socket = alice.socket(sync=False)
    alice.operator("trouble", login="alice", kind="fail", status=status, endpoint="order/list", times=2)
    assert alice.status("order/list") == status
    socket.send_raw("order/list\n3\n\n")
    assert socket.message() == {"s": status, "i": 3, "d": ""}


def test_penalty_is_a_ticket_with_200(alice: Client) -> None:
    alice.operator("trouble", login="alice", kind="penalty", seconds=3)
    answer = alice.place()
    assert (answer["p-time"], answer["p-captcha"]) == (3, False)
    assert "orderId" in alice.place(**{"p-ticket": answer["p-ticket"]})


def test_price_can_be_set_and_the_market_paused(alice: Client) -> None:
    assert alice.operator("price", symbol="MESZ6", price=5070.25, spread=1, size=4).json()["ok"] is True
    number = alice.place(orderQty=4)["orderId"]
    assert alice.get("fill/deps", masterid=number)[0]["price"] == 5070.5
    assert alice.operator("market", paused=False).json() == {"paused": False}


def test_eviction_says_so_closes_and_revokes_the_token(alice: Client) -> None:
    socket = alice.socket()
    alice.operator("evict", login="alice")
    message = socket.message()
    assert message == {"e": "shutdown", "d": {"reasonCode": "ConnectionQuotaReached"}}
    assert socket.frame() == 'c[3000,"Go away!"]'
    assert alice.status("account/list") == 401


def test_maintenance_is_announced_and_the_token_lives(alice: Client) -> None:
    socket = alice.socket()
    alice.operator("shutdown", login="alice")
    assert socket.message()["d"] == {"reasonCode": "Maintenance"}
    assert alice.status("account/list") == 200


@pytest.mark.parametrize(
    ("command", "members"),
    [
        ("drop", {"login": "nobody"}),
        ("reject", {"account": "nobody"}),
        ("reject", {"account": "A-1", "reason": "Whim"}),
        ("price", {"symbol": "MESZ6", "price": 5050.1}),
        ("price", {"symbol": "nothing", "price": 1}),
        ("fills", {"account": "A-1", "parts": [-1]}),
        ("trouble", {"login": "alice", "kind": "plague"}),
        ("trouble", {"login": "alice", "kind": "fail", "status": 200}),
    ],
)
def test_operator_mistakes_are_told(alice: Client, command: str, members: dict[str, object]) -> None:
    answer = alice.operator(command, **members)
    assert answer.status_code == 400
    assert answer.text


def test_log_tells_requests_and_events_without_secrets(alice: Client) -> None:
    number = alice.place(clOrdId="c-9")["orderId"]
    entries = alice.operator("log").json()["entries"]
    assert PASSWORD not in str(entries)
    assert alice.token not in str(entries)
    request, reply = (entry for entry in entries if entry.get("endpoint") == "order/placeorder")
    assert (request["what"], request["params"]["clOrdId"]) == ("request", "c-9")
    assert (reply["what"], reply["payload"]) == ("reply", {"orderId": number})
    created = [entry for entry in entries if entry.get("entityType") == "order"]
    assert created[0]["entity"]["id"] == number
    assert [entry["seq"] for entry in entries] == sorted(entry["seq"] for entry in entries)
    of_account = alice.operator("log", account="A-1", since=created[0]["seq"]).json()["entries"]
    assert {entry["accountId"] for entry in of_account} == {alice.accounts["A-1"]}
    of_user = alice.operator("log", login="alice").json()["entries"]
    assert {entry["what"] for entry in of_user} == {"request", "reply"}


def test_accounts_can_be_locked_limited_and_freed() -> None:
    with running_exchange(logins=LOGINS) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        alice.place(orderQty=2)
        account = alice.accounts["A-1"]

        def lock(action: str) -> None:
            body = {"accountId": account, "adminAutoLiqAction": action}
            alice.post("accountRiskStatus/setadminautoliqaction", body)

        lock("LiquidateOnlyModeImmediately")
        assert alice.order(alice.place()["orderId"])["ordStatus"] == "Rejected"
        assert alice.order(alice.place(action="Sell")["orderId"])["ordStatus"] == "Filled"
        assert alice.order(alice.place(action="Sell", orderQty=2)["orderId"])["ordStatus"] == "Rejected"
        lock("LockTradingImmediately")
        assert alice.order(alice.place(action="Sell")["orderId"])["ordStatus"] == "Rejected"
        alice.post("accountRiskStatus/resetautoliqstatus", {"accountId": account})
        assert alice.order(alice.place()["orderId"])["ordStatus"] == "Filled"


def test_balance_can_be_changed_and_the_account_set_back(alice: Client) -> None:
    alice.place(orderQty=2)
    alice.place(orderType="Limit", price=5000)
    account = alice.accounts["A-1"]
    body = {"accountId": account, "cashChange": -1000, "comment": "test"}
    assert alice.post("cashBalance/changedemobalance", body) == {"ok": True}
    assert alice.cash()["totalCashValue"] == 49_000 - 5
    assert alice.cash()["realizedPnL"] == -5
    reset = {"accountIds": [account], "resetTradeDate": {"year": 2026, "month": 1, "day": 1}}
    assert alice.post("account/resetdemoaccountstate", reset) == {"ok": True}
    assert alice.cash() == alice.cash() | {"totalCashValue": 50_000, "realizedPnL": 0, "openPnL": 0}
    assert alice.position()["netPos"] == 0
    assert [order["ordStatus"] for order in alice.get("order/list")] == ["Filled", "Canceled"]


def test_missed_events_never_arrive_and_duplicated_ones_twice(alice: Client) -> None:
    socket = alice.socket()
    alice.operator("events", login="alice", kind="miss", times=2)
    alice.place()
    assert socket.events(1)[0]["entityType"] == "executionReport"
    while not socket.quiet(0.1):
        socket.events(1)
    alice.operator("events", login="alice", kind="duplicate")
    alice.place(orderType="Limit", price=5000)
    events = socket.events(6)
    assert events[:3] == events[3:]


def test_silenced_rest_request_ends_without_an_answer() -> None:
    with running_exchange(logins=LOGINS, mute_seconds=0.1) as exchange, Client(exchange, "alice") as alice:
        alice.operator("trouble", login="alice", kind="silence", endpoint="placeorder")
        with pytest.raises(requests.ConnectionError):
            alice.place()
        assert len(alice.get("order/list")) == 1


def test_third_login_evicts_the_oldest_session() -> None:
    with running_exchange(logins=LOGINS, sessions_per_user=2) as exchange:
        with Client(exchange, "alice") as first, Client(exchange, "alice") as second:
            socket = first.socket()
            with Client(exchange, "alice") as third:
                assert socket.message()["d"] == {"reasonCode": "ConnectionQuotaReached"}
                assert [one.status("account/list") for one in (first, second, third)] == [401, 200, 200]


def test_refused_handshakes_get_429_and_then_the_door_opens(alice: Client) -> None:
    alice.operator("handshakes", times=2)
    for _ in range(2):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            alice.socket()
        assert refused.value.status_code == 429
    assert alice.socket().quiet(0.05)
