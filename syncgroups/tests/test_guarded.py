"""What the book says about an order before its rules: everything at stake, also beside it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from risk.core.rules import Caps, DayLimit, Offset, Protection, Rules
from syncgroups.core.decision import CopyRefused
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, gate_of, group_of, plan_of
from syncgroups.tests.test_guardrails import price, with_rules
from tradehaven.domain.commands import ClosePosition
from tradehaven.domain.enums import OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.events import AccountLocked
from tradehaven.domain.ids import AccountId, Nanos, Symbol

MINE, OTHER = AccountId(2), AccountId(3)
MES, NQ = Symbol("MESZ6"), Symbol("NQZ6")


def desk_with(rules: Rules, **settings: Any) -> Desk:
    """Return a desk whose first follower has rules, with 50,000 USD everywhere and quotes in ES."""
    plan = plan_of(group_of(follower(MINE, **settings), follower(OTHER)))
    desk = Desk(with_rules(plan, {MINE: rules}))
    desk.connect()
    for account in (LEADER, MINE, OTHER):
        desk.balance(account, Decimal(50_000))
    price(desk, 19_999)
    return desk


def refused(desk: Desk) -> list[CopyRefused]:
    return [one for decision in desk.decisions for one in decision.refusals if one.follower == MINE]


def reasons(desk: Desk) -> list[RefusalReason]:
    return [one.reason for one in refused(desk)]


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        (Caps(products={"ES": 2}), RefusalReason.MAX_PRODUCT),
        (Caps(account=4), RefusalReason.MAX_ACCOUNT),
        (Caps(minis=Decimal("3.1")), RefusalReason.MAX_MINIS),
    ],
)
def test_a_cap_counts_what_other_contracts_hold_and_work_by_their_worse_side(
    caps: Caps, reason: RefusalReason
) -> None:
    desk = desk_with(Rules(caps=caps))
    desk.market(Side.BUY, 1, account=MINE, symbol=NQ)
    desk.trade(Side.SELL, 1, OrderType.LIMIT, limit=30_000, account=MINE, symbol=MES)
    desk.market(Side.BUY, 1, account=MINE, symbol=ES)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == []
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [reason]
    assert desk.positions[MINE, ES] == 2


def test_a_contracts_own_cap_counts_also_beside_one_of_the_whole_account() -> None:
    desk = desk_with(Rules(caps=Caps(instrument=2, account=9)))
    desk.market(Side.BUY, 2)
    desk.settle()
    desk.market(Side.BUY, 1)
    assert reasons(desk) == [RefusalReason.MAX_POSITION]
    (one,) = refused(desk)
    assert one.weighed is not None
    assert one.weighed.exposure == 2


@pytest.mark.parametrize("caps", [Caps(account=4), Caps(minis=Decimal(4)), Caps(products={"ES": 4})])
def test_an_order_in_a_contract_that_nobody_knows_is_refused_by_that_name(caps: Caps) -> None:
    desk = desk_with(Rules(caps=caps))
    desk.market(Side.BUY, 1, account=MINE, symbol=NQ)
    desk.market(Side.BUY, 1, symbol=Symbol("XXZ6"))
    assert reasons(desk) == [RefusalReason.UNKNOWN_INSTRUMENT]


def test_a_narrowed_gate_names_itself_to_accounts_without_rules_whatever_they_trade() -> None:
    desk = desk_with(Rules())
    desk.shut(gate_of(MINE), state=TradingState.REDUCING)
    desk.market(Side.BUY, 1)
    assert reasons(desk) == [RefusalReason.REDUCE_ONLY]


def test_a_refusal_keeps_its_figures() -> None:
    desk = desk_with(replace(Rules(caps=Caps(account=1)), daily_loss=DayLimit(amount=Decimal(900))))
    desk.market(Side.BUY, 2)
    (one,) = refused(desk)
    assert one.weighed is not None
    assert (one.weighed.reason, one.weighed.rule_limit, one.weighed.rule_value) == ("max_account", "1", "2")
    assert (one.weighed.equity, one.weighed.profit, one.weighed.floor) == ("50000.00", "0.00", None)


def test_no_entry_against_an_own_account_in_the_same_market_whatever_its_size() -> None:
    desk = desk_with(Rules(opposite=False))
    desk.market(Side.SELL, 1, account=OTHER, symbol=MES)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.OPPOSITE]
    desk.market(Side.BUY, 1, symbol=NQ)
    desk.settle()
    assert desk.positions[MINE, NQ] == 1


def test_an_opposite_order_that_only_works_counts_too_and_exits_pass() -> None:
    desk = desk_with(Rules(opposite=False))
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.trade(Side.SELL, 3, OrderType.LIMIT, limit=30_000, account=OTHER)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.OPPOSITE]
    desk.market(Side.SELL, 2)
    desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_micros_are_not_entered_beside_minis_of_any_own_account() -> None:
    desk = desk_with(Rules(mixing=False))
    desk.market(Side.BUY, 1, account=OTHER, symbol=MES)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.MIXED_SIZES]
    desk.market(Side.SELL, 1, account=OTHER, symbol=MES)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 1


def test_the_worst_case_counts_what_is_held_down_to_its_stops() -> None:
    rules = Rules(
        daily_loss=DayLimit(amount=Decimal(1600)),
        protection=Protection(stop=Offset(value=Decimal(40))),
        fee=Decimal(0),
    )
    desk = desk_with(rules)
    desk.market(Side.BUY, 2)
    desk.settle()
    assert desk.positions[MINE, ES] == 2  # each may lose 500 at its stop
    desk.market(Side.BUY, 2)
    desk.settle()
    assert reasons(desk) == [RefusalReason.WORST_CASE]
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 3


def test_without_prices_of_what_is_held_nothing_opens() -> None:
    desk = desk_with(Rules(daily_loss=DayLimit(amount=Decimal(1000))))
    desk.market(Side.BUY, 1, account=MINE, symbol=NQ)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.STANDING_UNKNOWN]


def test_an_account_whose_cash_nobody_has_said_enters_nothing_by_a_loss_limit() -> None:
    plan = plan_of(group_of(follower(MINE)))
    desk = Desk(with_rules(plan, {MINE: Rules(daily_loss=DayLimit(amount=Decimal(1000)))}))
    desk.connect()
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.STANDING_UNKNOWN]


def test_a_contract_that_nobody_knows_counts_as_one_mini_and_stops_nobody_else() -> None:
    desk = desk_with(Rules(caps=Caps(minis=Decimal(2)), opposite=False, mixing=False))
    desk.market(Side.BUY, 1, account=OTHER, symbol=Symbol("XXZ6"))
    desk.market(Side.BUY, 1, account=MINE, symbol=Symbol("XXZ6"))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == []
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.MAX_MINIS]
    desk.wait(1)


def test_behind_a_lock_a_flip_closes_and_does_not_open() -> None:
    desk = desk_with(Rules())
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.step(
        AccountLocked(
            account=MINE,
            reason=RefusalReason.LOCKED_OUT,
            detail="by hand",
            until=Nanos(desk.now + 3600 * SECOND),
            at=desk.at(),
        )
    )
    desk.market(Side.SELL, 3)
    desk.settle()
    assert (desk.positions[MINE, ES], reasons(desk)) == (0, [RefusalReason.LOCKED_OUT])


def test_the_fill_that_breaks_the_limit_stops_the_very_next_order_and_flattens_once() -> None:
    desk = desk_with(Rules(daily_loss=DayLimit(amount=Decimal(500)), fee=Decimal(0)))
    desk.market(Side.BUY, 1)
    entry = desk.outbox.pop(0)
    desk.deliver(entry, fill_markets=False)
    mine = next(order for order in desk.orders.values() if order.account == MINE)
    desk.fill(mine.order_id, price=20_050)  # 51 ticks above the bid: broken with its own fill (F38)
    desk.trade(Side.BUY, 1)
    assert reasons(desk) == [RefusalReason.DAILY_LOSS]
    closes = [one for one in desk.outbox if isinstance(one, ClosePosition) and one.account == MINE]
    assert len(closes) == 1
    desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_a_cap_below_what_is_held_refuses_entries_and_lets_all_of_it_out() -> None:
    desk = desk_with(Rules())
    desk.market(Side.BUY, 4)
    desk.settle()
    desk.plan = with_rules(desk.plan, {MINE: Rules(caps=Caps(instrument=1))})
    desk.market(Side.BUY, 1)
    desk.settle()
    assert (reasons(desk), desk.positions[MINE, ES]) == ([RefusalReason.MAX_POSITION], 4)
    desk.market(Side.SELL, 5)
    desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_an_exit_goes_without_a_word_where_nobody_knows_what_its_account_is_worth() -> None:
    desk = desk_with(Rules(daily_loss=DayLimit(amount=Decimal(900))))
    desk.market(Side.BUY, 2)
    desk.settle()
    desk.book.risk.give_up(MINE)
    desk.market(Side.BUY, 1)
    assert len(reasons(desk)) == 1, "nothing is opened"
    desk.market(Side.SELL, 3)
    desk.settle()
    assert (desk.held(MINE), len(reasons(desk))) == (0, 1)
