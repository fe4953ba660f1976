"""The life of orders over a real socket: what is answered, which events follow, in which order."""

from typing import Any

import pytest

from brokers.paper.testing import RunningExchange
from brokers.paper.tests.client import Client


def kinds(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["entityType"], event["eventType"]) for event in events]


def test_market_order_tells_its_life_in_the_documented_order(alice: Client) -> None:
    socket = alice.socket()
    order = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6", "orderQty": 2}
    reply = socket.ask("order/placeorder", 3, body={**order, "orderType": "Market", "clOrdId": "c-1"})
    events = socket.events(15)
    number = reply["orderId"]
    assert kinds(events) == [
        ("order", "Created"),
        ("command", "Created"),
        ("orderVersion", "Created"),
        ("commandReport", "Created"),
        ("command", "Updated"),
        ("executionReport", "Created"),
        ("order", "Updated"),
        ("command", "Updated"),
        ("executionReport", "Created"),
        ("fill", "Created"),
        ("order", "Updated"),
        ("position", "Created"),
        ("fillFee", "Created"),
        ("cashBalanceLog", "Created"),
        ("cashBalance", "Updated"),
    ]
    entities = [event["entity"] for event in events]
    assert entities[0]["ordStatus"] == "PendingNew"
    assert entities[1]["clOrdId"] == "c-1"
    assert [entity["id"] for entity in entities[:3]] == [number, number, number]
    assert entities[3] == entities[3] | {"id": number + 1, "commandStatus": "RiskPassed"}
    assert entities[5] == entities[5] | {"id": number + 2, "execType": "New", "ordStatus": "Working"}
    assert entities[8] == entities[8] | {"execType": "Trade", "cumQty": 2, "lastQty": 2, "avgPx": 5050}
    assert entities[9] == entities[9] | {"id": number + 3, "qty": 2, "price": 5050, "finallyPaired": 0}
    assert entities[10]["ordStatus"] == "Filled"
    assert entities[11] == entities[11] | {"netPos": 2, "netPrice": 5050, "bought": 2, "boughtValue": 10100}


def test_limit_order_is_placed_modified_and_canceled(alice: Client) -> None:
    socket = alice.socket()
    number = alice.place(orderType="Limit", price=5000, timeInForce="GTC", text="DOM")["orderId"]
    assert socket.until("command", id=number, commandStatus="AtExecution")
    change = {"orderId": number, "orderQty": 2, "orderType": "Limit", "price": 5001.25, "timeInForce": "GTC"}
    command = alice.post("order/modifyorder", change)["commandId"]
    created = socket.events(2)
    assert kinds(created) == [("command", "Created"), ("orderVersion", "Created")]
    assert [event["entity"]["id"] for event in created] == [command, command]
    assert socket.until("executionReport", execType="Replaced", commandId=command)
    versions = alice.get("orderVersion/deps", masterid=number)
    assert [(item["id"], item["orderQty"], item["price"]) for item in versions] == [
        (number, 1, 5000),
        (command, 2, 5001.25),
    ]
    cancel = alice.post("order/cancelorder", {"orderId": number})["commandId"]
    report = socket.until("executionReport", execType="Canceled")
    assert (report["id"], report["commandId"]) == (cancel + 1, cancel)
    assert socket.until("order", id=number)["ordStatus"] == "Canceled"
    again = alice.post("order/cancelorder", {"orderId": number})
    assert again["failureReason"] == "TooLate"


def test_sell_closes_first_in_first_out_and_books_pairs_and_fees(
    alice: Client, exchange: RunningExchange
) -> None:
    alice.place(orderQty=2)
    exchange.set_price("MESZ6", "5060.00")
    alice.place(orderQty=1)
    exchange.set_price("MESZ6", "5070.00")
    alice.place(action="Sell", orderQty=2)
    pairs = alice.get("fillPair/list")
    assert [(pair["qty"], pair["buyPrice"], pair["sellPrice"]) for pair in pairs] == [(2, 5050, 5070)]
    assert alice.position()["netPos"] == 1
    assert alice.position()["netPrice"] == 5060
    cash = alice.cash()
    assert cash["realizedPnL"] == 20 * 2 * 5 - 5 * 2.5
    assert cash["openPnL"] == 10 * 5
    assert cash["totalCashValue"] == 50_000 + cash["realizedPnL"]
    assert cash["netLiq"] == cash["totalCashValue"] + cash["openPnL"]
    fills = alice.get("fill/list")
    assert [fill["finallyPaired"] for fill in fills] == [2, 0, 2]


