"""When a leg of a manual copy is placed, told, tried again or left, beside everything else that goes on."""

from typing import Any

import pytest

from syncgroups.core.keys import is_manual, parse_manual
from syncgroups.core.watch import in_flight
from syncgroups.tests.bracketing import NUMBER, Desk, desk
from syncgroups.tests.plans import ES, GROUP_GATE, LEADER, connection_of, follower
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Denied, Lane, PlaceOrder, Unresolved
from tradehaven.domain.enums import Ask, OrderStatus, OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.events import OrderEnded, OrdersListed, PersonAsked
from tradehaven.domain.ids import AccountId, Nanos, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
NQ = Symbol("NQZ6")
OPEN = TradingState.ACTIVE


def filled_behind_a_gate(world: Desk, *numbers: int, account: int = 2) -> None:
    """Let manual orders fill while the gate is shut, so that their legs are still to be placed."""
    for number in numbers:
        world.order(BUY, 1, account, number=number)
    world.shut(GROUP_GATE)
    world.settle()


def named(world: Desk) -> list[str]:
    """Return which legs are on their way, in order: account and end of the name."""
    sent = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    return [f"{order.account}{order.client_order_id.rpartition('.t40')[2]}" for order in sent]


def turned_down(world: Desk) -> int:
    """Turn down the stops that are on their way, deliver all else, and return how many that were."""
    stops = [command for command in world.outbox if ".sl" in command.client_order_id]
    world.outbox = [command for command in world.outbox if command not in stops]
    for stop in stops:
        world.reject(stop, "no")
    world.settle()
    return len(stops)


# -- placed ------------------------------------------------------------------------------------------


def test_legs_are_protective_orders_on_the_other_side_and_under_way_until_they_are_answered() -> None:
    world = desk()
    world.order(BUY, 1)
    world.deliver(world.outbox.pop(0))
    legs = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert [(leg.side, leg.lane) for leg in legs] == [(SELL, Lane.PROTECTIVE)] * 2
    names = [leg.client_order_id for leg in legs]
    assert [world.book.copies[name].side for name in names] == [SELL, SELL]
    assert [world.book.copies[name].enters for name in names] == [0, 0]
    assert in_flight(world.plan, world.book, [GROUP_GATE]) == [(TWO, name) for name in names]
    world.settle()
    for name in names:
        copy = world.book.copies[name]
        assert (copy.cost, copy.filled, copy.outstanding, copy.is_manual) == (0, 0, 1, True)


def test_legs_of_several_copies_and_accounts_go_in_one_order() -> None:
    world = desk(follower(2), follower(3))
    numbers = [5, 9, 2, 8, 6, 4, 3, 7]
    world.order(BUY, 1, 3)
    for number in numbers:
        world.order(BUY, 1, number=number + 10)
    world.shut(GROUP_GATE)
    world.settle()
    world.shut(GROUP_GATE, state=OPEN)
    world.wait(1)
    stops = [command for command in world.outbox if command.client_order_id.endswith(".sl")]
    found = [(command.account, parse_manual(command.client_order_id)) for command in stops]
    assert [(account, name.number) for account, name in found if name] == [
        *((2, number + 10) for number in sorted(numbers)),
        (3, NUMBER),
    ]


def test_no_leg_is_placed_without_a_link() -> None:
    world = desk()
    filled_behind_a_gate(world, NUMBER)
    world.lose(TWO)
    world.shut(GROUP_GATE, state=OPEN)
    world.wait(1)
    assert world.outbox == []
    world.connect(TWO)
    assert named(world) == ["2.sl", "2.tp"]


def test_no_leg_is_placed_for_an_account_that_becomes_flat() -> None:
    world = desk()
    world.order(BUY, 2, order_type=OrderType.LIMIT, limit=20_000)
    world.settle()
    world.step(PersonAsked(request=1, ask=Ask.FLATTEN, subject="2", at=world.at()))
    world.outbox.clear()
    world.fill(world.entry(), 1)
    world.wait(1)
    assert named(world) == []


