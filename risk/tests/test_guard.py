"""The gate before every order: what it asks first, what it never refuses, and what it does not know."""

from collections.abc import Callable
from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.days import begun
from risk.core.drawdown import begin, failed
from risk.core.flatten import FlattenPlan, flatten
from risk.core.guard import review, strictest
from risk.core.proposal import ALLOWED, Allowed, Changed, Proposal, Refused
from risk.core.rules import (
    NO_RULES,
    Caps,
    Collar,
    DayLimit,
    Drawdown,
    Flat,
    GiveBack,
    NewsWindow,
    Offset,
    Protection,
    Rate,
    Rules,
    Scaling,
    Tier,
    Trail,
    Unit,
    Window,
)
from risk.core.standing import Entry, Lock, Standing
from risk.tests.asking import (
    ACTIVE,
    EOD,
    ES,
    HALTED,
    LOSS,
    NOW,
    REDUCING,
    START,
    TRAIL,
    asks,
    capped,
    reason_of,
    stands,
    verdict_on,
)
from risk.tests.times import ct
from tradehaven.domain.enums import RefusalReason, Side, TradingState
from tradehaven.domain.ids import Nanos, OrderId, Symbol


def test_without_rules_and_gate_everything_passes() -> None:
    assert verdict_on(asks(2, 3, 100), NO_RULES) is ALLOWED
    assert verdict_on(asks(2, 3, 100), Rules()) is ALLOWED


def test_without_rules_nothing_is_asked_not_even_whether_the_contract_is_known() -> None:
    assert verdict_on(asks(symbol=Symbol("XXZ6")), NO_RULES) is ALLOWED


@pytest.mark.parametrize("asked", [asks(0, 1), asks(1, 0), asks(1, 1)])
def test_behind_a_shut_gate_nothing_passes(asked: Proposal) -> None:
    verdict = verdict_on(asked, capped(100), stands(), HALTED)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.room) == (RefusalReason.KILL_SWITCH, 0)
    assert verdict.detail == "the kill switch is on"


def test_where_only_reductions_pass_the_closing_part_of_a_flip_does() -> None:
    assert verdict_on(asks(2, 0), NO_RULES, state=REDUCING) is ALLOWED
    alone = verdict_on(asks(0, 1), NO_RULES, state=REDUCING)
    assert isinstance(alone, Refused)
    assert (alone.reason, alone.room) == (RefusalReason.REDUCE_ONLY, 0)
    flip = verdict_on(asks(2, 1), NO_RULES, state=REDUCING)
    assert isinstance(flip, Changed)
    assert (flip.qty, flip.enter, flip.reason, flip.room) == (2, 0, RefusalReason.REDUCE_ONLY, 0)
    assert flip.detail == alone.detail == "only reductions are allowed now"


@pytest.mark.parametrize(
    "rules",
    [
        LOSS,
        Rules(daily_profit=DayLimit(amount=Decimal(1))),
        Rules(give_back=GiveBack(after=Decimal(1), amount=Decimal(1))),
        Rules(drawdown=EOD),
        Rules(caps=Caps(scaling=Scaling(start=START, tiers=(Tier(profit=Decimal(0), minis=Decimal(2)),)))),
        Rules(rate=Rate()),
        Rules(repeats=1),
        Rules(trades_a_day=1),
        Rules(losses_in_row=1),
    ],
)
def test_what_is_not_known_refuses_entries_only_where_a_rule_asks_for_it(rules: Rules) -> None:
    assert reason_of(verdict_on(asks(0, 1), rules)) is RefusalReason.STANDING_UNKNOWN
    flip = verdict_on(asks(3, 1), rules)
    assert isinstance(flip, Changed)
    assert flip.detail == "the account's balance and day are not known yet"
    assert (flip.qty, flip.reason) == (3, RefusalReason.STANDING_UNKNOWN)
    assert verdict_on(asks(3, 0), rules) is ALLOWED


def test_a_floor_that_is_missing_or_unsure_refuses_entries() -> None:
    rules = Rules(drawdown=TRAIL)
    assert reason_of(verdict_on(asks(), rules, stands())) is RefusalReason.STANDING_UNKNOWN
    unsure = begin(TRAIL, START - 1)
    verdict = verdict_on(asks(), rules, stands(floor=unsure))
    assert reason_of(verdict) is RefusalReason.STANDING_UNKNOWN
    assert isinstance(verdict, Refused)
    assert verdict.because.limit == Decimal(48_000)
    assert verdict.detail == "the floor is uncertain until the broker, or you, have stated it"
    assert verdict_on(asks(), rules, stands(floor=begin(TRAIL, START))) is ALLOWED


