"""An order that asks, an account that stands somewhere, and what the guard says: for tests of the guard."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from risk.core.clearance import clearance
from risk.core.days import begun
from risk.core.guard import review
from risk.core.proposal import Allowed, Exposure, Proposal, Quote, Verdict
from risk.core.rules import (
    Caps,
    DayLimit,
    Drawdown,
    Rules,
    Trail,
)
from risk.core.standing import Money, Standing
from risk.tests.times import at
from tradehaven.domain.enums import RefusalReason, Side, TradingState
from tradehaven.domain.ids import Symbol
from tradehaven.domain.money import Ticks

ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED
ES, START = Symbol("ESZ6"), Decimal(50_000)
NOW = at("2026-11-18T10:00")
SECOND = 1_000_000_000
LOSS = Rules(daily_loss=DayLimit(amount=Decimal(1_000)))
EOD = Drawdown(trail=Trail.END_OF_DAY, amount=Decimal(2_000), start=START, reserve_ticks=0)
TRAIL = replace(EOD, trail=Trail.INTRADAY)
MARKET = Quote(bid=Ticks(20_000), ask=Ticks(20_001), at=NOW)


def asks(reduce: int = 0, enter: int = 1, held: int = 0, **more: Any) -> Proposal:
    more.setdefault("exposure", Exposure(instrument=held))
    return Proposal(**({"symbol": ES, "side": Side.BUY} | more), reduce=reduce, enter=enter)


def stands(profit: object = 0, **more: Any) -> Standing:
    day = begun(START, NOW).changed(**more.pop("day", {}))
    return Standing(money=Money(balance=START + Decimal(str(profit))), day=day, **more)


def verdict_on(
    asked: Proposal, rules: Rules, standing: Standing | None = None, state: TradingState = ACTIVE
) -> Verdict:
    """Return the guard's word, which is the same whether the account's clearance is known already or not."""
    found = review(asked, rules, standing, state, NOW)
    if standing is not None:
        assert review(asked, rules, standing, state, NOW, clearance(rules, standing)) == found
    return found


def reason_of(verdict: Verdict) -> RefusalReason | None:
    return None if isinstance(verdict, Allowed) else verdict.reason


def capped(most: int) -> Rules:
    return Rules(caps=Caps(instrument=most))
