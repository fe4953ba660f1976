"""A press at the engine's own door is a latch: it holds until a row is known to hold it (I7, I9)."""

import pytest

from syncgroups.core.book import Book
from syncgroups.core.folding import fold
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import GROUP_GATE, OWNER_GATE, follower, gate_of
from tradehaven.domain.commands import CancelOrder, ClosePosition
from tradehaven.domain.enums import OrderStatus, OrderType, Side, TradingState
from tradehaven.domain.events import GateChanged, HaltPressed
from tradehaven.domain.ids import AccountId, GateId, Nanos, PressId

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
PRESS = PressId("1".rjust(32, "0"))
OPEN, SHUT = TradingState.ACTIVE, TradingState.HALTED


def row(
    world: Desk,
    state: TradingState,
    version: int,
    *,
    gate: GateId = OWNER_GATE,
    presses: tuple[PressId, ...] = (),
    flatten: bool = False,
) -> None:
    """Let the engine read a gate's row."""
    world.step(
        GateChanged(gate=gate, state=state, flatten=flatten, version=version, at=world.at(), presses=presses)
    )


@pytest.mark.parametrize("gate", [gate_of(TWO), GROUP_GATE, OWNER_GATE])
def test_nothing_opens_once_a_press_was_taken(gate: GateId) -> None:
    world = desk()
    world.press(gate)
    world.market(BUY, 1)
    assert world.reasons() == ["kill_switch"]
    assert not world.outbox


def test_a_press_of_one_account_leaves_the_others_alone() -> None:
    world = desk(follower(2), follower(3))
    world.press(gate_of(TWO))
    world.market(BUY, 1)
    world.settle()
    assert (world.held(2), world.held(3)) == (0, 1)


def test_one_press_shuts_several_gates() -> None:
    world = desk(follower(2), follower(3))
    world.press(gate_of(TWO), gate_of(THREE))
    world.market(BUY, 1)
    assert world.reasons() == ["kill_switch", "kill_switch"]


@pytest.mark.parametrize("version", [0, 1, 7])
def test_a_row_that_does_not_hold_the_press_does_not_open_the_gate(version: int) -> None:
    world = desk()
    world.press(OWNER_GATE)
    row(world, OPEN, version)
    world.market(BUY, 1)
    assert world.reasons() == ["kill_switch"]


def test_the_row_that_holds_the_press_rules_from_then_on() -> None:
    world = desk()
    world.press(OWNER_GATE)
    row(world, SHUT, 1, presses=(PRESS,))
    world.market(BUY, 1)
    row(world, OPEN, 2)
    world.market(BUY, 2)
    world.settle()
    assert world.reasons() == ["kill_switch"]
    assert world.held(2) == 2


def test_a_disarm_that_came_after_the_press_opens_the_gate() -> None:
    world = desk()
    world.press(OWNER_GATE)
    row(world, OPEN, 2, presses=(PRESS,))  # the row between was not seen: shut as 1, opened as 2
    world.market(BUY, 1)
    world.settle()
    assert world.held(2) == 1


def test_a_press_that_is_in_the_row_already_is_released_by_older_news_too() -> None:
    world = desk()
    row(world, SHUT, 5)
    world.press(OWNER_GATE)
    row(world, SHUT, 5, presses=(PRESS,))
    row(world, OPEN, 6)
    world.market(BUY, 1)
    world.settle()
    assert world.held(2) == 1


def test_two_presses_are_released_one_by_one() -> None:
    world = desk()
    world.press(OWNER_GATE)
    world.press(OWNER_GATE, name="2")
    row(world, OPEN, 2, presses=(PRESS,))
    world.market(BUY, 1)
    assert world.reasons() == ["kill_switch"]
    row(world, OPEN, 2, presses=(PressId("2".rjust(32, "0")),))
    world.market(BUY, 1)
    world.settle()
    assert world.held(2) == 1


def test_a_press_that_arrives_twice_changes_nothing_the_second_time() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.press(GROUP_GATE, flatten=True)
    sent = len(world.outbox)
    world.press(GROUP_GATE, flatten=True)
    row(world, SHUT, 1, gate=GROUP_GATE, presses=(PRESS,), flatten=True)
    assert len(world.outbox) == sent > 0


def test_a_press_that_arrives_after_its_row_changes_nothing() -> None:
    world = desk()
    row(world, SHUT, 1, presses=(PRESS,))
    world.press(OWNER_GATE)
    row(world, OPEN, 2)
    world.market(BUY, 1)
    world.settle()
    assert world.held(2) == 1


