"""How much of a position is covered, by what, and what the watchdog does about the rest (RISK-06, I14)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from risk.core.rules import Naked, Offset, Protection
from syncgroups.core.decision import Decision, RemarkKind
from syncgroups.core.guards import is_guard
from syncgroups.core.keys import close_id
from syncgroups.core.protect import looked_at
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND
from syncgroups.tests.test_guard_answers import first_guard
from syncgroups.tests.test_protect import MINE, STOP, desk_with, guards, remarks
from tradehaven.domain.commands import CancelOrder, ChangeOrder, ClosePosition, Command, Lane, PlaceOrder
from tradehaven.domain.enums import OrderType, Side, TimeInForce
from tradehaven.domain.ids import Nanos, Symbol

NQ = Symbol("NQZ6")
BOTH = replace(STOP, target=Offset(value=Decimal(80)))


def held(desk: Desk, qty: int, symbol: Symbol = ES) -> None:
    """Let the follower hold something for its group that nothing covers yet."""
    desk.market(Side.BUY if qty > 0 else Side.SELL, abs(qty), symbol=symbol)
    while desk.outbox:
        command = desk.outbox.pop(0)
        if not is_guard(command.client_order_id):
            desk.deliver(command)


def look(desk: Desk, seconds: float = 0) -> Decision:
    """Look at the follower, so many seconds from now."""
    return looked_at(desk.plan, desk.book, MINE, Nanos(desk.now + int(seconds * SECOND)))


def asked(decision: Decision) -> list[Command]:
    return [step.command for step in decision.steps if step.command is not None]


def bare(qty: int, symbol: Symbol = ES, rule: Protection = STOP) -> Desk:
    """Return a desk whose follower holds something, and whose guard has been lost without a trace."""
    desk = desk_with(rule)
    held(desk, qty, symbol)
    desk.book.risk.guards.clear()
    desk.book.risk.naked.clear()
    return desk


def test_a_guard_is_placed_for_the_whole_position_in_the_protective_lane_and_stays_overnight() -> None:
    stop, target = asked(look(bare(3, rule=BOTH)))
    assert isinstance(stop, PlaceOrder)
    assert isinstance(target, PlaceOrder)
    assert (stop.lane, target.lane) == (Lane.PROTECTIVE, Lane.PROTECTIVE)
    assert (stop.spec.tif, target.spec.tif) == (TimeInForce.GTC, TimeInForce.GTC)
    assert (stop.side, stop.spec.qty, target.spec.qty) == (Side.SELL, 3, 3)


def test_a_guard_is_named_by_the_millisecond_of_its_decision() -> None:
    desk = bare(1)
    (stop,) = asked(look(desk))
    assert stop.client_order_id == f"th1g.a2.ESZ6.sl.{desk.now // 1_000_000}"


def test_what_is_placed_is_said_with_its_price() -> None:
    (stop, target) = look(bare(1, rule=BOTH)).remarks
    assert stop.detail == "a stop for 1 is placed at 4990.00 by its rule"
    assert target.detail == "a target for 1 is placed at 5020.00 by its rule"


@pytest.mark.parametrize("about", ["unseen", "flattening", "halted", "gone"])
def test_where_nothing_may_be_placed_nothing_is(about: str) -> None:
    desk = bare(1)
    if about == "unseen":
        desk.book.links.clear()
    elif about == "flattening":
        desk.book.flattening[MINE] = Nanos(0)
    elif about == "halted":
        desk.shut(desk.plan.accounts[MINE].gates[0])
    else:
        desk.plan = replace(desk.plan, accounts={LEADER: desk.plan.accounts[LEADER]})
    assert not asked(look(desk))


def test_a_guard_that_is_left_is_taken_back_although_the_rule_is_gone() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    mine = replace(desk.plan.accounts[MINE], rules=replace(desk.plan.accounts[MINE].rules, protection=None))
    desk.plan = replace(desk.plan, accounts={**desk.plan.accounts, MINE: mine})
    desk.book.hold((GROUP, MINE, ES, ES), 0)
    (guard,) = guards(desk)
    (command,) = asked(look(desk))
    assert isinstance(command, CancelOrder)
    assert command.order_id == guard.order_id


@pytest.mark.parametrize(
    ("side", "order_type", "symbol", "left"),
    [
        (Side.SELL, OrderType.STOP, ES, 1),
        (Side.SELL, OrderType.STOP, NQ, 3),
        (Side.BUY, OrderType.STOP, ES, 3),
        (Side.SELL, OrderType.LIMIT, ES, 3),
    ],
)
def test_only_stops_of_the_same_contract_that_close_count_as_cover(
    side: Side, order_type: OrderType, symbol: Symbol, left: int
) -> None:
    desk = bare(3)
    price = 19_900 if side is Side.SELL and order_type is OrderType.STOP else 20_100
    at: dict[str, Any] = {"stop": price} if order_type is OrderType.STOP else {"limit": price}
    desk.trade(side, 2, order_type, account=MINE, symbol=symbol, **at)
    desk.outbox.clear()
    desk.book.risk.guards.clear()
    (stop,) = asked(look(desk))
    assert isinstance(stop, PlaceOrder)
    assert stop.spec.qty == left


def test_a_stop_of_the_leaders_that_is_on_its_way_counts_as_cover() -> None:
    desk = bare(3)
    desk.trade(Side.SELL, 1, OrderType.STOP, stop=19_900)  # its copy is in the outbox, unseen by the broker
    desk.book.risk.guards.clear()
    (stop,) = asked(look(desk))
    assert isinstance(stop, PlaceOrder)
    assert stop.spec.qty == 2


def test_a_short_is_covered_by_what_buys() -> None:
    desk = bare(-2)
    desk.trade(Side.BUY, 1, OrderType.STOP, stop=20_100, account=MINE)
    desk.book.risk.guards.clear()
    (stop,) = asked(look(desk))
    assert isinstance(stop, PlaceOrder)
    assert (stop.side, stop.spec.qty, stop.spec.stop) == (Side.BUY, 1, 20_040)


def test_what_came_of_no_copy_is_not_covered_and_what_is_in_doubt_neither() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 2, account=MINE)
    assert not asked(look(desk))
    desk = bare(2)
    desk.book.assumed[MINE, ES] = Nanos(0)
    assert not asked(look(desk))


def test_a_guard_grows_by_what_has_already_filled_of_it_as_well() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 3)
    desk.settle()
    (guard,) = guards(desk)
    desk.fill(guard.order_id, 1, price=19_960)
    desk.settle()
    desk.market(Side.BUY, 2)
    change = first_guard(desk)
    assert isinstance(change, ChangeOrder)
    assert change.lane is Lane.PROTECTIVE
    assert (desk.positions[MINE, ES], change.spec.qty) == (4, 5)


def test_commands_about_a_guard_are_numbered() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    names = []
    for _ in range(3):
        desk.market(Side.BUY, 1)
        change = first_guard(desk)
        names.append(change.client_order_id.rpartition(".")[2])
        desk.deliver(change)
        desk.settle()
    assert names == ["c1", "c2", "c3"]


def test_a_change_that_was_turned_down_is_tried_a_second_later_and_three_times_in_all() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.market(Side.BUY, 1)
    tries = 0
    for _ in range(6):
        while desk.outbox:
            command = desk.outbox.pop(0)
            if isinstance(command, ChangeOrder):
                tries += 1
                desk.reject(command, "no")
                assert not [one for one in desk.outbox if isinstance(one, ChangeOrder)]
            else:
                desk.deliver(command)
        desk.wait(1)
    assert tries == 3
    assert [order.spec.qty for order in guards(desk)] == [1]


# -- naked -------------------------------------------------------------------------------------------


def naked_for(desk: Desk, seconds: float) -> Decision:
    """Look at once, and again so many seconds later."""
    first = look(desk)
    desk.book.apply(first.changed(steps=()))
    return look(desk, seconds)


@pytest.mark.parametrize(("naked", "kinds"), [(Naked.FLATTEN, [ClosePosition]), (Naked.ALERT, [])])
def test_a_second_is_waited_and_no_more(naked: Naked, kinds: list[type]) -> None:
    rule = replace(STOP, naked=naked)
    assert not asked(naked_for(bare(1, rule=rule), 0.999_999_998))
    found = naked_for(bare(1, rule=rule), 1)
    assert [type(command) for command in asked(found)] == kinds
    assert [remark.kind for remark in found.remarks] == [RemarkKind.NAKED]


def test_how_long_it_stood_bare_is_said() -> None:
    (said,) = naked_for(bare(1, rule=replace(STOP, naked=Naked.ALERT)), 2.5).remarks
    assert said.detail == "it has stood without its stop for 2.5 s"
    (closed,) = naked_for(bare(1, rule=replace(STOP, naked=Naked.FLATTEN)), 2.5).remarks
    assert closed.detail == "it stood without a stop: closed after 2.5 s"


def test_a_close_is_repeated_after_three_seconds_under_another_name() -> None:
    desk = bare(1, rule=replace(STOP, naked=Naked.FLATTEN))
    first = naked_for(desk, 1)
    (close,) = asked(first)
    assert close.client_order_id == close_id(MINE, ES, (desk.now + SECOND) // SECOND)
    desk.book.apply(first)
    assert not asked(look(desk, 3.999_999_998))
    (again,) = asked(look(desk, 4))
    assert again.client_order_id != close.client_order_id


def test_a_position_that_is_covered_again_begins_its_time_anew() -> None:
    desk = bare(1, rule=replace(STOP, naked=Naked.ALERT))
    desk.book.apply(look(desk).changed(steps=()))
    assert (MINE, ES) in desk.book.risk.naked
    desk.trade(Side.SELL, 1, OrderType.STOP, stop=19_900, account=MINE)
    desk.book.apply(look(desk))
    assert (MINE, ES) not in desk.book.risk.naked
    assert not look(desk)


# -- the other side ---------------------------------------------------------------------------------


def crossed(closed: int, actual: int, age: float = 0, copied: int = 0, leader: int = 0) -> Decision:
    """Look at an account in which a guard has closed something, and that now holds this; of it, copied."""
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    (guard,) = guards(desk)
    (kept,) = desk.book.risk.guards.values()
    desk.fill(guard.order_id, price=19_960)
    desk.settle()
    desk.book.hold((GROUP, MINE, ES, ES), copied)
    desk.book.risk.guard_fills[MINE, ES] = Nanos(desk.now), closed
    desk.book.positions[MINE, ES] = actual
    desk.book.positions[LEADER, ES] = leader
    desk.book.risk.naked[MINE, ES] = Nanos(desk.now)
    desk.book.risk.guards[kept.key] = kept
    return look(desk, age)


@pytest.mark.parametrize(
    ("closed", "actual", "age", "closes"),
    [
        (-2, -2, 0, True),
        (-2, -1, 10, True),
        (-2, -1, 10.000_000_001, False),
        (-2, -3, 0, False),
        (-2, 1, 0, False),
        (2, 1, 0, True),
        (-2, 0, 0, False),
    ],
)
def test_only_what_a_guard_and_another_exit_closed_twice_is_closed_again(
    closed: int, actual: int, age: float, closes: bool
) -> None:
    commands = [type(command) for command in asked(crossed(closed, actual, age))]
    assert (ClosePosition in commands) is closes


def test_what_was_entered_anew_on_the_other_side_is_not_closed_as_too_much() -> None:
    assert ClosePosition in [type(command) for command in asked(crossed(-2, -1))]
    assert ClosePosition in [type(command) for command in asked(crossed(-2, -1, copied=-1))]
    assert ClosePosition in [type(command) for command in asked(crossed(-2, -1, copied=1))]
    entered = crossed(-2, -1, copied=-1, leader=-1)
    assert ClosePosition not in [type(command) for command in asked(entered)]


def test_contracts_are_looked_at_in_the_order_of_their_names() -> None:
    desk = desk_with()
    contracts = [Symbol(name) for name in ("YMZ6", "NQZ6", "GCZ6", "ESZ6", "CLZ6", "RTYZ6")]
    for symbol in contracts:
        held(desk, 1, symbol)
    desk.book.risk.guards.clear()
    placed = [command.symbol for command in asked(look(desk)) if isinstance(command, PlaceOrder)]
    assert placed == sorted(contracts)


@pytest.mark.parametrize(("rule", "closes"), [(STOP, [ClosePosition]), (None, [])])
def test_where_no_rule_stands_and_no_guard_is_left_nothing_is_closed_as_too_much(
    rule: Protection | None, closes: list[type]
) -> None:
    desk = desk_with(rule)
    desk.book.risk.guard_fills[MINE, ES] = Nanos(desk.now), -2
    desk.book.positions[MINE, ES] = -2
    assert [type(command) for command in asked(look(desk))] == closes


def test_where_nothing_is_held_nothing_is_closed_as_too_much() -> None:
    desk = desk_with()
    desk.book.risk.guard_fills[MINE, NQ] = Nanos(desk.now), 2
    assert not asked(look(desk))


def test_nothing_to_do_is_nothing() -> None:
    desk = desk_with()
    assert not look(desk)
    assert remarks(desk) == []
