"""Money in the book: opened by a snapshot, moved by fills, and unknown where nobody can value it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.core.rules import Rules
from syncgroups.core.accounting import filled
from syncgroups.core.folding import fold
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, group_of, plan_of
from syncgroups.tests.test_guardrails import LOSS, locks, price, with_rules
from tradehaven.domain.commands import ChangeOrder
from tradehaven.domain.enums import Environment, OrderType, RefusalReason, Side, SizingMode, TradingState
from tradehaven.domain.events import (
    AccountLocked,
    AccountSnapshot,
    BalanceReported,
    LimitsReported,
    PositionReported,
    PriceMoved,
    PricesLost,
    SnapshotTaken,
    TimePassed,
)
from tradehaven.domain.ids import AccountId, FillId, Nanos, Symbol
from tradehaven.domain.money import Ticks

MINE = AccountId(2)


def desk_with_money() -> Desk:
    plan = plan_of(group_of(follower(MINE)))
    desk = Desk(with_rules(plan, {MINE: LOSS}))
    desk.connect()
    desk.balance(LEADER, Decimal(50_000))
    return desk


def stated(desk: Desk, cash: str, realized: str = "0", *, symbol: Symbol = ES, net: int = 0) -> None:
    """Let the broker state the follower anew."""
    at = desk.at()
    held = PositionReported(account=MINE, symbol=symbol, net=net, price=Decimal(5000), at=at)
    snapshot = AccountSnapshot(
        account=MINE,
        orders=(),
        fills=(),
        positions=(held,) if net else (),
        balance=BalanceReported(account=MINE, cash=Decimal(cash), realized=Decimal(realized), at=at),
    )
    desk.step(SnapshotTaken(connection=desk.plan.accounts[MINE].connection, accounts=(snapshot,), at=at))


def test_a_snapshot_opens_the_ledger_and_the_day() -> None:
    desk = desk_with_money()
    stated(desk, "49800", "-200")
    assert desk.book.risk.ledgers[MINE].cash == Decimal(49_800)
    assert desk.book.risk.standings[MINE].day.reference == Decimal(50_000)


def test_money_paid_in_while_the_line_was_dead_is_no_profit() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    stated(desk, "53000")
    assert desk.book.risk.standings[MINE].day.reference == Decimal(53_000)


def test_what_was_won_while_the_line_was_dead_is_profit() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    stated(desk, "50300", "300")
    standing = desk.book.risk.standings[MINE]
    assert standing.money.equity - standing.day.reference == Decimal(300)


def test_holders_are_known_by_contract() -> None:
    desk = desk_with_money()
    stated(desk, "50000", net=2)
    assert desk.book.risk.holders[ES] == {MINE}
    stated(desk, "50000")
    assert desk.book.risk.holders[ES] == set()


def test_an_account_that_holds_what_nobody_knows_has_no_standing() -> None:
    desk = desk_with_money()
    stated(desk, "50000", symbol=Symbol("XXZ6"), net=1)
    assert MINE not in desk.book.risk.ledgers
    desk.balance(MINE, Decimal(50_000))
    assert MINE not in desk.book.risk.ledgers
    stated(desk, "50000")
    assert MINE in desk.book.risk.ledgers


def test_a_fill_in_what_nobody_knows_ends_the_ledger() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    desk.market(Side.BUY, 1)
    desk.settle()
    known = next(fill for fill in desk.fills if fill.account == MINE)
    filled(desk.book, replace(known, symbol=Symbol("XXZ6"), fill_id=FillId(9)))
    assert MINE not in desk.book.risk.ledgers


def test_a_broker_that_states_an_unknown_contract_leaves_an_account_without_value() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    odd = PositionReported(account=MINE, symbol=Symbol("XXZ6"), net=1, price=Decimal(1), at=Nanos(desk.now))
    desk.step(replace(odd, net=0, price=None))
    assert MINE in desk.book.risk.ledgers
    desk.step(odd)
    assert MINE not in desk.book.risk.ledgers
    assert MINE not in desk.book.risk.standings


def held_over_a_start(desk: Desk) -> None:
    """Let the engine meet a position that it has seen no price for: two contracts at 5,000 points."""
    stated(desk, "50000", net=2)


def test_a_first_quote_far_from_what_was_paid_proves_nothing_until_a_second_says_the_same() -> None:
    desk = desk_with_money()
    held_over_a_start(desk)
    price(desk, 10_000)
    assert ES not in desk.book.risk.marks[Environment.PAPER]
    assert not desk.book.risk.locks
    price(desk, 20_001)
    assert desk.book.risk.marks[Environment.PAPER][ES].bid == 20_001
    assert not desk.book.risk.locks


def test_a_market_that_is_far_from_what_was_paid_is_believed_with_its_second_quote() -> None:
    desk = desk_with_money()
    held_over_a_start(desk)
    price(desk, 19_000)
    assert not desk.book.risk.locks
    price(desk, 18_990)
    assert desk.book.risk.locks[MINE].reason is RefusalReason.DAILY_LOSS


def test_two_wild_prints_apart_from_each_other_prove_nothing_either() -> None:
    desk = desk_with_money()
    held_over_a_start(desk)
    for wild in (10_000, 30_000, 5_000):
        price(desk, wild)
    assert ES not in desk.book.risk.marks[Environment.PAPER]
    assert not desk.book.risk.locks


def test_where_nothing_is_held_the_first_quote_is_believed_and_one_without_a_price_is_none() -> None:
    desk = desk_with_money()
    quote = PriceMoved(environment=Environment.PAPER, symbol=ES, bid=None, ask=None, last=None, at=desk.at())
    desk.step(quote)
    assert ES not in desk.book.risk.marks[Environment.PAPER]
    price(desk, 12_345)
    assert desk.book.risk.marks[Environment.PAPER][ES].bid == 12_345


def test_fees_that_a_dead_line_hid_are_a_loss_of_the_day_and_no_payout() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    price(desk, 20_000)
    desk.market(Side.BUY, 1)
    desk.settle()
    stated(desk, "49997.50", net=1)
    standing = desk.book.risk.standings[MINE]
    assert standing.day.reference == Decimal(50_000)
    assert desk.book.risk.ledgers[MINE].cash == Decimal("49997.50")


def test_payments_are_told_one_by_one_and_seconds_without_one_leave_nothing_to_write_down() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    for cash in (45_000, 44_000):
        desk.wait(2)
        desk.balance(MINE, Decimal(cash))
        desk.wait(2)
    assert desk.book.risk.standings[MINE].day.reference == Decimal(44_000)
    desk.wait(1)
    desk.book.risk.changed.clear()
    desk.wait(1)
    assert not desk.book.risk.changed


def test_a_payment_into_an_account_without_rules_is_nobodys_business() -> None:
    desk = desk_with_money()
    desk.wait(2)
    desk.balance(LEADER, Decimal(90_000))
    desk.wait(2)
    assert desk.book.risk.ledgers[LEADER].cash == Decimal(90_000)
    assert LEADER not in desk.book.risk.standings


def traded_by_hand(desk: Desk, qty: int, bought: int, sold: int) -> None:
    """Let the follower's own hand buy and sell again at these prices, in ticks."""
    for side, at in ((Side.BUY, bought), (Side.SELL, sold)):
        desk.fill(desk.trade(side, qty, account=MINE), price=at)