def test_order_larger_than_the_book_fills_in_parts(alice: Client, exchange: RunningExchange) -> None:
    exchange.set_price("MESZ6", "5050.00", size=3)
    socket = alice.socket()
    number = alice.place(orderQty=5, orderType="Limit", price=5050)["orderId"]
    first = socket.until("executionReport", execType="Trade")
    assert (first["lastQty"], first["cumQty"], first["ordStatus"]) == (3, 3, "Working")
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5050.00", size=3)
    second = socket.until("executionReport", execType="Trade")
    assert (second["lastQty"], second["cumQty"], second["ordStatus"]) == (2, 5, "Filled")
    assert socket.until("order", id=number)["ordStatus"] == "Filled"


def test_market_order_walks_the_book_and_waits_for_the_rest(alice: Client, exchange: RunningExchange) -> None:
    exchange.set_price("MESZ6", "5050.00", size=3)
    number = alice.place(orderQty=35)["orderId"]
    fills = alice.get("fill/deps", masterid=number)
    assert [(fill["qty"], fill["price"]) for fill in fills][:2] == [(3, 5050), (3, 5050.25)]
    assert sum(fill["qty"] for fill in fills) == 30
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5051.00", size=100)
    assert alice.order(number)["ordStatus"] == "Filled"


@pytest.mark.parametrize(
    ("action", "stop", "quiet", "reaches"),
    [("Buy", 5060, "5059.75", "5060.00"), ("Sell", 5040, "5040.25", "5040.00")],
)
def test_stop_waits_for_its_trigger_and_then_trades_at_the_market(
    alice: Client, exchange: RunningExchange, action: str, stop: int, quiet: str, reaches: str
) -> None:
    number = alice.place(action=action, orderType="Stop", stopPrice=stop)["orderId"]
    exchange.set_price("MESZ6", quiet)
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", reaches)
    assert alice.order(number)["ordStatus"] == "Filled"
    assert alice.get("fill/deps", masterid=number)[0]["price"] == stop


def test_stop_limit_becomes_a_limit_order_when_triggered(alice: Client, exchange: RunningExchange) -> None:
    number = alice.place(orderType="StopLimit", stopPrice=5060, price=5058)["orderId"]
    exchange.set_price("MESZ6", "5060.00")
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5058.00")
    assert alice.order(number)["ordStatus"] == "Filled"
    assert alice.get("fill/deps", masterid=number)[0]["price"] == 5058


def test_immediate_or_cancel_takes_what_is_there_and_cancels_the_rest(
    alice: Client, exchange: RunningExchange
) -> None:
    exchange.set_price("MESZ6", "5050.00", size=3)
    number = alice.place(orderQty=5, orderType="Limit", price=5050, timeInForce="IOC")["orderId"]
    assert alice.order(number)["ordStatus"] == "Canceled"
    assert [fill["qty"] for fill in alice.get("fill/deps", masterid=number)] == [3]


def test_fill_or_kill_takes_all_or_nothing(alice: Client, exchange: RunningExchange) -> None:
    exchange.set_price("MESZ6", "5050.00", size=3)
    killed = alice.place(orderQty=5, orderType="Limit", price=5050, timeInForce="FOK")["orderId"]
    assert alice.order(killed)["ordStatus"] == "Canceled"
    assert alice.get("fill/deps", masterid=killed) == []
    filled = alice.place(orderQty=3, orderType="Limit", price=5050, timeInForce="FOK")["orderId"]
    assert alice.order(filled)["ordStatus"] == "Filled"


