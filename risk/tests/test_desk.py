"""The broker's own limits beside ours: the stricter holds, and nothing is loosened by them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core import desk, drawdown
from risk.core.rules import NO_RULES, Breach, DayLimit, Drawdown, Rules, Trail
from risk.core.standing import Floor, Survival
from risk.core.tightening import strictest
from risk.tests.making import amounts, rules
from tradehaven.domain.enums import RefusalReason, TradingState
from tradehaven.domain.events import LimitsReported
from tradehaven.domain.ids import AccountId, Nanos

SILENT = LimitsReported(account=AccountId(1), at=Nanos(0))
TRAILING = replace(SILENT, drawdown=Decimal(2000), stops_at=Decimal(50_100), high=Decimal(51_000))
RULE = Drawdown(trail=Trail.INTRADAY, amount=Decimal(2000), start=Decimal(50_000), lock=Decimal(50_100))

maybe = st.none() | amounts()
stated = st.builds(
    LimitsReported,
    account=st.just(AccountId(1)),
    at=st.just(Nanos(0)),
    drawdown=maybe,
    stops_at=maybe,
    by_day_end=st.booleans(),
    daily_loss=maybe,
    daily_profit=maybe,
)


def test_a_lock_of_the_broker_refuses_entries_in_its_words() -> None:
    assert desk.objection(None) is None
    assert desk.objection(SILENT) is None
    closing = desk.objection(replace(SILENT, state=TradingState.REDUCING, because="LiqOnly"))
    assert closing is not None
    assert closing.reason is RefusalReason.BROKER_LOCK
    assert closing.detail == "the broker takes only orders that close: LiqOnly"
    locked = desk.objection(replace(SILENT, state=TradingState.HALTED, because="LockTrading"))
    assert locked is not None
    assert locked.detail == "the broker has locked it: LockTrading"


def test_what_states_no_limit_leaves_the_very_same_rules() -> None:
    assert desk.joined(NO_RULES, SILENT) is NO_RULES
    own = Rules(daily_loss=DayLimit(amount=Decimal(5)))
    assert desk.joined(own, replace(SILENT, weekly_loss=Decimal(1), low=Decimal(1))) is own


def test_limits_of_the_broker_alone_stop_entries_and_close_nothing() -> None:
    told = replace(TRAILING, daily_loss=Decimal(1000), daily_profit=Decimal(3000))
    found = desk.joined(NO_RULES, told)
    assert found.daily_loss == DayLimit(amount=Decimal(1000), breach=Breach.STOP)
    assert found.daily_profit == DayLimit(amount=Decimal(3000), breach=Breach.STOP)
    assert found.drawdown == replace(RULE, start=Decimal(0), breach=Breach.STOP)


def test_of_both_daily_losses_the_smaller_holds_and_an_own_drawdown_stays() -> None:
    own = Rules(
        daily_loss=DayLimit(amount=Decimal(1500)), drawdown=RULE, worst_case=False, fee=Decimal(1), repeats=3
    )
    found = desk.joined(own, replace(TRAILING, daily_loss=Decimal(1000)))
    assert found == replace(own, daily_loss=DayLimit(amount=Decimal(1000)))


def test_of_two_drawdowns_that_follow_the_same_money_the_stricter_holds() -> None:
    own = Rules(drawdown=replace(RULE, amount=Decimal(3000), known=Decimal(48_500)))
    assert desk.joined(own, TRAILING).drawdown == replace(RULE, known=Decimal(48_500))
    narrow = Rules(drawdown=replace(RULE, amount=Decimal(1000)))
    assert desk.joined(narrow, TRAILING) == narrow


def test_a_drawdown_that_follows_other_money_than_ones_own_is_left_to_the_broker() -> None:
    own = Rules(drawdown=replace(RULE, amount=Decimal(3000), trail=Trail.END_OF_DAY))
    assert desk.joined(own, TRAILING) is own


@given(own=rules, told=stated)
def test_no_word_of_the_broker_ever_loosens_a_rule(own: Rules, told: LimitsReported) -> None:
    found = desk.joined(own, told)
    assert strictest(found, own) == found


@pytest.mark.parametrize(
    ("trail", "by_day_end", "follows"),
    [
        (Trail.INTRADAY, False, True),
        (Trail.END_OF_DAY, True, True),
        (Trail.INTRADAY, True, False),
        (Trail.END_OF_DAY, False, False),
        (Trail.STATIC, False, False),
    ],
)
def test_the_brokers_high_water_mark_makes_a_floor_certain_where_both_follow_the_same(
    trail: Trail, by_day_end: bool, follows: bool
) -> None:
    rule = replace(RULE, trail=trail)
    before = Floor(high=Decimal(50_000), floor=Decimal(48_000), certain=False, gaps=True)
    after = desk.floor_by(rule, before, replace(TRAILING, by_day_end=by_day_end))
    if follows:
        assert after == Floor(high=Decimal(51_000), floor=Decimal(49_000))
    else:
        assert after is before


def test_without_a_mark_or_a_drawdown_of_the_brokers_the_floor_stays() -> None:
    floor = Floor(high=Decimal(50_000), floor=Decimal(48_000), certain=False)
    assert desk.floor_by(RULE, floor, replace(TRAILING, high=None)) is floor
    assert desk.floor_by(RULE, floor, replace(TRAILING, drawdown=None)) is floor


def test_a_mark_never_lowers_a_floor_and_wakes_no_failed_account() -> None:
    known = Floor(high=Decimal(51_500), floor=Decimal(49_500))
    assert drawdown.marked(RULE, known, Decimal(51_000)) is known
    unsure = known.changed(certain=False)
    assert drawdown.marked(RULE, unsure, Decimal(51_000)) == known
    assert drawdown.marked(RULE, known, Decimal(60_000)).floor == Decimal(50_100)
    dead = unsure.changed(survival=Survival.FAILED)
    assert drawdown.marked(RULE, dead, Decimal(60_000)) is dead
