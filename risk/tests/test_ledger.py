"""Money from cash, fills and positions: exact, whatever order the broker tells it in."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core import ledger as ledgers
from risk.core.ledger import Ledger, balanced, filled, money_of, opened, positioned
from risk.tests.statements import EMPTY, ES, ME, MES, SECOND, after, cash, fill, mark, position
from tradehaven.domain.events import AccountSnapshot
from tradehaven.domain.ids import Nanos, Symbol

FEE = Decimal("2.50")


def settled(known: Ledger, now: Nanos, nets: dict[Symbol, int] | None = None) -> Ledger:
    """Settle a ledger; without nets fills and reports agree on each position."""
    agreed = {stated.symbol: stated.net for stated in known.unsettled.positions.values()}
    return ledgers.settled(known, now, agreed if nets is None else nets)


def test_a_long_is_worth_what_the_bid_pays_less_its_closing_fee_and_its_peak_what_the_ask_shows() -> None:
    money = money_of(after(EMPTY, fill(2, 20_000)), {ES: mark(20_004, 20_005, 20_006)}, FEE)
    assert money is not None
    assert money.balance == Decimal("49995.00")  # two opening fees that the cash does not have yet
    assert money.low == Decimal(4 * 2) * Decimal("12.50") - 5
    assert money.high == Decimal(6 * 2) * Decimal("12.50")
    assert money.equity == money.balance + money.low
    assert (money.contracts, money.tick) == (2, Decimal(25))


def test_a_short_is_worth_what_the_ask_costs() -> None:
    money = money_of(after(EMPTY, fill(-1, 20_000)), {ES: mark(20_004, 20_005)}, Decimal(0))
    assert money is not None
    assert (money.low, money.high) == (Decimal("-62.50"), Decimal("-50.00"))


def test_without_a_price_an_open_position_is_worth_nobody_knows_what() -> None:
    assert money_of(after(EMPTY, fill(1, 20_000)), {MES: mark(1, 2)}, FEE) is None


def test_a_trade_ends_when_it_is_flat_with_what_it_made() -> None:
    ledger, first = filled(EMPTY, fill(2, 100))
    ledger, second = filled(ledger, fill(-1, 104))
    ledger, third = filled(ledger, fill(-1, 90))
    assert (first, second) == (None, None)
    assert third == Decimal("-75.00")
    assert not ledger.stakes


def test_a_flip_ends_one_trade_and_begins_another() -> None:
    ledger, _ = filled(EMPTY, fill(1, 100))
    ledger, closed = filled(ledger, fill(-3, 110))
    assert closed == Decimal("125.00")
    assert ledger.stakes[ES].position.net == -2
    assert ledger.stakes[ES].result == 0


def test_the_brokers_cash_is_taken_once_no_fill_is_near_it() -> None:
    ledger = after(EMPTY, fill(1, 100, at=10), fill(-1, 104, at=10))
    said = balanced(ledger, cash("50045.00", "50.00", at=10.2))
    assert settled(said, Nanos(int(10.9 * SECOND))) is said
    calm = settled(said, Nanos(int(11.3 * SECOND)))
    assert (calm.cash, calm.realized, calm.unbilled) == (Decimal("50045.00"), Decimal(0), 0)
    assert calm.flows == 0  # what is missing are the fees


def test_a_cash_figure_older_than_the_last_fill_is_never_taken() -> None:
    said = balanced(EMPTY, cash("50000", at=1))
    ledger = after(said, fill(1, 100, at=10), fill(-1, 90, at=10))
    assert settled(ledger, Nanos(60 * SECOND)).balance(Decimal(0)) == Decimal("49875.00")


def test_cash_that_arrives_before_its_fill_is_not_counted_twice() -> None:
    opened_ = settled(after(EMPTY, fill(1, 100, at=1)), Nanos(3 * SECOND))
    early = balanced(opened_, cash("50050.00", "50.00", at=9.9))
    both = after(early, fill(-1, 104, at=10))
    assert both.balance(Decimal(0)) == Decimal("50050.00")
    assert settled(both, Nanos(12 * SECOND)).balance(Decimal(0)) == Decimal("50050.00")


def test_money_paid_in_or_out_is_a_flow_and_no_profit() -> None:
    paid = settled(balanced(EMPTY, cash("48500", at=5)), Nanos(7 * SECOND))
    assert (paid.cash, paid.flows) == (Decimal(48_500), Decimal(-1500))
    refunded = settled(balanced(EMPTY, cash("51500", at=5)), Nanos(7 * SECOND))
    assert refunded.flows == Decimal(1500)


@pytest.mark.parametrize("mixed", [False, True])
def test_of_two_figures_that_overtook_each_other_the_one_that_has_the_fills_counts(mixed: bool) -> None:
    old, new = cash("49997", "0", at=9.9), cash("50047", "50", at=9.95)
    ledger = after(EMPTY, fill(1, 100, at=5))
    for said in (new, replace(old, at=new.at)) if mixed else (old, new):
        ledger = balanced(ledger, said)
    calm = settled(after(ledger, fill(-1, 104, at=10)), Nanos(12 * SECOND))
    assert (calm.cash, calm.profit) == (Decimal(50_047), Decimal(50))


def test_of_figures_that_the_fills_do_not_bear_out_the_last_counts() -> None:
    ledger = balanced(balanced(EMPTY, cash("50300", "300", at=5)), cash("50100", "100", at=5.05))
    assert settled(ledger, Nanos(7 * SECOND)).cash == 50_100


def test_a_figure_of_long_before_is_no_other_word_on_the_same_fills() -> None:
    ledger = balanced(balanced(EMPTY, cash("50000", "0", at=5)), cash("50100", "100", at=5.1))
    assert settled(ledger, Nanos(8 * SECOND)).cash == 50_100


def test_a_position_that_nothing_else_bears_out_waits_until_it_is_settled() -> None:
    ledger = positioned(EMPTY, position(-4, "25.00", at=5))
    old = settled(ledger, Nanos(60 * SECOND), {ES: 0})
    assert not old.stakes
    assert settled(old, Nanos(61 * SECOND), {ES: -4}).stakes[ES].position.net == -4
    assert not settled(old, Nanos(61 * SECOND), {}).stakes


def test_cash_says_nothing_while_a_fill_is_near_though_it_is_old_enough_itself() -> None:
    said = balanced(after(EMPTY, fill(1, 100, at=10)), cash("50000", at=9.5))
    assert settled(said, Nanos(int(10.6 * SECOND))) is said


@pytest.mark.parametrize(("at", "taken"), [(9.0, True), (8.999_999, False)])
def test_cash_of_a_second_before_a_fill_may_have_it_and_an_older_one_has_not(at: float, taken: bool) -> None:
    said = balanced(after(EMPTY, fill(1, 100, at=10)), cash("49995", at=at))
    assert (settled(said, Nanos(12 * SECOND)).cash == 49_995) is taken


def test_a_position_that_nobody_traded_here_is_taken_after_a_second() -> None:
    calm = settled(positioned(EMPTY, position(1, "25.00", at=5)), Nanos(7 * SECOND))
    assert (calm.stakes[ES].position.net, calm.stakes[ES].cost) == (1, 100)


def test_a_position_that_no_fill_has_brought_waits_for_one() -> None:
    assert not settled(positioned(EMPTY, position(1, "25.00", at=5)), Nanos(7 * SECOND), {}).stakes


@pytest.mark.parametrize("side", [1, -1])
def test_what_was_paid_for_a_contract_is_told_to_the_nearest_tick(side: int) -> None:
    assert after(EMPTY, fill(side, 100), fill(2 * side, 101)).stakes[ES].price == 101


def test_a_position_that_the_broker_states_as_flat_is_none_whatever_its_price() -> None:
    ledger = positioned(after(EMPTY, fill(1, 100, at=1)), position(0, "25.00", at=5))
    assert not settled(ledger, Nanos(7 * SECOND)).stakes


def test_what_is_paid_is_told_from_what_was_won_on_the_same_day() -> None:
    won = settled(balanced(EMPTY, cash("50300", "300", at=5)), Nanos(7 * SECOND))
    paid = settled(balanced(won, cash("49300", "300", at=9)), Nanos(11 * SECOND))
    assert (won.flows, paid.flows) == (Decimal(0), Decimal(-1000))
    again = settled(balanced(paid, cash("49400", "400", at=13)), Nanos(15 * SECOND))
    assert again.flows == Decimal(-1000)
    both = settled(balanced(again, cash("49700", "500", at=17)), Nanos(19 * SECOND))
    assert both.flows == Decimal(-800)


@pytest.mark.parametrize(
    ("amount", "realized", "flows"),
    [
        ("50010", "0", "0"),  # an execution was taken back, and its fees
        ("50400", "0", "0"),  # another day has begun
        ("49400", "0", "-1000"),  # it has, with a payment
        ("50800", "0", "400"),  # the same, paid in
        ("49600", "0", "0"),  # so much may be fees
        ("49599", "0", "-801"),  # so much is none
        ("49190", "-800", "0"),  # a loss of which no fill is known
        ("49180", "-800", "0"),  # the same with fees
        ("48300", "-100", "-1600"),  # a loss beside a payment
    ],
)
def test_what_was_lost_or_taken_back_is_no_payment(amount: str, realized: str, flows: str) -> None:
    won = settled(balanced(EMPTY, cash("50400", "400", at=5)), Nanos(7 * SECOND))
    later = settled(balanced(won, cash(amount, realized, at=9)), Nanos(11 * SECOND))
    assert later.flows - won.flows == Decimal(flows)


def test_a_profit_of_fills_that_nobody_told_of_is_no_flow() -> None:
    missed = settled(balanced(EMPTY, cash("50500", "500", at=5)), Nanos(7 * SECOND))
    assert (missed.cash, missed.flows) == (Decimal(50_500), Decimal(0))


def test_the_fee_of_an_entry_is_no_flow() -> None:
    ledger = balanced(after(EMPTY, fill(1, 100, at=5)), cash("49997.50", at=5.1))
    assert settled(ledger, Nanos(7 * SECOND)).flows == 0


def test_of_two_figures_that_the_fills_bear_out_the_last_counts() -> None:
    ledger = balanced(balanced(EMPTY, cash("50000", at=5)), cash("49000", at=5.05))
    assert settled(ledger, Nanos(7 * SECOND)).cash == 49_000


def test_a_fee_that_is_charged_late_is_no_flow() -> None:
    charged = settled(balanced(EMPTY, cash("50000", at=5)), Nanos(7 * SECOND))
    assert charged.flows == 0


def test_a_position_that_the_broker_states_otherwise_is_taken_after_a_second() -> None:
    ledger = positioned(after(EMPTY, fill(1, 100, at=1)), position(3, "25.50", at=5))
    assert settled(ledger, Nanos(int(5.5 * SECOND))).stakes[ES].position.net == 1
    calm = settled(ledger, Nanos(7 * SECOND))
    assert calm.stakes[ES].position.net == 3
    assert calm.stakes[ES].cost == 3 * 102
    assert not calm.unsettled.positions


def test_a_position_that_its_fill_catches_up_with_changes_nothing() -> None:
    ledger = positioned(EMPTY, position(1, "26.00", at=5))
    caught = settled(after(ledger, fill(1, 100, at=5.1)), Nanos(8 * SECOND))
    assert caught.stakes[ES].position.net == 1
    assert caught.stakes[ES].cost == 100
    assert not caught.unsettled.positions
    agreed = positioned(caught, position(1, "25.00", at=9))
    assert agreed is caught


def test_a_position_that_the_broker_says_is_gone_is_gone() -> None:
    ledger = positioned(after(EMPTY, fill(1, 100, at=1)), position(0, None, at=5))
    assert not settled(ledger, Nanos(7 * SECOND)).stakes


def test_a_snapshot_opens_the_ledger_with_what_is_held() -> None:
    stated = AccountSnapshot(
        account=ME, orders=(), fills=(), positions=(position(2, "25.125"),), balance=cash("50000", "120")
    )
    ledger = opened(stated)
    assert ledger is not None
    assert ledger.profit == Decimal(120)
    assert ledger.stakes[ES].cost == 201
    assert opened(AccountSnapshot(account=ME, orders=(), fills=(), positions=(), balance=None)) is None


@given(
    trades=st.lists(
        st.tuples(st.integers(-5, 5).filter(bool), st.integers(1, 400), st.sampled_from([ES, MES])),
        max_size=30,
    ),
    at=st.tuples(st.integers(1, 400), st.integers(1, 400)),
)
def test_closed_and_open_money_together_are_what_the_fills_paid(trades: Any, at: tuple[int, int]) -> None:
    ledger = after(EMPTY, *(fill(qty, price, symbol=symbol) for qty, price, symbol in trades))
    prices = dict(zip((ES, MES), at, strict=True))
    value = {ES: Decimal("12.50"), MES: Decimal("1.25")}
    money = money_of(ledger, {symbol: mark(price, price) for symbol, price in prices.items()}, Decimal(0))
    assert money is not None
    paid = sum((value[s] * qty * (prices[s] - price) for qty, price, s in trades), Decimal(0))
    assert money.equity - EMPTY.cash == paid
    assert money.low == money.high


def test_a_short_counts_its_contracts_and_ticks_as_a_long_does() -> None:
    money = money_of(after(EMPTY, fill(-3, 100)), {ES: mark(100, 100)}, FEE)
    assert money is not None
    assert (money.contracts, money.tick) == (3, Decimal("37.50"))


def test_what_a_snapshot_states_without_contracts_or_price_is_not_held() -> None:
    for stated in (position(0, "25.00"), position(2, None)):
        found = opened(
            AccountSnapshot(account=ME, orders=(), fills=(), positions=(stated,), balance=cash("50000"))
        )
        assert found is not None
        assert not found.stakes


def test_the_brokers_figures_count_from_exactly_a_second_after_the_last_fill() -> None:
    said = balanced(after(EMPTY, fill(1, 100, at=10)), cash("49990.00", "7", at=10))
    assert settled(said, Nanos(11 * SECOND - 1)) is said
    calm = settled(said, Nanos(11 * SECOND))
    assert (calm.cash, calm.profit, calm.unsettled.cash) == (Decimal(49_990), Decimal(7), ())
    stated = positioned(after(EMPTY, fill(1, 100, at=1)), position(3, "25.50", at=5))
    assert settled(stated, Nanos(6 * SECOND - 1)).stakes[ES].position.net == 1
    assert settled(stated, Nanos(6 * SECOND)).stakes[ES].position.net == 3
    fresh = balanced(EMPTY, cash("49990.00", at=5))
    assert settled(fresh, Nanos(6 * SECOND - 1)).cash == Decimal(50_000)
    assert settled(fresh, Nanos(6 * SECOND)).cash == Decimal(49_990)


def test_a_position_that_is_stated_anew_keeps_what_its_trade_has_made() -> None:
    ledger = after(EMPTY, fill(2, 100, at=1), fill(-1, 104, at=1))
    calm = settled(positioned(ledger, position(5, "25.50", at=5)), Nanos(9 * SECOND))
    assert (calm.stakes[ES].position.net, calm.stakes[ES].result) == (5, Decimal(50))
    unknown = settled(positioned(EMPTY, position(5, "25.50", at=5)), Nanos(9 * SECOND))
    assert unknown.stakes[ES].result == 0
    blank = settled(positioned(EMPTY, position(5, None, at=5)), Nanos(9 * SECOND))
    assert not blank.stakes


def test_a_broker_that_takes_back_what_it_said_of_a_position_is_heard() -> None:
    ledger = positioned(after(EMPTY, fill(1, 100, at=1)), position(3, "25.50", at=5))
    back = positioned(ledger, position(1, "25.00", at=6))
    assert back.unsettled.positions[ES].net == 1
    calm = settled(back, Nanos(9 * SECOND))
    assert (calm.stakes[ES].position.net, calm.stakes[ES].cost) == (1, 100)
    assert not calm.unsettled.positions
