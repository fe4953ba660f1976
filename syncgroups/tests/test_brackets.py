"""Stop loss and take profit of manual copies: where they stand, what they close, how one ends the other."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncgroups.core.brackets import protective_price
from syncgroups.core.keys import Leg
from syncgroups.tests.bracketing import desk
from syncgroups.tests.plans import ES, follower
from tradehaven.domain.enums import OrderType, Side, TimeInForce
from tradehaven.domain.ids import AccountId
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


def test_what_a_groups_short_nets_to_nothing_gets_no_stop_when_lists_leave_it_out() -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    world.market(SELL, 2)
    world.settle()
    assert (world.held(2), world.legs()) == (0, (None, None))
    del world.positions[TWO, ES]
    for _ in range(2):  # what a first answer leaves out may only be late
        world.connect(TWO)
        world.wait(6)
    world.settle()
    assert world.legs() == (None, None)
