"""Order strategies: brackets placed by the server, at distances from what the entry really paid."""

import json
from typing import Any

import pytest

from brokers.paper.store import MemoryStore
from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client

BRACKET = {"qty": 1, "profitTarget": 10, "stopLoss": -5, "trailingStop": False}
ENTRY = {"orderQty": 1, "orderType": "Market", "timeInForce": "Day"}


def _start(client: Client, *brackets: dict[str, Any], entry: dict[str, Any] = ENTRY, **members: Any) -> Any:
    params = json.dumps({"entryVersion": entry, "brackets": list(brackets)})
    body = {
        "accountId": client.accounts["A-1"],
        "accountSpec": "A-1",
        "symbol": "MESZ6",
        "orderStrategyTypeId": 2,
        "action": "Buy",
        "params": params,
    }
    return client.post("orderStrategy/startorderstrategy", {**body, **members})


def _legs(client: Client, strategy: int) -> list[dict[str, Any]]:
    links = client.get("orderStrategyLink/deps", masterid=strategy)
    return [
        client.get("orderVersion/deps", masterid=link["orderId"])[-1] | client.order(link["orderId"])
        for link in links
        if link["label"] != "256"
    ]


def _status(client: Client, strategy: int) -> str:
    return str(client.get("orderStrategy/item", id=strategy)["status"])


def test_brackets_stand_at_their_distance_from_the_fill(alice: Client, exchange: RunningExchange) -> None:
    started = _start(alice, BRACKET, uuid="mine")["orderStrategy"]
    assert started == started | {"status": "ActiveStrategy", "orderStrategyTypeId": 2, "uuid": "mine"}
    entry = alice.order(started["id"] + 1)
    assert entry["ordStatus"] == "Filled"
    price = alice.get("fill/deps", masterid=entry["id"])[0]["price"]
    target, stop = _legs(alice, started["id"])
    assert (target["orderType"], target["price"], target["action"]) == ("Limit", price + 10, "Sell")
    assert (stop["orderType"], stop["stopPrice"]) == ("Stop", price - 5)
    assert (target["ocoId"], stop["ocoId"]) == (stop["orderId"], target["orderId"])
    exchange.set_price("MESZ6", str(price + 10))
    assert [leg["ordStatus"] for leg in _legs(alice, started["id"])] == ["Filled", "Canceled"]
    assert _status(alice, started["id"]) == "ExecutionFinished"
    assert alice.position()["netPos"] == 0


def test_seller_has_its_target_below_and_its_stop_above(alice: Client) -> None:
    started = _start(alice, {"qty": 1, "profitTarget": -30, "stopLoss": 15}, action="Sell")["orderStrategy"]
    price = alice.get("fill/deps", masterid=started["id"] + 1)[0]["price"]
    target, stop = _legs(alice, started["id"])
    assert (target["price"], stop["stopPrice"]) == (price - 30, price + 15)


def test_trailing_bracket_follows_the_market(alice: Client, exchange: RunningExchange) -> None:
    started = _start(alice, {"qty": 1, "stopLoss": -5, "trailingStop": True})["orderStrategy"]
    exchange.set_price("MESZ6", "5080.00")
    (stop,) = _legs(alice, started["id"])
    assert (stop["orderType"], stop["stopPrice"]) == ("TrailingStop", 5075)


def test_several_brackets_share_an_entry_and_grow_with_its_fills(
    alice: Client, exchange: RunningExchange
) -> None:
    entry = {"orderQty": 3, "orderType": "Limit", "price": 5040}
    further = {"qty": 1, "profitTarget": 20, "stopLoss": -5}
    started = _start(alice, BRACKET | {"qty": 2}, further, entry=entry)["orderStrategy"]
    assert _legs(alice, started["id"]) == []
    exchange.set_price("MESZ6", "5040.00", size=1)
    assert [leg["orderQty"] for leg in _legs(alice, started["id"])] == [1, 1]
    exchange.set_price("MESZ6", "5040.00", size=2)
    assert [leg["orderQty"] for leg in _legs(alice, started["id"])] == [2, 2, 1, 1]
    assert [leg.get("price") for leg in _legs(alice, started["id"])] == [5050, None, 5060, None]


