"""The worst case at the stop, and the stop that an entry must have."""

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.core.proposal import ALLOWED, Allowed, Attach, Changed, Proposal, Refused
from risk.core.rules import (
    Caps,
    Offset,
    Protection,
    Rules,
    Unit,
)
from risk.tests.asking import LOSS, MARKET, asks, capped, reason_of, stands, verdict_on
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.money import Ticks


def test_an_entry_whose_stop_could_break_a_limit_is_refused_with_what_may_still_be_bought() -> None:
    # 16 ticks of ES are 200 USD, fees 5: 205 a contract, and less than 1,000 must be lost.
    verdict = verdict_on(asks(0, 5, stop=16), LOSS, stands())
    assert isinstance(verdict, Refused)
    assert (verdict.room, verdict.reason) == (4, RefusalReason.WORST_CASE)
    assert (verdict.because.limit, verdict.because.value) == (Decimal(4), Decimal(5))
    assert verdict.detail == (
        "5 contracts with a stop of 16 ticks could break a loss limit, 4 may still be opened"
    )
    assert verdict_on(asks(0, 4, stop=16), LOSS, stands()) is ALLOWED
    assert verdict_on(asks(0, 5), LOSS, stands()) is ALLOWED
    assert verdict_on(asks(0, 5, stop=16), replace(LOSS, worst_case=False), stands()) is ALLOWED
    none = verdict_on(asks(0, 5, stop=16), LOSS, stands(-800))
    assert isinstance(none, Refused)
    assert (none.reason, none.room) == (RefusalReason.WORST_CASE, 0)
    risky = verdict_on(asks(2, 5, stop=16, at_risk=Decimal(700)), LOSS, stands())
    assert isinstance(risky, Changed)
    assert (risky.qty, risky.enter, risky.room) == (2, 0, 1)
    assert verdict_on(asks(0, 5, stop=16), capped(9), stands()) is ALLOWED
    assert verdict_on(asks(0, 5, stop=16), capped(9)) is ALLOWED


def test_a_cap_speaks_before_the_worst_case() -> None:
    both = replace(LOSS, caps=Caps(instrument=3))
    by_cap = verdict_on(asks(0, 9, stop=16), both, stands())
    assert isinstance(by_cap, Refused)
    assert (by_cap.room, by_cap.reason) == (3, RefusalReason.MAX_POSITION)
    by_stop = verdict_on(asks(0, 3, stop=40), both, stands())
    assert isinstance(by_stop, Refused)
    assert (by_stop.room, by_stop.reason) == (1, RefusalReason.WORST_CASE)


def test_a_naked_entry_is_told_what_to_attach() -> None:
    rules = Rules(protection=Protection(stop=Offset(value=Decimal(10)), target=Offset(value=Decimal(20))))
    assert verdict_on(asks(), rules) == Allowed(attach=Attach(stop=10, target=20))
    assert verdict_on(asks(stop=8), rules) == Allowed(attach=Attach(stop=None, target=20))
    assert verdict_on(asks(target=8), rules) == Allowed(attach=Attach(stop=10, target=None))
    assert verdict_on(asks(stop=8, target=8), rules) is ALLOWED
    only_target = Rules(protection=Protection(target=Offset(value=Decimal(20))))
    assert verdict_on(asks(), only_target) == Allowed(attach=Attach(target=20))
    only_stop = Rules(protection=Protection(stop=Offset(value=Decimal(10))))
    assert verdict_on(asks(), only_stop) == Allowed(attach=Attach(stop=10))


def test_the_stop_that_will_be_attached_counts_for_the_worst_case() -> None:
    rules = replace(LOSS, protection=Protection(stop=Offset(value=Decimal(16))))
    verdict = verdict_on(asks(0, 5), rules, stands())
    assert isinstance(verdict, Refused)
    assert (verdict.room, verdict.reason) == (4, RefusalReason.WORST_CASE)
    # What it brings along is what counts then, wider or not.
    assert reason_of(verdict_on(asks(0, 5, stop=8), rules, stands())) is None


@pytest.mark.parametrize(
    ("asked", "ticks"),
    [
        (asks(quote=MARKET), 200),
        (asks(quote=MARKET, side=Side.SELL), 200),
        (asks(limit=Ticks(19_999)), 199),
        (asks(trigger=Ticks(20_100)), 201),
        (asks(limit=Ticks(30_000), trigger=Ticks(20_100), quote=MARKET), 300),
        (asks(limit=Ticks(-20_000)), 200),
        (asks(limit=Ticks(50)), 1),
    ],
)
def test_a_percentage_is_one_of_the_price_that_is_entered_at(asked: Proposal, ticks: int) -> None:
    rules = Rules(protection=Protection(stop=Offset(value=Decimal(1), unit=Unit.PERCENT)))
    assert verdict_on(asked, rules) == Allowed(attach=Attach(stop=ticks))


def test_a_larger_percentage_is_further_away() -> None:
    rules = Rules(protection=Protection(stop=Offset(value=Decimal("2.5"), unit=Unit.PERCENT)))
    assert verdict_on(asks(limit=Ticks(20_000)), rules) == Allowed(attach=Attach(stop=500))


def test_an_amount_becomes_the_ticks_that_do_not_exceed_it() -> None:
    for value, ticks in (("130", 10), ("125", 10), ("1", 1)):
        rules = Rules(protection=Protection(stop=Offset(value=Decimal(value), unit=Unit.USD)))
        assert verdict_on(asks(), rules) == Allowed(attach=Attach(stop=ticks))


@pytest.mark.parametrize("part", ["stop", "target"])
def test_without_a_price_a_percentage_cannot_be_attached_and_nothing_is_entered(part: str) -> None:
    offset = Offset(value=Decimal(1), unit=Unit.PERCENT)
    whole = Protection(stop=offset) if part == "stop" else Protection(target=offset)
    rules = Rules(protection=whole)
    refused = verdict_on(asks(), rules)
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.NO_STOP
    assert refused.detail == "it needs a stop in percent, and no price of the contract is known"
    one_sided = MARKET.changed(ask=None)
    assert reason_of(verdict_on(asks(quote=one_sided), rules)) is RefusalReason.NO_STOP
    assert isinstance(verdict_on(asks(quote=one_sided, side=Side.SELL), rules), Allowed)
    assert isinstance(verdict_on(asks(**{part: 8}), rules), Allowed)
