"""What prices and fills do to an account: limits in their order, each told once, and its lock."""

from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core import watch
from risk.core.drawdown import begin, failed
from risk.core.lockouts import unlock_at
from risk.core.rules import (
    NO_RULES,
    Breach,
    DayLimit,
    Drawdown,
    GiveBack,
    Lockout,
    LockUntil,
    Rules,
    Trail,
)
from risk.core.standing import FOREVER, Band, Day, Lock, Money, Standing, Survival
from risk.core.watch import Broken, observed
from risk.core.words import dollars
from risk.tests.looking import EOD, EVENING, LOSS, MINUTE, NOW, START, see, stands, worth
from risk.tests.times import at
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import SessionTemplate


def test_without_rules_money_is_only_noted() -> None:
    seen = see(NO_RULES, stands(), -49_000)
    assert seen.broken is None
    assert seen.band is Band.SAFE
    assert seen.standing == stands().changed(money=worth(-49_000))


@pytest.mark.parametrize(("profit", "broken"), [("-999.99", False), ("-1000", True), ("-1000.01", True)])
def test_a_daily_loss_is_broken_when_it_is_reached(profit: str, broken: bool) -> None:
    assert (see(LOSS, stands(), profit).broken is not None) is broken


def test_a_broken_daily_loss_says_its_figures_and_locks_to_the_reset() -> None:
    seen = see(LOSS, stands(), -1_200)
    detail = "1,200.00 USD are lost today, the limit is 1,000.00"
    lock = Lock(reason=RefusalReason.DAILY_LOSS, detail=detail, since=NOW, until=EVENING)
    assert seen.broken == Broken(
        reason=RefusalReason.DAILY_LOSS,
        detail=detail,
        limit=Decimal(1_000),
        value=Decimal(1_200),
        breach=Breach.FLATTEN,
        lock=lock,
    )
    assert seen.band is Band.LOCKED
    assert seen.standing.lock == lock
    assert seen.standing.tripped == {RefusalReason.DAILY_LOSS}


def test_realized_and_open_losses_count_together_against_the_days_reference() -> None:
    standing = stands(reference=Decimal(50_400))
    money = worth(-300, balance=Decimal(49_700))
    assert observed(LOSS, standing, money, NOW).broken is not None
    assert observed(LOSS, standing, worth("-299.99", balance=Decimal(49_700)), NOW).broken is None


def test_a_breach_is_told_once_while_its_lock_runs_and_again_when_it_has_ended() -> None:
    pause = Rules(
        daily_loss=DayLimit(
            amount=Decimal(1_000), lockout=Lockout(until=LockUntil.DURATION, minutes=30), breach=Breach.STOP
        )
    )
    first = see(pause, stands(), -1_000)
    assert first.broken is not None
    assert first.broken.breach is Breach.STOP
    ends = Nanos(NOW + 30 * MINUTE)
    still = see(pause, first.standing, -1_500, now=Nanos(ends - 1))
    assert (still.broken, still.band) == (None, Band.LOCKED)
    assert still.standing.lock == first.standing.lock
    after = see(pause, still.standing, -1_100, now=ends)
    assert after.broken is not None
    assert after.broken.lock.until == ends + 30 * MINUTE
    better = see(pause, still.standing, -100, now=ends)
    assert (better.broken, better.band) == (None, Band.SAFE)
    assert (better.standing.lock, better.standing.tripped) == (None, frozenset())


def test_the_next_day_starts_with_the_money_that_the_last_one_ended_with() -> None:
    locked = see(LOSS, stands(), -1_000).standing
    later = observed(LOSS, locked, worth(-1_200), EVENING)
    assert later.standing.day == Day(reference=START, ends=at("2026-08-13T17:00"))
    assert later.broken is not None
    flat = observed(
        LOSS, locked.changed(money=Money(balance=Decimal(49_000))), worth(0, Decimal(49_000)), EVENING
    )
    assert (flat.broken, flat.standing.lock, flat.band) == (None, None, Band.SAFE)
    assert flat.standing.day.reference == Decimal(49_000)


