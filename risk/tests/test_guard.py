"""The gate before every order: what passes, what is cut to its closing part, what is refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.flatten import FlattenPlan, flatten
from risk.core.guard import ALLOWED, Changed, Proposal, Refused, review, strictest
from risk.core.limits import AccountLimits
from tradehaven.domain.enums import RefusalReason, TradingState
from tradehaven.domain.ids import OrderId, Symbol

ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED
NO_LIMIT = AccountLimits()


def _asks(reduce: int, enter: int, exposure: int = 0) -> Proposal:
    return Proposal(reduce=reduce, enter=enter, exposure=exposure)


def test_without_limit_and_gate_everything_passes() -> None:
    assert review(_asks(2, 3, 100), NO_LIMIT, ACTIVE) is ALLOWED


@pytest.mark.parametrize("asked", [_asks(0, 1), _asks(1, 0), _asks(1, 1)])
def test_behind_a_shut_gate_nothing_passes(asked: Proposal) -> None:
    verdict = review(asked, AccountLimits(max_position=100), HALTED)
    assert verdict == Refused(reason=RefusalReason.KILL_SWITCH, detail="the kill switch is on", room=0)


def test_where_only_reductions_pass_the_closing_part_of_a_flip_does() -> None:
    detail = "only reductions are allowed now"
    assert review(_asks(2, 0), NO_LIMIT, REDUCING) is ALLOWED
    assert review(_asks(0, 1), NO_LIMIT, REDUCING) == Refused(
        reason=RefusalReason.REDUCE_ONLY, detail=detail, room=0
    )
    assert review(_asks(2, 1), NO_LIMIT, REDUCING) == Changed(
        qty=2, reason=RefusalReason.REDUCE_ONLY, detail=detail, room=0
    )


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        (_asks(0, 1, 1), True),
        (_asks(0, 4, 1), True),
        (_asks(0, 5, 1), False),
        (_asks(0, 8, -3), True),
        (_asks(0, 9, -3), False),
        (_asks(3, 5, -3), True),
        (_asks(3, 6, -3), False),
        (_asks(6, 0, 9), True),
    ],
)
def test_the_limit_counts_everything_that_could_be_held_in_the_end(asked: Proposal, passes: bool) -> None:
    assert (review(asked, AccountLimits(max_position=5), ACTIVE) is ALLOWED) is passes


def test_a_refusal_says_the_figures_and_what_may_still_be_opened() -> None:
    assert review(_asks(0, 5, 2), AccountLimits(max_position=5), ACTIVE) == Refused(
        reason=RefusalReason.MAX_POSITION,
        detail="5 more could make 7 contracts, the limit is 5",
        room=3,
    )
    assert review(_asks(2, 7, -2), AccountLimits(max_position=5), ACTIVE) == Changed(
        qty=2,
        reason=RefusalReason.MAX_POSITION,
        detail="7 more could make 7 contracts, the limit is 5",
        room=5,
    )
    assert review(_asks(0, 1, 9), AccountLimits(max_position=5), ACTIVE) == Refused(
        reason=RefusalReason.MAX_POSITION,
        detail="1 more could make 10 contracts, the limit is 5",
        room=0,
    )


def test_a_limit_of_nothing_lets_nothing_in() -> None:
    assert isinstance(review(_asks(0, 1), AccountLimits(max_position=0), ACTIVE), Refused)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(-30, 30), st.none() | st.integers(0, 30))
def test_a_reduction_always_passes_and_never_more_than_was_asked(
    reduce: int, enter: int, exposure: int, limit: int | None
) -> None:
    verdict = review(_asks(reduce, enter, exposure), AccountLimits(max_position=limit), ACTIVE)
    passed = reduce + enter if verdict is ALLOWED else getattr(verdict, "qty", 0)
    assert reduce <= passed <= reduce + enter
    if limit is not None and passed > reduce:
        assert exposure + passed <= limit


@pytest.mark.parametrize(
    ("states", "narrowest"),
    [
        ((), ACTIVE),
        ((ACTIVE, ACTIVE), ACTIVE),
        ((ACTIVE, REDUCING), REDUCING),
        ((REDUCING, HALTED, ACTIVE), HALTED),
        ((HALTED, REDUCING), HALTED),
    ],
)
def test_of_several_gates_the_narrowest_holds(
    states: tuple[TradingState, ...], narrowest: TradingState
) -> None:
    assert strictest(states) is narrowest


def test_flattening_cancels_what_a_liquidation_would_leave_and_closes_what_is_held() -> None:
    es, nq, cl = Symbol("ESZ6"), Symbol("NQZ6"), Symbol("CLF7")
    working = [(OrderId(7), nq), (OrderId(3), es), (OrderId(9), nq)]
    todo = flatten(working, {es: 2, nq: 0, cl: -1})
    assert todo == FlattenPlan(cancel=(OrderId(7), OrderId(9)), close=(cl, es))
    assert flatten([], {es: 0}) == FlattenPlan(cancel=(), close=())
