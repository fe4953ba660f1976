"""Positions and profit: the vectors, and what must hold for any sequence of fills."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehaven.domain.enums import Side
from tradehaven.domain.instruments import Product, product
from tradehaven.domain.money import Money, Ticks, cents, total, usd
from tradehaven.domain.positions import (
    FLAT,
    Lot,
    Position,
    adopt,
    apply_fill,
    realized_at_average,
    unrealized,
    unrealized_at_average,
)
from tradehaven.domain.tests.reference import trade_math

Fill = tuple[Side, int, int]
BY_POINT_VALUE = {"50": product("ES"), "20": product("NQ"), "1000": product("CL")}
fills_ = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 9), st.integers(-200, 20_000)), min_size=1, max_size=25
)


def _run(fills: list[Fill]) -> tuple[Position, int, Fraction]:
    position, fifo, average = FLAT, 0, Fraction(0)
    for side, qty, price in fills:
        average += realized_at_average(position, side=side, qty=qty, price=Ticks(price))
        position, realized = apply_fill(position, side=side, qty=qty, price=Ticks(price))
        fifo += realized
    return position, fifo, average


def _vector_fills(traded: Product, rows: list[dict[str, str]]) -> list[Fill]:
    return [
        (
            Side.BUY if row["side"] == "B" else Side.SELL,
            int(row["qty"]),
            traded.to_ticks(Decimal(row["price"])),
        )
        for row in rows
    ]


def _dollars(traded: Product, ticks: Fraction) -> Money:
    amount = traded.tick_value * ticks.numerator / ticks.denominator
    return cents(Money(amount=amount, currency=traded.currency))


def test_fifo_vectors_by_fill() -> None:
    vectors = trade_math("realized_fifo")
    assert [vector["id"] for vector in vectors] == ["PNL-01", "PNL-03", "PNL-04"]
    for vector in vectors:
        traded = BY_POINT_VALUE[vector["inputs"]["point_value"]]
        position, by_fill = FLAT, []
        for side, qty, price in _vector_fills(traded, vector["inputs"]["fills"]):
            position, realized = apply_fill(position, side=side, qty=qty, price=Ticks(price))
            by_fill.append(traded.value(realized))
        assert by_fill == [usd(amount) for amount in vector["expected"]["realized_by_fill"]], vector["id"]
        assert total(by_fill, "USD") == usd(vector["expected"]["realized"])
        assert position.net == vector["expected"]["position"]


def test_average_vectors_by_fill() -> None:
    vectors = trade_math("realized_average")
    assert [vector["id"] for vector in vectors] == ["PNL-02", "PNL-05"]
    for vector in vectors:
        traded = BY_POINT_VALUE[vector["inputs"]["point_value"]]
        position, by_fill = FLAT, []
        for side, qty, price in _vector_fills(traded, vector["inputs"]["fills"]):
            realized = realized_at_average(position, side=side, qty=qty, price=Ticks(price))
            by_fill.append(_dollars(traded, realized))
            position, _ = apply_fill(position, side=side, qty=qty, price=Ticks(price))
        assert by_fill == [usd(amount) for amount in vector["expected"]["realized_by_fill"]], vector["id"]
        assert position.net == vector["expected"]["position"]
        if "average" in vector["expected"]:
            assert position.average == traded.to_ticks(Decimal(vector["expected"]["average"]))
        else:
            assert position == FLAT


def test_unrealized_vectors() -> None:
    for vector, symbol in zip(trade_math("unrealized"), ("MNQ", "ZN"), strict=True):
        given_, traded = vector["inputs"], product(symbol)
        assert traded.point_value == Decimal(given_["point_value"])
        position = adopt(given_["position"], Fraction(traded.to_ticks(Decimal(given_["average"]))))
        mark = traded.to_ticks(Decimal(given_["mark"]))
        assert traded.value(unrealized(position, mark)) == usd(vector["expected"]["unrealized"])
        assert _dollars(traded, unrealized_at_average(position, mark)) == usd(
            vector["expected"]["unrealized"]
        )


def test_commission_vectors() -> None:
    for vector in trade_math("commission"):
        given_ = vector["inputs"]
        paid = total((usd(given_["per_side"]) * qty for qty in given_["sides"]), "USD")
        assert paid == usd(vector["expected"]["commission"])
        assert usd(given_["gross"]) - paid == usd(vector["expected"]["net"])


def test_a_flip_closes_all_and_opens_the_rest_at_its_own_price() -> None:
    position, _, _ = _run([(Side.BUY, 2, 100), (Side.SELL, 5, 110)])
    assert position == Position(net=-3, lots=(Lot(qty=3, price=Ticks(110)),), average=Fraction(110))


def test_a_reduction_takes_the_oldest_lot_and_leaves_the_average() -> None:
    position, realized, _ = _run([(Side.BUY, 2, 100), (Side.BUY, 2, 103), (Side.SELL, 3, 104)])
    assert realized == 2 * 4 + 1
    assert position.lots == (Lot(qty=1, price=Ticks(103)),)
    assert position.average == Fraction(203, 2)


def test_exactly_the_first_lot_can_be_closed() -> None:
    position, realized, _ = _run([(Side.SELL, 2, 100), (Side.SELL, 1, 103), (Side.BUY, 2, 90)])
    assert (position.net, position.lots, realized) == (-1, (Lot(qty=1, price=Ticks(103)),), 20)


def test_the_average_stays_exact_where_decimals_would_drift() -> None:
    position, _, _ = _run([(Side.BUY, 2, 20_000), (Side.BUY, 1, 20_040)])
    assert position.average == Fraction(60_040, 3)
    assert unrealized_at_average(position, Ticks(20_040)) == 80


def test_a_flat_position_has_no_profit_at_any_mark() -> None:
    assert unrealized(FLAT, Ticks(5)) == 0
    assert unrealized_at_average(FLAT, Ticks(5)) == 0


@pytest.mark.parametrize("qty", [0, -1])
def test_a_fill_without_contracts_is_an_error(qty: int) -> None:
    with pytest.raises(ValueError, match="at least one contract"):
        apply_fill(FLAT, side=Side.BUY, qty=qty, price=Ticks(1))
    with pytest.raises(ValueError, match="at least one contract"):
        realized_at_average(FLAT, side=Side.BUY, qty=qty, price=Ticks(1))


def test_a_reported_position_keeps_the_brokers_cost() -> None:
    assert adopt(0, Fraction(7)) == FLAT
    held = adopt(-3, Fraction(301, 3))
    assert held.lots == (Lot(qty=2, price=Ticks(100)), Lot(qty=1, price=Ticks(101)))
    assert (held.net, held.average) == (-3, Fraction(301, 3))
    assert adopt(2, Fraction(100)).lots == (Lot(qty=2, price=Ticks(100)),)


def test_a_rounded_average_goes_back_to_the_cost_it_came_from() -> None:
    assert adopt(3, Fraction("100.33333333")).average == Fraction(301, 3)


@given(fills=fills_, mark=st.integers(-200, 20_000))
def test_realized_plus_unrealized_is_the_same_under_both_methods(fills: list[Fill], mark: int) -> None:
    position, fifo, average = _run(fills)
    by_lots = fifo + unrealized(position, Ticks(mark))
    assert by_lots == average + unrealized_at_average(position, Ticks(mark))


@given(fills=fills_)
def test_a_round_trip_earns_the_cash_of_its_fills(fills: list[Fill]) -> None:
    position, _, _ = _run(fills)
    if position.net:
        side = Side.SELL if position.net > 0 else Side.BUY
        fills = [*fills, (side, abs(position.net), 100)]
    position, fifo, average = _run(fills)
    assert position == FLAT
    assert fifo == average == -sum(side.sign * qty * price for side, qty, price in fills)


@given(fills=fills_)
def test_splitting_fills_into_single_contracts_changes_nothing(fills: list[Fill]) -> None:
    whole, fifo, average = _run(fills)
    split, split_fifo, split_average = _run(
        [(side, 1, price) for side, qty, price in fills for _ in range(qty)]
    )
    assert (split.net, split.average, split_fifo, split_average) == (whole.net, whole.average, fifo, average)
    assert _contracts(split) == _contracts(whole)


@given(fills=fills_)
def test_lots_are_positive_and_make_the_net_position(fills: list[Fill]) -> None:
    position, _, _ = _run(fills)
    assert all(lot.qty > 0 for lot in position.lots)
    assert sum(lot.qty for lot in position.lots) == abs(position.net)
    assert (position.average is None) == (position.net == 0)


@given(net=st.integers(-50, 50), average=st.fractions(-100, 100, max_denominator=500))
def test_an_adopted_position_is_within_half_a_tick_of_its_cost(net: int, average: Fraction) -> None:
    position = adopt(net, average)
    cost = sum(lot.qty * lot.price for lot in position.lots)
    assert abs(cost - abs(net) * average) <= Fraction(1, 2)
    assert unrealized(position, Ticks(0)) == unrealized_at_average(position, Ticks(0))
    assert all(one.price < other.price for one, other in pairwise(position.lots))


def _contracts(position: Position) -> list[int]:
    return [lot.price for lot in position.lots for _ in range(lot.qty)]
