"""Guards while time goes by: what stands is left alone, what moved is followed, what is told waits."""

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.core.rules import NO_RULES, Naked, Offset, Protection, Rules
from syncgroups.core.decision import Decision, RemarkKind
from syncgroups.core.folding import fold
from syncgroups.core.guards import is_guard
from syncgroups.core.protect import looked_at
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, follower, group_of, plan_of
from syncgroups.tests.test_cover import NQ, asked, bare, look
from syncgroups.tests.test_guard_answers import first_guard, no_room
from syncgroups.tests.test_guardrails import with_rules
from syncgroups.tests.test_protect import MINE, STOP, desk_with, guards, remarks
from tradehaven.domain.commands import CancelOrder, ChangeOrder, ClosePosition, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.events import AccountLocked, PositionReported
from tradehaven.domain.ids import AccountId, Nanos, Symbol
from tradehaven.domain.money import Ticks

OTHER = AccountId(3)
TARGET = Protection(target=Offset(value=Decimal(80)))


def guarded(qty: int, rule: Protection = STOP) -> Desk:
    """Return a desk whose follower holds something under a guard that works."""
    desk = desk_with(rule)
    desk.market(Side.BUY if qty > 0 else Side.SELL, abs(qty))
    desk.settle()
    return desk


def look_at(desk: Desk, moment: int) -> Decision:
    """Look at the follower at an instant, to the nanosecond."""
    return looked_at(desk.plan, desk.book, MINE, Nanos(moment))


def sold_by_hand(desk: Desk, qty: int, symbol: Symbol = ES) -> None:
    """Let the group's holding and the position become smaller, as by another hand, without any event."""
    left = desk.book.positions[MINE, symbol] - qty
    desk.book.positions[MINE, symbol] = desk.positions[MINE, symbol] = left
    desk.book.hold((GROUP, MINE, symbol, symbol), left)


@pytest.mark.parametrize("qty", [2, -2])
def test_a_guard_that_stands_for_all_is_left_alone_however_long(qty: int) -> None:
    desk = guarded(qty)
    for _ in range(4):
        desk.wait(1)
    assert not desk.outbox
    assert RemarkKind.NAKED not in remarks(desk)
    assert look(desk) == Decision()


def test_a_rule_of_a_target_alone_misses_no_stop() -> None:
    desk = guarded(1, TARGET)
    desk.fill(guards(desk)[0].order_id)
    desk.settle()
    desk.market(Side.BUY, 1)
    first_guard(desk)
    for _ in range(4):
        desk.wait(1)
    assert RemarkKind.NAKED not in remarks(desk)


def test_where_a_missing_stop_is_only_said_a_target_is_placed_all_the_same() -> None:
    desk = guarded(1, replace(TARGET, stop=STOP.stop, naked=Naked.ALERT))
    assert [order.spec.limit for order in guards(desk)] == [20_080]


def test_a_position_that_turns_round_takes_its_guard_back_and_gets_another() -> None:
    desk = guarded(2)
    (old,) = guards(desk)
    desk.market(Side.SELL, 3)
    desk.settle()
    desk.wait(1)
    desk.settle()
    (new,) = guards(desk)
    assert new.order_id != old.order_id
    assert (desk.positions[MINE, ES], new.side, new.spec.qty, new.spec.stop) == (-1, Side.BUY, 1, 20_040)


def test_a_guard_on_the_wrong_side_is_taken_back_whatever_is_held() -> None:
    desk = guarded(1)
    sold_by_hand(desk, 2)
    (cancel,) = asked(look(desk, 2))
    assert isinstance(cancel, CancelOrder)


def test_a_cancel_that_was_taken_is_not_told_twice_while_its_end_is_on_the_way() -> None:
    desk = guarded(1)
    sold_by_hand(desk, 1)
    desk.wait(1)
    (cancel,) = desk.outbox
    assert isinstance(cancel, CancelOrder)
    desk.outbox.clear()
    desk.answer(cancel, None)
    for _ in range(5):
        desk.wait(1)
    assert not desk.outbox


def test_a_change_that_was_taken_and_is_not_in_force_a_second_later_is_told_again() -> None:
    desk = guarded(3)
    sold_by_hand(desk, 1)
    first = look(desk)
    (change,) = asked(first)
    assert isinstance(change, ChangeOrder)
    assert change.spec.qty == 2
    told_at = desk.now
    desk.book.apply(first)
    desk.answer(change, None)
    assert not asked(look_at(desk, told_at + SECOND - 1))
    (again,) = asked(look_at(desk, told_at + SECOND))
    assert isinstance(again, ChangeOrder)
    assert again.client_order_id != change.client_order_id
    assert again.spec.qty == 2


