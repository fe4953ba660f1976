"""The watchdog: copied positions have their stop, at once and for exactly what is held (RISK-06, I14)."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from risk.core.rules import Naked, Offset, Protection, Rules, Unit
from syncgroups.core.decision import RemarkKind
from syncgroups.core.guards import GuardLeg, is_guard
from syncgroups.core.keys import manual_group
from syncgroups.core.protect import price_of
from syncgroups.tests.answers import BrokerOrder
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import (
    ClosePosition,
    PlaceOrder,
    Unresolved,
)
from tradehaven.domain.enums import OrderStatus, OrderType, Side, TradingState
from tradehaven.domain.events import OrdersListed
from tradehaven.domain.ids import AccountId, Symbol

MINE = AccountId(2)
NQ = Symbol("NQZ6")
MANUAL = manual_group(7)
STOP = Protection(stop=Offset(value=Decimal(40)))


def desk_with(protection: Protection | None = STOP, **settings: Any) -> Desk:
    """Return a desk whose follower has to be protected, connected and with money."""
    plan = plan_of(group_of(follower(MINE, **settings)))
    mine = replace(plan.accounts[MINE], rules=Rules(protection=protection))
    desk = Desk(replace(plan, accounts={**plan.accounts, MINE: mine}))
    desk.connect()
    desk.balance(MINE, Decimal(50_000))
    return desk


def guards(desk: Desk) -> list[BrokerOrder]:
    """Return the guards that work at the broker."""
    found = [order for order in desk.orders.values() if is_guard(order.client_order_id)]
    return [order for order in found if order.status is OrderStatus.WORKING]


def remarks(desk: Desk) -> list[RemarkKind]:
    return [remark.kind for decision in desk.decisions for remark in decision.remarks]


def test_a_naked_entry_gets_its_stop_with_the_very_fill() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 2)
    desk.settle()
    (guard,) = guards(desk)
    assert (guard.side, guard.spec.qty, guard.spec.order_type) == (Side.SELL, 2, OrderType.STOP)
    assert guard.spec.stop == 20_000 - 40
    assert RemarkKind.PROTECTED in remarks(desk)


def test_a_short_gets_its_stop_above_and_a_target_below() -> None:
    desk = desk_with(replace(STOP, target=Offset(value=Decimal(80))))
    desk.market(Side.SELL, 1)
    desk.settle()
    stop, target = sorted(guards(desk), key=lambda order: order.spec.order_type, reverse=True)
    assert (stop.side, stop.spec.stop) == (Side.BUY, 20_040)
    assert (target.side, target.spec.limit) == (Side.BUY, 19_920)


def test_the_leaders_own_stop_takes_the_place_of_ours() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 2)
    desk.settle()
    desk.trade(Side.SELL, 2, OrderType.STOP, stop=19_900)
    desk.settle()
    assert not guards(desk)
    mine = [order for order in desk.orders.values() if order.account == MINE]
    working = [order for order in mine if order.status is OrderStatus.WORKING]
    assert [(order.spec.stop, order.spec.qty) for order in working] == [(19_900, 2)]


def test_when_the_leader_takes_his_stop_away_ours_comes_back() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 2)
    stop = desk.trade(Side.SELL, 2, OrderType.STOP, stop=19_900)
    desk.settle()
    assert not guards(desk)
    desk.cancel(stop)
    desk.settle()
    assert [order.spec.qty for order in guards(desk)] == [2]


def test_ours_stands_for_what_the_leaders_stop_leaves_bare() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 3)
    desk.settle()
    desk.trade(Side.SELL, 1, OrderType.STOP, stop=19_900)
    desk.settle()
    assert [order.spec.qty for order in guards(desk)] == [2]


def test_a_second_entry_makes_the_stop_larger_and_an_exit_makes_it_smaller() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.market(Side.BUY, 2)
    desk.settle()
    assert [order.spec.qty for order in guards(desk)] == [3]
    desk.market(Side.SELL, 1)
    desk.settle()
    assert [order.spec.qty for order in guards(desk)] == [2]


def test_when_the_leader_is_out_the_stop_goes() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.market(Side.SELL, 1)
    desk.settle()
    assert not guards(desk)
    assert not desk.positions[MINE, ES]


def test_a_stop_that_fills_leaves_nothing_to_copy_and_nobody_enters_again() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.fill(guards(desk)[0].order_id, price=19_960)
    desk.settle()
    for _ in range(20):
        desk.wait(1)
        desk.settle()
    assert desk.positions[MINE, ES] == 0
    desk.market(Side.SELL, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_a_stop_and_the_leaders_exit_that_both_fill_leave_no_opposite_position() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    guard = guards(desk)[0]
    desk.market(Side.SELL, 1)  # the exit is on its way while the stop trades
    desk.fill(guard.order_id, price=19_960, seen=False)
    desk.settle()
    desk.step(desk.fills[-2]) if desk.fills[-2].order_id == guard.order_id else None
    for fill in desk.fills:
        desk.step(fill)
    for _ in range(3):
        desk.wait(1)
        desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_a_stop_that_has_filled_and_ended_before_the_leaders_exit_fills_leaves_no_opposite_position() -> None:
    desk = guarded_exit(1)
    assert [type(command) for command in desk.outbox] == [PlaceOrder]  # the exit, sent before
    desk.deliver(desk.outbox.pop())
    assert desk.positions[MINE, ES] == -1
    assert [type(command) for command in desk.outbox] == [ClosePosition]
    desk.settle()
    desk.wait(1)
    desk.settle()
    assert (desk.positions[MINE, ES], guards(desk)) == (0, [])
    assert desk.book.copied[GROUP, MINE, ES, ES] == 0


def guarded_exit(qty: int, exits: int = 1, *, beside: Symbol | None = None) -> Desk:
    """Return a desk on which a guard has filled while an exit of the leader's was on its way."""
    desk = desk_with()
    if beside is not None:
        desk.market(Side.SELL, 1, symbol=beside)
        desk.settle()
    desk.market(Side.BUY, qty)
    desk.settle()
    guard = next(order for order in guards(desk) if order.symbol == ES)
    desk.market(Side.SELL, exits)
    desk.fill(guard.order_id, price=19_960)
    return desk