def test_legs_of_an_order_that_was_found_come_once_nothing_of_it_can_be_on_its_way() -> None:
    world = desk()
    world.order(BUY, 1)
    world.deliver(world.outbox.pop(0))
    lost = Desk(world.plan, orders=world.orders, fills=world.fills, positions=world.positions)
    lost.now, lost.last_id = world.now, world.last_id
    lost.connect()
    for _ in range(5):
        lost.wait(1)
        assert lost.outbox == []
    lost.wait(2)
    assert named(lost) == ["2.sl", "2.tp"]


def test_what_was_paid_must_be_known() -> None:
    world = desk()
    world.order(BUY, 1, order_type=OrderType.LIMIT, limit=20_000)
    world.settle()
    (entry,) = world.book.copies.values()
    world.book.hold(entry.holding, 1)
    world.book.positions[TWO, entry.symbol] = 1
    world.wait(1)
    assert named(world) == []


# -- told --------------------------------------------------------------------------------------------


def test_a_quiet_second_says_nothing_of_legs_that_stand_right() -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    assert world.wait(1).steps == ()
    assert world.remarks() == []


@pytest.mark.parametrize("order_type", [OrderType.STOP, OrderType.LIMIT])
def test_a_leg_that_filled_is_not_cancelled_and_nothing_was_turned_down(order_type: OrderType) -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    leg = world.leg(order_type)
    other = world.leg(OrderType.LIMIT if order_type is OrderType.STOP else OrderType.STOP)
    assert leg is not None
    assert other is not None
    world.fill(leg.order_id)
    cancels = [command.order_id for command in world.outbox if isinstance(command, CancelOrder)]
    assert cancels == [other.order_id]
    world.settle()
    world.wait(1)
    assert (world.remarks(), world.resting(2)) == ([], [])


def test_a_leg_whose_end_came_before_its_fill_makes_room_for_the_next_one() -> None:
    world = desk()
    world.entered(BUY, 3, (1, 20_000))
    target = world.leg(OrderType.LIMIT)
    assert target is not None
    world.step(
        OrderEnded(
            account=TWO,
            order_id=target.order_id,
            client_order_id=target.client_order_id,
            status=OrderStatus.FILLED,
            reason="",
            at=world.at(),
        )
    )
    world.fill(target.order_id, price=20_040)
    world.settle()
    world.fill(world.entry(), 2)
    world.settle()
    assert world.legs() == ((2, 19_980), (2, 20_040))


def test_a_leg_that_is_being_taken_back_is_let_go_before_a_new_one_comes() -> None:
    world = desk()
    world.entered(BUY, 3, (1, 20_000))
    target = world.leg(OrderType.LIMIT)
    assert target is not None
    world.fill(target.order_id)
    world.fill(world.entry(), 2)  # the cancel of the stop is on its way
    assert not [command for command in world.outbox if isinstance(command, ChangeOrder)]
    world.settle()
    assert world.legs() == ((2, 19_980), (2, 20_040))


def test_what_closed_too_much_while_a_buy_back_is_out_gets_one_of_its_own() -> None:
    world = desk()
    world.order(BUY, 4)
    world.settle()
    stop, target = world.leg(OrderType.STOP), world.leg(OrderType.LIMIT)
    assert stop is not None
    assert target is not None
    world.fill(target.order_id)
    world.outbox.clear()  # the cancel of the stop is lost on its way
    world.fill(stop.order_id, 1)
    world.settle(fill_markets=False)
    world.fill(stop.order_id, 3)
    assert world.outbox == []
    (over,) = world.resting(2)
    world.fill(over.order_id)
    world.settle()
    bought = [(order.side, order.spec.qty) for order in world.placed[3:]]
    assert (bought, world.held(2)) == ([(BUY, 1), (BUY, 3)], 0)


@pytest.mark.parametrize(
    ("closed", "legs"), [(0, ((2, 19_985), (2, 20_045))), (1, ((1, 19_985), (1, 20_045)))]
)
def test_what_a_shut_gate_kept_from_a_leg_is_told_when_it_opens(closed: int, legs: Any) -> None:
    world = desk()
    world.entered(BUY, 4, (1, 20_000))
    world.shut(GROUP_GATE)
    world.fill(world.entry(), 1, price=20_010)
    if closed:
        world.market(SELL, closed, account=TWO)
    world.settle()
    assert world.legs() == ((1, 19_980), (1, 20_040))
    world.shut(GROUP_GATE, state=OPEN)
    world.wait(1)
    world.settle()
    assert world.legs() == legs