def test_a_gap_through_floor_and_daily_limit_is_a_failure_for_good() -> None:
    rules = replace(LOSS, drawdown=EOD)
    seen = see(rules, stands(rules), -2_300)
    assert seen.broken is not None
    assert seen.broken.reason is RefusalReason.DRAWDOWN
    assert seen.broken.lock.until == FOREVER
    assert (seen.broken.limit, seen.broken.value) == (Decimal(48_000), Decimal(47_700))
    assert seen.broken.detail == "equity 47,700.00 is at the floor 48,000.00"
    assert seen.standing.floor is not None
    assert seen.standing.floor.failed_at == Decimal(47_700)
    # It stays failed whatever comes, and is not told again.
    later = see(rules, seen.standing, 5_000, now=Nanos(NOW + 9 * 86_400 * 10**9))
    assert (later.broken, later.band) == (None, Band.LOCKED)


def test_a_failed_account_without_its_lock_is_locked_again() -> None:
    rules = Rules(drawdown=EOD)
    dead = stands(rules).changed(floor=failed(begin(EOD, START), Decimal(1)))
    seen = see(rules, dead, 3_000)
    assert seen.broken is not None
    assert (seen.broken.reason, seen.broken.lock.until) == (RefusalReason.DRAWDOWN, FOREVER)
    assert seen.standing.floor is not None
    assert seen.standing.floor.failed_at == Decimal(1)


def test_the_reserve_over_the_floor_acts_before_the_account_fails() -> None:
    rules = Rules(drawdown=replace(EOD, reserve=Decimal(100)))
    assert see(rules, stands(rules), "-1899.99").broken is None
    seen = see(rules, stands(rules), -1_900)
    assert seen.broken is not None
    assert seen.broken.lock.until == EVENING
    assert seen.broken.detail == "equity 48,100.00 is within the reserve over the floor 48,000.00"
    assert seen.standing.floor is not None
    assert seen.standing.floor.survival is Survival.ACTIVE
    lenient = Rules(drawdown=replace(EOD, reserve=Decimal(100), touch=False))
    assert see(lenient, stands(lenient), -1_900).broken is None
    assert see(lenient, stands(lenient), "-1900.01").broken is not None


def test_the_reserve_counts_ticks_while_contracts_are_open() -> None:
    rules = Rules(drawdown=EOD)
    held = worth(-1_800, contracts=4, tick=Decimal(50))
    assert observed(rules, stands(rules), held, NOW).broken is not None
    assert observed(rules, stands(rules), held.changed(tick=Decimal(49)), NOW).broken is None


def test_a_fatal_daily_loss_fails_the_account() -> None:
    rules = Rules(daily_loss=DayLimit(amount=Decimal(1_000), fatal=True), drawdown=EOD)
    seen = see(rules, stands(rules), -1_000)
    assert seen.broken is not None
    assert (seen.broken.reason, seen.broken.lock.until) == (RefusalReason.DAILY_LOSS, FOREVER)
    assert seen.standing.floor is not None
    assert (seen.standing.floor.survival, seen.standing.floor.failed_at) == (Survival.FAILED, Decimal(49_000))
    for profit in (-1_200, 3_000):
        later = see(rules, seen.standing, profit)
        assert (later.broken, later.band) == (None, Band.LOCKED)
    alone = Rules(daily_loss=rules.daily_loss)
    told = see(alone, stands(), -1_000)
    assert told.standing.floor is None
    assert told.standing.lock is not None
    assert told.standing.lock.until == FOREVER