def test_resting_orders_of_two_logins_trade_with_each_other(
    alice: Client, bob: Client, exchange: RunningExchange
) -> None:
    exchange.set_price("MESZ6", "5050.00", spread=8)
    resting = bob.place("B-1", action="Sell", orderType="Limit", price=5051, orderQty=2)["orderId"]
    taking = alice.place(orderQty=2)["orderId"]
    assert [fill["price"] for fill in alice.get("fill/deps", masterid=taking)] == [5051]
    assert [fill["price"] for fill in bob.get("fill/deps", masterid=resting)] == [5051]
    assert alice.position("A-1")["netPos"] == 2
    assert bob.position("B-1")["netPos"] == -2


def test_liquidation_cancels_orders_and_closes_the_position(alice: Client, exchange: RunningExchange) -> None:
    alice.place(orderQty=3)
    resting = alice.place(orderType="Limit", price=5000)["orderId"]
    contract = alice.order(resting)["contractId"]
    body = {"accountId": alice.accounts["A-1"], "contractId": contract, "admin": False}
    closing = alice.post("order/liquidateposition", body)["orderId"]
    assert alice.order(resting)["ordStatus"] == "Canceled"
    assert alice.order(closing) == alice.order(closing) | {"action": "Sell", "ordStatus": "Filled"}
    assert alice.position()["netPos"] == 0
    assert "netPrice" not in alice.position()
    assert alice.post("order/liquidateposition", body) == {}


def test_several_positions_are_liquidated_by_their_ids(alice: Client) -> None:
    alice.place("A-1")
    alice.place("A-2", action="Sell")
    numbers = [row["id"] for row in alice.get("position/list")]
    assert alice.post("order/liquidatepositions", {"positions": numbers, "admin": False}) == {"ok": True}
    assert [row["netPos"] for row in alice.get("position/list")] == [0, 0]
    missing = alice.post("order/liquidatepositions", {"positions": [1], "admin": False})
    assert missing == {"ok": False, "errorText": "Unknown position"}


def test_too_large_an_order_is_accepted_and_then_rejected(alice: Client) -> None:
    socket = alice.socket()
    number = alice.place(orderQty=201)["orderId"]
    report = socket.until("commandReport", commandId=number)
    assert report["commandStatus"] == "RiskRejected"
    assert report["rejectReason"] == "MaxOrderQtyLimitReached"
    assert report["ordStatus"] == "Rejected"
    assert alice.order(number)["ordStatus"] == "Rejected"


def test_order_beyond_the_margin_is_accepted_and_then_rejected(alice: Client) -> None:
    number = alice.place(symbol="ESZ6", orderQty=150)["orderId"]
    assert alice.order(number)["ordStatus"] == "Rejected"
    report = alice.get("commandReport/deps", masterid=number)[-1]
    assert "Insufficient margin" in report["text"]


@pytest.mark.parametrize(
    ("members", "reason", "words"),
    [
        ({"symbol": "MES"}, "InvalidContract", "MES"),
        ({"symbol": "@MES"}, "InvalidContract", "@MES"),
        ({"symbol": "ZZZZ6"}, "InvalidContract", "ZZZZ6"),
        ({"symbol": "MESH6"}, "InvalidContract", "MESH6"),
        ({"orderType": "Limit"}, "InvalidPrice", "price is required"),
        ({"orderType": "Limit", "price": 5000.3}, "InvalidPrice", "0.25"),
        ({"orderType": "Limit", "price": "abc"}, "InvalidPrice", "price"),
        ({"orderType": "Stop", "price": 5100}, "InvalidPrice", "stopPrice is required"),
        ({"orderType": "Stop", "stopPrice": 5100.1}, "InvalidPrice", "stopPrice"),
        ({"orderType": "QTS"}, "Unsupported", "QTS"),
        ({"orderType": "TrailingStopLimit", "stopPrice": 5100}, "InvalidPrice", "price is required"),
        (
            {"orderType": "TrailingStopLimit", "price": 5101, "stopPrice": 5100},
            "InvalidPrice",
            "pegDifference is required",
        ),
        ({"orderType": "LimitIfTouched", "price": 5000}, "InvalidPrice", "limitIfTouchedPrice"),
        ({"orderType": "TrailingStop", "pegDifference": 5}, "InvalidPrice", "stopPrice is required"),
        (
            {"orderType": "TrailingStop", "stopPrice": 5100, "pegDifference": -5},
            "InvalidPrice",
            "pegDifference",
        ),
    ],
)
def test_order_that_cannot_exist_is_refused_in_the_reply(
    alice: Client, members: dict[str, Any], reason: str, words: str
) -> None:
    reply = alice.place(**members)
    assert reply["failureReason"] == reason
    assert words in reply["failureText"]
    assert alice.get("order/list") == []


