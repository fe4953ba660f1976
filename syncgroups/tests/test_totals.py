"""Limits over the sum of several accounts: what is part of it today, what its breach does to each part."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from risk.core.rules import Breach, DayLimit, Lockout, LockUntil, Rules
from syncgroups.core.decision import RemarkKind
from syncgroups.core.plan import TotalPlan
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, LEADER
from syncgroups.tests.test_breaches import quote
from syncgroups.tests.test_guardrails import LOSS, MINE, OTHER, desk_with, entered, kinds, locks, price, until
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.commands import ClosePosition
from tradehaven.domain.enums import Environment, Side
from tradehaven.domain.events import PriceMoved, TimePassed
from tradehaven.domain.ids import AccountId, Symbol
from tradehaven.domain.money import Ticks

FREE = Rules(fee=Decimal(0))
NQ = Symbol("NQZ6")
BOTH = TotalPlan(name="both", accounts=(MINE, OTHER), rules=LOSS)
STOPS = replace(LOSS, daily_loss=DayLimit(amount=Decimal(1000), breach=Breach.STOP))


def profit_of(desk: Desk, name: str) -> Decimal:
    standing = desk.book.risk.totals[name]
    return standing.money.equity - standing.day.reference


def lost(desk: Desk, account: AccountId, ticks: int) -> None:
    """Let somebody lose so many ticks of one contract by hand: bought at 20,000, sold below."""
    for side, at in ((Side.BUY, 20_000), (Side.SELL, 20_000 - ticks)):
        order = desk.trade(side, 1, account=account)
        desk.fill(order, price=at)
    desk.settle()


def test_a_sum_locks_its_accounts_once_and_also_those_that_hold_nothing() -> None:
    desk = desk_with(FREE, totals=(replace(BOTH, rules=STOPS),))
    price(desk, 20_000)
    desk.market(Side.BUY, 2, account=MINE)
    for bid in range(19_960, 19_950, -1):
        price(desk, bid)
    assert sorted(account for account, _ in locks(desk)) == [MINE, OTHER]
    desk.market(Side.BUY, 1)
    desk.settle()
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (2, 0)


def test_a_sum_that_only_stops_entries_leaves_what_is_held() -> None:
    desk = desk_with(FREE, totals=(replace(BOTH, rules=STOPS),))
    entered(desk)
    price(desk, 19_950)
    assert not desk.book.flattening
    for _ in range(4):
        desk.wait(1)
        desk.settle()
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (1, 1)
    assert RemarkKind.FLAT not in kinds(desk)


def test_a_lock_of_a_sum_stands_in_the_standing_of_each_account_that_moved() -> None:
    desk = desk_with(FREE, totals=(replace(BOTH, rules=STOPS),))
    entered(desk)
    price(desk, 19_950)
    for account in (MINE, OTHER):
        lock = desk.book.risk.standings[account].lock
        assert lock is not None
        assert lock.detail == "both: 1,255.00 USD are lost today, the limit is 1,000.00"
    desk.wait(1)
    assert desk.book.risk.standings[MINE].lock == desk.book.risk.locks[MINE]


def test_what_an_account_lost_yesterday_is_no_part_of_todays_sum_though_nobody_can_value_it_since() -> None:
    desk = desk_with(FREE, totals=(BOTH,))
    lost(desk, OTHER, 48)  # 600 USD, and 2.50 for each side
    desk.market(Side.BUY, 1, account=OTHER, symbol=NQ)  # without any price of it its money is not known
    assert profit_of(desk, "both") == Decimal(-605)
    ends = desk.book.risk.standings[OTHER].day.ends
    desk.step(TimePassed(at=ends))
    assert desk.book.risk.standings[OTHER].day.ends == ends
    assert profit_of(desk, "both") == 0
    desk.now = ends
    lost(desk, MINE, 40)
    assert profit_of(desk, "both") == Decimal(-500)
    assert not locks(desk)


def test_todays_part_of_an_account_that_nobody_can_value_now_stays_in_the_sum() -> None:
    desk = desk_with(FREE, totals=(BOTH,))
    lost(desk, OTHER, 48)
    desk.market(Side.BUY, 1, account=OTHER, symbol=NQ)
    lost(desk, MINE, 31)
    assert profit_of(desk, "both") == Decimal("-992.50")
    assert not locks(desk)
    lost(desk, MINE, 1)
    assert {account for account, _ in locks(desk)} == {MINE, OTHER}


def test_a_sum_begins_each_day_with_nothing() -> None:
    desk = desk_with(FREE, totals=(BOTH,))
    lost(desk, MINE, 60)
    assert profit_of(desk, "both") == Decimal(-750)
    desk.step(TimePassed(at=desk.book.risk.totals["both"].day.ends))
    assert profit_of(desk, "both") == 0
    until(desk, datetime(2026, 11, 19, 9, 0, tzinfo=CHICAGO))
    desk.wait(1)
    lost(desk, MINE, 79)
    assert not locks(desk)
    lost(desk, MINE, 1)
    assert locks(desk)


def test_a_price_touches_the_sums_of_those_whom_it_moves_and_no_other() -> None:
    leads = TotalPlan(name="leader", accounts=(LEADER,), rules=LOSS)
    mine = TotalPlan(name="mine", accounts=(OTHER, MINE), rules=LOSS)
    desk = desk_with(FREE, totals=(leads, mine))
    price(desk, 20_000)
    desk.market(Side.BUY, 1, account=MINE)
    moved = desk.step(
        PriceMoved(
            environment=Environment.PAPER,
            symbol=ES,
            bid=Ticks(19_990),
            ask=Ticks(19_991),
            last=None,
            at=desk.at(),
        )
    )
    assert [name for name, _ in moved.totals] == ["mine"]
    assert [account for account, _, _ in moved.standings] == [MINE]


def test_accounts_that_break_at_one_price_are_closed_in_the_order_of_their_numbers() -> None:
    desk = desk_with(FREE, totals=(replace(BOTH, accounts=(OTHER, MINE)),))
    entered(desk)
    price(desk, 19_950)
    assert [account for account, _ in locks(desk)] == [OTHER, MINE]


# -- several limits at one price ---------------------------------------------------------------------

HALF_AN_HOUR = DayLimit(
    amount=Decimal(1000), breach=Breach.STOP, lockout=Lockout(until=LockUntil.DURATION, minutes=30)
)


def test_limits_that_break_at_one_price_close_each_account_once() -> None:
    desk = desk_with(LOSS, totals=(BOTH, replace(BOTH, name="all")))
    entered(desk)
    desk.step(quote(desk, 19_900))
    closes = [(command.account, type(command)) for command in desk.outbox]
    assert closes == [(MINE, ClosePosition), (OTHER, ClosePosition)]
    assert kinds(desk).count(RemarkKind.LOCKED) == 5, "each limit is said"


@pytest.mark.parametrize("is_own_longer", [True, False])
def test_of_two_locks_at_one_price_the_longer_holds_and_what_one_closes_is_closed(
    is_own_longer: bool,
) -> None:
    brief = replace(LOSS, daily_loss=HALF_AN_HOUR)
    own, total = (LOSS, brief) if is_own_longer else (brief, LOSS)
    desk = desk_with(own, totals=(replace(BOTH, rules=total),))
    entered(desk)
    ends = desk.book.risk.standings[MINE].day.ends
    desk.lose(MINE)
    found = desk.step(quote(desk, 19_900))
    (mine,) = [locked for locked in found.locks if locked.account == MINE]
    assert (mine.lock.until, mine.flatten) == (ends, True)
    lock = desk.book.risk.standings[MINE].lock
    assert lock is not None
    assert lock.until == ends
    desk.outbox.clear()
    desk.connect(MINE)
    desk.wait(1)
    assert [type(command) for command in desk.outbox if command.account == MINE] == [ClosePosition]


def test_two_limits_that_only_stop_entries_close_nothing_together() -> None:
    desk = desk_with(STOPS, totals=(replace(BOTH, rules=STOPS),))
    entered(desk)
    found = desk.step(quote(desk, 19_900))
    assert [locked.flatten for locked in found.locks] == [False, False]
    assert not desk.outbox
    assert not desk.book.flattening
