"""Every endpoint of the broker's published description: implemented and as described, or 404 and listed."""

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import requests

from brokers.paper.testing import PASSWORD, RunningExchange, running_exchange
from brokers.paper.tests import published
from brokers.paper.tests.client import SECONDS, Client
from brokers.paper.tests.conftest import CLIENTS, LOGINS
from brokers.paper.words import (
    Action,
    CommandStatus,
    CommandType,
    OrderType,
    OrdStatus,
    RejectReason,
    TimeInForce,
)

MANUAL = Path(__file__).parents[3] / "docs" / "paper-exchange.md"
READS = {"find", "item", "items", "list", "deps", "ldeps", "suggest"}
Body = Callable[[Client], dict[str, Any]]


def order(alice: Client, **more: Any) -> dict[str, Any]:
    plain = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6", "orderQty": 1}
    return {**plain, "orderType": "Limit", "price": 5000, "isAutomated": True, **more}


def waiting(alice: Client) -> int:
    return int(alice.place(orderType="Limit", price=5000)["orderId"])


def account(alice: Client) -> dict[str, Any]:
    return {"accountId": alice.accounts["A-1"]}


def contract(alice: Client) -> int:
    return int(alice.get("contract/find", name="MESZ6")["id"])


def strategy(alice: Client) -> dict[str, Any]:
    bracket = {"qty": 1, "profitTarget": 10, "stopLoss": -5}
    plan = {"entryVersion": {"orderQty": 1, "orderType": "Market"}, "brackets": [bracket]}
    plain = {"symbol": "MESZ6", "orderStrategyTypeId": 2, "action": "Buy", "params": json.dumps(plan)}
    return {**account(alice), **plain, "isAutomated": True}


def running(alice: Client) -> int:
    return int(alice.post("orderStrategy/startorderstrategy", strategy(alice))["orderStrategy"]["id"])


def limited(alice: Client) -> int:
    return int(alice.post("userAccountPositionLimit/create", {**account(alice), **LIMIT})["id"])


LIMIT = {"active": True, "totalBy": "Overall", "exposedLimit": 1000}
STOP = {"action": "Sell", "orderType": "Stop", "stopPrice": 4990}
PROFIT = {"action": "Sell", "orderType": "Limit", "price": 5060}
# A request for each action that is described, with which it does what it is for.
BODIES: dict[str, Body] = {
    "auth/accesstokenrequest": lambda alice: {"name": "alice", "password": PASSWORD},
    "auth/oauthtoken": lambda alice: {"grant_type": "refresh_token", "refresh_token": "x"},
    "order/placeorder": order,
    "order/placeoco": lambda alice: order(
        alice, other={"action": "Buy", "orderType": "Stop", "stopPrice": 5100}
    ),
    "order/placeoso": lambda alice: order(alice, bracket1=PROFIT, bracket2=STOP),
    "order/modifyorder": lambda alice: order(alice, orderId=waiting(alice), price=5001),
    "order/cancelorder": lambda alice: {"orderId": waiting(alice)},
    "order/liquidateposition": lambda alice: {
        **account(alice),
        "contractId": alice.get("contract/find", name="MESZ6")["id"],
        "admin": False,
    },
    "order/liquidatepositions": lambda alice: {"positions": [alice.position()["id"]], "admin": False},
    "order/dryrun": lambda alice: {
        **account(alice),
        "orders": [{"contractId": contract(alice), "action": "Buy", "orderQty": 1, "orderType": "Market"}],
    },
    "orderStrategy/startorderstrategy": strategy,
    "orderStrategy/modifyorderstrategy": lambda alice: {"orderStrategyId": running(alice), "command": "x"},
    "orderStrategy/interruptorderstrategy": lambda alice: {"orderStrategyId": running(alice)},
    "userAccountPositionLimit/create": lambda alice: {**account(alice), **LIMIT},
    "userAccountPositionLimit/update": lambda alice: {**account(alice), **LIMIT, "id": limited(alice)},
    "userAccountRiskParameter/create": lambda alice: {"userAccountPositionLimitId": limited(alice)},
    "userAccountRiskParameter/update": lambda alice: {
        "userAccountPositionLimitId": limited(alice),
        "id": alice.post("userAccountRiskParameter/create", {"userAccountPositionLimitId": limited(alice)})[
            "id"
        ],
        "maxOpeningOrderQty": 5,
    },
    "contract/rollcontract": lambda alice: {"name": "MESZ6", "forward": True},
    "contract/getproductfeeparams": lambda alice: {
        "productIds": [alice.get("product/find", name="ES")["id"]]
    },
    "cashBalance/getcashbalancesnapshot": account,
    "cashBalance/changedemobalance": lambda alice: {**account(alice), "cashChange": 10, "comment": "gift"},
    "account/resetdemoaccountstate": lambda alice: {"accountIds": [alice.accounts["A-2"]]},
    "accountRiskStatus/setadminautoliqaction": lambda alice: {
        **account(alice),
        "adminAutoLiqAction": "Normal",
    },
    "accountRiskStatus/resetautoliqstatus": account,
    "user/syncrequest": lambda alice: {"users": [alice.user_id]},
}


@pytest.fixture(scope="module")
def busy() -> Iterator[RunningExchange]:
    """An exchange on which something has happened."""
    with running_exchange(logins=LOGINS, clients=CLIENTS) as exchange, Client(exchange, "alice") as alice:
        exchange.set_price("MESZ6", "5050.00")
        alice.place(orderQty=3)
        alice.place(action="Sell")
        alice.post("order/placeoso", order(alice, bracket1=PROFIT, bracket2=STOP))
        yield exchange