def test_a_close_of_what_was_closed_twice_is_told_again_when_it_was_lost() -> None:
    desk = guarded_exit(1)
    desk.deliver(desk.outbox.pop())
    desk.outbox.clear()
    for _ in range(4):
        desk.wait(1)
    desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_what_is_held_in_another_contract_keeps_nothing_from_being_closed_as_too_much() -> None:
    desk = guarded_exit(1, beside=NQ)
    desk.deliver(desk.outbox.pop())
    assert [command.symbol for command in desk.outbox if isinstance(command, ClosePosition)] == [ES]


def test_a_manual_copy_that_is_over_keeps_nothing_from_being_closed_as_too_much() -> None:
    desk = guarded_exit(1)
    desk.book.hold((MANUAL, MINE, ES, ES), 0)
    desk.deliver(desk.outbox.pop())
    assert [type(command) for command in desk.outbox] == [ClosePosition]


def test_what_a_person_sells_by_hand_behind_a_stop_that_has_filled_is_meant() -> None:
    desk = guarded_exit(1)
    desk.outbox.clear()  # the leader's exit never arrives
    desk.book.hold((MANUAL, MINE, ES, ES), -1)
    desk.market(Side.SELL, 1, account=MINE)
    desk.wait(1)
    assert not [command for command in desk.outbox if isinstance(command, ClosePosition)]


def test_a_part_that_was_sold_twice_is_bought_back_though_the_leader_still_holds() -> None:
    desk = guarded_exit(3, exits=1)
    desk.settle()
    assert (desk.positions[LEADER, ES], desk.positions[MINE, ES]) == (2, 0)


def test_a_leader_that_turns_round_behind_a_guard_takes_its_follower_along() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 2)
    desk.settle()
    (guard,) = guards(desk)
    desk.fill(guard.order_id, price=19_960)
    desk.settle()
    desk.market(Side.SELL, 3)
    desk.settle()
    assert (desk.positions[MINE, ES], [order.spec.qty for order in guards(desk)]) == (-1, [1])


def test_a_stop_that_is_turned_down_closes_the_position_within_a_second() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    while not isinstance(desk.outbox[0], PlaceOrder) or not is_guard(desk.outbox[0].client_order_id):
        desk.deliver(desk.outbox.pop(0))
    desk.reject(desk.outbox.pop(0), "InvalidPrice")
    assert [type(command) for command in desk.outbox] == [ClosePosition], "and no second stop"
    desk.settle()
    assert desk.positions[MINE, ES] == 0
    assert RemarkKind.NAKED in remarks(desk)


def test_a_target_that_is_turned_down_is_tried_three_times_and_closes_nothing() -> None:
    desk = desk_with(Protection(target=Offset(value=Decimal(10))))
    desk.market(Side.BUY, 1)
    tries = 0
    for _ in range(8):
        while desk.outbox:
            command = desk.outbox.pop(0)
            if is_guard(command.client_order_id):
                tries += 1
                desk.reject(command, "no")
            else:
                desk.deliver(command)
        desk.wait(1)
    assert tries == 3
    assert desk.positions[MINE, ES] == 1


