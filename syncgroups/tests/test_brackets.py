"""Stop loss and take profit of manual copies: where they stand, what they close, how one ends the other."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncgroups.core.brackets import TRIES, protective_price
from syncgroups.core.keys import Leg
from syncgroups.tests.bracketing import Desk, desk
from syncgroups.tests.plans import ES, GROUP_GATE, follower
from tradehaven.domain.commands import ChangeOrder, Denied, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, TimeInForce
from tradehaven.domain.events import OrderEnded, OrdersListed
from tradehaven.domain.ids import AccountId, Nanos
from tradehaven.domain.instruments import product
from tradehaven.domain.tests.reference import trade_math

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
SIDES = {"B": BUY, "S": SELL}


@pytest.mark.parametrize("vector", trade_math("bracket"), ids=lambda vector: str(vector["id"]))
def test_prices_follow_the_reference(vector: dict[str, Any]) -> None:
    given_, expected = vector["inputs"], vector["expected"]
    traded, side = product(given_["symbol"]), SIDES[given_["side"]]
    fill = traded.to_ticks(Decimal(given_["fill"]))
    for leg, ticks, price, money in (
        (Leg.STOP_LOSS, given_["sl_ticks"], expected["sl"], expected["risk"]),
        (Leg.TAKE_PROFIT, given_["tp_ticks"], expected["tp"], expected["reward"]),
    ):
        found = protective_price(Fraction(fill), side, leg, ticks)
        assert traded.to_price(found) == Decimal(price)
        assert traded.value(abs(found - fill)).amount == Decimal(money)


@given(
    st.fractions(min_value=-30_000, max_value=30_000),
    st.sampled_from(Side),
    st.integers(min_value=1, max_value=500),
)
def test_rounding_adds_no_risk_and_takes_no_reward(average: Fraction, side: Side, offset: int) -> None:
    stop = protective_price(average, side, Leg.STOP_LOSS, offset)
    target = protective_price(average, side, Leg.TAKE_PROFIT, offset)
    assert offset - 1 < (average - stop) * side.sign <= offset
    assert offset <= (target - average) * side.sign < offset + 1


def test_legs_come_with_the_fill_and_rest_until_they_are_cancelled() -> None:
    world = desk()
    world.order(BUY, 2)
    assert len(world.outbox) == 1  # nothing to protect so far
    world.settle()
    stop, target = world.leg(OrderType.STOP), world.leg(OrderType.LIMIT)
    assert stop is not None
    assert target is not None
    assert (stop.side, stop.spec.stop, target.side, target.spec.limit) == (SELL, 19980, SELL, 20040)
    assert {stop.spec.tif, target.spec.tif} == {TimeInForce.GTC}


@pytest.mark.parametrize(
    ("stop_loss", "take_profit", "legs"),
    [(20, None, ((1, 19980), None)), (None, 40, (None, (1, 20040))), (None, None, (None, None))],
)
def test_only_the_legs_that_were_asked_for_are_placed(
    stop_loss: int | None, take_profit: int | None, legs: Any
) -> None:
    world = desk()
    world.order(BUY, 1, stop_loss=stop_loss, take_profit=take_profit)
    world.settle()
    assert world.legs() == legs


def test_each_part_moves_both_legs_to_the_average_of_what_it_paid() -> None:
    world = desk()
    world.entered(BUY, 4, (1, 20000))
    assert world.legs() == ((1, 19980), (1, 20040))
    world.fill(world.entry(), 2, price=20001)
    world.settle()
    assert world.legs() == ((3, 19981), (3, 20041))  # 20000 2/3, toward the profit of a buyer
    world.fill(world.entry(), 1, price=20003)
    world.settle()
    assert world.legs() == ((4, 19982), (4, 20042))


def test_a_sellers_legs_are_mirrored() -> None:
    world = desk()
    world.entered(SELL, 2, (1, 20000), (1, 20001))
    assert world.legs() == ((2, 20020), (2, 19960))


@pytest.mark.parametrize("order_type", [OrderType.STOP, OrderType.LIMIT])
def test_one_leg_cancels_the_other(order_type: OrderType) -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    leg = world.leg(order_type)
    assert leg is not None
    world.fill(leg.order_id)
    world.settle()
    assert (world.held(2), world.manual_held(), world.resting(2)) == (0, 0, [])


def test_one_leg_that_fills_in_part_shrinks_the_other_to_what_is_left() -> None:
    world = desk()
    world.order(BUY, 5)
    world.settle()
    target = world.leg(OrderType.LIMIT)
    assert target is not None
    world.fill(target.order_id, 2, price=20040)
    world.settle()
    assert (world.manual_held(), world.legs()) == (3, ((3, 19980), (3, 20040)))


def test_an_entry_that_goes_on_filling_after_its_target_gets_new_legs() -> None:
    world = desk()
    world.entered(BUY, 3, (1, 20000))
    target = world.leg(OrderType.LIMIT)
    assert target is not None
    world.fill(target.order_id)
    world.settle()
    assert world.legs() == (None, None)
    world.fill(world.entry(), 2)
    world.settle()
    assert (world.legs(), world.manual_held()) == (((2, 19980), (2, 20040)), 2)
    names = [command.client_order_id.rpartition("f2.")[2] for command in world.placed]
    assert names == ["s20.t40", "s20.t40.sl", "s20.t40.tp", "s20.t40.sl.r1", "s20.t40.tp.r1"]


def test_legs_that_both_filled_are_bought_back_at_once() -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    stop, target = world.leg(OrderType.STOP), world.leg(OrderType.LIMIT)
    assert stop is not None
    assert target is not None
    world.fill(target.order_id)
    world.fill(stop.order_id)  # the cancel of the stop is still on its way
    assert world.held(2) == -2
    world.settle()
    assert (world.held(2), world.manual_held(), world.resting(2)) == (0, 0, [])
    assert [(order.side, order.spec.qty) for order in world.placed[3:]] == [(BUY, 2)]


def test_several_copies_together_never_rest_for_more_than_is_held() -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    world.order(BUY, 2, number=6)
    world.settle()
    world.market(SELL, 3, account=TWO)
    world.wait(1)
    world.settle()
    stops = [order for order in world.resting(2) if order.spec.order_type is OrderType.STOP]
    assert sum(order.spec.qty for order in stops) == world.held(2) == 1


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


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_laws_of_protection(data: st.DataObject) -> None:
    """One entry for each follower, legs for what is held and no more, and in the end nothing is open."""
    side = data.draw(st.sampled_from(Side))
    qty = data.draw(st.integers(min_value=1, max_value=5))
    world = desk(follower(2))
    world.entered(side, qty)
    entry = world.entry()
    for _ in range(data.draw(st.integers(min_value=1, max_value=12))):
        open_ = [order for order in world.resting(2) if order.filled < order.spec.qty]
        what = data.draw(st.sampled_from(["fill", "deliver", "tick", "again", "drop"]))
        if what == "fill" and open_:
            order = data.draw(st.sampled_from(open_))
            part = data.draw(st.integers(min_value=1, max_value=order.spec.qty - order.filled))
            world.fill(order.order_id, part, price=data.draw(st.integers(19_990, 20_010)))
        elif what == "deliver" and world.outbox:
            world.deliver(world.outbox.pop(0))
        elif what == "tick":
            world.wait(1)
        elif what == "again":
            world.order(side, qty, order_type=OrderType.LIMIT, limit=20000)
        elif what == "drop":
            world.settle()
            world.lose(TWO)
            world.connect(TWO)
        world.legs()  # never two of a kind
    for _ in range(3):
        world.settle()
        world.wait(1)
    held = world.manual_held() * side.sign
    assert world.held(2) == world.manual_held()
    assert held >= 0
    stop, target = world.legs()
    if world.entry_order(entry).filled and held:
        assert stop is not None
        assert target is not None
        assert (stop[0], target[0]) == (held, held)
    else:
        assert (stop, target) == (None, None)
    sent = [command.client_order_id for command in world.placed]
    assert len(sent) == len(set(sent))
    assert sum(1 for name in sent if name.endswith(".t40")) == 1