@pytest.mark.parametrize(("profit", "broken"), [("1999.99", False), ("2000", True), ("2000.01", True)])
def test_a_daily_target_locks_when_it_is_reached(profit: str, broken: bool) -> None:
    rules = Rules(daily_profit=DayLimit(amount=Decimal(2_000)))
    seen = see(rules, stands(), profit)
    assert (seen.broken is not None) is broken
    if seen.broken is not None:
        assert seen.broken.reason is RefusalReason.DAILY_PROFIT
        assert seen.broken.detail == f"{dollars(Decimal(profit))} USD are made today, the target is 2,000.00"
        assert (seen.broken.limit, seen.broken.value) == (Decimal(2_000), Decimal(profit))


def test_a_good_day_may_give_back_so_much_and_only_once_it_was_good() -> None:
    rules = Rules(give_back=GiveBack(after=Decimal(500), amount=Decimal(200), breach=Breach.STOP))
    assert see(rules, stands(), "499.99", -400).broken is None
    assert see(rules, stands(), 500, "300.01").broken is None
    assert see(rules, stands(), 500, 300).broken is not None
    seen = see(rules, stands(), 500, 700, 650, 500)
    assert seen.broken is not None
    assert seen.broken.reason is RefusalReason.GIVE_BACK
    assert seen.broken.breach is Breach.STOP
    assert seen.broken.detail == "200.00 of 700.00 USD given back, 200.00 may be"
    assert (seen.broken.limit, seen.broken.value) == (Decimal(200), Decimal(200))
    assert seen.standing.day.best == Decimal(700)


def test_every_limit_of_the_day_has_its_own_lock() -> None:
    pause = Lockout(until=LockUntil.DURATION, minutes=7)
    target = Rules(daily_profit=DayLimit(amount=Decimal(500), lockout=pause))
    keep = Rules(give_back=GiveBack(after=Decimal(500), amount=Decimal(200), lockout=pause))
    for seen in (see(target, stands(), 500), see(keep, stands(), 500, 300)):
        assert seen.broken is not None
        assert seen.broken.lock.until == NOW + 7 * MINUTE


def test_only_what_is_broken_is_told_beside_another_limit() -> None:
    rules = Rules(
        daily_loss=DayLimit(amount=Decimal(1_000), breach=Breach.STOP),
        daily_profit=DayLimit(amount=Decimal(2_000)),
        give_back=GiveBack(after=Decimal(500), amount=Decimal(200)),
        drawdown=EOD,
        losses_in_row=3,
    )
    unseen = stands(rules, losses=2).changed(floor=None)
    for standing in (stands(rules, losses=2), unseen):
        first = see(rules, standing, -1_000)
        assert first.broken is not None
        assert first.broken.reason is RefusalReason.DAILY_LOSS
        assert first.standing.day.losses == 2
        assert see(rules, first.standing, -1_001).broken is None


def test_a_floor_whose_rule_was_taken_away_stays_as_it_was() -> None:
    floor = begin(EOD, START)
    for profit in (0, -100, -1_000):
        seen = see(LOSS, stands().changed(floor=floor), profit)
        assert seen.standing.floor is floor
        assert (seen.broken is None) is (profit > -1_000)


def test_a_price_that_is_far_from_every_limit_looks_at_none_of_them_twice() -> None:
    rules = replace(LOSS, daily_profit=DayLimit(amount=Decimal(500)), losses_in_row=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "_untold", _never)
        for profit in (-800, 0, 499):
            assert see(rules, stands(losses=1), profit).broken is None


def _never(rules: Rules, standing: Standing) -> None:
    raise AssertionError(f"{rules} were worked out for {standing}")


def test_a_price_that_is_no_better_makes_no_new_day() -> None:
    standing = stands()
    for profit in (0, -5):
        assert see(LOSS, standing, profit).standing.day is standing.day


