"""A recorded session for every life cycle that the protocol describes (12.3 to 12.10), frame by frame.

A frame is written as its events: `C` or `U` for created or updated, the entity, and its words of state.
The end of a session (12.11) stands in `test_session`, for it needs a clock.
"""

import json
from typing import Any

from brokers.paper.testing import RunningExchange
from brokers.paper.tests.client import Client, Socket

_WORDS = ("ordStatus", "commandType", "commandStatus", "execType", "status", "cashChangeType", "label")
NEW = ["C order PendingNew, C command New Pending, C orderVersion"]
PASSED = ["C commandReport RiskPassed, U command New RiskPassed"]
WORKS = ["C executionReport Working New, U order Working, U command New AtExecution"]
PLACED = NEW + PASSED + WORKS
TRADED = ["C executionReport Filled Trade, C fill", "U order Filled"]
PART = ["C executionReport Working Trade, C fill"]
CASH = "C cashBalanceLog Commission, U cashBalance, U marginSnapshot"
PAIR = "C cashBalanceLog TradePaired, U cashBalance"
CANCELLED = ["U command Cancel AtExecution, C executionReport Canceled Canceled", "U order Canceled"]


def told(socket: Socket) -> list[str]:
    """Return the frames of events that have come, each as one line."""
    return [", ".join(_said(message["d"]) for message in frame) for frame in socket.until_now(99)]


def _said(event: dict[str, Any]) -> str:
    words = [str(event["entity"][name]) for name in _WORDS if event["entity"].get(name)]
    return " ".join([event["eventType"][0], event["entityType"], *words])


def _sell(kind: str, **prices: Any) -> dict[str, Any]:
    return {"action": "Sell", "orderType": kind, **prices}


def _order(alice: Client, **members: Any) -> dict[str, Any]:
    body = {"accountId": alice.accounts["A-1"], "symbol": "MESZ6", "orderQty": 1, "action": "Buy"}
    return {**body, "orderType": "Market", **members}


def test_market_order_12_3(alice: Client) -> None:
    socket = alice.socket()
    alice.place()
    opened = [*TRADED, "C position", f"C fillFee, {CASH}"]
    assert told(socket) == PLACED + opened
    alice.place(action="Sell")
    closed = [*TRADED, "C fillPair, U fill, U fill, U position", f"C fillFee, {PAIR}, {CASH}"]
    assert told(socket) == PLACED + closed


def test_partial_fills_12_4(alice: Client, exchange: RunningExchange) -> None:
    socket = alice.socket()
    alice.place(orderType="Limit", price=5040, orderQty=3)
    assert told(socket) == PLACED
    exchange.set_price("MESZ6", "5040.00", size=1)
    assert told(socket) == [*PART, "C position", f"C fillFee, {CASH}"]
    exchange.set_price("MESZ6", "5040.00", size=2)
    assert told(socket) == [*TRADED, "U position", f"C fillFee, {CASH}"]


def test_limit_order_placed_modified_and_cancelled_12_5(alice: Client) -> None:
    socket = alice.socket()
    number = alice.place(orderType="Limit", price=5000)["orderId"]
    assert told(socket) == PLACED
    alice.post("order/modifyorder", _order(alice, orderId=number, orderType="Limit", price=5001))
    assert told(socket) == [
        "C command Modify Pending, C orderVersion",
        "C commandReport RiskPassed, U command Modify RiskPassed",
        "C executionReport Working Replaced, U command Modify AtExecution",
    ]
    alice.post("order/cancelorder", {"orderId": number})
    assert told(socket) == ["C command Cancel Pending", *CANCELLED]


def test_refused_modify_leaves_the_old_version_in_force_12_5(alice: Client) -> None:
    number = alice.place(orderType="Limit", price=5000)["orderId"]
    socket = alice.socket()
    larger = _order(alice, orderId=number, orderType="Limit", price=5001, orderQty=201)
    alice.post("order/modifyorder", larger)
    assert told(socket) == [
        "C command Modify Pending, C orderVersion",
        "C commandReport Working RiskRejected, U command Modify RiskRejected",
    ]