def test_a_lock_says_why_and_until_when() -> None:
    lock = Lock(reason=RefusalReason.DAILY_LOSS, detail="lost", since=NOW, until=Nanos(NOW + 1))
    verdict = verdict_on(asks(), LOSS, stands(lock=lock))
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.detail) == (RefusalReason.LOCKED_OUT, "lost")
    assert verdict.because.until == NOW + 1
    assert verdict_on(asks(), LOSS, stands(lock=lock.changed(until=NOW))) is ALLOWED
    assert verdict_on(asks(1, 0), LOSS, stands(lock=lock)) is ALLOWED


@pytest.mark.parametrize(("profit", "passes"), [("-899.99", True), ("-900", False), ("-1000", False)])
def test_the_last_tenth_of_a_daily_loss_is_not_for_entries(profit: str, passes: bool) -> None:
    verdict = verdict_on(asks(), LOSS, stands(profit))
    assert isinstance(verdict, Allowed) is passes
    if isinstance(verdict, Refused):
        assert verdict.reason is RefusalReason.DAILY_LOSS
        assert verdict.detail == f"{-Decimal(profit):,.2f} of 1,000.00 USD are lost today"
        assert (verdict.because.limit, verdict.because.value) == (Decimal(1_000), -Decimal(profit))
        assert verdict.because.until == begun(START, NOW).ends


@pytest.mark.parametrize(("profit", "passes"), [("-1799.99", True), ("-1800", False), ("-1999", False)])
def test_the_last_tenth_of_a_drawdown_is_not_for_entries(profit: str, passes: bool) -> None:
    rules = Rules(drawdown=EOD)
    verdict = verdict_on(asks(), rules, stands(profit, floor=begin(EOD, START)))
    assert isinstance(verdict, Allowed) is passes
    if isinstance(verdict, Refused):
        assert verdict.reason is RefusalReason.DRAWDOWN
        assert (verdict.because.limit, verdict.because.value) == (Decimal(48_000), START + Decimal(profit))
        left = 2_000 + Decimal(profit)
        assert verdict.detail == f"only {left:,.2f} USD are left over the floor 48,000.00"


def test_a_failed_account_enters_nothing_whatever_it_holds_now() -> None:
    dead = stands(9_000, floor=failed(begin(EOD, START), Decimal(47_000)))
    verdict = verdict_on(asks(), Rules(drawdown=EOD), dead)
    assert isinstance(verdict, Refused)
    assert verdict.reason is RefusalReason.DRAWDOWN
    assert verdict.detail == "the account has failed at its floor 48,000.00"
    assert (verdict.because.limit, verdict.because.value) == (Decimal(48_000), Decimal(47_000))


def test_a_target_that_is_made_and_a_profit_given_back_end_the_day() -> None:
    target = Rules(daily_profit=DayLimit(amount=Decimal(500)))
    assert verdict_on(asks(), target, stands("499.99")) is ALLOWED
    verdict = verdict_on(asks(), target, stands(500))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RefusalReason.DAILY_PROFIT
    assert verdict.detail == "500.00 USD are made today, the limit is 500.00"
    assert (verdict.because.limit, verdict.because.value) == (Decimal(500), Decimal(500))
    keep = Rules(give_back=GiveBack(after=Decimal(500), amount=Decimal(200)))
    good = {"best": Decimal(500)}
    assert verdict_on(asks(), keep, stands("300.01", day=good)) is ALLOWED
    assert verdict_on(asks(), keep, stands(0, day={"best": Decimal("499.99")})) is ALLOWED
    given_back = verdict_on(asks(), keep, stands(300, day=good))
    assert isinstance(given_back, Refused)
    assert given_back.reason is RefusalReason.GIVE_BACK
    assert (given_back.because.limit, given_back.because.value) == (Decimal(200), Decimal(200))
    assert given_back.detail == "200.00 USD are given back today, the limit is 200.00"
    assert given_back.because.until == begun(START, NOW).ends


def test_a_day_that_has_ended_is_not_held_against_the_next() -> None:
    old = stands(-950)
    assert reason_of(review(asks(), LOSS, old, ACTIVE, Nanos(old.day.ends - 1))) is RefusalReason.DAILY_LOSS
    assert review(asks(), LOSS, old, ACTIVE, old.day.ends) is ALLOWED


def _everything_wrong() -> tuple[Rules, Proposal, Standing]:
    """Return rules of which each refuses the same proposal."""
    when = ct("2026-11-18T10:00")
    rules = Rules(
        daily_loss=DayLimit(amount=Decimal(100)),
        drawdown=Drawdown(trail=Trail.STATIC, amount=Decimal(200), start=START),
        caps=Caps(instrument=0, order=1),
        products=frozenset({"NQ"}),
        collar=Collar(),
        rate=Rate(entries=1),
        repeats=10,
        trades_a_day=1,
        losses_in_row=1,
        hours=(Window(start=time(1), end=time(2)),),
        news=(NewsWindow(label="x", start=when, end=when.replace(hour=23)),),
        flat=Flat(at=time(9)),
        opposite=False,
        mixing=False,
        protection=Protection(stop=Offset(value=Decimal(1), unit=Unit.PERCENT)),
    )
    lock = Lock(reason=RefusalReason.DAILY_LOSS, detail="", since=NOW, until=Nanos(NOW + 1))
    entry = Entry(symbol=ES, side=Side.BUY, qty=2, at=NOW)
    day = {"entries": (entry,), "trades": 1, "losses": 1}
    standing = stands(-200, day=day, lock=lock, floor=failed(begin(EOD, START), Decimal(1)))
    return rules, asks(0, 2, opposite=True, mixing=True), standing