def test_losses_in_a_row_lock_and_then_count_from_none() -> None:
    rules = Rules(losses_in_row=3, streak_lockout=Lockout(until=LockUntil.SESSION))
    assert see(rules, stands(losses=2), -10).broken is None
    seen = observed(rules, stands(losses=3), worth(-10), NOW, SessionTemplate.EQUITY)
    assert seen.broken is not None
    assert seen.broken.reason is RefusalReason.LOSING_STREAK
    assert seen.broken.breach is Breach.STOP
    assert seen.broken.detail == "3 trades in a row are lost, the limit is 3"
    assert (seen.broken.limit, seen.broken.value) == (Decimal(3), Decimal(3))
    assert seen.broken.lock.until == at("2026-08-12T16:00")
    assert seen.standing.day.losses == 0


def test_what_already_flattens_needs_no_second_reason_but_what_only_stops_does() -> None:
    keep = GiveBack(after=Decimal(500), amount=Decimal(200))
    stop = Rules(daily_profit=DayLimit(amount=Decimal(600), breach=Breach.STOP), give_back=keep)
    seen = see(stop, stands(), 900)
    assert seen.broken is not None
    assert seen.broken.reason is RefusalReason.DAILY_PROFIT
    then = see(stop, seen.standing, 650)
    assert then.broken is not None
    assert then.broken.reason is RefusalReason.GIVE_BACK
    assert then.standing.tripped == {RefusalReason.DAILY_PROFIT, RefusalReason.GIVE_BACK}
    assert then.standing.lock == seen.standing.lock
    flat = replace(stop, daily_profit=DayLimit(amount=Decimal(600)))
    gone = see(flat, stands(), 900, 650)
    assert gone.broken is None


def test_a_later_breach_never_shortens_the_lock() -> None:
    short = Lockout(until=LockUntil.DURATION, minutes=1)
    rules = Rules(
        daily_loss=DayLimit(amount=Decimal(1_000), lockout=short),
        daily_profit=DayLimit(amount=Decimal(500), breach=Breach.STOP),
    )
    seen = see(rules, stands(), 500, -1_000)
    assert seen.broken is not None
    assert seen.broken.reason is RefusalReason.DAILY_LOSS
    assert seen.broken.lock.until == EVENING == unlock_at(Lockout(), NOW, time(17))
    assert seen.standing.lock is not None
    assert seen.standing.lock.reason is RefusalReason.DAILY_PROFIT


profits = st.lists(st.integers(-300_000, 300_000).map(lambda n: Decimal(n) / 100), min_size=1, max_size=30)


@given(profits, st.integers(1, 3_000), st.sampled_from(Breach))
def test_a_loss_limit_breaks_at_the_first_price_that_reaches_it(
    path: list[Decimal], amount: int, breach: Breach
) -> None:
    rules = Rules(daily_loss=DayLimit(amount=Decimal(amount), breach=breach))
    standing, told = stands(), []
    for index, profit in enumerate(path):
        seen = observed(rules, standing, worth(profit), NOW)
        standing = seen.standing
        if seen.broken is not None:
            told.append(index)
        assert (seen.band is Band.LOCKED) is (bool(told) or -profit * 10 > amount * 9)
    reached = [index for index, profit in enumerate(path) if -profit >= amount]
    assert told == reached[:1]


@given(profits, st.sampled_from(Trail))
def test_each_limit_is_told_once_a_day_and_the_lock_never_ends_earlier(
    path: list[Decimal], trail: Trail
) -> None:
    rules = Rules(
        daily_loss=DayLimit(amount=Decimal(900), breach=Breach.STOP),
        daily_profit=DayLimit(amount=Decimal(1_200), breach=Breach.STOP),
        give_back=GiveBack(after=Decimal(600), amount=Decimal(500), breach=Breach.STOP),
        drawdown=Drawdown(trail=trail, amount=Decimal(2_000), start=START),
    )
    standing, told, until = stands(rules), [], 0
    for profit in path:
        seen = observed(rules, standing, worth(profit), NOW)
        standing = seen.standing
        if seen.broken is not None:
            told.append(seen.broken.reason)
        ends = standing.lock.until if standing.lock is not None else 0
        assert ends >= until
        until = ends
    assert len(told) == len(set(told))