def test_the_row_of_an_obeyed_press_does_not_flatten_what_was_flat_before_it_came() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.press(OWNER_GATE, flatten=True)
    world.settle()
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert world.remarks().count("flat") == 2
    row(world, SHUT, 1, presses=(PRESS,), flatten=True)
    world.wait(4)
    assert world.remarks().count("flat") == 2
    assert not world.outbox


def test_a_second_switch_does_not_hurry_what_is_being_flattened() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.press(gate_of(TWO), flatten=True)
    world.press(OWNER_GATE, flatten=True, name="2")
    closes = [command for command in world.outbox if isinstance(command, ClosePosition)]
    assert [close.account for close in closes] == [TWO, 1]


def test_a_press_without_flattening_leaves_positions_alone() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.press(OWNER_GATE)
    world.wait(5)
    assert not world.outbox
    assert world.held(2) == 1


# -- until the broker says flat ------------------------------------------------------------------------


def test_an_order_in_flight_at_the_press_is_closed_when_it_fills() -> None:
    world = desk()
    world.trade(BUY, 2)
    flying = list(world.outbox)
    world.outbox.clear()  # on its way: the broker has not seen it
    world.press(gate_of(TWO), flatten=True)
    world.wait(1)
    assert "flat" not in world.remarks()
    world.outbox.extend(flying)
    world.settle()
    steps = [step.command for decision in world.decisions for step in decision.steps]
    assert sum(isinstance(command, ClosePosition) for command in steps) == 1
    assert world.held(2) == 0
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert "flat" in world.remarks()


def test_an_order_in_flight_at_the_press_is_cancelled_when_it_rests() -> None:
    world = desk()
    world.trade(BUY, 2, OrderType.LIMIT, limit=19000)
    flying = list(world.outbox)
    world.outbox.clear()
    world.press(gate_of(TWO), flatten=True)
    world.outbox.extend(flying)
    world.settle()
    world.wait(4)
    assert [type(command) for command in world.outbox] == [CancelOrder]
    world.settle()
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert not world.resting(2)
    assert "flat" in world.remarks()


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_target_that_fills_beside_the_flattening_leaves_zero_and_never_the_other_side(moment: str) -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 2, OrderType.LIMIT, limit=20500)
    world.settle()
    mine = next(order for order in world.resting(2))
    lowest = 0
    if moment == "before":
        world.fill(mine.order_id)
    world.press(gate_of(TWO), flatten=True)
    if moment == "between":
        world.fill(mine.order_id)
    world.settle()
    lowest = min(lowest, world.held(2))
    if moment == "after" and mine.status is OrderStatus.WORKING:
        world.fill(mine.order_id)
    world.wait(4)
    world.settle()
    lowest = min(lowest, world.held(2))
    world.wait(1)
    assert (world.held(2), lowest) == (0, 0)
    assert not world.resting(2)


def test_a_gate_that_nothing_is_known_of_is_shut() -> None:
    book = Book()
    assert book.states_of((OWNER_GATE,)) == (SHUT,)
    fold(book, GateChanged(gate=OWNER_GATE, state=OPEN, flatten=False, version=0, at=Nanos(1)))
    assert book.states_of((OWNER_GATE,)) == (OPEN,)


def test_an_older_row_of_a_kill_closes_nothing_that_was_opened_since() -> None:
    world = desk()
    row(world, OPEN, 4)
    world.market(BUY, 1)
    world.settle()
    row(world, SHUT, 3, flatten=True)
    assert not world.outbox
    assert not world.book.flattening


def test_a_row_of_a_press_that_was_never_heard_at_this_door_is_obeyed() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.press(GROUP_GATE, name="2")
    row(world, SHUT, 1, presses=(PRESS,), flatten=True)
    closes = [command for command in world.outbox if isinstance(command, ClosePosition)]
    assert [close.account for close in closes] == [1, TWO]


def test_a_press_that_is_told_again_once_all_is_flat_closes_nothing() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.press(gate_of(TWO), flatten=True)
    world.settle()
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert "flat" in world.remarks()
    world.market(BUY, 1, account=TWO)  # by hand, behind the gate
    world.press(gate_of(TWO), flatten=True)
    assert not world.outbox
    assert not world.book.flattening


@pytest.mark.parametrize("gate", [gate_of(TWO), OWNER_GATE])
def test_what_is_old_news_of_a_gate_is_no_news(gate: GateId) -> None:
    book = Book()
    event = GateChanged(gate=gate, state=OPEN, flatten=False, version=2, at=Nanos(1))
    press = HaltPressed(press=PRESS, gates=(gate,), flatten=False, at=Nanos(2))
    assert [fold(book, event), fold(book, event)] == [True, False]
    assert [fold(book, press), fold(book, press)] == [True, False]
