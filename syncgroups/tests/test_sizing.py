"""Sizing against the vectors of trade mathematics section 5, and its laws for any input."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.plan import FollowerPlan
from syncgroups.core.sizing import NOTHING, Sized, balance_ratio, follower_order, scaled, split
from syncgroups.tests.plans import follower
from tradehaven.domain.enums import SizingMode
from tradehaven.domain.instruments import product, size_factor

VECTORS = Path(__file__).parent / "vectors" / "sizing.json"
CASES = {case["id"]: case for case in json.loads(VECTORS.read_text())}


def _of(topic: str) -> list[Any]:
    return [pytest.param(case, id=key) for key, case in CASES.items() if case["topic"] == topic]


@pytest.mark.parametrize("case", _of("cumulative_floor"))
def test_parts_of_one_order_add_up_to_the_share_of_the_whole(case: dict[str, Any]) -> None:
    ratio, done, emitted = Fraction(case["inputs"]["ratio"]), 0, []
    for part in case["inputs"]["partials"]:
        emitted.append(scaled(done + part, ratio) - scaled(done, ratio))
        done += part
    assert emitted == case["expected"]["emitted"]
    assert sum(emitted) == case["expected"]["total"]


@pytest.mark.parametrize("case", _of("target_position"))
def test_what_is_held_is_the_cut_share_of_the_leaders_position(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    plan = follower(2, ratio=inputs["ratio"], max_contracts=inputs.get("cap"))
    leader = own = 0
    orders, positions = [], []
    for held in inputs["leader"]:
        sized = _of_a_fill(plan, own, leader, held - leader)
        orders.append(sized.qty if held > leader else -sized.qty)
        leader, own = held, own + orders[-1]
        positions.append(own)
    assert positions == case["expected"]["target"]
    assert orders == case["expected"]["orders"]


def _of_a_fill(plan: FollowerPlan, own: int, leader: int, change: int) -> Sized:
    """Return the order for one fill of the leader's, sized over all that it holds."""
    _, entering = split(leader, change)
    base = abs(leader) if entering and leader * change > 0 else 0
    return follower_order(plan=plan, ratio=plan.ratio, own=own, leader=leader, change=change, base=base)