def test_rejected_order_12_6(alice: Client) -> None:
    socket = alice.socket()
    alice.place(orderQty=201)
    refused = "C commandReport Rejected RiskRejected, U command New RiskRejected"
    assert told(socket) == [*NEW, refused, "U order Rejected"]
    assert "failureReason" in alice.place(symbol="MES")
    assert told(socket) == []


def test_pair_12_7(alice: Client, exchange: RunningExchange) -> None:
    alice.place()
    socket = alice.socket()
    other = _sell("Stop", stopPrice=5040)
    alice.post("order/placeoco", _order(alice, **_sell("Limit", price=5060), other=other))
    both = f"{NEW[0]}, {NEW[0]}, U order PendingNew, U order PendingNew"
    assert told(socket) == [both, *PASSED * 2, *WORKS * 2]
    exchange.set_price("MESZ6", "5060.00")
    frames = told(socket)
    assert frames[:2] == TRADED
    assert frames[-2:] == [
        "C command Cancel Pending, U command Cancel AtExecution, C executionReport Canceled Canceled",
        "U order Canceled",
    ]


def test_bracket_12_8(alice: Client, exchange: RunningExchange) -> None:
    socket = alice.socket()
    entry = _order(alice, orderType="Limit", price=5040)
    legs = {"bracket1": _sell("Limit", price=5060), "bracket2": _sell("Stop", stopPrice=5030)}
    alice.post("order/placeoso", {**entry, **legs})
    three = ", ".join(NEW * 3 + ["U order Suspended"] * 2)
    assert told(socket) == [three, *PASSED * 3, *WORKS]
    exchange.set_price("MESZ6", "5040.00")
    assert told(socket) == [*TRADED, "C position", f"C fillFee, {CASH}", *WORKS * 2]


def test_cancelled_entry_takes_its_sleeping_legs_along_12_8(alice: Client) -> None:
    entry = _order(alice, orderType="Limit", price=5040)
    number = alice.post("order/placeoso", {**entry, "bracket1": _sell("Limit", price=5060)})["orderId"]
    socket = alice.socket()
    alice.post("order/cancelorder", {"orderId": number})
    assert told(socket) == [
        "C command Cancel Pending",
        *CANCELLED,
        "C command Cancel Pending, U command Cancel AtExecution, C executionReport Canceled Canceled",
        "U order Canceled",
    ]


def test_strategy_12_9(alice: Client, exchange: RunningExchange) -> None:
    socket = alice.socket()
    bracket = {"qty": 1, "profitTarget": 10, "stopLoss": -5}
    plan = {"entryVersion": {"orderQty": 1, "orderType": "Market"}, "brackets": [bracket]}
    body = {"symbol": "MESZ6", "orderStrategyTypeId": 2, "action": "Buy", "params": json.dumps(plan)}
    alice.post("orderStrategy/startorderstrategy", {"accountId": alice.accounts["A-1"], **body})
    linked = "U order PendingNew, C orderStrategyLink 0"
    assert told(socket) == [
        "C orderStrategy ActiveStrategy",
        f"{NEW[0]}, C orderStrategyLink 256",
        *PASSED,
        *WORKS,
        *TRADED,
        "C position",
        f"C fillFee, {CASH}",
        f"{NEW[0]}, {NEW[0]}, {linked}, {linked}",
        *PASSED * 2,
        *WORKS * 2,
    ]
    exchange.set_price("MESZ6", "5060.00")
    frames = told(socket)
    assert frames[:2] == TRADED
    assert frames[-1] == "U orderStrategy ExecutionFinished"


def test_liquidation_12_10(alice: Client) -> None:
    alice.place()
    alice.place(orderType="Limit", price=5000)
    socket = alice.socket()
    contract = alice.get("contract/find", name="MESZ6")["id"]
    body = {"accountId": alice.accounts["A-1"], "contractId": contract, "admin": False}
    alice.post("order/liquidateposition", body)
    assert told(socket) == [
        "C command Cancel Pending",
        *NEW,
        *PASSED,
        *CANCELLED,
        *WORKS,
        *TRADED,
        "C fillPair, U fill, U fill, U position",
        f"C fillFee, {PAIR}, {CASH}",
    ]