def test_where_flattening_was_chosen_a_naked_position_is_closed_after_a_second() -> None:
    desk = desk_with(replace(STOP, naked=Naked.FLATTEN))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert not guards(desk)
    desk.wait(0.5)
    assert not desk.outbox
    desk.wait(1)
    desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_where_saying_was_chosen_it_is_said_once() -> None:
    desk = desk_with(replace(STOP, naked=Naked.ALERT))
    desk.market(Side.BUY, 1)
    desk.settle()
    for _ in range(5):
        desk.wait(1)
        desk.settle()
    assert remarks(desk).count(RemarkKind.NAKED) == 1
    assert desk.positions[MINE, ES] == 1
    desk.trade(Side.SELL, 1, OrderType.STOP, stop=19_900)
    desk.settle()
    desk.wait(1)
    assert not desk.book.risk.naked


def test_behind_a_shut_gate_nothing_is_placed() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    entry = desk.outbox.pop(0)
    desk.shut(desk.plan.accounts[MINE].gates[0], state=TradingState.HALTED)
    desk.deliver(entry)
    desk.settle()
    assert not guards(desk)


def test_a_restart_knows_its_guards_from_the_brokers_list_alone() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 2)
    desk.settle()
    again = Desk(desk.plan, orders=desk.orders, fills=desk.fills, positions=desk.positions, now=desk.now)
    again.book.copies.update(desk.book.copies)
    for copy in desk.book.copies.values():
        again.book.keep(copy.changed(filled=0))
    again.connect()
    again.settle()
    assert len(guards(again)) == 1
    assert [guard.leg for guard in again.book.risk.guards_of(MINE)] == [GuardLeg.STOP]


def test_a_guard_of_which_nothing_is_heard_is_placed_again_only_after_the_broker_does_not_list_it() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    while not is_guard(desk.outbox[0].client_order_id):
        desk.deliver(desk.outbox.pop(0))
    lost = desk.outbox.pop(0)
    desk.step(Unresolved(account=MINE, client_order_id=lost.client_order_id, text="no answer", at=desk.at()))
    desk.wait(2)
    assert not desk.outbox
    desk.wait(5)
    connection = desk.plan.accounts[MINE].connection
    names = frozenset(order.client_order_id for order in desk.orders.values() if order.client_order_id)
    desk.step(OrdersListed(connection=connection, accounts=(MINE,), client_order_ids=names, at=desk.at()))
    desk.settle()
    assert [order.spec.qty for order in guards(desk)] == [1]


def test_without_a_rule_nothing_is_placed() -> None:
    desk = desk_with(None)
    desk.market(Side.BUY, 1)
    desk.settle()
    assert not guards(desk)


def test_a_leaders_own_account_is_left_alone() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    assert not [order for order in guards(desk) if order.account == LEADER]


@pytest.mark.parametrize(
    ("side", "leg", "offset", "price"),
    [
        (Side.BUY, GuardLeg.STOP, Offset(value=Decimal(10)), 19_991),
        (Side.BUY, GuardLeg.TARGET, Offset(value=Decimal(10)), 20_011),
        (Side.SELL, GuardLeg.STOP, Offset(value=Decimal(10)), 20_010),
        (Side.SELL, GuardLeg.TARGET, Offset(value=Decimal(10)), 19_990),
        (Side.BUY, GuardLeg.STOP, Offset(value=Decimal(1), unit=Unit.PERCENT), 19_801),
        (Side.BUY, GuardLeg.STOP, Offset(value=Decimal(2), unit=Unit.PERCENT), 19_601),
        (Side.BUY, GuardLeg.STOP, Offset(value=Decimal(100), unit=Unit.USD), 19_993),
    ],
)
def test_distances_are_ticks_percent_or_dollars_and_rounded_to_less_risk(
    side: Side, leg: GuardLeg, offset: Offset, price: int
) -> None:
    assert price_of(Fraction(40_001, 2), side, leg, offset, ES) == price


def test_one_percent_of_a_price_below_zero_is_a_distance_too() -> None:
    one = Offset(value=Decimal(1), unit=Unit.PERCENT)
    assert price_of(Fraction(-1000), Side.BUY, GuardLeg.STOP, one, ES) == -1010
    assert price_of(Fraction(-1000), Side.SELL, GuardLeg.STOP, one, ES) == -990


def test_a_guard_that_the_broker_turns_down_later_counts_as_refused() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    guard = guards(desk)[0]
    desk._end(guard, OrderStatus.REJECTED, seen=True)
    desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_a_snapshot_states_guards_anew() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.lose(MINE)
    desk.connect(MINE)
    desk.settle()
    assert len(desk.book.risk.guards_of(MINE)) == len(guards(desk)) == 1


def test_without_a_known_average_nothing_is_placed_and_it_is_said() -> None:
    desk = desk_with()
    desk.book.risk.give_up(MINE)
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.wait(2)
    assert not guards(desk)
    assert RemarkKind.NAKED in remarks(desk)
