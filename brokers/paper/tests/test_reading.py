"""Generic reads, synchronisation, contracts and market data."""

from typing import Any

import pytest

from brokers.paper.reads import OPERATIONS
from brokers.paper.testing import RunningExchange
from brokers.paper.tests.client import Client

COLLECTIONS = {
    "users userProperties properties accounts accountRiskStatuses marginSnapshots userAccountAutoLiqs",
    "cashBalances currencies positions fillPairs orders contracts contractMaturities products exchanges",
    "spreadDefinitions commands commandReports executionReports orderVersions fills fillFees",
    "orderStrategies orderStrategyLinks userPlugins contractGroups orderStrategyTypes cashBalanceLogs",
}


@pytest.mark.parametrize("entity", sorted(OPERATIONS))
def test_every_documented_read_answers(alice: Client, entity: str) -> None:
    for verb in OPERATIONS[entity].split():
        match verb:
            case "list":
                assert isinstance(alice.get(f"{entity}/list"), list)
            case "items":
                assert alice.get(f"{entity}/items", ids="1,2") == [] or entity != "order"
            case "deps":
                assert alice.get(f"{entity}/deps", masterid=999_999_999) == []
            case "ldeps":
                assert alice.get(f"{entity}/ldeps", masterids="999999998,999999999") == []
            case "suggest":
                assert alice.get(f"{entity}/suggest", t="zzzz", l=3) == []
            case "item":
                assert alice.status(f"{entity}/item", id=999_999_999) == 404
            case "find":
                assert alice.status(f"{entity}/find", name="zzzz") == 404


def test_orders_of_one_are_hidden_from_another(alice: Client, bob: Client) -> None:
    number = alice.place()["orderId"]
    assert bob.status("order/item", id=number) == 404
    for endpoint in ("order/list", "fill/list", "position/list", "command/list", "cashBalanceLog/deps"):
        assert bob.get(endpoint, masterid=alice.accounts["A-1"]) == []
    assert bob.get("order/deps", masterid=alice.accounts["A-1"]) == []
    assert [row["name"] for row in bob.get("user/list")] == ["bob"]
    cancel = bob.session.post(
        f"{bob.exchange.base_url}/order/cancelorder", json={"orderId": number}, timeout=5
    )
    assert cancel.status_code == 401


def test_items_and_ldeps_flatten_lists_in_both_spellings(alice: Client) -> None:
    one, two = alice.place()["orderId"], alice.place("A-2")["orderId"]
    assert {row["id"] for row in alice.get("order/items", ids=f"{one},{two},5")} == {one, two}
    assert {row["id"] for row in alice.get("order/items", ids=[one, two])} == {one, two}
    versions = alice.get("orderVersion/ldeps", masterids=f"{one},{two}")
    assert [row["orderId"] for row in versions] == [one, two]
    assert alice.get("fillFee/item", id=alice.get("fill/list")[0]["id"])["commission"] == 2.5


def test_contract_leads_to_maturity_and_product(alice: Client) -> None:
    contract = alice.get("contract/find", name="MESZ6")
    maturity = alice.get("contractMaturity/item", id=contract["contractMaturityId"])
    product = alice.get("product/item", id=maturity["productId"])
    assert maturity == maturity | {"expirationMonth": 202612, "isFront": True}
    assert product == product | {"name": "MES", "tickSize": 0.25, "valuePerPoint": 5, "months": "HMUZ"}
    assert alice.get("contract/deps", masterid=maturity["id"]) == [contract]
    maturities = alice.get("contractMaturity/deps", masterid=product["id"])
    assert [row["isFront"] for row in maturities] == [True, False, False, False]


def test_suggest_puts_the_front_month_of_the_very_root_first(alice: Client) -> None:
    names = [row["name"] for row in alice.get("contract/suggest", t="ES", l=2)]
    assert names == ["ESZ6", "ESH7"]
    assert alice.get("contract/suggest", t="GC", l=1)[0]["name"] == "GCZ6"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"name": "MESZ6", "forward": True}, "MESH7"),
        ({"name": "MESH7", "forward": False}, "MESZ6"),
        ({"name": "MESZ6", "forward": True, "ifExpired": True}, "MESZ6"),
        ({"name": "GCZ6", "forward": True}, "GCF7"),
    ],
)
def test_contracts_roll_both_ways(alice: Client, body: dict[str, Any], name: str) -> None:
    assert alice.post("contract/rollcontract", body)["contract"]["name"] == name


def test_fee_parameters_carry_commission_and_margins(alice: Client) -> None:
    product = alice.get("product/find", name="ES")["id"]
    (fees,) = alice.post("contract/getproductfeeparams", {"productIds": [product, 5]})["params"]
    assert fees == fees | {"productId": product, "commission": 2.5, "dayMargin": 504}


@pytest.mark.parametrize(
    "body", [{"users": []}, {"accounts": []}, {}, None, {"splitResponses": True}, {"entityTypes": []}]
)
def test_every_selector_gets_the_whole_snapshot(alice: Client, body: Any) -> None:
    alice.place()
    snapshot = alice.socket(sync=False).ask("user/syncRequest", 2, body=body)
    assert set(" ".join(COLLECTIONS).split()) <= set(snapshot)
    assert [user["name"] for user in snapshot["users"]] == ["alice"]
    assert len(snapshot["accounts"]) == 2
    assert [len(snapshot[name]) for name in ("orders", "fills", "positions", "products")] == [1, 1, 1, 1]
    assert snapshot["contractGroups"]