@pytest.mark.parametrize("case", _of("balance_proportional"))
def test_a_balance_sizes_by_its_share_of_the_leaders(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    ratio = balance_ratio(Decimal(inputs["follower_balance"]), Decimal(inputs["leader_balance"]))
    expected = case["expected"]["ratio"]
    assert ratio == (None if expected is None else Fraction(expected))
    assert (scaled(inputs["leader_qty"], ratio) if ratio is not None else 0) == case["expected"]["qty"]


@pytest.mark.parametrize("case", _of("micro_map"))
def test_ratio_and_factor_are_cut_once_together(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    factor = Fraction(inputs["factor"])
    assert scaled(inputs["leader_qty"], Fraction(inputs["ratio"]) * factor) == case["expected"]["qty"]
    assert Fraction(size_factor(product(inputs["leader_symbol"]), product(inputs["to"]))) == factor


@pytest.mark.parametrize("case", _of("confirmed_copy"))
def test_fills_of_the_leader_are_followed_without_opening_on_a_reduction(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    plan = follower(2, ratio=inputs["ratio"])
    leader = own = 0
    orders, positions = [], []
    for fill, filled in zip(inputs["leader_fills"], inputs["follower_filled"], strict=True):
        sized = _of_a_fill(plan, own, leader, fill)
        orders.append(sized.qty if fill > 0 else -sized.qty)
        leader, own = leader + fill, own + filled
        positions.append(own)
    assert orders == case["expected"]["orders"]
    assert positions == case["expected"]["position"]


RATIOS = st.fractions(min_value=Fraction(1, 100), max_value=20, max_denominator=100)


@given(qty=st.integers(-500, 500), ratio=RATIOS)
def test_a_share_is_never_more_than_its_part_nor_a_whole_contract_less(qty: int, ratio: Fraction) -> None:
    got = scaled(qty, ratio)
    assert abs(got) <= abs(qty) * ratio < abs(got) + 1
    assert got * qty >= 0


@given(own=st.integers(-50, 50), leader=st.integers(-50, 50), change=st.integers(-80, 80), ratio=RATIOS)
def test_a_reduction_never_opens_flips_or_exceeds(
    own: int, leader: int, change: int, ratio: Fraction
) -> None:
    sized = follower_order(plan=follower(2), ratio=ratio, own=own, leader=leader, change=change)
    reducing, entering = split(leader, change)
    assert 0 <= sized.reduce <= abs(own)
    if not entering:
        assert sized.enter == 0
    if sized.reduce:
        assert own * leader > 0
        assert own * change < 0
    if reducing and leader + change == 0 and own * leader > 0:
        assert sized.reduce == abs(own)


@pytest.mark.parametrize(
    ("own", "leader", "change", "expected"),
    [
        (0, 0, 7, Sized(reduce=0, enter=3)),
        (3, 7, -7, Sized(reduce=3, enter=0)),
        (3, 7, -1, Sized(reduce=3, enter=0)),
        (5, 7, -1, Sized(reduce=3, enter=0)),
        (3, 7, -9, Sized(reduce=3, enter=3)),
        (5, 7, -7, Sized(reduce=5, enter=0)),
        (-5, -7, 1, Sized(reduce=3, enter=0)),
        (-2, -7, 1, Sized(reduce=2, enter=0)),
    ],
)
def test_a_fixed_quantity_is_always_the_same(own: int, leader: int, change: int, expected: Sized) -> None:
    plan = follower(2, sizing=SizingMode.FIXED, fixed_qty=3)
    assert follower_order(plan=plan, ratio=plan.ratio, own=own, leader=leader, change=change) == expected


@pytest.mark.parametrize(("own", "change", "entered"), [(0, 5, 2), (1, 5, 1), (2, 5, 0), (0, -5, 2)])
def test_a_cap_holds_the_position_not_the_order(own: int, change: int, entered: int) -> None:
    plan = follower(2, max_contracts=2)
    leader = own
    assert (
        follower_order(plan=plan, ratio=Fraction(1), own=own, leader=leader, change=change).enter == entered
    )


def test_no_balance_of_a_follower_is_no_ratio() -> None:
    assert balance_ratio(Decimal(-1), Decimal(50_000)) is None
    assert FollowerPlan(account=follower(2).account, gates=()).ratio == 1


# -- the edges that a slip of one would move ---------------------------------------------------------


def _order(own: int, leader: int, change: int, ratio: str = "1", **settings: Any) -> Sized:
    plan = follower(2, ratio=ratio, **settings)
    return follower_order(plan=plan, ratio=Fraction(ratio), own=own, leader=leader, change=change)


def test_nothing_is_nothing() -> None:
    assert (NOTHING.reduce, NOTHING.enter, NOTHING.qty) == (0, 0, 0)


def test_a_follower_without_money_has_a_ratio_of_nought() -> None:
    assert balance_ratio(Decimal(0), Decimal(100)) == 0
    assert balance_ratio(Decimal(-1), Decimal(100)) is None
    assert balance_ratio(Decimal(1), Decimal(0)) is None
    assert balance_ratio(Decimal(1), Decimal(-1)) is None


def test_by_itself_an_order_is_cut_from_nought() -> None:
    assert _order(0, 0, 2, "1/2").enter == 1
    assert _order(5, 7, 3, "1/2").enter == 1


def test_the_cap_counts_what_is_held_on_the_same_side_only() -> None:
    assert _order(2, 2, 2, max_contracts=3).enter == 1
    assert _order(-2, -2, -2, max_contracts=3).enter == 1
    assert _order(-2, 2, 3, max_contracts=3).enter == 3
    assert _order(5, 5, 2, max_contracts=3) == Sized(reduce=0, enter=0)


def test_a_size_by_balance_is_a_ratio_and_no_fixed_number() -> None:
    plan = follower(2, sizing=SizingMode.BALANCE, fixed_qty=9)
    sized = follower_order(plan=plan, ratio=Fraction(2), own=4, leader=2, change=-1)
    assert sized == Sized(reduce=2, enter=0)
    entered = follower_order(plan=plan, ratio=Fraction(2), own=0, leader=0, change=1)
    assert entered == Sized(reduce=0, enter=2)


@pytest.mark.parametrize(
    ("own", "leader", "change", "reduce", "enter"),
    [
        (-2, -2, 1, 1, 0),
        (-1, -1, 1, 1, 0),
        (1, 1, -1, 1, 0),
        (-1, -1, 2, 1, 1),
        (1, 1, -2, 1, 1),
        (-1, -1, -1, 0, 1),
    ],
)
def test_single_contracts_count(own: int, leader: int, change: int, reduce: int, enter: int) -> None:
    assert _order(own, leader, change) == Sized(reduce=reduce, enter=enter)


def test_a_cap_of_one_is_full_with_one() -> None:
    assert _order(1, 1, 1, max_contracts=1).enter == 0
    assert _order(-1, -1, -1, max_contracts=1).enter == 0


def test_an_entry_adds_to_what_was_entered_before() -> None:
    plan = follower(2)
    sized = follower_order(plan=plan, ratio=Fraction(1), own=1, leader=1, change=2, base=1)
    assert sized == Sized(reduce=0, enter=2)


def test_the_smallest_balances_have_a_ratio() -> None:
    assert balance_ratio(Decimal("0.5"), Decimal(1)) == Fraction(1, 2)
