"""Legs of manual copies that are turned down, lost, held back or taken away, or behind a shut gate."""

from syncgroups.core.brackets import TRIES
from syncgroups.tests.bracketing import Desk, desk
from syncgroups.tests.plans import ES, GROUP_GATE
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Denied, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side
from tradehaven.domain.events import OrderEnded, OrdersListed
from tradehaven.domain.ids import AccountId, Nanos

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def test_a_leg_that_a_hand_takes_away_is_not_put_back() -> None:
    world = desk()
    world.order(BUY, 1)
    world.settle()
    stop = world.leg(OrderType.STOP)
    assert stop is not None
    world.cancel(stop.order_id)
    for _ in range(3):
        world.wait(1)
        world.settle()
    assert world.legs() == (None, (1, 20040))


def _rejecting(world: Desk, times: int) -> None:
    for _ in range(times):
        stop = next(command for command in world.outbox if str(command.client_order_id).find(".sl") > 0)
        world.outbox.remove(stop)
        world.reject(stop, "StopPriceTooHigh")
        world.settle()
        world.wait(1)


def _entry_filled(world: Desk) -> None:
    world.order(BUY, 1)
    world.deliver(world.outbox.pop(0))


def test_a_leg_that_is_turned_down_is_said_and_tried_again_each_second() -> None:
    world = desk()
    _entry_filled(world)
    _rejecting(world, 2)
    world.settle()
    assert world.legs() == ((1, 19980), (1, 20040))
    assert world.remarks() == ["exit_failed"] * 2


def test_after_five_refusals_in_a_row_only_a_person_can_help() -> None:
    world = desk()
    _entry_filled(world)
    _rejecting(world, TRIES)
    assert world.outbox == []
    world.wait(1)
    assert world.outbox == []
    assert world.legs() == (None, (1, 20040))
    assert len(world.remarks()) == TRIES


def test_a_leg_that_the_exchange_rejects_after_it_was_taken_is_tried_again() -> None:
    world = desk()
    world.order(BUY, 1)
    world.settle()
    stop = world.leg(OrderType.STOP)
    assert stop is not None
    stop.status = OrderStatus.REJECTED
    world.step(
        OrderEnded(
            account=TWO,
            order_id=stop.order_id,
            client_order_id=stop.client_order_id,
            status=OrderStatus.REJECTED,
            reason="margin",
            at=world.at(),
        )
    )
    assert world.decisions[-1].remarks[0].detail == "the stop loss of a manual copy was turned down: margin"
    world.wait(1)
    world.settle()
    assert world.legs() == ((1, 19980), (1, 20040))


def test_an_entry_or_a_foreign_order_that_is_rejected_is_no_leg() -> None:
    world = desk()
    world.order(BUY, 1)
    world.reject(world.outbox.pop(0), "NoMoney")
    world.reject(PlaceOrder(account=TWO, client_order_id="x", symbol=ES, side=BUY, spec=None), "No")  # type: ignore[arg-type]
    world.wait(1)
    assert (world.outbox, world.remarks()) == ([], [])


def test_behind_a_shut_gate_legs_only_become_less() -> None:
    world = desk()
    world.entered(BUY, 4, (2, 20000))
    world.shut(GROUP_GATE)
    world.fill(world.entry(), 1, price=20009)
    world.settle()
    assert world.legs() == ((2, 19980), (2, 20040))
    target = world.leg(OrderType.LIMIT)
    assert target is not None
    world.fill(target.order_id)
    world.settle()
    assert world.legs()[0] == (1, 19983)
    stop = world.leg(OrderType.STOP)
    assert stop is not None
    world.fill(stop.order_id)
    world.settle()
    assert (world.manual_held(), world.resting(2)[0].side) == (0, BUY)


def test_a_shut_gate_places_no_leg_and_an_open_one_does() -> None:
    world = desk()
    world.order(BUY, 1)
    world.shut(GROUP_GATE)
    world.settle()
    assert world.legs() == (None, None)
    world.shut(GROUP_GATE, state=world.book.gates[GROUP_GATE].state.ACTIVE)
    world.wait(1)
    world.settle()
    assert world.legs() == ((1, 19980), (1, 20040))


def test_flattening_takes_the_legs_and_nothing_comes_back() -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    world.shut(GROUP_GATE, flatten=True)
    world.settle()
    for _ in range(5):
        world.wait(1)
        world.settle()
    assert (world.held(2), world.manual_held(), world.resting(2)) == (0, 0, [])


