"""What pages say of limits, and how many contracts may still be bought."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.drawdown import begin, failed, missed
from risk.core.gauges import Board, Gauge, Reach, board, reach
from risk.core.room import Budget, budgets, fitting, most_contracts
from risk.core.rules import NO_RULES, DayLimit, Drawdown, GiveBack, Rules, Trail
from risk.core.standing import Band, Day, Lock, Money, Standing
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import product

START = Decimal(50_000)
NOW = Nanos(100)
TRAIL = Drawdown(trail=Trail.INTRADAY, amount=Decimal(2_500), start=START, reserve_ticks=0)
ALL = Rules(
    daily_loss=DayLimit(amount=Decimal(1_000)),
    daily_profit=DayLimit(amount=Decimal(2_000)),
    give_back=GiveBack(after=Decimal(500), amount=Decimal(400)),
    drawdown=TRAIL,
)


def _standing(profit: object = 0, best: int = 0) -> Standing:
    return Standing(
        money=Money(balance=START + Decimal(str(profit))),
        day=Day(reference=START, ends=Nanos(10**18), best=Decimal(best)),
        floor=begin(TRAIL, START),
    )


@pytest.mark.parametrize(
    ("profit", "left", "used", "band"),
    [
        ("-450", "550", "0.45", Band.SAFE),
        ("-700", "300", "0.7", Band.DANGER),
        ("-900", "100", "0.9", Band.DANGER),
        ("-900.01", "99.99", "0.90001", Band.LOCKED),
        ("1074.50", "1000", "0", Band.SAFE),
        ("-1300", "0", "1", Band.LOCKED),
    ],
)
def test_a_loss_budget_shrinks_by_losses_and_never_by_gains(
    profit: str, left: str, used: str, band: Band
) -> None:
    found = board(Rules(daily_loss=DayLimit(amount=Decimal(1_000))), _standing(profit), NOW)
    assert found.gauges == (
        Gauge(
            limit=RefusalReason.DAILY_LOSS,
            amount=Decimal(1_000),
            left=Decimal(left),
            used=Decimal(used),
            band=band,
        ),
    )
    assert found.band is band


def test_every_limit_has_its_gauge_and_the_nearest_names_the_band() -> None:
    found = board(ALL, _standing(300, best=500), NOW)
    told = {gauge.limit: (gauge.left, gauge.used, gauge.band) for gauge in found.gauges}
    assert told == {
        RefusalReason.DRAWDOWN: (Decimal(2_800), Decimal(0), Band.SAFE),
        RefusalReason.DAILY_LOSS: (Decimal(1_000), Decimal(0), Band.SAFE),
        RefusalReason.GIVE_BACK: (Decimal(200), Decimal("0.5"), Band.WARNING),
        RefusalReason.DAILY_PROFIT: (Decimal(1_700), Decimal("0.15"), Band.SAFE),
    }
    assert (found.band, found.unlocks, found.certain) == (Band.WARNING, None, True)


def test_the_nearest_limit_is_the_most_used_one_not_the_last_in_the_alphabet() -> None:
    rules = Rules(daily_loss=DayLimit(amount=Decimal(1_000)), drawdown=TRAIL)
    found = board(rules, _standing(-1_250), NOW)
    assert [gauge.band for gauge in found.gauges] == [Band.WARNING, Band.LOCKED]
    assert found.band is Band.LOCKED


def test_a_target_that_is_near_is_no_danger_and_a_day_that_was_never_good_keeps_nothing() -> None:
    found = board(ALL, _standing(499, best=499), NOW)
    assert RefusalReason.GIVE_BACK not in {gauge.limit for gauge in found.gauges}
    near = board(Rules(daily_profit=DayLimit(amount=Decimal(500))), _standing(499), NOW)
    assert near.gauges[0].band is Band.LOCKED
    assert near.band is Band.SAFE


def test_without_rules_there_is_nothing_to_show() -> None:
    assert board(NO_RULES, _standing(), NOW) == Board(gauges=(), band=Band.SAFE, unlocks=None, certain=True)
    bare = _standing().changed(floor=None)
    assert [gauge.limit for gauge in board(Rules(drawdown=TRAIL), bare, NOW).gauges] == []
    assert board(Rules(drawdown=TRAIL), bare, NOW).certain


def test_a_lock_says_when_it_ends_and_a_failed_account_stays_locked() -> None:
    lock = Lock(reason=RefusalReason.DAILY_LOSS, detail="", since=Nanos(1), until=Nanos(101))
    locked = _standing().changed(lock=lock)
    assert (board(ALL, locked, NOW).band, board(ALL, locked, NOW).unlocks) == (Band.LOCKED, 101)
    assert (board(ALL, locked, Nanos(101)).band, board(ALL, locked, Nanos(101)).unlocks) == (Band.SAFE, None)
    assert locked.floor is not None
    dead = _standing().changed(floor=failed(locked.floor, Decimal(1)))
    assert board(ALL, dead, NOW).band is Band.LOCKED
    assert not board(ALL, _standing().changed(floor=missed(TRAIL, locked.floor)), NOW).certain


def test_a_floor_that_was_never_stated_is_shown_as_unsure() -> None:
    assert not board(ALL, _standing().changed(floor=begin(TRAIL, Decimal(51_000))), NOW).certain


def test_ticks_and_contracts_that_are_left_in_a_product() -> None:
    standing = _standing(-400)
    es = product("ES")
    assert reach(ALL, standing, es, contracts=2, stop_ticks=16) == Reach(
        usd=Decimal(600), ticks=24, contracts=2
    )
    assert reach(ALL, standing, es, contracts=0, stop_ticks=16) == Reach(
        usd=Decimal(600), ticks=48, contracts=2
    )
    assert reach(ALL, standing, product("MES"), contracts=1, stop_ticks=16) == Reach(
        usd=Decimal(600), ticks=480, contracts=23
    )
    assert reach(ALL, _standing(-1_500), es, contracts=1, stop_ticks=16) == Reach(
        usd=Decimal(0), ticks=0, contracts=0
    )
    assert reach(NO_RULES, standing, es, contracts=1, stop_ticks=16) is None


@pytest.mark.parametrize(
    ("left", "each", "most"),
    [
        ("1525", "205", 7),
        ("-50", "21", 0),
        ("0", "21", 0),
        ("0.5", "0.3", 1),
        ("410", "205", 1),
        ("410.01", "205", 2),
        ("204", "205", 0),
        ("205", "205", 0),
    ],
)
def test_a_stop_on_the_limit_breaks_it_so_one_less_fits(left: str, each: str, most: int) -> None:
    assert fitting(Decimal(left), Decimal(each)) == most


def test_what_is_left_is_counted_at_the_floor_and_for_the_day() -> None:
    standing = _standing(-400)
    ten = Decimal(10)
    floor, day = budgets(replace(ALL, drawdown=replace(TRAIL, reserve_ticks=3)), standing, ten)
    assert floor == Budget(left=Decimal(2_100), reserve=Decimal(30))
    assert day == Budget(left=Decimal(600), reserve=Decimal(0))
    assert budgets(Rules(drawdown=TRAIL), standing.changed(floor=None), ten) == ()
    assert [int(budget.left) for budget in budgets(ALL, _standing(-2_400), ten)] == [100, -1_400]
    assert budgets(NO_RULES, standing, ten) == ()


def test_contracts_that_may_still_be_bought_pay_fees_on_both_sides_and_their_reserve() -> None:
    floor_only = Rules(drawdown=replace(TRAIL, reserve=Decimal(200)))
    standing = _standing()
    value = product("ES").tick_value
    # 2,300 over the floor and its reserve; 16 ticks are 200, fees 5, two ticks of reserve 25.
    assert most_contracts(floor_only, standing, stop_ticks=16, tick_value=value) == 11
    reserved = Rules(drawdown=replace(TRAIL, reserve=Decimal(200), reserve_ticks=2))
    assert most_contracts(reserved, standing, stop_ticks=16, tick_value=value) == 9
    assert most_contracts(reserved, standing, stop_ticks=16, tick_value=value, at_risk=Decimal(1_000)) == 5
    day_only = Rules(daily_loss=DayLimit(amount=Decimal(1_000)), fee=Decimal(0))
    assert most_contracts(day_only, standing, stop_ticks=16, tick_value=value) == 4
    assert most_contracts(day_only, standing, stop_ticks=16, tick_value=value, at_risk=Decimal(199)) == 4
    assert most_contracts(day_only, standing, stop_ticks=16, tick_value=value, at_risk=Decimal(200)) == 3
    unseen = standing.changed(floor=None)
    assert most_contracts(floor_only, unseen, stop_ticks=16, tick_value=value) is None
    assert most_contracts(NO_RULES, standing, stop_ticks=16, tick_value=value) is None


@given(st.integers(-5_000, 50_000), st.integers(1, 5_000))
def test_what_fits_is_the_most_that_loses_less_than_is_left(left: int, each: int) -> None:
    most = fitting(Decimal(left), Decimal(each))
    assert most == 0 or most * each < left
    assert (most + 1) * each >= left