def test_a_guard_that_is_confirmed_before_it_is_seen_is_changed_by_its_number() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 3)
    command = first_guard(desk)
    assert isinstance(command, PlaceOrder)
    order = desk._accept(MINE, command.client_order_id, ES, command.side, command.spec)
    desk.answer(command, order.order_id)
    sold_by_hand(desk, 1)
    (change,) = asked(look(desk, 1))
    assert isinstance(change, ChangeOrder)
    assert (change.order_id, change.spec.qty) == (order.order_id, 2)


def test_two_contracts_have_a_guard_each() -> None:
    desk = desk_with()
    for symbol in (NQ, ES):
        desk.market(Side.BUY, 1, symbol=symbol)
    desk.settle()
    desk.market(Side.BUY, 2, symbol=ES)
    desk.settle()
    assert sorted((order.symbol, order.spec.qty) for order in guards(desk)) == [(ES, 3), (NQ, 1)]


def test_room_that_was_promised_is_used_at_that_very_moment() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    command = first_guard(desk)
    until = Nanos(desk.now + 20 * SECOND)
    no_room(desk, command, until=until)
    assert not asked(look_at(desk, until - 1))
    assert asked(look_at(desk, until))


def test_a_change_that_was_turned_down_is_told_again_a_second_after_it_was_told() -> None:
    desk = guarded(3)
    sold_by_hand(desk, 1)
    first = look(desk)
    (change,) = asked(first)
    desk.book.apply(first)
    told_at = desk.now
    desk.reject(change, "no")
    desk.outbox.clear()
    assert not asked(look_at(desk, told_at + SECOND - 1))
    assert asked(look_at(desk, told_at + SECOND))