@pytest.mark.parametrize(
    "members",
    [
        {"orderQty": 0},
        {"orderQty": -1},
        {"orderQty": 10**9},
        {"orderQty": 1.5},
        {"orderQty": None},
        {"action": "Hold"},
        {"action": None},
        {"orderType": "Guess"},
        {"symbol": None},
        {"timeInForce": "Forever"},
        {"timeInForce": "GTD"},
        {"clOrdId": "x" * 65},
    ],
)
def test_order_of_a_wrong_shape_gets_violations(alice: Client, members: dict[str, Any]) -> None:
    reply = alice.place(**members)
    (violation,) = reply["violations"]
    assert violation["constraint"] in members or violation["constraint"] == "expireTime"
    assert alice.get("order/list") == []


def test_account_is_needed_and_must_be_ones_own(alice: Client, bob: Client) -> None:
    nobody = alice.place(accountSpec=None, accountId=None)
    assert nobody["violations"][0]["description"] == "Account is not specified"
    url = f"{alice.exchange.base_url}/order/placeorder"
    stolen = {"accountId": bob.accounts["B-1"], "action": "Buy", "symbol": "MESZ6", "orderQty": 1}
    answer = alice.session.post(url, json={**stolen, "orderType": "Market"}, timeout=5)
    assert (answer.status_code, answer.text) == (401, "Access is denied")


def test_account_is_found_by_its_name_alone(alice: Client) -> None:
    number = alice.place("A-2", accountId=None)["orderId"]
    assert alice.order(number)["accountId"] == alice.accounts["A-2"]


def test_omitting_time_in_force_on_a_gtc_order_is_refused(alice: Client) -> None:
    number = alice.place(orderType="Limit", price=5000, timeInForce="GTC")["orderId"]
    body = {"orderId": number, "orderQty": 1, "orderType": "Limit", "price": 5001}
    assert alice.post("order/modifyorder", body)["failureText"] == "cannot modify time-in-force"
    assert len(alice.get("orderVersion/deps", masterid=number)) == 1


def test_modification_below_the_filled_quantity_is_rejected_later(
    alice: Client, exchange: RunningExchange
) -> None:
    exchange.set_price("MESZ6", "5050.00", size=3)
    number = alice.place(orderQty=5, orderType="Limit", price=5050)["orderId"]
    body = {"orderId": number, "orderQty": 3, "orderType": "Limit", "price": 5050}
    command = alice.post("order/modifyorder", body)["commandId"]
    assert alice.get("command/item", id=command)["commandStatus"] == "ExecutionRejected"
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5050.00", size=3)
    assert alice.order(number)["ordStatus"] == "Filled"


@pytest.mark.parametrize("distance", [{"pegDifference": 10}, {}])
def test_trailing_stop_follows_the_market_at_its_distance(
    alice: Client, exchange: RunningExchange, distance: dict[str, Any]
) -> None:
    alice.place()
    number = alice.place(action="Sell", orderType="TrailingStop", stopPrice=5040, **distance)["orderId"]
    for price, stop in (("5045.00", 5040), ("5060.00", 5050), ("5055.00", 5050), ("5070.25", 5060.25)):
        exchange.set_price("MESZ6", price)
        version = alice.get("orderVersion/deps", masterid=number)[-1]
        assert (version["stopPrice"], version["pegDifference"]) == (stop, 10)
    exchange.set_price("MESZ6", "5060.25")
    assert alice.order(number)["ordStatus"] == "Filled"
    assert alice.position()["netPos"] == 0


def test_trailing_stop_limit_draws_its_limit_along(alice: Client, exchange: RunningExchange) -> None:
    alice.place()
    prices: dict[str, Any] = {"price": 5038, "stopPrice": 5040, "pegDifference": 10}
    number = alice.place(action="Sell", orderType="TrailingStopLimit", **prices)["orderId"]
    exchange.set_price("MESZ6", "5060.00")
    version = alice.get("orderVersion/deps", masterid=number)[-1]
    assert (version["stopPrice"], version["price"]) == (5050, 5048)
    exchange.set_price("MESZ6", "5047.00")  # through stop and limit at once: it rests at its limit
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5048.00")
    assert alice.order(number)["ordStatus"] == "Filled"


