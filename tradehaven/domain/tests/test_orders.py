"""An order that cannot exist is refused with its field and the fix."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tradehaven.domain.enums import OrderType, Side, TimeInForce
from tradehaven.domain.errors import InvalidOrder, RateLimited, RequestRejected
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import MAX_ORDER_QTY, OrderSpec, check_spec


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"qty": 0}, "qty", "1 to 100000"),
        ({"qty": -3}, "qty", "got -3"),
        ({"qty": MAX_ORDER_QTY + 1}, "qty", "1 to 100000"),
        ({"order_type": OrderType.LIMIT}, "limit", "needs a limit price"),
        ({"order_type": OrderType.STOP_LIMIT, "stop": Ticks(1)}, "limit", "needs a limit price"),
        ({"order_type": OrderType.STOP, "limit": Ticks(1)}, "stop", "needs a stop price"),
        ({"order_type": OrderType.MIT}, "stop", "needs a stop price"),
        ({"order_type": OrderType.LIMIT_IF_TOUCHED, "stop": Ticks(1)}, "limit", "needs a limit price"),
        (
            {"order_type": OrderType.TRAILING_STOP, "stop": Ticks(9), "trail": Ticks(0)},
            "trail",
            "above 0 ticks",
        ),
        (
            {"order_type": OrderType.TRAILING_STOP_LIMIT, "stop": Ticks(9), "limit": Ticks(8)},
            "trail",
            "needs its distance",
        ),
        ({"tif": TimeInForce.GTD}, "expire_at", "needs its date"),
    ],
)
def test_an_impossible_order_names_its_field_and_the_fix(
    fields: dict[str, Any], field: str, said: str
) -> None:
    wanted: dict[str, Any] = {"order_type": OrderType.MARKET, "qty": 1} | fields
    with pytest.raises(InvalidOrder, match=said) as caught:
        check_spec(OrderSpec(**wanted))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "spec",
    [
        OrderSpec(order_type=OrderType.MARKET, qty=1),
        OrderSpec(order_type=OrderType.LIMIT, qty=MAX_ORDER_QTY, limit=Ticks(-3763)),
        OrderSpec(order_type=OrderType.STOP_LIMIT, qty=2, limit=Ticks(0), stop=Ticks(0)),
        OrderSpec(
            order_type=OrderType.MARKET,
            qty=1,
            tif=TimeInForce.GTD,
            expire_at=datetime(2026, 12, 1, tzinfo=UTC),
        ),
    ],
)
def test_an_order_that_can_exist_passes_unchanged(spec: OrderSpec) -> None:
    assert check_spec(spec) is spec


def test_what_a_trailing_stop_asks_for_is_its_quantity() -> None:
    asked = OrderSpec(order_type=OrderType.TRAILING_STOP, qty=2, stop=Ticks(90), trail=Ticks(10))
    drawn = OrderSpec(order_type=OrderType.TRAILING_STOP, qty=2, stop=Ticks(95), trail=Ticks(10))
    smaller = OrderSpec(order_type=OrderType.TRAILING_STOP, qty=1, stop=Ticks(95), trail=Ticks(10))
    plain = OrderSpec(order_type=OrderType.STOP, qty=2, stop=Ticks(90))
    assert asked.means(drawn)
    assert not asked.means(smaller)
    assert not asked.means(plain)
    assert not plain.means(asked)
    assert not plain.means(OrderSpec(order_type=OrderType.STOP, qty=2, stop=Ticks(91)))


def test_specs_that_are_equal_are_one_key() -> None:
    first, second = (OrderSpec(order_type=OrderType.LIMIT, qty=1, limit=Ticks(5)) for _ in range(2))
    assert {first: 1}[second] == 1
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY


def test_errors_carry_what_their_catcher_decides_by() -> None:
    assert RateLimited("slow down", retry_after=5).retryable
    assert str(RequestRejected("TooLate", "")) == "TooLate"
    assert str(RequestRejected("TooLate", "it is gone")) == "TooLate: it is gone"