def test_selection_by_account_and_type_filters_snapshot_and_events(alice: Client) -> None:
    socket = alice.socket(sync=False)
    body = {"accounts": [alice.accounts["A-2"]], "entityTypes": ["order", "FILL", "unheardOf"]}
    snapshot = socket.ask("user/syncrequest", 2, body=body)
    assert snapshot["accounts"] == snapshot["products"] == []
    alice.place("A-1")
    alice.place("A-2")
    heard = [(event["entityType"], event["entity"].get("accountId")) for event in socket.events(4)]
    assert heard == [
        ("order", alice.accounts["A-2"]),
        ("order", alice.accounts["A-2"]),
        ("fill", None),
        ("order", alice.accounts["A-2"]),
    ]
    assert socket.quiet()


def test_synchronisation_of_somebody_else_is_denied(alice: Client, bob: Client) -> None:
    socket = alice.socket(sync=False)
    for number, body in enumerate(({"users": [bob.user_id]}, {"accounts": [bob.accounts["B-1"]]}), 3):
        socket.send_raw(f"user/syncrequest\n{number}\n\n{str(body).replace(chr(39), chr(34))}")
        assert socket.message() == {"s": 401, "i": number, "d": "Access is denied"}


def test_events_of_others_are_not_heard(alice: Client, bob: Client) -> None:
    socket = alice.socket()
    bob.place("B-1")
    assert socket.quiet()


def test_snapshot_plus_events_equals_a_fresh_snapshot(alice: Client, exchange: RunningExchange) -> None:
    alice.place(orderType="Limit", price=5000)
    socket = alice.socket(sync=False)
    book = socket.ask("user/syncrequest", 2, body={})
    number = alice.place(orderQty=2)["orderId"]
    exchange.set_price("MESZ6", "5055.00")
    last = alice.place(action="Sell")["orderId"]
    plural = {
        "position": "positions",
        "order": "orders",
        "fill": "fills",
        "cashBalance": "cashBalances",
        "fillPair": "fillPairs",
        "orderVersion": "orderVersions",
        "command": "commands",
        "commandReport": "commandReports",
        "executionReport": "executionReports",
        "fillFee": "fillFees",
        "cashBalanceLog": "cashBalanceLogs",
        "marginSnapshot": "marginSnapshots",
    }
    tables = {name: {row["id"]: row for row in book[plural[name]]} for name in plural}
    while alice.order(last)["ordStatus"] != "Filled" or not socket.quiet(0.1):
        (event,) = socket.events(1)
        tables[event["entityType"]][event["entity"]["id"]] = event["entity"]
    fresh = alice.socket(sync=False).ask("user/syncrequest", 2, body={})
    for name, collection in plural.items():
        assert tables[name] == {row["id"]: row for row in fresh[collection]}, name
    assert number in tables["order"]


def test_quote_subscription_answers_contract_and_sends_all_nine_entries(
    alice: Client, exchange: RunningExchange
) -> None:
    socket = alice.socket(sync=False)
    contract = alice.get("contract/find", name="MESZ6")["id"]
    for number, symbol in enumerate(("MESZ6", contract, "@MES"), 3):
        assert socket.ask("md/subscribeQuote", number, body={"symbol": symbol})["contractId"] == contract
    first = socket.message()["d"]["quotes"][0]
    assert len(first["entries"]) == 9
    exchange.set_price("MESZ6", "5051.50", spread=1)
    quote = socket.message()["d"]["quotes"][0]
    assert quote["entries"]["Trade"]["price"] == 5051.5
    assert quote["contractId"] == contract
    assert len(quote["entries"]) == 9
    assert quote["entries"]["Offer"] == {"price": 5051.75, "size": 10000}
    assert quote["entries"]["HighPrice"]["price"] == 5051.5


def test_bare_symbol_is_a_body_too_and_unsubscribing_ends_the_flow(
    alice: Client, exchange: RunningExchange
) -> None:
    socket = alice.socket(sync=False)
    socket.send_raw("md/subscribequote\n3\n\nMESZ6")
    assert socket.reply(3)["d"]["mode"] == "RealTime"
    socket.message()
    socket.ask("md/unsubscribequote", 4, body={"symbol": "MESZ6"})
    exchange.set_price("MESZ6", "5052.00")
    assert socket.quiet()


def test_depth_shows_ten_levels_best_first(alice: Client, exchange: RunningExchange) -> None:
    socket = alice.socket(sync=False)
    socket.ask("md/subscribeDOM", 3, body={"symbol": "MESZ6"})
    book = socket.message()["d"]["doms"][0]
    assert len(book["bids"]) == len(book["offers"]) == 10
    assert [level["price"] for level in book["bids"]][:2] == [5050, 5049.75]


def test_unknown_symbol_is_told_and_market_data_needs_a_socket(alice: Client) -> None:
    socket = alice.socket(sync=False)
    assert socket.ask("md/subscribequote", 3, body={"symbol": "NOPE"})["errorCode"] == "UnknownSymbol"
    assert alice.status("md/subscribequote", symbol="MESZ6") == 404