def test_what_is_bought_after_the_first_leg_traded_is_protected_too(
    alice: Client, exchange: RunningExchange
) -> None:
    entry = {"orderQty": 3, "orderType": "Limit", "price": 5040}
    started = _start(alice, BRACKET | {"qty": 3, "profitTarget": 1}, entry=entry)["orderStrategy"]
    exchange.set_price("MESZ6", "5040.00", size=1)
    exchange.set_price("MESZ6", "5041.00")
    assert [leg["ordStatus"] for leg in _legs(alice, started["id"])] == ["Filled", "Canceled"]
    assert _status(alice, started["id"]) == "ActiveStrategy"
    exchange.set_price("MESZ6", "5040.00", size=2)
    legs = _legs(alice, started["id"])
    assert [(leg["ordStatus"], leg["orderQty"]) for leg in legs[2:]] == [("Working", 2)] * 2
    exchange.set_price("MESZ6", "5041.00")
    assert _status(alice, started["id"]) == "ExecutionFinished"
    assert alice.position()["netPos"] == 0


def test_bracket_may_have_a_target_alone(alice: Client) -> None:
    started = _start(alice, {"qty": 1, "profitTarget": 10})["orderStrategy"]
    (target,) = _legs(alice, started["id"])
    assert (target["orderType"], target.get("ocoId")) == ("Limit", None)


def test_client_sees_the_documented_sequence(alice: Client) -> None:
    socket = alice.socket()
    started = _start(alice, BRACKET)["orderStrategy"]
    strategy = socket.until("orderStrategy")
    assert strategy == started
    entry = socket.until("order")
    assert entry["id"] == strategy["id"] + 1
    assert socket.until("orderStrategyLink") == {
        "id": entry["id"],
        "orderStrategyId": strategy["id"],
        "orderId": entry["id"],
        "label": "256",
    }
    socket.until("fill", orderId=entry["id"])
    leg = socket.until("order", action="Sell")
    assert socket.until("orderStrategyLink", orderId=leg["id"])["label"] == "0"
    socket.until("order", id=leg["id"], ordStatus="Working")


def test_rejected_entry_fails_the_strategy(alice: Client) -> None:
    started = _start(alice, entry=ENTRY | {"orderQty": 201})["orderStrategy"]
    found = alice.get("orderStrategy/item", id=started["id"])
    assert found["status"] == "ExecutionFailed"
    assert "maximum order quantity" in found["failureMessage"]


def test_cancelled_entry_ends_the_strategy(alice: Client) -> None:
    started = _start(alice, BRACKET, entry={"orderQty": 1, "orderType": "Limit", "price": 5000})
    number = started["orderStrategy"]["id"]
    alice.post("order/cancelorder", {"orderId": number + 1})
    assert _status(alice, number) == "ExecutionFinished"


def test_interrupted_strategy_cancels_its_orders_and_keeps_the_position(alice: Client) -> None:
    number = _start(alice, BRACKET)["orderStrategy"]["id"]
    reply = alice.post("orderStrategy/interruptorderstrategy", {"orderStrategyId": number})
    assert reply["orderStrategy"]["status"] == "ExecutionInterrupted"
    assert {leg["ordStatus"] for leg in _legs(alice, number)} == {"Canceled"}
    assert alice.position()["netPos"] == 1
    assert _status(alice, number) == "ExecutionInterrupted"
    again = alice.post("orderStrategy/interruptorderstrategy", {"orderStrategyId": number})
    assert again["failureReason"] == "TooLate"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"params": {"entryVersion": {}}}, "Invalid or missed parameters"),
        ({"params": "{"}, "not JSON"),
        ({"params": "[]"}, "entryVersion is required"),
        ({"params": '{"entryVersion": {"orderType": "Market"}}'}, "orderQty is required"),
        ({"params": '{"entryVersion": {}, "brackets": [1]}'}, "brackets must be a list"),
        ({"orderStrategyTypeId": 1}, "orderStrategyTypeId must be 2"),
    ],
)
def test_unreadable_strategy_is_refused_with_a_text(
    alice: Client, members: dict[str, Any], words: str
) -> None:
    assert words in _start(alice, BRACKET, **members)["errorText"]
    assert alice.get("order/list") == []