def test_a_leg_is_told_one_thing_at_a_time_when_a_login_comes_back() -> None:
    world = desk()
    world.entered(BUY, 4, (2, 20_000))
    world.fill(world.entry(), 1, price=20_000)
    world.lose(TWO)
    world.outbox.clear()
    world.fill(world.trade(SELL, 2, account=TWO, seen=False), seen=False)
    world.connect(TWO)
    names = [command.client_order_id for command in world.outbox]
    assert len(names) == len(set(names)) == 2
    for _ in range(3):
        world.settle()
        world.wait(1)
    assert world.legs() == ((1, 19_980), (1, 20_040))


# -- tried again -------------------------------------------------------------------------------------


def test_a_leg_that_is_turned_down_is_tried_five_times_in_all_and_only_by_the_second() -> None:
    world = desk()
    world.order(BUY, 2, order_type=OrderType.LIMIT, limit=20_000)
    world.settle()
    world.fill(world.entry(), 1)
    tries = 0
    for second in range(8):
        tries += turned_down(world)
        assert tries == min(second + 1, 5)
        world.market(BUY, 1, account=TWO, symbol=NQ)
        assert named(world) == []
        world.wait(1)


def test_a_leg_that_never_arrived_is_no_refusal() -> None:
    world = desk()
    world.order(BUY, 1)
    world.deliver(world.outbox.pop(0))
    tries = 0
    for _ in range(4):
        tries += turned_down(world)
        world.wait(1)
    lost = world.outbox.pop(0).client_order_id  # the fifth one is lost on its way
    world.step(Unresolved(account=TWO, client_order_id=lost, text="no answer", at=world.at()))
    for _ in range(2):
        world.step(
            OrdersListed(
                connection=connection_of(TWO),
                accounts=(TWO,),
                client_order_ids=frozenset(
                    order.client_order_id for order in world.orders.values() if order.client_order_id
                ),
                at=world.at(),
            )
        )
        world.wait(6)
    for _ in range(8):
        tries += turned_down(world)
        world.wait(1)
    assert tries == 4 + 5


def test_a_leg_that_was_withdrawn_before_it_left_is_no_refusal() -> None:
    world = desk()
    world.entered(BUY, 2)
    world.fill(world.entry(), 1, price=20_000)
    stop = world.outbox.pop(0)
    world.settle()
    why, until = RefusalReason.RATE_LIMITED, Nanos(world.now + 60_000_000_000)
    name = stop.client_order_id
    world.step(Denied(account=TWO, client_order_id=name, reason=why, text="", at=world.at(), retry_at=until))
    target = world.leg(OrderType.LIMIT)
    assert target is not None
    world.fill(target.order_id)  # there is nothing left to stop
    world.settle()
    world.fill(world.entry(), 1, price=20_000)
    tries = 0
    for _ in range(8):
        tries += turned_down(world)
        world.wait(1)
    assert tries == 5


def test_legs_go_with_the_second_answer_that_leaves_their_position_out() -> None:
    world = desk()
    world.order(BUY, 1)
    world.settle()
    world.lose(TWO)
    world.fill(world.trade(SELL, 1, account=TWO, seen=False), seen=False)
    del world.positions[TWO, ES]
    world.connect(TWO)
    assert world.outbox == []
    world.now += 6_000_000_000
    world.connect(TWO)
    assert [type(command) for command in world.outbox] == [CancelOrder, CancelOrder]


def test_a_leg_that_lists_show_no_more_is_not_put_back() -> None:
    world = desk()
    world.order(BUY, 1)
    world.settle()
    stop = world.leg(OrderType.STOP)
    assert stop is not None
    del world.orders[stop.order_id]
    for _ in range(2):
        world.connect(TWO)
        world.wait(6)
    world.settle()
    assert world.legs() == (None, (1, 20_040))


def test_an_account_without_manual_copies_has_no_legs() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    assert not [order for order in world.placed if is_manual(order.client_order_id)]
    assert LEADER not in world.book.manual
