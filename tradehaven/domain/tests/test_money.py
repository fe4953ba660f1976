"""Money adds only to its like, and every rounding goes the way its caller is safe."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehaven.domain.enums import Side
from tradehaven.domain.errors import CurrencyMismatch
from tradehaven.domain.money import (
    Money,
    Rounding,
    cents,
    floor_qty,
    limit_rounding,
    round_to_step,
    stop_rounding,
    total,
    usd,
    whole_ticks,
)
from tradehaven.domain.tests.reference import trade_math

EUROS = Money(amount=Decimal("5"), currency="EUR")
amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4)
prices = st.decimals(min_value=-(10**6), max_value=10**6, places=8)
steps = st.sampled_from([Decimal(text) for text in ("0.25", "0.00390625", "0.0000005", "5", "0.025")])


def test_money_adds_subtracts_and_multiplies_by_whole_numbers() -> None:
    assert usd("12.50") + usd("0.25") == usd("12.75")
    assert usd("12.50") - usd("20") == usd("-7.50")
    assert usd("12.50") * 3 == 3 * usd("12.50") == usd("37.50")
    assert -usd(5) == usd(-5)
    assert abs(usd(-5)) == usd(5)


def test_money_compares_by_amount_whatever_its_zeros() -> None:
    assert usd("1.50") == usd("1.5")
    assert usd(1) < usd(2) <= usd(2)
    assert usd(3) > usd(2) >= usd(2)
    assert usd("0.01")
    assert not usd("0.00")
    assert str(usd("1.50")) == "1.50 USD"


@pytest.mark.parametrize(
    "meet", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b]
)
def test_two_currencies_never_meet(meet: Callable[[Money, Money], object]) -> None:
    with pytest.raises(CurrencyMismatch, match=r"5 EUR.*convert"):
        meet(EUROS, usd(1))


def test_amounts_of_two_currencies_are_not_equal() -> None:
    assert usd(5) != EUROS


@pytest.mark.parametrize("factor", [Decimal("0.5"), 0.5, usd(2), "2"])
def test_money_times_anything_but_a_whole_number_is_an_error(factor: object) -> None:
    with pytest.raises(TypeError):
        usd(2) * factor  # type: ignore[operator]


@pytest.mark.parametrize("number", [1, Decimal(1), 1.0, None])
def test_money_does_not_add_to_bare_numbers(number: object) -> None:
    with pytest.raises(TypeError, match="wrap the amount"):
        usd(1) + number  # type: ignore[operator]


def test_total_of_nothing_is_zero_of_its_currency() -> None:
    assert total([], "USD") == usd(0)
    assert total([usd(1), usd("2.5")], "USD") == usd("3.5")
    with pytest.raises(CurrencyMismatch):
        total([usd(1)], "EUR")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0.625", "0.63"),
        ("-0.625", "-0.63"),
        ("0.624", "0.62"),
        ("1E+30", "1000000000000000000000000000000.00"),
    ],
)
def test_cents_round_half_away_from_zero(amount: str, shown: str) -> None:
    assert str(cents(usd(amount)).amount) == shown


@pytest.mark.parametrize(("size", "whole"), [("2.99", 2), ("-2.99", -2), ("0.29e2", 29), ("0.5", 0)])
def test_sizes_are_cut_toward_zero(size: str, whole: int) -> None:
    assert floor_qty(Decimal(size)) == whole


def test_mini_to_micro_vectors_are_cut_once() -> None:
    for vector in trade_math("micro_map"):
        given_ = vector["inputs"]
        size = given_["leader_qty"] * Decimal(given_["ratio"]) * Decimal(given_["factor"])
        assert floor_qty(size) == vector["expected"]["qty"], vector["id"]


def test_rounding_vectors() -> None:
    for vector in trade_math("round_tick"):
        step = Decimal(vector["inputs"]["tick"])
        steps_ = round_to_step(Decimal(vector["inputs"]["price"]), step, Rounding(vector["inputs"]["mode"]))
        assert steps_ * step == Decimal(vector["expected"]["price"]), vector["id"]


@pytest.mark.parametrize(
    ("price", "rounding", "steps_"),
    [
        ("-37.634", Rounding.UP, -3763),
        ("-37.634", Rounding.DOWN, -3764),
        ("-37.635", Rounding.NEAREST, -3764),
        ("37.634", Rounding.UP, 3764),
        ("37.634", Rounding.DOWN, 3763),
        ("37.63", Rounding.UP, 3763),
    ],
)
def test_up_is_toward_plus_infinity_for_negative_prices_too(
    price: str, rounding: Rounding, steps_: int
) -> None:
    assert round_to_step(Decimal(price), Decimal("0.01"), rounding) == steps_


@pytest.mark.parametrize(
    ("average", "up", "down", "nearest"),
    [
        ("7/2", 4, 3, 4),
        ("-7/2", -3, -4, -4),
        ("10/3", 4, 3, 3),
        ("-10/3", -3, -4, -3),
        ("5", 5, 5, 5),
        ("0", 0, 0, 0),
    ],
)
def test_an_average_becomes_whole_ticks_in_the_direction_asked(
    average: str, up: int, down: int, nearest: int
) -> None:
    assert whole_ticks(Fraction(average), Rounding.UP) == up
    assert whole_ticks(Fraction(average), Rounding.DOWN) == down
    assert whole_ticks(Fraction(average), Rounding.NEAREST) == nearest


def test_limits_are_never_worse_and_stops_never_earlier_than_the_leaders() -> None:
    assert limit_rounding(Side.BUY) is Rounding.DOWN
    assert limit_rounding(Side.SELL) is Rounding.UP
    assert stop_rounding(Side.BUY) is Rounding.UP
    assert stop_rounding(Side.SELL) is Rounding.DOWN


@given(price=prices, step=steps, rounding=st.sampled_from(Rounding))
def test_rounding_moves_less_than_a_step_and_only_once(
    price: Decimal, step: Decimal, rounding: Rounding
) -> None:
    rounded = round_to_step(price, step, rounding) * step
    assert abs(rounded - price) < step
    assert round_to_step(rounded, step, rounding) * step == rounded
    if rounding is Rounding.UP:
        assert rounded >= price
    if rounding is Rounding.DOWN:
        assert rounded <= price
    if rounding is Rounding.NEAREST:
        assert abs(rounded - price) * 2 <= step


@given(one=amounts, other=amounts, times=st.integers(-1000, 1000))
def test_money_distributes_over_whole_numbers(one: Decimal, other: Decimal, times: int) -> None:
    assert (usd(one) + usd(other)) * times == usd(one) * times + usd(other) * times