@pytest.mark.parametrize(
    ("bracket", "words"),
    [
        ({"qty": 0}, "qty must be a whole number"),
        ({"qty": 2}, "more contracts than the entry"),
        ({"profitTarget": -10}, "winning side"),
        ({"stopLoss": 5}, "losing side"),
        ({"stopLoss": 0}, "losing side"),
        ({"profitTarget": 10.1}, "multiple of the tick"),
        ({"profitTarget": "far"}, "distance in points"),
        ({"profitTarget": "NaN"}, "multiple of the tick"),
    ],
)
def test_bracket_that_cannot_work_is_refused_with_a_text(
    alice: Client, bracket: dict[str, Any], words: str
) -> None:
    assert words in _start(alice, BRACKET | bracket)["errorText"]


def test_entry_that_cannot_exist_is_refused_by_its_reason(alice: Client) -> None:
    refused = _start(alice, BRACKET, entry={"orderQty": 1, "orderType": "Limit"})
    assert refused["failureReason"] == "InvalidPrice"


def test_strategies_are_their_owners_alone(alice: Client, bob: Client) -> None:
    number = _start(alice, BRACKET)["orderStrategy"]["id"]
    body = {"orderStrategyId": number}
    assert bob.status("orderStrategy/item", id=number) == 404
    assert bob.status("orderStrategy/interruptorderstrategy", **body) == 401
    assert alice.status("orderStrategy/interruptorderstrategy", orderStrategyId=5) == 404
    assert alice.post("orderStrategy/modifyorderstrategy", body)["failureReason"] == "Unsupported"


def test_strategy_goes_on_after_a_restart() -> None:
    store = MemoryStore()
    logins = {"alice": {"A-1": 50_000}}
    with running_exchange(logins=logins, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        entry = {"orderQty": 1, "orderType": "Limit", "price": 5040}
        number = _start(alice, BRACKET, entry=entry)["orderStrategy"]["id"]
    with running_exchange(logins=logins, store=store) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5040.00")
        assert len(_legs(alice, number)) == 2
        exchange.set_price("MESZ6", "5034.75")
        assert _status(alice, number) == "ExecutionFinished"
        assert alice.position()["netPos"] == 0


def test_dry_run_says_what_would_become_of_orders_and_places_none(alice: Client) -> None:
    contract = alice.get("contract/find", name="MESZ6")["id"]
    large = alice.get("contract/find", name="ESZ6")["id"]
    order = {"contractId": contract, "action": "Buy", "orderQty": 2, "orderType": "Market"}
    body = {"accountId": alice.accounts["A-1"], "orders": [order]}
    fine = alice.post("order/dryrun", body)
    assert fine == {"rejectReason": "Success", "comment": "Fees: 5.00 USD"}
    for change, reason in (
        ({"orderQty": 201}, "MaxOrderQtyLimitReached"),
        ({"orderQty": 150, "contractId": large}, "UnknownReason"),
        ({"orderType": "Limit"}, "InvalidPrice"),
        ({"contractId": 5}, "InvalidContract"),
    ):
        assert alice.post("order/dryrun", body | {"orders": [order | change]})["rejectReason"] == reason
    for orders in (None, [], [1], [order] * 101):
        assert alice.post("order/dryrun", body | {"orders": orders})["violations"]
    assert alice.get("order/list") == []