@pytest.fixture(scope="module")
def alice(busy: RunningExchange) -> Iterator[Client]:
    """Alice, logged in once for all of these tests."""
    with Client(busy, "alice") as client:
        yield client


def ask(alice: Client, endpoint: str, method: str) -> requests.Response:
    body = BODIES[endpoint](alice) if endpoint in BODIES else {}
    url = f"{alice.exchange.base_url}/{endpoint}"
    if method == "get":
        return alice.session.get(url, params=_query(alice, endpoint), timeout=SECONDS)
    return alice.session.post(url, json=body, timeout=SECONDS)


def _query(alice: Client, endpoint: str) -> dict[str, Any]:
    entity, _, verb = endpoint.partition("/")
    known = _known(alice, entity)
    numbers = [item["id"] for item in known] or [1]
    match verb:
        case "item":
            return {"id": numbers[0]}
        case "items":
            return {"ids": ",".join(map(str, numbers))}
        case "find":
            return {"name": next((item["name"] for item in known if "name" in item), "nobody")}
        case "deps":
            return {"masterid": alice.accounts["A-1"]}
        case "ldeps":
            return {"masterids": ",".join(map(str, alice.accounts.values()))}
        case "suggest":
            return {"t": "M", "l": 5}
    return {}


def _known(alice: Client, entity: str) -> list[dict[str, Any]]:
    """Return entities of a type, by whatever road leads to some."""
    if entity == "contract":
        return list(alice.get("contract/suggest", t="MES", l=3))
    if entity == "contractMaturity":
        numbers = ",".join(str(row["contractMaturityId"]) for row in _known(alice, "contract"))
        return list(alice.get("contractMaturity/items", ids=numbers))
    if entity == "cashBalanceLog":
        return list(alice.get("cashBalanceLog/deps", masterid=alice.accounts["A-1"]))
    answer = alice.session.get(f"{alice.exchange.base_url}/{entity}/list", timeout=SECONDS)
    return list(answer.json()) if answer.status_code == 200 else []


def listed() -> set[str]:
    """Return the endpoints that the manual says are not there."""
    section = (
        MANUAL.read_text(encoding="utf-8").partition("## Endpoints that answer 404")[2].partition("\n## ")[0]
    )
    return {
        f"{entity}/{verb}"
        for entity, verbs in re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)
        for verb in re.findall(r"`(\w+)`", verbs)
    }


@pytest.mark.parametrize(("endpoint", "method"), published.operations())
def test_endpoint_answers_as_described_or_is_listed_as_missing(
    alice: Client, endpoint: str, method: str
) -> None:
    answer = ask(alice, endpoint, method)
    verb = endpoint.partition("/")[2]
    if endpoint in listed():
        assert (answer.status_code, answer.text) == (404, "")
    elif answer.status_code == 404:
        # The entity is known and none of them exists here, which is the only other reason for 404.
        assert verb in ("item", "find")
        assert alice.get(f"{endpoint.partition('/')[0]}/items", ids="1") == []
    else:
        assert answer.status_code == 200, answer.text
        assert published.faults(endpoint, method, answer.json()) == []


def test_manual_lists_no_endpoint_that_is_not_described() -> None:
    published.document()
    assert listed() <= {endpoint for endpoint, _ in published.operations()}


def test_actions_of_the_walk_do_what_they_are_for(alice: Client) -> None:
    published.document()
    for endpoint in BODIES:
        body = ask(alice, endpoint, "post").json()
        refused = {"failureReason", "violations", "errorText"} & set(body)
        # A made-up refresh token is refused, and so is a command whose grammar nobody has published.
        known = ("auth/oauthtoken", "orderStrategy/modifyorderstrategy")
        assert not refused or endpoint in known, (endpoint, body)


def test_rows_of_every_entity_that_trading_makes_are_as_described(alice: Client) -> None:
    published.document()
    for entity in ("order", "orderVersion", "command", "commandReport", "executionReport", "fill", "fillFee"):
        rows = alice.get(f"{entity}/list")
        assert rows, entity
        assert published.faults(f"{entity}/list", "get", rows) == []
    for entity in ("fillPair", "position", "cashBalance", "marginSnapshot", "account", "accountRiskStatus"):
        assert alice.get(f"{entity}/list"), entity
    snapshot = alice.socket(sync=False).ask("user/syncrequest", 2, body={})
    # Seen in use, though the description leaves it out (protocol 7.2).
    snapshot.pop("cashBalanceLogs")
    assert published.faults("user/syncrequest", "post", snapshot) == []


@pytest.mark.parametrize(
    "words", [Action, CommandStatus, CommandType, OrderType, OrdStatus, RejectReason, TimeInForce]
)
def test_closed_vocabularies_are_the_described_ones(words: type[StrEnum]) -> None:
    members = {
        "Action": ("Order", "action"),
        "CommandStatus": ("CommandReport", "commandStatus"),
        "CommandType": ("Command", "commandType"),
        "OrderType": ("OrderVersion", "orderType"),
        "OrdStatus": ("Order", "ordStatus"),
        "RejectReason": ("PlaceOrderResult", "failureReason"),
        "TimeInForce": ("OrderVersion", "timeInForce"),
    }
    schema, member = members[words.__name__]
    described = published.document()["components"]["schemas"][schema]["properties"][member]["enum"]
    assert set(words) == set(described)


def test_reader_finds_faults_of_every_kind() -> None:
    published.document()
    row = {"id": "7", "accountId": 0, "action": "Hold", "ordStatus": "Working", "admin": False, "mood": 1}
    found = " ".join(published.faults("order/item", "get", row))
    for word in ("timestamp", "'7'", "Hold", "accountId", "mood"):
        assert word in found
