"""What an open position is worth."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.marks import Prices, mark, unrealized, written
from tradehaven.domain.instruments import product

ES, ZB, CL = product("ES"), product("ZB"), product("CL")


@pytest.mark.parametrize(
    ("net", "prices", "ticks"),
    [
        (1, Prices(bid=10, ask=11, last=9), 10),
        (-1, Prices(bid=10, ask=11, last=9), 11),
        (1, Prices(ask=11, last=9), 9),
        (-1, Prices(bid=10, last=9), 9),
        (1, Prices(), None),
        (1, Prices(bid=0, last=9), 0),
    ],
)
def test_a_position_is_marked_where_it_could_be_closed(net: int, prices: Prices, ticks: int | None):
    assert mark(net, prices) == ticks


def test_gains_are_points_times_point_value_times_contracts():
    assert unrealized(ES, 2, Decimal("5000.25"), 20_005) == Decimal(100)
    assert unrealized(CL, -1, Decimal("61.235"), 6151) == Decimal("-275.000")


@given(st.integers(-50, 50), st.integers(15_000, 25_000), st.integers(15_000, 25_000))
def test_a_short_gains_what_a_long_loses(net: int, opened: int, now: int):
    price = ES.to_price(opened)
    assert unrealized(ES, net, price, now) == -unrealized(ES, -net, price, now)
    assert unrealized(ES, net, price, opened) == 0


@pytest.mark.parametrize(
    ("traded", "price", "text"),
    [
        (ES, "5000.25", "5000.25"),
        (ES, "5000.125", "5000.125"),
        (ES, "5000.3333333", "5000.3333"),
        (ZB, "115.28125", "115'09"),
    ],
)
def test_an_average_between_two_ticks_keeps_its_digits(traded, price: str, text: str):
    assert written(traded, Decimal(price)) == text