def test_what_filled_while_the_login_was_down_is_protected_when_it_is_back() -> None:
    world = desk()
    world.entered(BUY, 3, (1, 20000))
    world.lose(TWO)
    world.fill(world.entry(), 2, price=20003, seen=False)
    world.order(BUY, 1, number=6)
    world.wait(1)
    assert world.outbox == []
    world.connect(TWO)
    world.wait(1)
    world.settle()
    assert world.legs() == ((3, 19982), (3, 20042))


def test_legs_of_what_was_closed_while_the_login_was_down_go_and_grow_no_more_before() -> None:
    world = desk()
    world.order(BUY, 2, order_type=OrderType.LIMIT, limit=20000)
    world.settle()
    entry = world.entry()
    world.fill(entry, 1)
    world.settle()
    world.fill(entry, 1)
    assert [type(command) for command in world.outbox] == [ChangeOrder, ChangeOrder]
    world.outbox.clear()  # nobody knows whether they arrived
    world.lose(TWO)
    world.market(SELL, 2, account=TWO, seen=False)
    world.connect(TWO)
    assert [type(command) for command in world.outbox] == [CancelOrder, CancelOrder]
    world.settle()
    assert world.legs() == (None, None)


def test_a_leg_that_never_reached_the_broker_is_placed_anew_and_only_then() -> None:
    world = desk()
    _entry_filled(world)
    stop = world.outbox.pop(0)
    world.settle()
    world.step(Unresolved(account=TWO, client_order_id=stop.client_order_id, text="no answer", at=world.at()))
    for _ in range(2):
        world.wait(6)
        assert world.outbox == []
        world.step(
            OrdersListed(
                connection=world.plan.accounts[TWO].connection,
                accounts=(TWO,),
                client_order_ids=frozenset(
                    order.client_order_id for order in world.resting(2) if order.client_order_id
                ),
                at=world.at(),
            )
        )
    world.wait(1)
    world.settle()
    assert world.legs() == ((1, 19980), (1, 20040))


def test_a_leg_without_budget_goes_when_there_is_room_for_what_is_held_then() -> None:
    world = desk()
    world.order(BUY, 2)
    world.deliver(world.outbox.pop(0))
    stop = world.outbox.pop(0)
    world.settle()
    later = Nanos(world.now + 2_000_000_000)
    world.step(
        Denied(
            account=TWO,
            client_order_id=stop.client_order_id,
            reason=RefusalReason.RATE_LIMITED,
            text="80 calls a minute",
            at=world.at(),
            retry_at=later,
        )
    )
    assert world.remarks() == []
    target = world.leg(OrderType.LIMIT)
    assert target is not None
    world.fill(target.order_id, 1)
    world.settle()
    world.shut(GROUP_GATE)
    world.wait(3)
    assert world.outbox == []
    world.shut(GROUP_GATE, state=world.book.gates[GROUP_GATE].state.ACTIVE)
    world.wait(1)
    world.settle()
    assert world.legs() == ((1, 19980), (1, 20040))


def test_a_change_that_is_turned_down_is_tried_again_once_a_second() -> None:
    world = desk()
    world.entered(BUY, 2, (1, 20000))
    world.fill(world.entry(), 1, price=20000)
    change = next(command for command in world.outbox if isinstance(command, ChangeOrder))
    world.outbox.remove(change)
    world.reject(change, "Busy")
    world.settle()
    world.wait(1)
    assert len(world.outbox) == 1  # one retry, not one from each who looks
    world.settle()
    assert world.legs() == ((2, 19980), (2, 20040))


def test_what_has_ended_is_forgotten_and_late_fills_bring_it_back() -> None:
    world = desk()
    world.entered(BUY, 2)
    entry = world.entry()
    world.cancel(entry)
    world.wait(1)
    assert not world.book.manual[TWO]
    world.orders[entry].status = OrderStatus.WORKING
    world.fill(entry, 1, price=20000)
    world.settle()
    assert world.legs() == ((1, 19980), (1, 20040))


def test_a_start_that_lost_every_record_waits_before_it_places_legs() -> None:
    world = desk()
    world.order(BUY, 1)
    world.deliver(world.outbox.pop(0))
    on_its_way = list(world.outbox)
    lost = Desk(world.plan, orders=world.orders, fills=world.fills, positions=world.positions)
    lost.now, lost.last_id = world.now, world.last_id
    lost.connect()
    lost.wait(1)
    assert lost.outbox == []
    for command in on_its_way:
        lost.deliver(command)
    for _ in range(8):
        lost.wait(1)
        lost.settle()
    assert lost.legs() == ((1, 19980), (1, 20040))
    assert len(lost.placed) == 2
