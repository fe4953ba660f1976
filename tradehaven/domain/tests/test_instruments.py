"""Every product's grid, money and spelling."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehaven.domain.enums import Side
from tradehaven.domain.errors import InvalidInput, OffTick, UnknownInstrument
from tradehaven.domain.instruments import PriceFormat, Product, Settlement, product, products, size_factor
from tradehaven.domain.money import Rounding, floor_qty, limit_rounding, usd
from tradehaven.domain.tests.reference import trade_math

any_product = st.sampled_from(products())
any_ticks = st.integers(-1_000_000, 1_000_000)


def test_all_products_are_known_and_consistent() -> None:
    assert len(products()) == 61
    for known in products():
        assert known.tick_size * known.point_value == known.tick_value
        assert set(known.active_months) <= set(known.listed_months)
        assert known.rth_start < known.rth_end
        assert product(known.symbol) is known
        assert known in {known}


def test_a_product_carries_its_facts() -> None:
    es = product("ES")
    assert (es.tick_size, es.tick_value, es.point_value) == (Decimal("0.25"), Decimal("12.5"), Decimal(50))
    assert es.listed_months == (3, 6, 9, 12)
    assert (es.currency, es.exchange, es.settlement) == ("USD", "CME", Settlement.CASH)
    assert product("CL").settlement is Settlement.PHYSICAL
    assert product("6M").sibling is None
    assert product("6M").sibling_factor is None


@pytest.mark.parametrize("symbol", ["", "es", "ESZ6", "XX", "A" * 500])
def test_an_unknown_product_is_named_with_examples(symbol: str) -> None:
    with pytest.raises(UnknownInstrument, match="such as ES, MNQ or 6E") as caught:
        product(symbol)
    assert caught.value.field == "symbol"
    assert len(caught.value.message) < 120


@given(known=any_product, ticks=any_ticks)
def test_ticks_to_price_and_back_is_exact(known: Product, ticks: int) -> None:
    assert known.to_ticks(known.to_price(ticks)) == ticks


@given(known=any_product, ticks=any_ticks)
def test_display_then_parse_returns_the_same_price(known: Product, ticks: int) -> None:
    assert known.parse_display(known.display(ticks)) == ticks


@given(known=any_product, ticks=any_ticks)
def test_display_loses_no_decimals(known: Product, ticks: int) -> None:
    if known.price_format is PriceFormat.DECIMAL:
        assert Decimal(known.display(ticks)) == known.to_price(ticks)


@given(known=any_product, price=st.decimals(-10_000, 10_000, places=9), rounding=st.sampled_from(Rounding))
def test_rounding_to_the_grid_lands_on_it(known: Product, price: Decimal, rounding: Rounding) -> None:
    ticks = known.round_ticks(price, rounding)
    assert abs(known.to_price(ticks) - price) < known.tick_size
    assert known.round_ticks(known.to_price(ticks), rounding) == ticks


def test_fraction_vectors_are_written_and_read() -> None:
    vectors = trade_math("fractional")
    assert len(vectors) == 9
    for vector in vectors:
        known, text = product(vector["inputs"]["symbol"]), vector["expected"]["display"]
        ticks = known.to_ticks(Decimal(vector["inputs"]["decimal"]))
        assert known.price_format == vector["inputs"]["format"]
        assert known.display(ticks) == text, vector["id"]
        assert known.parse_display(text) == ticks, vector["id"]


def test_negative_fractions_keep_one_sign() -> None:
    assert product("ZB").display(-16) == "-0'16"
    assert product("ZB").parse_display("-0'16") == -16
    assert product("ZC").display(-5) == "-1'2"


def test_bracket_vectors_in_ticks() -> None:
    for vector in trade_math("bracket"):
        given_, expected = vector["inputs"], vector["expected"]
        known, side = product(given_["symbol"]), Side.BUY if given_["side"] == "B" else Side.SELL
        fill = known.to_ticks(Decimal(given_["fill"]))
        assert known.to_price(fill - side.sign * given_["sl_ticks"]) == Decimal(expected["sl"])
        assert known.to_price(fill + side.sign * given_["tp_ticks"]) == Decimal(expected["tp"])
        assert known.value(given_["sl_ticks"]) == usd(expected["risk"])
        assert known.value(given_["tp_ticks"]) == usd(expected["reward"])


def test_slippage_vectors_in_ticks() -> None:
    for vector, symbol in zip(trade_math("slippage"), ("ES", "MES"), strict=True):
        given_, known = vector["inputs"], product(symbol)
        sign = 1 if given_["side"] == "B" else -1
        worse = sign * (
            known.to_ticks(Decimal(given_["follower"])) - known.to_ticks(Decimal(given_["leader"]))
        )
        assert worse == int(vector["expected"]["ticks"])
        assert known.value(worse * given_["qty"]) == usd(vector["expected"]["usd"])


def test_on_tick_vectors() -> None:
    by_tick = {known.tick_size: known for known in products()}
    for vector in trade_math("is_on_tick"):
        known, price = by_tick[Decimal(vector["inputs"]["tick"])], Decimal(vector["inputs"]["price"])
        if vector["expected"]["on_tick"]:
            assert known.to_price(known.to_ticks(price)) == price
        else:
            with pytest.raises(OffTick):
                known.to_ticks(price)


@pytest.mark.parametrize(
    ("symbol", "price", "nearest"),
    [
        ("ES", "5042.80", "5042.75 and 5043.00"),
        ("CL", "-37.634", "-37.64 and -37.63"),
        ("ES", "5042.7500000000000000000000001", "5042.75 and 5043.00"),
    ],
)
def test_a_price_between_ticks_is_refused_with_its_neighbours(symbol: str, price: str, nearest: str) -> None:
    with pytest.raises(OffTick, match=nearest) as caught:
        product(symbol).to_ticks(Decimal(price))
    assert price in str(caught.value)
    assert str(product(symbol).tick_size) in str(caught.value)


@pytest.mark.parametrize("price", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+60"])
def test_what_is_no_number_is_no_price(price: str) -> None:
    with pytest.raises(OffTick, match="is not a price of ES"):
        product("ES").to_ticks(Decimal(price))


@pytest.mark.parametrize(
    ("symbol", "text"),
    [
        ("ES", ""),
        ("ES", "5,042.75"),
        ("ES", "1e3"),
        ("ES", "NaN"),
        ("ES", "5042'2"),
        ("ES", "\u0661"),
        ("ZN", "110.5"),
        ("ZN", "110'16"),
        ("ZB", "115'090"),
        ("ZC", "452'25"),
        ("ES", "9" * 400),
    ],
)
def test_a_price_in_another_spelling_is_refused_with_an_example(symbol: str, text: str) -> None:
    with pytest.raises(InvalidInput, match="write it like 100") as caught:
        product(symbol).parse_display(text)
    assert not isinstance(caught.value, OffTick)
    assert len(caught.value.message) < 140


@pytest.mark.parametrize(
    ("symbol", "text"),
    [("ZT", "104'284"), ("ZF", "108'031"), ("ZN", "110'325"), ("ZB", "115'32"), ("ZC", "452'1")],
)
def test_a_fraction_that_no_tick_has_is_off_tick(symbol: str, text: str) -> None:
    with pytest.raises(OffTick, match="between two ticks"):
        product(symbol).parse_display(text)


def test_spaces_around_a_price_are_forgiven() -> None:
    assert product("ES").parse_display(" 5042.75 ") == 20171
    assert product("ES").parse_display("-0.25") == -1


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("ES", "MES", "10"),
        ("MES", "ES", "0.1"),
        ("SI", "SIL", "5"),
        ("BTC", "MBT", "50"),
        ("ETH", "MET", "500"),
        ("QM", "CL", "0.5"),
        ("QM", "MCL", "5"),
        ("QG", "MNG", "2.5"),
        ("E7", "6E", "0.5"),
    ],
)
def test_size_factors_are_the_true_ones(one: str, other: str, factor: str) -> None:
    assert size_factor(product(one), product(other)) == Decimal(factor)


def test_sibling_factor_agrees_with_the_sizes() -> None:
    for known in products():
        if known.sibling is not None:
            assert known.sibling_factor == size_factor(known, product(known.sibling))


def test_products_of_two_underlyings_have_no_factor() -> None:
    with pytest.raises(UnknownInstrument, match="ES and NQ"):
        size_factor(product("ES"), product("NQ"))


@given(known=any_product, qty=st.integers(0, 1000))
def test_mini_to_micro_to_mini_returns_the_quantity(known: Product, qty: int) -> None:
    if known.sibling is None or known.size != 1:
        return
    micro = product(known.sibling)
    micros = floor_qty(qty * size_factor(known, micro))
    assert floor_qty(micros * size_factor(micro, known)) == qty


@given(ticks=st.integers(-100_000, 100_000), side=st.sampled_from(Side))
def test_a_coarser_sibling_never_gets_a_worse_limit(ticks: int, side: Side) -> None:
    leader, follower = product("CL"), product("QM")
    price = leader.to_price(ticks)
    copied = follower.to_price(follower.round_ticks(price, limit_rounding(side)))
    assert (price - copied) * side.sign >= 0