def test_reasons_come_in_the_order_of_the_requirement() -> None:
    rules, asked, standing = _everything_wrong()
    fixes: list[tuple[RefusalReason, Callable[[Rules, Standing], tuple[Rules, Standing]]]] = [
        (RefusalReason.LOCKED_OUT, lambda r, s: (r, s.changed(lock=None))),
        (RefusalReason.DRAWDOWN, lambda r, s: (replace(r, drawdown=None), s)),
        (RefusalReason.DAILY_LOSS, lambda r, s: (replace(r, daily_loss=None), s)),
        (RefusalReason.MAX_POSITION, lambda r, s: (replace(r, caps=Caps(order=1)), s)),
        (RefusalReason.NOT_PERMITTED, lambda r, s: (replace(r, products=frozenset()), s)),
        (RefusalReason.ORDER_SIZE, lambda r, s: (replace(r, caps=Caps()), s)),
        (RefusalReason.STALE_QUOTE, lambda r, s: (replace(r, collar=None), s)),
        (RefusalReason.ORDER_RATE, lambda r, s: (replace(r, rate=None), s)),
        (RefusalReason.REPEATED, lambda r, s: (replace(r, repeats=None), s)),
        (RefusalReason.MAX_TRADES, lambda r, s: (replace(r, trades_a_day=None), s)),
        (RefusalReason.LOSING_STREAK, lambda r, s: (replace(r, losses_in_row=None), s)),
        (RefusalReason.CLOSED_HOURS, lambda r, s: (replace(r, hours=()), s)),
        (RefusalReason.NEWS, lambda r, s: (replace(r, news=()), s)),
        (RefusalReason.FLAT_TIME, lambda r, s: (replace(r, flat=None), s)),
        (RefusalReason.OPPOSITE, lambda r, s: (replace(r, opposite=True), s)),
        (RefusalReason.MIXED_SIZES, lambda r, s: (replace(r, mixing=True), s)),
        (RefusalReason.NO_STOP, lambda r, s: (replace(r, protection=None), s)),
    ]
    assert reason_of(verdict_on(asked, rules, standing, HALTED)) is RefusalReason.KILL_SWITCH
    assert reason_of(verdict_on(asked, rules, standing, REDUCING)) is RefusalReason.REDUCE_ONLY
    for reason, fix in fixes:
        assert reason_of(verdict_on(asked, rules, standing)) is reason
        rules, standing = fix(rules, standing)
    assert verdict_on(asked, rules, standing) is ALLOWED


def test_a_reduction_passes_everything_but_the_kill_switch() -> None:
    rules, asked, standing = _everything_wrong()
    exits = asked.changed(reduce=5, enter=0)
    for state in (ACTIVE, REDUCING):
        assert verdict_on(exits, rules, standing, state) is ALLOWED
        flip = verdict_on(asked.changed(reduce=5), rules, standing, state)
        assert isinstance(flip, Changed)
        assert (flip.qty, flip.enter) == (5, 0)
    assert reason_of(verdict_on(exits, rules, standing, HALTED)) is RefusalReason.KILL_SWITCH


sizes = st.integers(0, 20)


@given(sizes, sizes, st.integers(-30, 30), st.none() | st.integers(0, 30), st.none() | st.integers(1, 60))
def test_never_more_than_asked_nor_less_than_the_reduction_nor_beyond_a_limit(
    reduce: int, enter: int, held: int, most: int | None, stop: int | None
) -> None:
    rules = replace(LOSS, caps=Caps(instrument=most))
    verdict = verdict_on(asks(reduce, enter, held, stop=stop), rules, stands(-100))
    passed = reduce + enter if verdict is ALLOWED else getattr(verdict, "qty", 0)
    assert reduce <= passed <= reduce + enter
    opened = passed - reduce
    if most is not None and opened:
        assert held + passed <= most
    if stop is not None and opened:
        assert 100 + opened * (stop * Decimal("12.5") + 5) < 1_000


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
    many = {Symbol(f"{root}Z6"): 1 for root in ("NQ", "YM", "ES", "GC", "SI", "RTY", "ZN", "6E")}
    assert flatten([], many).close == tuple(sorted(many))
