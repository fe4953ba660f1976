"""Rules at work in the core: a price, a fill or a second, and what becomes of an account."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from risk.core.rules import (
    Breach,
    Caps,
    DayLimit,
    Drawdown,
    Lockout,
    LockUntil,
    Rules,
    Trail,
)
from risk.core.standing import Band, Survival
from syncgroups.core.decision import RemarkKind
from syncgroups.core.plan import OwnerPlan, TotalPlan
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.enums import Environment, RefusalReason, Side
from tradehaven.domain.events import AccountLocked, BalanceReported, PriceMoved, PricesLost
from tradehaven.domain.ids import AccountId, Nanos, Symbol
from tradehaven.domain.money import Ticks

MINE, OTHER = AccountId(2), AccountId(3)
LOSS = Rules(daily_loss=DayLimit(amount=Decimal(1000)), fee=Decimal(0))


def with_rules(plan: OwnerPlan, rules: dict[AccountId, Rules], **settings: Any) -> OwnerPlan:
    """Return a plan in which these accounts have rules."""
    accounts = {
        name: replace(account, rules=rules.get(name, account.rules))
        for name, account in plan.accounts.items()
    }
    return replace(plan, accounts=accounts, **settings)


def desk_with(rules: Rules = LOSS, *, totals: tuple[TotalPlan, ...] = ()) -> Desk:
    """Return a desk with two followers, one of which has rules, connected and with 50,000 USD each."""
    plan = plan_of(group_of(follower(MINE), follower(OTHER)))
    desk = Desk(with_rules(plan, {MINE: rules}, totals=totals))
    desk.connect()
    for account in (LEADER, MINE, OTHER):
        desk.balance(account, Decimal(50_000))
    return desk


def price(desk: Desk, bid: int, symbol: Symbol = ES, environment: Environment = Environment.PAPER) -> None:
    """Let a quote come, a tick wide."""
    desk.step(
        PriceMoved(
            environment=environment,
            symbol=symbol,
            bid=Ticks(bid),
            ask=Ticks(bid + 1),
            last=None,
            at=desk.at(),
        )
    )
    desk.settle()


def entered(desk: Desk, qty: int = 1, side: Side = Side.BUY) -> None:
    """Let the leader enter at 20,000 ticks and everybody follow."""
    price(desk, 19_999)
    desk.market(side, qty)
    desk.settle()


def kinds(desk: Desk) -> list[RemarkKind]:
    return [remark.kind for decision in desk.decisions for remark in decision.remarks]


def locks(desk: Desk) -> list[tuple[AccountId, RefusalReason]]:
    return [(locked.account, locked.lock.reason) for decision in desk.decisions for locked in decision.locks]


def test_a_loss_that_reaches_the_limit_locks_and_flattens_this_account_alone() -> None:
    desk = desk_with()
    entered(desk)
    price(desk, 19_921)
    assert not locks(desk)
    price(desk, 19_920)  # 80 ticks of 12.50 are 1,000: equality counts
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 1)
    assert kinds(desk).count(RemarkKind.LOCKED) == 1


def test_after_the_lock_entries_are_refused_with_its_reason_and_exits_pass() -> None:
    desk = desk_with(Rules(daily_loss=DayLimit(amount=Decimal(1000), breach=Breach.STOP), fee=Decimal(0)))
    entered(desk, 2)
    price(desk, 19_960)
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]
    assert desk.positions[MINE, ES] == 2
    desk.market(Side.BUY, 1)
    desk.settle()
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (2, 3)
    desk.market(Side.SELL, 3)
    desk.settle()
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 0)


def test_it_is_acted_on_once_however_many_prices_follow() -> None:
    desk = desk_with()
    entered(desk)
    for tick in range(19_920, 19_900, -1):
        price(desk, tick)
    assert len(locks(desk)) == 1


def test_a_wild_print_alone_flattens_nobody() -> None:
    desk = desk_with()
    entered(desk)
    price(desk, 16_000)
    price(desk, 19_990)
    assert not locks(desk)
    price(desk, 19_500)
    price(desk, 19_499)
    assert locks(desk)


def test_a_price_of_another_environment_is_another_market() -> None:
    desk = desk_with()
    entered(desk)
    price(desk, 19_800, environment=Environment.LIVE)
    assert not locks(desk)


def test_near_a_limit_it_is_said_once_for_each_band() -> None:
    desk = desk_with()
    entered(desk)
    for tick in (19_961, 19_959, 19_961, 19_959, 19_943, 19_950, 19_943):
        price(desk, tick)
    said = [
        remark.detail for d in desk.decisions for remark in d.remarks if remark.kind is RemarkKind.NEAR_LIMIT
    ]
    assert len(said) == 2
    assert said[0] == "51% of the daily loss limit is used, 487.50 USD are left"
    assert desk.book.risk.bands[MINE] is Band.DANGER


def test_a_realised_loss_counts_like_an_open_one() -> None:
    desk = desk_with()
    entered(desk)
    order = desk.trade(Side.SELL, 1)
    desk.settle(fill_markets=False)
    desk.fill(order, price=19_900)
    desk.settle()
    mine = [found for found in desk.orders.values() if found.account == MINE and found.side is Side.SELL]
    desk.fill(mine[0].order_id, price=19_900)
    desk.settle()
    assert (MINE, RefusalReason.DAILY_LOSS) in locks(desk)


def test_the_next_day_begins_without_the_lock_and_from_what_is_there() -> None:
    desk = desk_with()
    entered(desk)
    price(desk, 19_920)
    desk.market(Side.SELL, 1)
    desk.settle()
    desk.step(BalanceReported(account=MINE, cash=Decimal(49_000), realized=Decimal(-1000), at=desk.at()))
    desk.wait(5)
    until(desk, datetime(2026, 11, 18, 17, 0, 5, tzinfo=CHICAGO))
    desk.wait(1)
    standing = desk.book.risk.standings[MINE]
    assert standing.day.reference == Decimal(49_000)
    assert standing.lock is None
    entered(desk)
    assert desk.positions[MINE, ES] == 1


def test_a_withdrawal_is_no_loss() -> None:
    desk = desk_with()
    desk.wait(2)
    desk.step(BalanceReported(account=MINE, cash=Decimal(45_000), realized=Decimal(0), at=desk.at()))
    desk.wait(2)
    desk.wait(1)
    assert not locks(desk)
    assert desk.book.risk.standings[MINE].day.reference == Decimal(45_000)


def test_an_account_met_in_the_middle_of_its_day_has_lost_what_the_broker_says() -> None:
    plan = plan_of(group_of(follower(MINE)))
    desk = Desk(with_rules(plan, {MINE: LOSS}))
    desk.connect()
    desk.step(BalanceReported(account=MINE, cash=Decimal(49_100), realized=Decimal(-900), at=desk.at()))
    assert desk.book.risk.standings[MINE].day.reference == Decimal(50_000)
    assert not locks(desk)
    desk.step(BalanceReported(account=MINE, cash=Decimal(49_000), realized=Decimal(-1000), at=desk.at()))
    desk.wait(2)
    desk.wait(1)
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]


def test_a_floor_that_is_touched_fails_the_account_for_good() -> None:
    rule = Drawdown(
        trail=Trail.INTRADAY,
        amount=Decimal(2500),
        start=Decimal(50_000),
        reserve_ticks=0,
        block_at=Decimal(1),
    )
    desk = desk_with(Rules(drawdown=rule, fee=Decimal(0)))
    entered(desk)
    price(desk, 20_099)  # the peak by the ask: 100 ticks
    price(desk, 19_901)
    assert not locks(desk)
    price(desk, 19_900)
    floor = desk.book.risk.standings[MINE].floor
    assert floor is not None
    assert floor.floor == Decimal(50_000) + 1250 - 2500
    assert floor.survival is Survival.FAILED
    assert locks(desk)[0] == (MINE, RefusalReason.DRAWDOWN)


def test_the_sum_of_a_group_locks_all_of_it() -> None:
    total = TotalPlan(name="group one", accounts=(MINE, OTHER), rules=LOSS)
    desk = desk_with(Rules(), totals=(total,))
    entered(desk)
    price(desk, 19_960)
    assert sorted(locks(desk)) == [(MINE, RefusalReason.DAILY_LOSS), (OTHER, RefusalReason.DAILY_LOSS)]
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 0)
    details = [
        remark.detail for d in desk.decisions for remark in d.remarks if remark.kind is RemarkKind.LOCKED
    ]
    assert details[0].startswith("group one: 1,010.00 USD are lost today")


def test_yesterdays_loss_of_a_sum_is_not_todays() -> None:
    total = TotalPlan(name="all", accounts=(MINE, OTHER), rules=LOSS)
    desk = desk_with(Rules(), totals=(total,))
    entered(desk)
    desk.fill(desk.trade(Side.SELL, 1), price=19_970)
    desk.settle(fill_markets=False)
    for order in [one for one in desk.orders.values() if one.account != LEADER and one.side is Side.SELL]:
        desk.fill(order.order_id, price=19_970)
    assert desk.book.risk.totals["all"].money.equity == Decimal(-760)
    until(desk, datetime(2026, 11, 18, 17, 0, 5, tzinfo=CHICAGO))
    desk.wait(1)
    entered(desk)
    price(desk, 19_980)
    assert not locks(desk)
    assert desk.book.risk.totals["all"].money.equity == Decimal(-510)


def test_a_lock_on_record_holds_and_a_shorter_one_changes_nothing() -> None:
    desk = desk_with(Rules(caps=Caps(instrument=50)))
    until = Nanos(desk.now + 3600 * SECOND)
    lock = AccountLocked(
        account=MINE, reason=RefusalReason.LOCKED_OUT, detail="by hand", until=until, at=desk.at()
    )
    desk.step(lock)
    desk.step(replace(lock, until=Nanos(until - 60 * SECOND)))
    assert desk.book.risk.locks[MINE].until == until
    entered(desk)
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 1)
    desk.wait(3700)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 1


def test_a_lock_holds_an_account_without_any_rule() -> None:
    desk = desk_with(Rules())
    desk.step(
        AccountLocked(
            account=MINE,
            reason=RefusalReason.LOCKED_OUT,
            detail="by hand",
            until=Nanos(desk.now + 3600 * SECOND),
            at=desk.at(),
        )
    )
    entered(desk)
    assert desk.positions[MINE, ES] == 0


def test_a_lock_for_some_minutes_ends_by_itself() -> None:
    limit = DayLimit(amount=Decimal(500), lockout=Lockout(until=LockUntil.DURATION, minutes=30))
    desk = desk_with(Rules(daily_loss=limit, fee=Decimal(0)))
    entered(desk)
    price(desk, 19_960)
    assert desk.book.risk.locks[MINE].until - desk.now == pytest.approx(30 * 60 * SECOND, abs=SECOND)


def until(desk: Desk, moment: datetime) -> None:
    desk.now = int(moment.timestamp()) * SECOND


def test_an_account_that_has_traded_before_enters_once_its_floor_is_stated() -> None:
    rule = Drawdown(trail=Trail.INTRADAY, amount=Decimal(2500), start=Decimal(48_000))
    desk = desk_with(Rules(drawdown=rule))
    entered(desk)
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 1)
    stated = Rules(drawdown=replace(rule, known=Decimal(48_700)))
    desk.plan = with_rules(desk.plan, {MINE: stated})
    desk.wait(1)
    floor = desk.book.risk.standings[MINE].floor
    assert floor is not None
    assert (floor.floor, floor.certain) == (Decimal(48_700), True)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 1


def test_prices_that_are_missed_with_a_position_open_are_remembered_until_the_floor_is_stated_again() -> None:
    rule = Drawdown(trail=Trail.INTRADAY, amount=Decimal(2500), start=Decimal(50_000))
    desk = desk_with(Rules(drawdown=rule, fee=Decimal(0)))
    entered(desk)
    desk.step(PricesLost(environment=Environment.PAPER, at=desk.at()))
    floor = desk.book.risk.standings[MINE].floor
    assert floor is not None
    assert floor.gaps
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 1  # without prices nothing opens
    price(desk, 19_999)
    desk.plan = with_rules(desk.plan, {MINE: Rules(drawdown=replace(rule, known=Decimal(47_600)))})
    desk.wait(1)
    floor = desk.book.risk.standings[MINE].floor
    assert floor is not None
    assert (floor.gaps, floor.floor) == (False, Decimal(47_600))


def test_lost_prices_leave_a_floor_that_follows_no_moment_as_it_is() -> None:
    rule = Drawdown(trail=Trail.STATIC, amount=Decimal(2500), start=Decimal(50_000))
    desk = desk_with(Rules(drawdown=rule))
    desk.step(PricesLost(environment=Environment.LIVE, at=desk.at()))
    desk.step(PricesLost(environment=Environment.PAPER, at=desk.at()))
    floor = desk.book.risk.standings[MINE].floor
    assert floor is not None
    assert not floor.gaps
    assert not desk.step(PricesLost(environment=Environment.PAPER, at=desk.at()))


@pytest.mark.parametrize(
    ("cash", "realized", "reference"),
    [
        (48_500, 0, 48_500),  # 1,500 paid out while no engine ran
        (51_000, 0, 51_000),
        (49_600, -400, 50_000),  # lost while no engine ran
        (49_595, -400, 50_000),  # with its fees
    ],
)
def test_an_engine_that_starts_tells_a_payout_from_a_loss(cash: int, realized: int, reference: int) -> None:
    desk = desk_with()
    desk.wait(1)
    before = desk.book.risk.standings[MINE]
    again = Desk(desk.plan, now=desk.now)
    again.book.risk.standings[MINE] = before
    again.connect()
    said = BalanceReported(account=MINE, cash=Decimal(cash), realized=Decimal(realized), at=again.at())
    again.step(said)
    assert again.book.risk.standings[MINE].day.reference == reference
    assert not locks(again)
