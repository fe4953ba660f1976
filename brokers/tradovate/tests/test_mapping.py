"""Payload to domain and back, exact for every product."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.tradovate import mapping
from brokers.tradovate.entities import OrderVersion
from brokers.tradovate.mapping import AccountName
from tradehaven.domain.commands import CancelOrder, ChangeOrder, PlaceOrder
from tradehaven.domain.contracts import front
from tradehaven.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from tradehaven.domain.errors import ProtocolError
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from tradehaven.domain.instruments import Product, products
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

ON = datetime(2026, 11, 18, tzinfo=UTC).date()
ES = Symbol("ESZ6")
ACCOUNT = AccountName(number=7654321, name='DEMO "1"')


@given(traded=st.sampled_from(products()), ticks=st.integers(-100_000, 2_000_000))
def test_a_price_survives_the_way_to_the_broker_and_back(traded: Product, ticks: int) -> None:
    symbol = front(traded, ON).code
    text = mapping.price_text(symbol, Ticks(ticks))
    assert Decimal(text) == traded.to_price(ticks)
    assert mapping.ticks_of(symbol, json.loads(text)) == ticks


def test_a_price_between_two_ticks_is_not_guessed_at() -> None:
    with pytest.raises(ProtocolError, match="between two ticks"):
        mapping.ticks_of(ES, 5042.80)


def test_statuses_that_we_do_not_know_are_unknown() -> None:
    assert mapping.status_of("Canceled") is OrderStatus.CANCELLED
    assert mapping.status_of("Sleeping") is OrderStatus.UNKNOWN


def test_sides_that_we_do_not_know_are_refused() -> None:
    assert mapping.side_of("Sell") is Side.SELL
    with pytest.raises(ProtocolError, match="neither Buy nor Sell"):
        mapping.side_of("Short")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-09-14T13:31:22.417Z", 1789392682417000000),
        ("2026-09-14T13:31:22Z", 1789392682000000000),
        ("2026-09-14T13:31:22", 1789392682000000000),
    ],
)
def test_times_are_utc_with_or_without_milliseconds(text: str, expected: int) -> None:
    assert mapping.nanos(text) == expected


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ProtocolError, match="not readable"):
        mapping.nanos("yesterday")


def test_a_version_becomes_a_spec() -> None:
    version = OrderVersion(
        id=1,
        orderId=1,
        orderQty=2,
        orderType="StopLimit",
        price=5040.25,
        stopPrice=5040.5,
        timeInForce="GTD",
        expireTime="2026-11-20T21:00:00.000Z",
    )
    assert mapping.spec_of(ES, version) == OrderSpec(
        order_type=OrderType.STOP_LIMIT,
        qty=2,
        limit=Ticks(20161),
        stop=Ticks(20162),
        tif=TimeInForce.GTD,
        expire_at=datetime(2026, 11, 20, 21, tzinfo=UTC),
    )


@pytest.mark.parametrize(("kind", "tif"), [("QTS", "Day"), ("Market", "Forever")])
def test_a_kind_of_order_that_we_do_not_know_is_refused(kind: str, tif: str) -> None:
    with pytest.raises(ProtocolError, match="unknown kind"):
        mapping.spec_of(ES, OrderVersion(id=1, orderId=1, orderQty=1, orderType=kind, timeInForce=tif))


SPECS = st.builds(
    OrderSpec,
    order_type=st.sampled_from([OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MARKET]),
    qty=st.integers(1, 100_000),
    limit=st.none() | st.integers(-1000, 100_000).map(Ticks),
    stop=st.none() | st.integers(-1000, 100_000).map(Ticks),
    tif=st.sampled_from([TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC]),
)


@given(spec=SPECS, side=st.sampled_from(Side))
def test_a_new_order_says_what_its_spec_says(spec: OrderSpec, side: Side) -> None:
    command = PlaceOrder(
        account=AccountId(1),
        client_order_id=ClientOrderId("th1.g1.l1.o1.f1"),
        symbol=ES,
        side=side,
        spec=spec,
    )
    body = json.loads(mapping.place_body(command, ACCOUNT))
    version = OrderVersion(
        id=1,
        orderId=1,
        orderQty=body["orderQty"],
        orderType=body["orderType"],
        price=body.get("price"),
        stopPrice=body.get("stopPrice"),
        timeInForce=body["timeInForce"],
    )
    assert mapping.spec_of(ES, version) == spec
    assert body["accountSpec"] == ACCOUNT.name
    assert body["accountId"] == ACCOUNT.number
    assert body["symbol"] == "ESZ6"
    assert mapping.side_of(body["action"]) is side
    assert body["clOrdId"] == command.client_order_id
    assert body["isAutomated"] is True


def test_a_change_resends_everything_and_a_cancel_almost_nothing() -> None:
    spec = OrderSpec(
        order_type=OrderType.LIMIT,
        qty=2,
        limit=Ticks(20000),
        tif=TimeInForce.GTD,
        expire_at=datetime(2026, 11, 20, 21, tzinfo=UTC),
    )
    change = ChangeOrder(
        account=AccountId(1), client_order_id=ClientOrderId("k.c1"), order_id=OrderId(9), symbol=ES, spec=spec
    )
    assert json.loads(mapping.change_body(change)) == {
        "orderId": 9,
        "orderQty": 2,
        "orderType": "Limit",
        "price": 5000.0,
        "timeInForce": "GTD",
        "expireTime": "2026-11-20T21:00:00.000Z",
        "clOrdId": "k.c1",
        "isAutomated": True,
    }
    cancel = CancelOrder(account=AccountId(1), client_order_id=ClientOrderId("k.c2"), order_id=OrderId(9))
    assert json.loads(mapping.cancel_body(cancel)) == {"orderId": 9, "clOrdId": "k.c2", "isAutomated": True}


def test_a_close_never_claims_to_be_the_desk() -> None:
    body = json.loads(mapping.close_body(ACCOUNT, 3400501))
    assert body == {"accountId": 7654321, "contractId": 3400501, "admin": False, "isAutomated": True}


@pytest.mark.parametrize(("amount", "expected"), [(49998.06, "49998.06"), (None, "0"), (0.1, "0.1")])
def test_money_is_the_shortest_decimal(amount: float | None, expected: str) -> None:
    assert mapping.money(amount) == Decimal(expected)


@pytest.mark.parametrize(
    ("word", "prices", "spec"),
    [
        ("MIT", {"stopPrice": 5000.0}, {"stop": Ticks(20000)}),
        ("MIT", {"price": 5000.0}, {"stop": Ticks(20000)}),
        (
            "LimitIfTouched",
            {"price": 4999.0, "limitIfTouchedPrice": 5000.0},
            {"limit": Ticks(19996), "stop": Ticks(20000)},
        ),
        (
            "TrailingStop",
            {"stopPrice": 5000.0, "pegDifference": 10.0},
            {"stop": Ticks(20000), "trail": Ticks(40)},
        ),
        (
            "TrailingStopLimit",
            {"price": 4999.0, "stopPrice": 5000.0, "pegDifference": 10.0},
            {"limit": Ticks(19996), "stop": Ticks(20000), "trail": Ticks(40)},
        ),
    ],
)
def test_orders_that_wait_for_a_touch_or_trail_are_read_and_said_alike(
    word: str, prices: dict[str, Any], spec: dict[str, Any]
) -> None:
    version = OrderVersion(id=1, orderId=1, orderQty=2, orderType=word, **prices)
    read = mapping.spec_of(ES, version)
    assert read == OrderSpec(order_type=mapping.ORDER_TYPES[word], qty=2, **spec)
    order = PlaceOrder(
        account=AccountId(1), client_order_id=ClientOrderId("k"), symbol=ES, side=Side.BUY, spec=read
    )
    body = mapping.place_body(order, ACCOUNT)
    said = json.loads(body)
    again = OrderVersion(
        id=1,
        orderId=1,
        orderQty=said["orderQty"],
        orderType=said["orderType"],
        price=said.get("price"),
        stopPrice=said.get("stopPrice"),
        pegDifference=said.get("pegDifference"),
        limitIfTouchedPrice=said.get("limitIfTouchedPrice"),
    )
    assert mapping.spec_of(ES, again) == read


def test_orders_that_share_a_spec_are_each_written_in_the_ticks_of_their_contract() -> None:
    spec = OrderSpec(order_type=OrderType.LIMIT, qty=1, limit=Ticks(26_321))
    prices = []
    for symbol in (ES, Symbol("CLF7"), ES):
        order = PlaceOrder(
            account=AccountId(1), client_order_id=ClientOrderId("k"), symbol=symbol, side=Side.BUY, spec=spec
        )
        prices.append(json.loads(mapping.place_body(order, ACCOUNT))["price"])
    assert prices == [6580.25, 263.21, 6580.25]
