"""What counts as one of today's trades: an order that opens something, once, when it is decided."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from risk.core.rules import Rules
from syncgroups.tests import desk as plain
from syncgroups.tests.drifting import Desk
from syncgroups.tests.plans import ES, follower, group_of, plan_of
from syncgroups.tests.test_guarded import reasons
from syncgroups.tests.test_guardrails import MINE, OTHER, desk_with, entered, price, until, with_rules
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import Ask, OrderType, RefusalReason, Side
from tradehaven.domain.ids import Symbol

NQ = Symbol("NQZ6")
TWO_A_DAY = Rules(trades_a_day=2)


def trades(desk: plain.Desk) -> int:
    return desk.book.risk.standings[MINE].day.trades


def test_the_third_entry_of_a_day_is_refused_and_the_next_day_has_two_again() -> None:
    desk = desk_with(TWO_A_DAY)
    entered(desk)
    entered(desk)
    entered(desk)
    assert reasons(desk) == [RefusalReason.MAX_TRADES]
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (2, 3)
    until(desk, datetime(2026, 11, 18, 17, 0, tzinfo=CHICAGO))
    desk.wait(1)
    entered(desk)
    assert desk.positions[MINE, ES] == 3


def test_exits_and_changes_count_for_nothing() -> None:
    desk = desk_with(TWO_A_DAY)
    order = desk.trade(Side.BUY, 2, OrderType.LIMIT, limit=19_000)
    desk.settle()
    desk.change(order, limit=19_010)
    desk.settle()
    assert trades(desk) == 1
    desk.fill(order)
    for copy in desk.resting(MINE):
        desk.fill(copy.order_id)
    desk.market(Side.SELL, 1)
    desk.settle()
    assert trades(desk) == 1
    desk.cancel(desk.trade(Side.SELL, 1, OrderType.LIMIT, limit=21_000))
    desk.settle()
    assert trades(desk) == 1


def test_an_entry_is_remembered_as_it_was_asked() -> None:
    desk = desk_with(replace(TWO_A_DAY, trades_a_day=5))
    price(desk, 19_999)
    desk.market(Side.SELL, 3)
    (entry,) = desk.book.risk.standings[MINE].day.entries
    assert (entry.symbol, entry.side, entry.qty) == (ES, Side.SELL, 3)
    desk.settle()
    desk.market(Side.BUY, 5)  # closes three and opens two
    desk.settle()
    assert [known.qty for known in desk.book.risk.standings[MINE].day.entries] == [3, 2]


def test_two_entries_that_a_click_catches_up_in_one_second_are_two_trades() -> None:
    desk = Desk(with_rules(plan_of(group_of(follower(MINE))), {MINE: TWO_A_DAY}))
    desk.connect()
    desk.balance(MINE, Decimal(50_000))
    desk.lose(MINE)
    for symbol in (ES, NQ):
        desk.market(Side.BUY, 1, symbol=symbol)
    desk.connect(MINE)
    for _ in range(8):
        desk.wait(1)
    for key in sorted(desk.book.differences):
        desk.ask(Ask.REPAIR, key.name)
    desk.wait(1)
    assert [command.symbol for command in desk.outbox if isinstance(command, PlaceOrder)] == [ES, NQ]
    assert trades(desk) == 2


def test_an_account_whose_rules_were_taken_away_is_counted_no_more() -> None:
    desk = desk_with(TWO_A_DAY)
    entered(desk)
    desk.plan = with_rules(desk.plan, {MINE: Rules(), OTHER: TWO_A_DAY})
    entered(desk)
    assert trades(desk) == 1
    assert desk.positions[MINE, ES] == 2


def test_an_account_without_rules_has_no_standing_however_it_trades() -> None:
    desk = desk_with(TWO_A_DAY)
    entered(desk)
    desk.wait(1)
    assert set(desk.book.risk.standings) == {MINE}
