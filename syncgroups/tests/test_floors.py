"""The floor of a drawdown in the book: under changed rules, when it is stated, while nobody sees prices."""

from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest

from risk.core.rules import DayLimit, Drawdown, Rules, Trail
from risk.core.standing import Floor, Survival
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, follower, group_of, plan_of
from syncgroups.tests.test_guardrails import MINE, OTHER, desk_with, entered, price, with_rules
from tradehaven.domain.enums import Environment, Side
from tradehaven.domain.events import BalanceReported, PricesLost, TimePassed
from tradehaven.domain.ids import AccountId

NOTHING = Decimal(0)
RULE = Drawdown(trail=Trail.INTRADAY, amount=Decimal(2500), start=Decimal(50_000), reserve_ticks=0)


def rules(rule: Drawdown | None) -> Rules:
    return Rules(drawdown=rule, daily_loss=DayLimit(amount=Decimal(9000)), fee=NOTHING)


def floor_of(desk: Desk, account: AccountId = MINE) -> Floor:
    floor = desk.book.risk.standings[account].floor
    assert floor is not None
    return floor


def levels(desk: Desk) -> tuple[int, int]:
    """Return the high-water mark and the floor, in whole USD."""
    floor = floor_of(desk)
    return int(floor.high), int(floor.floor)


def desk_at_a_peak(rule: Drawdown = RULE) -> Desk:
    """Return a desk whose follower holds one contract, has been 1,250 USD up, and is level again."""
    desk = desk_with(rules(rule))
    entered(desk)
    price(desk, 20_099)
    price(desk, 20_000)
    return desk


def ruled(desk: Desk, rule: Drawdown | None) -> None:
    desk.plan = with_rules(desk.plan, {MINE: rules(rule)})
    desk.wait(1)


# -- a rule that changes -----------------------------------------------------------------------------


def test_a_rule_that_changes_follows_the_high_that_the_account_had() -> None:
    desk = desk_at_a_peak()
    assert levels(desk) == (51_250, 48_750)
    ruled(desk, replace(RULE, amount=Decimal(2000)))
    assert levels(desk) == (51_250, 49_250)


def test_a_rule_that_comes_first_when_money_was_made_begins_at_that_money() -> None:
    desk = desk_with(rules(None))
    desk.wait(1)
    ruled(desk, replace(RULE, start=Decimal(49_000)))
    assert levels(desk) == (50_000, 47_500)
    assert not floor_of(desk).certain


def test_a_balance_above_the_old_high_counts_for_a_changed_rule() -> None:
    static = replace(RULE, trail=Trail.STATIC)
    desk = desk_with(rules(static))
    desk.wait(2)
    desk.balance(MINE, Decimal(53_000))
    desk.wait(2)
    assert floor_of(desk).high == 50_000
    ruled(desk, replace(RULE, amount=Decimal(2000)))
    assert levels(desk) == (53_000, 51_000)


def test_a_rule_that_is_taken_away_takes_its_floor_along() -> None:
    desk = desk_at_a_peak()
    ruled(desk, None)
    assert desk.book.risk.standings[MINE].floor is None
    assert desk.book.risk.standings[MINE].money.equity == 50_000


# -- what is stated ----------------------------------------------------------------------------------


def test_a_floor_that_is_stated_from_the_beginning_is_certain() -> None:
    desk = desk_with(rules(replace(RULE, start=Decimal(48_000), known=Decimal(48_700))))
    assert floor_of(desk).floor == 48_700
    assert floor_of(desk).certain


def test_stating_a_floor_keeps_what_is_known_of_the_account() -> None:
    desk = desk_at_a_peak()
    ruled(desk, replace(RULE, known=Decimal(48_000)))
    assert levels(desk) == (51_250, 48_750)
    ruled(desk, replace(RULE, known=Decimal(49_000)))
    assert floor_of(desk).floor == 49_000
    ruled(desk, RULE)
    assert floor_of(desk).floor == 49_000


def test_an_account_that_has_failed_stays_failed_whatever_floor_is_stated() -> None:
    desk = desk_with(rules(RULE))
    entered(desk)
    price(desk, 19_799)
    price(desk, 19_798)
    assert floor_of(desk).survival is Survival.FAILED
    ruled(desk, replace(RULE, known=Decimal(40_000)))
    assert floor_of(desk).survival is Survival.FAILED


