"""What a follower's fills cost against its leader's."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.slippage import Slippage, average, slippage
from tradehaven.domain.enums import Side
from tradehaven.domain.instruments import product

ES, MES, CL = product("ES"), product("MES"), product("CL")
FILLS = st.lists(st.tuples(st.integers(1, 20), st.integers(10_000, 30_000)), min_size=1, max_size=5)


def test_a_buy_above_the_leader_is_a_cost():
    found = slippage(Side.BUY, [(2, 20_004)], ES, [(2, 20_000)], ES)
    assert found == Slippage(
        price=Decimal("5001.00"), against=Decimal("5000.00"), ticks=Decimal("4.000"), usd=Decimal("100.00")
    )


def test_a_sale_above_the_leader_is_a_gain():
    found = slippage(Side.SELL, [(1, 20_002)], ES, [(2, 20_000)], ES)
    assert found is not None
    assert (found.ticks, found.usd) == (Decimal(-2), Decimal("-25.00"))


def test_partial_fills_count_by_their_contracts():
    found = slippage(Side.BUY, [(1, 20_000), (3, 20_004)], ES, [(1, 19_999), (1, 20_001)], ES)
    assert found is not None
    assert (found.ticks, found.usd) == (Decimal(3), Decimal("150.00"))


def test_a_micro_is_measured_in_its_own_ticks_and_dollars():
    found = slippage(Side.BUY, [(10, 20_001)], MES, [(1, 20_000)], ES)
    assert found is not None
    assert (found.ticks, found.usd) == (Decimal(1), Decimal("12.50"))


def test_contracts_without_a_common_price_have_a_price_and_no_slippage():
    found = slippage(Side.BUY, [(1, 7_000)], CL, [(1, 20_000)], ES)
    assert found is not None
    assert (found.price, found.against, found.ticks, found.usd) == (Decimal("70.00"), None, None, None)


def test_nothing_filled_is_nothing():
    assert slippage(Side.BUY, [], ES, [(1, 20_000)], ES) is None
    found = slippage(Side.BUY, [(1, 20_000)], ES, [], ES)
    assert found is not None
    assert found.ticks is None
    assert average([], ES) is None


@given(FILLS, FILLS)
def test_what_a_buyer_loses_a_seller_gains(own: list[tuple[int, int]], leaders: list[tuple[int, int]]):
    bought = slippage(Side.BUY, own, ES, leaders, ES)
    sold = slippage(Side.SELL, own, ES, leaders, ES)
    assert bought is not None
    assert sold is not None
    assert bought.usd == -sold.usd if sold.usd is not None else False
