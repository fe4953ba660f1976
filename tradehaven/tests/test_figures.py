"""Numbers as pages write them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tradehaven.templatetags.figures import dollars, gain, signed, tone, took, words


@pytest.mark.parametrize(
    ("amount", "text", "change", "colour"),
    [
        ("1234.5", "$1,234.50", "+$1,234.50", "gain"),
        ("-0.005", "−$0.01", "−$0.01", "loss"),
        ("0", "$0.00", "$0.00", "flat"),
        ("-1500", "−$1,500.00", "−$1,500.00", "loss"),
    ],
)
def test_amounts_carry_their_sign(amount: str, text: str, change: str, colour: str):
    value = Decimal(amount)
    assert (dollars(value), gain(value), tone(value)) == (text, change, colour)


def test_a_missing_amount_is_a_dash_without_colour():
    assert (dollars(None), gain(None), tone(None)) == ("–", "–", "flat")


@pytest.mark.parametrize(("number", "text"), [(2, "+2"), (-3, "−3"), (0, "0")])
def test_contracts_carry_their_sign(number: int, text: str):
    assert signed(number) == text


@pytest.mark.parametrize(
    ("micros", "text"), [(0, "0 µs"), (850, "850 µs"), (12_400, "12.4 ms"), (1_250_000, "1.25 s")]
)
def test_short_times_choose_their_unit(micros: int, text: str):
    assert took(timedelta(microseconds=micros)) == text


def test_a_step_that_did_not_happen_took_a_dash():
    assert took(None) == "–"


def test_enum_values_read_as_words():
    assert words("stop_limit") == "stop limit"