def test_what_was_stated_before_prices_were_missed_heals_nothing() -> None:
    desk = desk_with(rules(replace(RULE, known=Decimal(47_600))))
    entered(desk)
    desk.step(PricesLost(environment=Environment.PAPER, at=desk.at()))
    desk.wait(1)
    assert floor_of(desk).gaps


def test_a_start_takes_a_floor_as_it_was_written_down_also_where_its_rule_is_not_known_any_more() -> None:
    before = desk_at_a_peak(replace(RULE, known=Decimal(47_600)))
    desk = Desk(before.plan, now=before.now)
    desk.book.risk.standings[MINE] = before.book.risk.standings[MINE]
    desk.connect()
    desk.balance(MINE, Decimal(50_000))
    assert floor_of(desk) == floor_of(before)


# -- prices that are missed --------------------------------------------------------------------------


def missed(desk: Desk, environment: Environment = Environment.PAPER) -> None:
    desk.step(PricesLost(environment=environment, at=desk.at()))


def test_only_the_accounts_of_that_market_have_missed_its_prices() -> None:
    desk = desk_at_a_peak()
    missed(desk, Environment.LIVE)
    assert not floor_of(desk).gaps
    missed(desk)
    assert floor_of(desk).gaps


def test_who_holds_nothing_misses_nothing() -> None:
    desk = desk_with(rules(RULE))
    missed(desk)
    assert not floor_of(desk).gaps


@pytest.mark.parametrize("stranger", ["no money", "no floor", "no rule"])
def test_missed_prices_reach_the_next_account_past_one_without_money_floor_or_rule(stranger: str) -> None:
    both = {MINE: rules(RULE), OTHER: rules(RULE)}
    plan = with_rules(plan_of(group_of(follower(OTHER), follower(MINE))), both)
    if stranger == "no floor":
        plan = with_rules(plan, {**both, OTHER: rules(None)})
    desk = Desk(plan)
    desk.connect()
    desk.balance(MINE, Decimal(50_000))
    if stranger != "no money":
        desk.balance(OTHER, Decimal(50_000))
    entered(desk)
    after = None if stranger == "no rule" else RULE
    desk.plan = with_rules(desk.plan, {**both, OTHER: rules(after)})
    missed(desk)
    assert floor_of(desk).gaps
    assert (OTHER in desk.book.risk.standings) is (stranger != "no money")


# -- the day before ----------------------------------------------------------------------------------


def started_again(desk: Desk, cash: str, realized: str, *, after_its_day: bool = False) -> Desk:
    """Return the desk of the next engine, which is told this much cash; perhaps at the day's very end."""
    standing = desk.book.risk.standings[MINE]
    again = Desk(desk.plan, now=desk.now)
    again.book.risk.standings[MINE] = standing
    again.connect()
    at = standing.day.ends if after_its_day else again.at()
    again.step(BalanceReported(account=MINE, cash=Decimal(cash), realized=Decimal(realized), at=at))
    return again


@pytest.mark.parametrize(
    ("trades", "cash", "reference"),
    [
        (0, "49950", 50_000),
        (0, "49949.99", Decimal("49949.99")),
        (1, "49900", 50_000),
        (1, "49899.99", Decimal("49899.99")),
        (0, "50000.01", Decimal("50000.01")),
    ],
)
def test_what_cash_lacks_after_a_start_is_fees_up_to_fifty_dollars_for_each_trade(
    trades: int, cash: str, reference: Decimal
) -> None:
    desk = desk_with(rules(None))
    for _ in range(trades):
        entered(desk)
        desk.market(Side.SELL, 1)
        desk.settle()
    assert desk.book.risk.standings[MINE].day.trades == trades
    assert started_again(desk, cash, "0").book.risk.standings[MINE].day.reference == reference


def test_with_a_day_of_its_own_the_brokers_day_says_nothing_about_payments() -> None:
    desk = desk_with(replace(rules(None), reset_at=time(16)))
    again = started_again(desk, "48500", "0")
    assert again.book.risk.standings[MINE].day.reference == 50_000


def test_a_start_on_the_next_day_ends_the_old_one_with_what_was_known_of_it() -> None:
    desk = desk_with(rules(replace(RULE, trail=Trail.END_OF_DAY)))
    desk.wait(1)
    ends = desk.book.risk.standings[MINE].day.ends
    again = started_again(desk, "48500", "0", after_its_day=True)
    assert floor_of(again).nets == (NOTHING,)
    again.step(TimePassed(at=ends))
    assert floor_of(again).nets == (NOTHING,)
    assert again.positions[MINE, ES] == 0