@pytest.mark.parametrize(
    ("results", "locked"), [((-1, -1), True), ((-1, 1, -1), False), ((-1, 0, -1), True), ((1, -1), False)]
)
def test_trades_lost_in_a_row_lock_an_account_and_one_that_makes_nothing_changes_nothing(
    results: tuple[int, ...], locked: bool
) -> None:
    plan = plan_of(group_of(follower(MINE)))
    desk = Desk(with_rules(plan, {MINE: Rules(losses_in_row=2)}))
    desk.connect()
    desk.balance(MINE, Decimal(50_000))
    for ticks in results:
        traded_by_hand(desk, 1, 20_000, 20_000 + ticks)
    assert locks(desk) == ([(MINE, RefusalReason.LOSING_STREAK)] if locked else [])


def test_entries_are_taken_again_with_the_first_price_after_prices_were_lost() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    price(desk, 20_000)
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.step(PricesLost(environment=Environment.PAPER, at=desk.at()))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.reasons() == ["standing_unknown"]
    price(desk, 20_000)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 2


def test_a_quote_is_news_where_a_price_of_it_is_another_one() -> None:
    desk = desk_with_money()
    quote = PriceMoved(
        environment=Environment.PAPER, symbol=ES, bid=Ticks(9), ask=Ticks(10), last=Ticks(9), at=Nanos(5)
    )
    nothing = replace(quote, bid=None, ask=None, last=None)
    assert [fold(desk.book, one) for one in (nothing, quote, replace(quote, at=Nanos(6)))] == [
        False,
        True,
        False,
    ]
    later = replace(quote, at=Nanos(7))
    moved = (replace(later, bid=Ticks(8)), replace(later, ask=Ticks(11)), replace(later, last=Ticks(10)))
    assert all(fold(desk.book, one) for one in moved)
    assert fold(desk.book, replace(quote, at=Nanos(4))) is False
    assert fold(desk.book, nothing) is False
    assert desk.book.risk.marks[Environment.PAPER][ES].at == 7


