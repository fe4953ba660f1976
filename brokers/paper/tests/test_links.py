"""Linked orders: pairs that cancel each other, brackets that wait for their entry."""

from typing import Any

import pytest

from brokers.paper.testing import RunningExchange
from brokers.paper.tests.client import Client


def pair(alice: Client, qty: int = 1) -> tuple[int, int]:
    body = {
        "accountId": alice.accounts["A-1"],
        "action": "Sell",
        "symbol": "MESZ6",
        "orderQty": qty,
        "orderType": "Limit",
        "price": 5060,
        "isAutomated": True,
        "other": {"action": "Sell", "orderType": "Stop", "stopPrice": 5040},
    }
    reply = alice.post("order/placeoco", body)
    return reply["orderId"], reply["ocoId"]


def bracket(alice: Client, **members: Any) -> Any:
    body = {
        "accountId": alice.accounts["A-1"],
        "action": "Buy",
        "symbol": "MESZ6",
        "orderQty": 1,
        "orderType": "Market",
        "isAutomated": True,
        "bracket1": {"action": "Sell", "orderType": "Limit", "price": 5060},
        "bracket2": {"action": "Sell", "orderType": "Stop", "stopPrice": 5040},
    }
    return alice.post("order/placeoso", {**body, **members})


def statuses(alice: Client, *numbers: int) -> list[str]:
    return [alice.order(number)["ordStatus"] for number in numbers]


def open_qty(alice: Client, number: int) -> int:
    version = alice.get("orderVersion/deps", masterid=number)[-1]
    filled = sum(fill["qty"] for fill in alice.get("fill/deps", masterid=number))
    return int(version["orderQty"] - filled)


def test_orders_of_a_pair_point_at_each_other(alice: Client) -> None:
    one, other = pair(alice)
    assert alice.order(one)["ocoId"] == other
    assert alice.order(other)["ocoId"] == one
    assert statuses(alice, one, other) == ["Working", "Working"]


def test_fill_of_one_order_cancels_the_other(alice: Client, exchange: RunningExchange) -> None:
    one, other = pair(alice)
    exchange.set_price("MESZ6", "5040.00")
    assert statuses(alice, one, other) == ["Canceled", "Filled"]
    assert alice.position()["netPos"] == -1


def test_partial_fill_of_one_order_shrinks_the_other(alice: Client, exchange: RunningExchange) -> None:
    one, other = pair(alice, qty=5)
    exchange.set_price("MESZ6", "5060.00", size=2)
    assert open_qty(alice, one) == open_qty(alice, other) == 3
    assert statuses(alice, one, other) == ["Working", "Working"]
    exchange.set_price("MESZ6", "5060.00", size=3)
    assert statuses(alice, one, other) == ["Filled", "Canceled"]
    assert alice.position()["netPos"] == -5


def test_cancel_of_one_order_cancels_the_other(alice: Client) -> None:
    one, other = pair(alice)
    alice.post("order/cancelorder", {"orderId": other})
    assert statuses(alice, one, other) == ["Canceled", "Canceled"]


def test_pair_on_the_wrong_side_of_itself_is_refused(alice: Client) -> None:
    body = {
        "accountId": alice.accounts["A-1"],
        "action": "Sell",
        "symbol": "MESZ6",
        "orderQty": 1,
        "orderType": "Limit",
        "price": 5030,
        "other": {"action": "Sell", "orderType": "Stop", "stopPrice": 5040},
    }
    reply = alice.post("order/placeoco", body)
    assert reply == {"failureReason": "InvalidPrice", "failureText": "Wrong OCO combination"}


def test_pair_needs_its_other_order(alice: Client) -> None:
    body = {"accountId": alice.accounts["A-1"], "action": "Sell", "symbol": "MESZ6", "orderQty": 1}
    reply = alice.post("order/placeoco", {**body, "orderType": "Market"})
    assert reply["violations"][0]["constraint"] == "other"


def test_rejected_order_takes_its_pair_along(alice: Client) -> None:
    one, other = pair(alice, qty=201)
    assert statuses(alice, one, other) == ["Rejected", "Rejected"]


def test_bracket_of_a_market_entry_works_at_once(alice: Client) -> None:
    reply = bracket(alice)
    entry, target, stop = reply["orderId"], reply["oso1Id"], reply["oso2Id"]
    assert (target, stop) == (entry + 1, entry + 2)
    assert statuses(alice, entry, target, stop) == ["Filled", "Working", "Working"]
    assert alice.order(target) == alice.order(target) | {"parentId": entry, "ocoId": stop}


def test_legs_sleep_until_the_entry_trades_and_grow_with_it(alice: Client, exchange: RunningExchange) -> None:
    reply = bracket(alice, orderType="Limit", price=5045, orderQty=5)
    entry, target, stop = reply["orderId"], reply["oso1Id"], reply["oso2Id"]
    assert statuses(alice, entry, target, stop) == ["Working", "Suspended", "Suspended"]
    exchange.set_price("MESZ6", "5045.00", size=2)
    assert statuses(alice, entry, target, stop) == ["Working", "Working", "Working"]
    assert (open_qty(alice, target), open_qty(alice, stop)) == (2, 2)
    exchange.set_price("MESZ6", "5045.00", size=3)
    assert (open_qty(alice, target), open_qty(alice, stop)) == (5, 5)
    exchange.set_price("MESZ6", "5060.00")
    assert statuses(alice, entry, target, stop) == ["Filled", "Filled", "Canceled"]
    assert alice.position()["netPos"] == 0


def test_cancel_of_the_entry_cancels_sleeping_legs(alice: Client) -> None:
    reply = bracket(alice, orderType="Limit", price=5045)
    alice.post("order/cancelorder", {"orderId": reply["orderId"]})
    assert statuses(alice, reply["orderId"], reply["oso1Id"], reply["oso2Id"]) == ["Canceled"] * 3


def test_rejected_entry_rejects_its_legs_because_of_it(alice: Client) -> None:
    reply = bracket(alice, orderQty=201)
    assert statuses(alice, reply["orderId"], reply["oso1Id"], reply["oso2Id"]) == ["Rejected"] * 3
    report = alice.get("commandReport/deps", masterid=reply["oso1Id"])[-1]
    assert report["rejectReason"] == "ParentRejected"


def test_bracket_with_one_leg_has_no_second(alice: Client) -> None:
    reply = bracket(alice, bracket2=None)
    assert "oso2Id" not in reply
    assert "ocoId" not in alice.order(reply["oso1Id"])


@pytest.mark.parametrize("legs", [{"bracket1": None}, {"bracket1": "x"}])
def test_bracket_without_a_proper_first_leg_is_refused(alice: Client, legs: dict[str, Any]) -> None:
    assert bracket(alice, **legs)["violations"][0]["constraint"] == "bracket1"
