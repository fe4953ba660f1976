"""Caps: what fits under the tightest of them passes, all else is refused with the room there is."""

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.core.proposal import ALLOWED, Allowed, Changed, Exposure, Proposal, Refused
from risk.core.rules import (
    Caps,
    Rules,
    Scaling,
    Tier,
)
from risk.core.standing import Money
from risk.tests.asking import (
    START,
    asks,
    capped,
    reason_of,
    stands,
    verdict_on,
)
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Symbol


@pytest.mark.parametrize(
    ("asked", "passes", "room"),
    [
        (asks(0, 1, 1), 1, None),
        (asks(0, 4, 1), 4, None),
        (asks(0, 5, 1), 0, 4),
        (asks(0, 8, -3), 8, None),
        (asks(0, 9, -3), 0, 8),
        (asks(3, 5, -3), 8, None),
        (asks(3, 6, -3), 3, 5),
        (asks(6, 0, 9), 6, None),
        (asks(0, 1, 5), 0, 0),
        (asks(0, 1, 9), 0, 0),
        (asks(2, 1, 4), 2, 0),
    ],
)
def test_a_cap_counts_all_that_could_be_held_in_the_end_and_refuses_what_opens_too_much(
    asked: Proposal, passes: int, room: int | None
) -> None:
    verdict = verdict_on(asked, capped(5))
    if isinstance(verdict, Allowed):
        assert (passes, room) == (asked.reduce + asked.enter, None)
        return
    assert (verdict.qty if isinstance(verdict, Changed) else 0) == passes
    assert (verdict.reason, verdict.room) == (RefusalReason.MAX_POSITION, room)


def test_a_verdict_carries_its_figures() -> None:
    verdict = verdict_on(asks(2, 7, -2), capped(4))
    assert isinstance(verdict, Changed)
    assert (verdict.qty, verdict.enter, verdict.room) == (2, 0, 4)
    assert verdict.detail == "7 more could make 7 contracts, the limit is 4"
    assert (verdict.because.limit, verdict.because.value) == (Decimal(4), Decimal(7))


def test_the_tightest_cap_speaks() -> None:
    caps = Caps(instrument=9, account=8, minis=Decimal(7), products={"ES": 6, "NQ": 1})
    held = Exposure(instrument=1, product=2, account=2, minis=Decimal(1))
    for change, reason, room in (
        ({}, RefusalReason.MAX_PRODUCT, 4),
        ({"products": {}}, RefusalReason.MAX_ACCOUNT, 6),
        ({"products": {}, "account": None}, RefusalReason.MAX_MINIS, 6),
        ({"products": {}, "account": 8, "minis": None}, RefusalReason.MAX_ACCOUNT, 6),
        ({"products": {}, "account": None, "minis": None}, RefusalReason.MAX_POSITION, 8),
    ):
        verdict = verdict_on(asks(0, 20, exposure=held), Rules(caps=replace(caps, **change)))
        assert isinstance(verdict, Refused)
        assert (verdict.reason, verdict.room) == (reason, room)
    assert verdict_on(asks(0, 4, exposure=held), Rules(caps=caps)) is ALLOWED


@pytest.mark.parametrize(
    ("caps", "held"),
    [
        (Caps(instrument=6), Exposure(instrument=2)),
        (Caps(products={"ES": 6}), Exposure(product=2)),
        (Caps(account=6), Exposure(account=2)),
        (Caps(minis=Decimal(6)), Exposure(minis=Decimal(2))),
    ],
)
def test_every_cap_may_be_filled_to_its_last_contract(caps: Caps, held: Exposure) -> None:
    assert verdict_on(asks(0, 4, exposure=held), Rules(caps=caps)) is ALLOWED
    assert isinstance(verdict_on(asks(0, 5, exposure=held), Rules(caps=caps)), Refused)


def test_micros_count_a_tenth_of_a_mini() -> None:
    rules = Rules(caps=Caps(minis=Decimal(2)))
    held = Exposure(minis=Decimal("1.5"))
    micro = asks(0, 9, symbol=Symbol("MESZ6"), exposure=held)
    verdict = verdict_on(micro, rules)
    assert isinstance(verdict, Refused)
    assert verdict.room == 5
    assert verdict.detail == "9 more could make 2.4 mini-equivalents, the limit is 2"
    assert verdict_on(micro.changed(enter=5), rules) is ALLOWED
    assert reason_of(verdict_on(asks(0, 1, exposure=held), rules)) is RefusalReason.MAX_MINIS
    # A micro of bitcoin is a fiftieth of the contract, and counts a tenth all the same.
    assert verdict_on(asks(0, 20, symbol=Symbol("MBTZ6")), rules) is ALLOWED
    assert reason_of(verdict_on(asks(0, 21, symbol=Symbol("MBTZ6")), rules)) is RefusalReason.MAX_MINIS
    # Five micros of silver make one.
    assert reason_of(verdict_on(asks(0, 11, symbol=Symbol("SILZ6")), rules)) is RefusalReason.MAX_MINIS


@pytest.mark.parametrize(
    ("profit", "live", "most"),
    [(-500, 0, 2), (0, 0, 2), (1_499, 0, 2), (1_500, 0, 3), (2_000, 0, 5), (1_400, 200, 3), (2_000, -600, 2)],
)
def test_a_scaling_plan_lets_in_more_as_profit_grows(profit: int, live: int, most: int) -> None:
    tiers = (
        Tier(profit=Decimal(2_000), minis=Decimal(5)),
        Tier(profit=Decimal(0), minis=Decimal(2)),
        Tier(profit=Decimal(1_500), minis=Decimal(3)),
    )
    plan = Scaling(start=START, tiers=tiers, live=live != 0)
    standing = stands(profit, day={"reference": START + profit}).changed(
        money=Money(balance=START + profit, low=Decimal(live))
    )
    if not live:
        # What is open does not count for a plan that looks at the last day's end.
        standing = standing.changed(money=standing.money.changed(low=Decimal(9_000)))
    rules = Rules(caps=Caps(scaling=plan))
    assert verdict_on(asks(0, most), rules, standing) is ALLOWED
    verdict = verdict_on(asks(0, most + 1), rules, standing)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.room) == (RefusalReason.SCALING_PLAN, most)


def test_an_order_that_is_too_large_is_refused_whole_because_it_may_be_a_slip() -> None:
    rules = Rules(caps=Caps(order=5))
    assert verdict_on(asks(2, 3), rules) is ALLOWED
    verdict = verdict_on(asks(0, 6), rules)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.room) == (RefusalReason.ORDER_SIZE, 5)
    assert verdict.detail == "6 contracts in one order, the limit is 5"
    assert (verdict.because.limit, verdict.because.value) == (Decimal(5), Decimal(6))
    flip = verdict_on(asks(2, 4), rules)
    assert isinstance(flip, Changed)
    assert (flip.qty, flip.room) == (2, 3)
    assert verdict_on(asks(7, 1), rules).room == 0  # type: ignore[union-attr]