def test_a_first_quote_near_to_what_one_of_its_holders_paid_is_believed() -> None:
    desk = desk_with_money()
    desk.balance(AccountId(3), Decimal(50_000))
    desk.balance(LEADER, Decimal(50_000))
    stated(desk, "50000", net=2)
    desk.fill(desk.trade(Side.SELL, 1), price=24_000)  # the leader, by hand
    price(desk, 24_100)
    assert desk.book.risk.marks[Environment.PAPER][ES].bid == 24_100


def test_the_only_quote_is_believed_no_longer_where_a_position_comes_that_paid_something_else() -> None:
    """Seed 706815: an engine began, and a wild print came before its broker had said what is held."""
    desk = desk_with_money()
    price(desk, 9_000)
    stated(desk, "50000", net=2)
    marks = desk.book.risk.marks[Environment.PAPER]
    assert not marks
    price(desk, 20_030)
    assert marks[ES].bid == 20_030


def test_the_only_quote_is_believed_where_a_position_comes_that_paid_the_like() -> None:
    desk = desk_with_money()
    price(desk, 20_030)
    stated(desk, "50000", net=2)
    assert desk.book.risk.marks[Environment.PAPER][ES].bid == 20_030


def test_a_quote_with_a_second_one_beside_it_is_believed_whatever_was_paid() -> None:
    desk = desk_with_money()
    price(desk, 9_000)
    price(desk, 30_000)
    price(desk, 30_010)
    stated(desk, "50000", net=2)
    assert desk.book.risk.marks[Environment.PAPER][ES].bid == 30_010


def test_a_doubt_about_the_only_quote_confirms_neither() -> None:
    desk = desk_with_money()
    price(desk, 9_000)
    price(desk, 20_010)
    stated(desk, "50000", net=2)
    assert not desk.book.risk.marks[Environment.PAPER]


def test_a_first_quote_that_was_believed_stays_so_whatever_another_account_has_paid() -> None:
    desk = desk_with_money()
    stated(desk, "50000", net=2)
    price(desk, 20_030)
    desk.fill(desk.trade(Side.SELL, 1), price=24_000)  # the leader, by hand
    assert desk.book.risk.marks[Environment.PAPER][ES].bid == 20_030


def test_a_position_that_no_fill_of_ours_has_brought_is_no_money_of_ours_yet() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    desk.step(PositionReported(account=MINE, symbol=ES, net=1, price=Decimal(5000), at=desk.at()))
    desk.wait(3)
    assert not desk.book.risk.ledgers[MINE].stakes


def test_a_snapshot_brings_the_word_of_the_risk_desk() -> None:
    desk = desk_with_money()
    said = LimitsReported(
        account=MINE, state=TradingState.HALTED, because="LockTradingImmediately", at=desk.at()
    )
    account = AccountSnapshot(account=MINE, orders=(), fills=(), positions=(), balance=None, limits=said)
    connection = desk.plan.accounts[MINE].connection
    desk.step(SnapshotTaken(connection=connection, accounts=(account,), at=desk.at()))
    desk.market(Side.BUY, 1)
    assert desk.reasons() == ["broker_lock"]


def test_the_word_of_the_risk_desk_is_news_once() -> None:
    desk = desk_with_money()
    said = LimitsReported(account=MINE, daily_loss=Decimal(500), at=Nanos(1))
    assert fold(desk.book, said) is True
    assert fold(desk.book, replace(said, at=Nanos(2))) is False
    assert fold(desk.book, replace(said, daily_loss=Decimal(400), at=Nanos(3))) is True


def test_sizes_by_balance_keep_the_days_first_figures_and_begin_anew_with_the_next_day() -> None:
    desk = Desk(plan_of(group_of(follower(MINE, sizing=SizingMode.BALANCE))))
    desk.connect()
    desk.wait(1)
    desk.balance(LEADER, Decimal(50_000))
    desk.balance(MINE, Decimal(100_000))
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.balance(MINE, Decimal(150_000))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 4
    desk.step(TimePassed(at=desk.book.sizing_until))
    desk.now = desk.book.risk.clock
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 7


def test_what_was_wished_behind_a_lock_goes_with_the_second_in_which_that_ends() -> None:
    desk = desk_with_money()
    stated(desk, "50000")
    order = desk.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_000)
    desk.settle()
    desk.change(order, qty=2)
    desk.reject(desk.outbox.pop(), "AnotherCommandPending")
    until = Nanos(desk.now + 60 * SECOND)
    why = RefusalReason.LOCKED_OUT
    desk.step(AccountLocked(account=MINE, reason=why, detail="by hand", until=until, at=desk.at()))
    desk.wait(50)
    assert not desk.outbox
    desk.wait(10)
    assert [command.spec.qty for command in desk.outbox if isinstance(command, ChangeOrder)] == [2]
