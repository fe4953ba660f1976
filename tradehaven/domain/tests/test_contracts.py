"""Contract codes, and the day a contract stops trading."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehaven.domain.contracts import (
    Confidence,
    Contract,
    Expiry,
    expiry,
    front,
    next_contracts,
    parse_contract,
    product_of,
)
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.instruments import Product, product, products

ON = date(2026, 8, 12)


@pytest.mark.parametrize("code", ["ESZ6", "ESZ26", "ESZ2026", "esz6", " ESZ6 "])
def test_every_spelling_names_the_same_contract(code: str) -> None:
    contract = parse_contract(code, ON)
    assert contract == Contract(product=product("ES"), year=2026, month=12)
    assert contract.code == "ESZ6"


@pytest.mark.parametrize(
    ("code", "root", "month"), [("M2KU6", "M2K", 9), ("6EU6", "6E", 9), ("E7Z6", "E7", 12), ("J7H7", "J7", 3)]
)
def test_roots_with_digits_parse(code: str, root: str, month: int) -> None:
    contract = parse_contract(code, ON)
    assert (contract.product.symbol, contract.month, contract.code) == (root, month, code)


@pytest.mark.parametrize(
    ("code", "on", "year"),
    [
        ("ESM4", date(2024, 5, 1), 2024),
        ("ESH0", date(2029, 12, 1), 2030),
        ("ESZ9", date(2030, 1, 5), 2029),
        ("ESM6", date(2026, 8, 12), 2026),
        ("ESU5", date(2026, 9, 30), 2025),
        ("ESM5", date(2026, 8, 12), 2035),
        ("ESU2024", date(2026, 8, 12), 2024),
        ("ESU24", date(2026, 8, 12), 2024),
    ],
)
def test_a_short_year_is_the_one_near_the_reference_date(code: str, on: date, year: int) -> None:
    assert parse_contract(code, on).year == year


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("", "such as ESZ6"),
        ("ES", "such as ESZ6"),
        ("ESA6", "such as ESZ6"),
        ("ESZ", "such as ESZ6"),
        ("ESZ026", "such as ESZ6"),
        ("ESZ\u0666", "such as ESZ6"),
        ("XXZ6", "'XX' is not a product"),
        ("ESF6", "ES has no month F; it lists HMUZ, such as ESH6"),
        ("ESZ1999", "the year 1999 is outside"),
        ("Z6", "such as ESZ6"),
    ],
)
def test_a_bad_code_says_what_is_wrong(code: str, says: str) -> None:
    with pytest.raises(UnknownInstrument) as caught:
        parse_contract(code, ON)
    assert says in caught.value.message


@pytest.mark.parametrize(("code", "root"), [("ESZ6", "ES"), ("M2KU26", "M2K"), ("6EZ2026", "6E")])
def test_the_product_of_a_code_needs_no_date(code: str, root: str) -> None:
    assert product_of(code) is product(root)


@pytest.mark.parametrize("code", ["", "ES", "esz6", "XXZ6", "ESZ\u0666"])
def test_a_code_of_no_product_is_refused(code: str) -> None:
    with pytest.raises(UnknownInstrument):
        product_of(code)


@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("ESZ6", date(2026, 12, 18)),
        ("ESM6", date(2026, 6, 18)),  # the third Friday is Juneteenth
        ("NKDZ6", date(2026, 12, 10)),
        ("6EZ6", date(2026, 12, 14)),
        ("6CZ6", date(2026, 12, 15)),
        ("CLF7", date(2026, 12, 21)),
        ("CLV6", date(2026, 9, 22)),
        ("MCLV6", date(2026, 9, 21)),
        ("CLN6", date(2026, 6, 22)),
        ("RBZ6", date(2026, 11, 30)),
        ("NGZ6", date(2026, 11, 25)),
        ("MNGZ6", date(2026, 11, 24)),
        ("GCZ6", date(2026, 12, 29)),
        ("ZNU6", date(2026, 9, 21)),
        ("ZFZ6", date(2026, 12, 31)),
        ("ZCU6", date(2026, 9, 14)),
        ("HEV6", date(2026, 10, 14)),
        ("HEG7", date(2027, 2, 12)),
        ("BTCX6", date(2026, 11, 27)),
        ("GFX6", date(2026, 11, 25)),
    ],
)
def test_expiry_follows_the_products_rule(code: str, day: date) -> None:
    assert expiry(parse_contract(code, ON)).date == day


def test_expiry_says_how_sure_it_is() -> None:
    sure = [expiry(parse_contract(code, ON)).confidence for code in ("ESZ6", "CLF7", "GFX6", "ESZ8")]
    assert sure == [Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW, Confidence.LOW]


def test_front_is_the_nearest_active_month_and_rolls_the_day_after_expiry() -> None:
    es = product("ES")
    assert front(es, date(2026, 12, 18)).code == "ESZ6"
    assert front(es, date(2026, 12, 19)).code == "ESH7"
    # Crude expires in the month before its delivery month.
    assert front(product("CL"), date(2026, 12, 22)).code == "CLG7"
    # Gold lists every month but trades in the even ones.
    assert front(product("GC"), date(2026, 10, 30)).code == "GCZ6"


def test_next_contracts_come_in_order() -> None:
    codes = [contract.code for contract in next_contracts(product("ES"), ON, 5)]
    assert codes == ["ESU6", "ESZ6", "ESH7", "ESM7", "ESU7"]
    assert next_contracts(product("ES"), ON, 0) == ()


@given(known=st.sampled_from(products()), on=st.dates(date(2025, 1, 1), date(2029, 12, 31)))
def test_the_front_contract_still_trades_and_its_code_reads_back(known: Product, on: date) -> None:
    contract = front(known, on)
    assert expiry(contract).date >= on
    assert parse_contract(contract.code, on) == contract
    assert isinstance(expiry(contract), Expiry)


code_like = st.builds(
    "{}{}".format,
    st.sampled_from([known.symbol for known in products()]),
    st.text(alphabet="FHJMUZ0123456789", min_size=2, max_size=5),
)


@given(text=st.text(max_size=12) | code_like)
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(UnknownInstrument):
        contract = parse_contract(text, ON)
        assert parse_contract(contract.code, date(contract.year, contract.month, 1)) == contract