def test_a_stop_that_is_turned_down_once_nothing_is_held_is_not_held_against_the_next_position() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    late = first_guard(desk)
    desk.market(Side.SELL, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 0
    desk.reject(late, "NothingToProtect")
    assert desk.book.risk.guard_failures
    desk.wait(1)
    assert not desk.book.risk.guard_failures
    desk.market(Side.BUY, 1)
    desk.settle()
    assert (desk.positions[MINE, ES], [order.spec.qty for order in guards(desk)]) == (1, [1])
    assert RemarkKind.NAKED not in remarks(desk)


# -- what covers -------------------------------------------------------------------------------------


def coming(desk: Desk, side: Side, order_type: OrderType, symbol: Symbol = ES, qty: int = 2) -> None:
    """Let an order of the leader's be on its way to the follower, seen by nobody there."""
    price = {"stop": 19_900} if order_type is OrderType.STOP else {"limit": 20_100}
    desk.trade(side, qty, order_type, symbol=symbol, **price)  # type: ignore[arg-type]
    desk.book.risk.guards.clear()


def stop_for(desk: Desk) -> int:
    """Return for how many contracts a stop is asked for now."""
    stops = [command for command in asked(look(desk)) if isinstance(command, PlaceOrder)]
    return sum(command.spec.qty for command in stops if command.symbol == ES)


@pytest.mark.parametrize(
    ("side", "order_type", "symbol", "left"),
    [
        (Side.SELL, OrderType.STOP, ES, 1),
        (Side.SELL, OrderType.LIMIT, ES, 3),
        (Side.BUY, OrderType.STOP, ES, 3),
        (Side.SELL, OrderType.STOP, NQ, 3),
    ],
)
def test_only_a_stop_of_the_same_contract_that_closes_covers_while_it_is_on_its_way(
    side: Side, order_type: OrderType, symbol: Symbol, left: int
) -> None:
    desk = bare(3)
    if symbol == NQ:
        desk.book.positions[MINE, NQ] = desk.positions[MINE, NQ] = 3
        desk.book.hold((GROUP, MINE, NQ, NQ), 3)
    coming(desk, side, order_type, symbol)
    assert stop_for(desk) == left


def test_a_stop_that_its_broker_has_confirmed_covers_before_it_is_seen_working() -> None:
    desk = bare(3)
    coming(desk, Side.SELL, OrderType.STOP)
    command = next(one for one in desk.outbox if one.account == MINE and not is_guard(one.client_order_id))
    assert isinstance(command, PlaceOrder)
    order = desk._accept(MINE, command.client_order_id, ES, command.side, command.spec)
    desk.outbox.clear()
    desk.answer(command, order.order_id)
    desk.book.risk.guards.clear()
    assert stop_for(desk) == 1


def test_what_other_accounts_hold_by_copy_protects_nothing_here() -> None:
    plan = plan_of(group_of(follower(MINE), follower(OTHER)))
    desk = Desk(with_rules(plan, {MINE: Rules(protection=STOP)}))
    desk.connect(OTHER)
    desk.balance(MINE, Decimal(50_000))
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.connect(MINE)
    desk.market(Side.BUY, 1, account=MINE)
    assert desk.book.positions[OTHER, ES] == desk.book.positions[MINE, ES] == 1
    assert not [command for command in desk.outbox if is_guard(command.client_order_id)]


def test_a_holding_without_any_position_behind_it_asks_for_no_stop() -> None:
    desk = bare(1)
    desk.book.positions.pop((MINE, ES))
    assert not asked(look(desk))


# -- naked -------------------------------------------------------------------------------------------


def test_the_time_without_a_stop_runs_from_its_first_look_on() -> None:
    desk = bare(1, rule=replace(STOP, naked=Naked.FLATTEN))
    for seconds in (0, 0.6):
        found = look(desk, seconds)
        assert not asked(found)
        desk.book.apply(found.changed(steps=()))
    assert [type(command) for command in asked(look(desk, 1.2))] == [ClosePosition]


@pytest.mark.parametrize(("naked", "kinds"), [(Naked.FLATTEN, [ClosePosition]), (Naked.ALERT, [])])
def test_the_time_without_a_stop_ends_with_the_position_and_begins_anew_with_the_next(
    naked: Naked, kinds: list[type]
) -> None:
    desk = guarded(1, replace(STOP, naked=naked))
    assert (MINE, ES) in desk.book.risk.naked
    desk.market(Side.SELL, 1)
    desk.settle()
    assert not desk.book.risk.naked
    desk.wait(60)
    desk.market(Side.BUY, 1)
    desk.deliver(desk.outbox.pop())
    assert not desk.outbox
    assert RemarkKind.NAKED not in remarks(desk)
    desk.wait(1)
    assert [type(command) for command in desk.outbox] == kinds
    assert remarks(desk).count(RemarkKind.NAKED) == 1


def test_what_stood_bare_again_is_said_again() -> None:
    desk = bare(1, rule=replace(STOP, naked=Naked.ALERT))
    for _ in range(2):
        for _ in range(3):
            desk.wait(1)
        hand = desk.trade(Side.SELL, 1, OrderType.STOP, stop=19_900, account=MINE)
        desk.wait(1)
        desk.cancel(hand)
    assert remarks(desk).count(RemarkKind.NAKED) == 2


# -- the book of it ----------------------------------------------------------------------------------


def lock_of(desk: Desk, minutes: int) -> AccountLocked:
    until = Nanos(desk.now + minutes * 60 * SECOND)
    return AccountLocked(
        account=MINE, reason=RefusalReason.LOCKED_OUT, detail="by hand", until=until, at=desk.at()
    )


def test_a_lock_on_record_stands_in_the_standing_and_is_written_down_with_it() -> None:
    desk = desk_with()
    desk.wait(1)
    desk.book.risk.changed.clear()
    event = lock_of(desk, 30)
    assert fold(desk.book, event)
    lock = desk.book.risk.standings[MINE].lock
    assert lock is not None
    assert (lock.until, lock.detail) == (event.until, "by hand")
    assert desk.book.risk.changed == {MINE}


def test_what_an_account_without_value_held_is_forgotten_until_it_is_stated_anew() -> None:
    desk = guarded(1)
    assert desk.book.risk.holders[ES] == {MINE}
    odd = PositionReported(account=MINE, symbol=Symbol("XXZ6"), net=1, price=Decimal(1), at=desk.at())
    desk.step(odd)
    desk.wait(3)
    assert desk.book.risk.holders[ES] == set()


def test_a_guard_that_a_person_has_moved_keeps_its_new_price_when_it_grows() -> None:
    desk = guarded(2)
    (order,) = guards(desk)
    desk.change(order.order_id, stop=Ticks(19_970))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert (order.spec.qty, order.spec.stop) == (3, 19_970)


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("room", [False, True])
def test_a_guard_goes_with_its_position_also_when_its_rule_is_gone(*, others: bool, room: bool) -> None:
    desk = guarded(2)
    leading = Rules(protection=STOP) if others else NO_RULES
    desk.plan = with_rules(desk.plan, {MINE: NO_RULES, LEADER: leading})
    desk.market(Side.SELL, 2)
    if not room:
        cancel = first_guard(desk)
        assert isinstance(cancel, CancelOrder)
        no_room(desk, cancel)
    desk.settle()
    desk.wait(2)
    desk.settle()
    assert (desk.held(MINE), guards(desk)) == (0, [])