def test_limit_if_touched_rests_as_a_limit_once_its_price_was_touched(
    alice: Client, exchange: RunningExchange
) -> None:
    prices: dict[str, Any] = {"price": 5040, "limitIfTouchedPrice": 5045}
    number = alice.place(orderType="LimitIfTouched", **prices)["orderId"]
    assert alice.get("orderVersion/deps", masterid=number)[-1]["limitIfTouchedPrice"] == 5045
    exchange.set_price("MESZ6", "5045.00")
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5040.00")
    assert alice.order(number)["ordStatus"] == "Filled"


def test_limit_if_touched_does_not_trade_at_its_limit_before_it_was_touched(
    alice: Client, exchange: RunningExchange
) -> None:
    prices: dict[str, Any] = {"price": 5060, "limitIfTouchedPrice": 5045}
    number = alice.place(orderType="LimitIfTouched", **prices)["orderId"]
    exchange.set_price("MESZ6", "5055.00")
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5044.75")
    assert alice.order(number)["ordStatus"] == "Filled"


def test_only_the_quantity_of_a_trailing_stop_can_be_modified(
    alice: Client, exchange: RunningExchange
) -> None:
    number = alice.place(orderType="TrailingStop", stopPrice=5060, pegDifference=10)["orderId"]
    exchange.set_price("MESZ6", "5045.00")
    body = {"orderId": number, "orderType": "TrailingStop", "orderQty": 3, "stopPrice": 5060}
    assert "commandId" in alice.post("order/modifyorder", body)
    version = alice.get("orderVersion/deps", masterid=number)[-1]
    assert version == version | {"orderQty": 3, "stopPrice": 5055, "pegDifference": 10}
    for change in ({"stopPrice": 5058}, {"pegDifference": 5}, {"orderType": "Stop"}):
        refused = alice.post("order/modifyorder", {**body, **change})
        assert refused["failureReason"] == "TrailingStopNonOrderQtyModify"


def test_raised_quantity_beyond_the_limit_is_rejected_and_the_old_terms_stay(alice: Client) -> None:
    number = alice.place(orderType="Limit", price=5000)["orderId"]
    body = {"orderId": number, "orderQty": 201, "orderType": "Limit", "price": 5001}
    command = alice.post("order/modifyorder", body)["commandId"]
    assert alice.get("command/item", id=command)["commandStatus"] == "RiskRejected"
    assert alice.order(number)["ordStatus"] == "Working"
    lower = {**body, "orderQty": 1, "price": 5000.25}
    assert "commandId" in alice.post("order/modifyorder", lower)


def test_changes_of_unknown_orders_and_contracts_are_told_apart(alice: Client) -> None:
    assert alice.post("order/cancelorder", {})["violations"][0]["constraint"] == "orderId"
    assert alice.status("order/cancelorder", orderId=5) == 404
    liquidation = {"accountId": alice.accounts["A-1"], "contractId": 5}
    assert alice.post("order/liquidateposition", liquidation)["violations"][0]["constraint"] == "contractId"
    many = alice.post("order/liquidatepositions", {"positions": list(range(1, 102))})
    assert many == {"ok": False, "errorText": "at most 100 positions"}
    assert alice.status("order/liquidateposition", accountSpec="nobody", contractId=5) == 401


def test_incomplete_requests_about_contracts_and_cash_are_answered_with_a_text(alice: Client) -> None:
    assert alice.post("contract/rollcontract", {"name": "NOPE"}) == {"errorText": "Contract not found"}
    body = {"accountId": alice.accounts["A-1"]}
    assert alice.post("cashBalance/changedemobalance", body)["errorText"] == "cashChange is required"


def test_end_that_is_no_instant_is_a_violation(alice: Client) -> None:
    reply = alice.place(orderType="Limit", price=5000, timeInForce="GTD", expireTime="tomorrow")
    assert reply["violations"][0]["constraint"] == "expireTime"
