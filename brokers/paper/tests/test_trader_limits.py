"""Position limits that a trader sets: held where they are hard, in their scope, and never on the way out."""

from typing import Any

import pytest

from brokers.paper.testing import RunningExchange
from brokers.paper.tests.client import Client


def _limit(client: Client, hard: bool = True, parameter: dict[str, Any] | None = None, **members: Any) -> int:
    body = {"accountId": client.accounts["A-1"], "active": True, "totalBy": "Overall", **members}
    number = int(client.post("userAccountPositionLimit/create", body)["id"])
    hung = {"userAccountPositionLimitId": number, "hardLimit": hard, **(parameter or {})}
    assert client.post("userAccountRiskParameter/create", hung)["id"]
    return number


def _outcome(client: Client, **members: Any) -> tuple[str, str]:
    number = client.place(**members)["orderId"]
    report = client.get("commandReport/deps", masterid=number)[-1]
    return client.order(number)["ordStatus"], report.get("rejectReason", "")


def test_hard_limit_holds_position_and_working_orders_together(alice: Client) -> None:
    _limit(alice, exposedLimit=3)
    assert _outcome(alice, orderQty=2) == ("Filled", "")
    assert _outcome(alice, orderType="Limit", price=5000)[0] == "Working"
    assert _outcome(alice) == ("Rejected", "MaxTotalPosLimitReached")
    assert _outcome(alice, action="Sell", orderQty=2) == ("Filled", "")


def test_soft_and_inactive_limits_reject_nothing(alice: Client) -> None:
    _limit(alice, hard=False, exposedLimit=1)
    number = _limit(alice, exposedLimit=1)
    assert _outcome(alice, orderQty=2)[0] == "Rejected"
    image = {"id": number, "accountId": alice.accounts["A-1"], "totalBy": "Overall", "exposedLimit": 1}
    alice.post("userAccountPositionLimit/update", {**image, "active": False})
    assert _outcome(alice, orderQty=2)[0] == "Filled"


def test_sides_have_limits_of_their_own(alice: Client) -> None:
    _limit(alice, longLimit=2, shortLimit=1)
    assert _outcome(alice, action="Sell", orderQty=2)[0] == "Rejected"
    assert _outcome(alice, orderQty=2)[0] == "Filled"


@pytest.mark.parametrize(
    ("scope", "entity", "name"), [("Contract", "contract", "MESZ6"), ("Product", "product", "MES")]
)
def test_limit_counts_its_contract_or_product_alone(
    alice: Client, exchange: RunningExchange, scope: str, entity: str, name: str
) -> None:
    exchange.set_price("MNQZ6", "18000.00")
    number = alice.get(f"{entity}/find", name=name)["id"]
    _limit(alice, totalBy=scope, exposedLimit=1, **{f"{entity}Id": number})
    assert _outcome(alice, symbol="MNQZ6", orderQty=2)[0] == "Filled"
    assert _outcome(alice, orderQty=2) == ("Rejected", "MaxPosLimitReached")


def test_parameter_limits_the_size_of_one_order(alice: Client) -> None:
    _limit(alice, parameter={"maxOpeningOrderQty": 2})
    assert _outcome(alice, orderQty=3) == ("Rejected", "MaxOrderQtyLimitReached")
    assert _outcome(alice, orderQty=2)[0] == "Filled"


def test_parameter_can_be_replaced(alice: Client) -> None:
    limit = _limit(alice, parameter={"maxOpeningOrderQty": 1})
    (parameter,) = alice.get("userAccountRiskParameter/deps", masterid=limit)
    changed = {**parameter, "maxOpeningOrderQty": 5}
    assert alice.post("userAccountRiskParameter/update", changed) == changed
    assert _outcome(alice, orderQty=3)[0] == "Filled"


@pytest.mark.parametrize(
    ("members", "constraint"),
    [
        ({"totalBy": None}, "totalBy"),
        ({"totalBy": "Exchange"}, "totalBy"),
        ({"totalBy": "Contract"}, "contractId"),
        ({"totalBy": "Product", "productId": 1}, "productId"),
        ({"exposedLimit": -1}, "exposedLimit"),
    ],
)
def test_limit_that_means_nothing_is_refused(alice: Client, members: dict[str, Any], constraint: str) -> None:
    body = {"accountId": alice.accounts["A-1"], "totalBy": "Overall", **members}
    answer = alice.post("userAccountPositionLimit/create", body)
    assert answer["violations"][0]["constraint"] == constraint


def test_limits_are_their_owners_alone(alice: Client, bob: Client) -> None:
    number = _limit(alice, exposedLimit=3)
    (parameter,) = alice.get("userAccountRiskParameter/deps", masterid=number)
    assert bob.status("userAccountPositionLimit/update", id=number) == 401
    assert bob.status("userAccountRiskParameter/update", id=parameter["id"]) == 401
    assert bob.status("userAccountRiskParameter/create", userAccountPositionLimitId=number) == 401
    assert alice.status("userAccountPositionLimit/update", id=5) == 404
    assert alice.status("userAccountRiskParameter/update", id=5) == 404
    assert bob.status("userAccountPositionLimit/item", id=number) == 404


def test_limits_are_told_as_they_are_set(alice: Client) -> None:
    socket = alice.socket()
    number = _limit(alice, exposedLimit=3)
    assert socket.until("userAccountPositionLimit")["id"] == number
    assert socket.until("userAccountRiskParameter")["userAccountPositionLimitId"] == number
