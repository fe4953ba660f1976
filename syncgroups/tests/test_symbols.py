"""Followers that trade another contract than their leader, or the other side of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.plan import FollowerPlan
from syncgroups.core.symbols import on_grid
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.contracts import product_of, sibling_of
from tradehaven.domain.enums import OrderType, RefusalReason, Side, TimeInForce
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.ids import Symbol
from tradehaven.domain.instruments import product
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

BUY, SELL = Side.BUY, Side.SELL
MES, CL, QM = Symbol("MESZ6"), Symbol("CLF7"), Symbol("QMF7")


def mapped(root: str, trades: str, **settings: object) -> FollowerPlan:
    """Return a follower that answers one product of its leader with another one."""
    return follower(2, products={root: follower(2, product=trades, **settings)}, **settings)


def _replanned(world: Desk, *followers: FollowerPlan) -> None:
    world.plan = plan_of(group_of(*followers))


def _placed(world: Desk) -> list[tuple[str, Side, int]]:
    return [(order.symbol, order.side, order.spec.qty) for order in world.placed]


# -- another contract -------------------------------------------------------------------------------


def test_a_micro_account_answers_one_mini_with_ten() -> None:
    world = desk(mapped("ES", "MES"))
    world.market(BUY, 1)
    world.settle()
    assert _placed(world) == [(MES, BUY, 10)]
    world.market(SELL, 1)
    world.settle()
    assert world.held(2, MES) == 0


@pytest.mark.parametrize(
    ("root", "trades", "ratio", "leader", "qty"),
    [
        ("ES", "MES", "0.25", 1, 2),  # SIZE-12: 2.5 cut once
        ("SI", "SIL", "1", 2, 10),
        ("BTC", "MBT", "0.1", 1, 5),
        ("MES", "ES", "1", 25, 2),  # SIZE-13
        ("QG", "MNG", "1", 3, 7),
    ],
)
def test_ratio_and_factor_are_cut_once(root: str, trades: str, ratio: str, leader: int, qty: int) -> None:
    world = desk(mapped(root, trades, ratio=ratio))
    world.trade(BUY, leader, symbol=Symbol(f"{root}Z6"))
    world.settle()
    assert _placed(world) == [(f"{trades}Z6", BUY, qty)]


def test_a_partial_exit_leaves_the_share_of_what_the_leader_keeps() -> None:
    world = desk(mapped("ES", "MES"))
    world.market(BUY, 3)
    world.settle()
    world.market(SELL, 1)
    world.settle()
    assert world.held(2, MES) == 20


def test_a_leader_that_trades_both_sizes_is_followed_in_each() -> None:
    world = desk(mapped("ES", "MES"))
    world.market(BUY, 1)
    world.market(BUY, 3, symbol=MES)
    world.settle()
    assert world.held(2, MES) == 13
    world.market(SELL, 1)
    world.settle()
    assert world.held(2, MES) == 3
    world.market(SELL, 3, symbol=MES)
    world.settle()
    assert world.held(2, MES) == 0


def test_prices_go_to_the_followers_grid_and_are_never_worse() -> None:
    world = desk(mapped("CL", "QM"))
    world.trade(BUY, 1, OrderType.LIMIT, limit=6013, symbol=CL)
    world.trade(SELL, 1, OrderType.LIMIT, limit=6113, symbol=CL)
    world.settle()
    prices = [product_of(order.symbol).to_price(order.spec.limit or 0) for order in world.placed]
    assert [str(price) for price in prices] == ["60.125", "61.150"]


@given(
    st.sampled_from([("CL", "QM"), ("6E", "M6E"), ("NG", "QG"), ("ES", "MES")]),
    st.sampled_from(list(OrderType)),
    st.sampled_from(list(Side)),
    st.integers(-100_000, 100_000),
)
def test_no_price_is_better_for_the_market_than_the_leaders(
    pair: tuple[str, str], kind: OrderType, side: Side, ticks: int
) -> None:
    theirs, mine = product(pair[0]), product(pair[1])
    spec = OrderSpec(order_type=kind, qty=1, limit=Ticks(ticks), stop=Ticks(ticks), trail=Ticks(3))
    moved = on_grid(spec, side, theirs, mine)
    assert moved.limit is not None
    assert moved.stop is not None
    assert moved.trail is not None
    price, sign = theirs.to_price(ticks), side.sign
    assert mine.to_price(moved.limit) * sign <= price * sign
    waits_for_better = kind in (OrderType.MIT, OrderType.LIMIT_IF_TOUCHED)
    distance = (mine.to_price(moved.stop) - price) * sign
    assert distance <= 0 if waits_for_better else distance >= 0
    assert mine.to_price(moved.trail) >= theirs.to_price(3)
    assert abs(mine.to_price(moved.limit) - price) < mine.tick_size


def test_a_change_of_the_leader_moves_the_price_on_the_followers_grid() -> None:
    world = desk(mapped("CL", "QM"))
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=6000, symbol=CL)
    world.settle()
    world.change(order, limit=Ticks(6006))
    world.settle()
    copy = next(iter(world.book.copies.values()))
    assert product("QM").to_price(copy.sent.limit or 0) == product("CL").to_price(6005)


def test_a_month_that_the_other_product_does_not_list_is_said() -> None:
    world = desk(mapped("GC", "ES"), follower(3))
    world.trade(BUY, 1, symbol=Symbol("GCG7"))
    assert world.reasons() == [RefusalReason.UNKNOWN_INSTRUMENT]
    assert [order.account for order in world.outbox] == [3]


@pytest.mark.parametrize(("code", "root"), [("rubbish!", "MES"), ("ESZ6", "NOSUCH"), ("GCG7", "ES")])
def test_what_has_no_counterpart_is_an_error_with_a_name(code: str, root: str) -> None:
    with pytest.raises(UnknownInstrument):
        sibling_of(Symbol(code), root)


def test_a_follower_may_leave_a_product_out_and_still_get_out_of_it() -> None:
    world = desk(follower(2))
    world.market(BUY, 1)
    world.settle()
    _replanned(world, follower(2, products={"ES": follower(2, copies=False)}))
    world.market(BUY, 1)
    assert world.reasons() == [RefusalReason.INSTRUMENT_FILTERED]
    world.market(SELL, 2)
    world.settle()
    assert world.held(2) == 0


def test_one_product_may_have_a_size_and_a_cap_of_its_own() -> None:
    world = desk(follower(2, products={"ES": follower(2, ratio="3", max_contracts=4)}))
    world.trade(BUY, 2)
    world.trade(BUY, 2, symbol=CL)
    world.settle()
    assert _placed(world) == [(ES, BUY, 4), (CL, BUY, 2)]


# -- settings that change in the middle of a trade (F42) ---------------------------------------------


def test_what_was_opened_in_one_contract_is_closed_in_it_whatever_is_set_by_then() -> None:
    world = desk(follower(2))
    world.market(BUY, 2)
    world.settle()
    _replanned(world, mapped("ES", "MES"))
    world.market(BUY, 1)
    assert world.reasons() == [RefusalReason.SETTINGS_CHANGED]
    world.market(SELL, 3)
    world.settle()
    assert (world.held(2), world.held(2, MES)) == (0, 0)
    world.market(BUY, 1)
    world.settle()
    assert world.held(2, MES) == 10


def test_a_position_against_the_leader_is_closed_after_the_setting_is_gone() -> None:
    world = desk(follower(2, reverse=True))
    world.market(BUY, 2)
    world.settle()
    assert world.held(2) == -2
    _replanned(world, follower(2))
    world.market(SELL, 2)
    world.settle()
    assert world.held(2) == 0
    assert not world.reasons()


def test_a_working_order_keeps_the_contract_it_was_placed_in() -> None:
    world = desk(follower(2))
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    _replanned(world, mapped("ES", "MES"))
    world.change(order, limit=Ticks(20004))
    world.settle()
    copy = next(iter(world.book.copies.values()))
    assert (copy.symbol, copy.sent.limit, copy.sent.qty) == (ES, 20004, 1)


# -- the other side ---------------------------------------------------------------------------------


def test_a_reversed_follower_stands_against_its_leader_and_ends_flat_with_it() -> None:
    world = desk(follower(2, reverse=True, ratio="2"))
    world.market(BUY, 3)
    world.settle()
    assert world.held(2) == -6
    world.market(SELL, 1)
    world.settle()
    assert world.held(2) == -4
    world.market(SELL, 5)
    world.settle()
    assert world.held(2) == 6
    world.market(BUY, 3)
    world.settle()
    assert world.held(2) == 0


@pytest.mark.parametrize(
    ("kind", "prices", "mirror", "limit", "stop"),
    [
        (OrderType.LIMIT, {"limit": 19900}, OrderType.STOP, None, 19900),
        (OrderType.STOP, {"stop": 20100}, OrderType.LIMIT, 20100, None),
        (OrderType.STOP_LIMIT, {"stop": 20100, "limit": 20104}, OrderType.LIMIT, 20100, None),
        (OrderType.MIT, {"stop": 19900}, OrderType.STOP, None, 19900),
        (OrderType.LIMIT_IF_TOUCHED, {"stop": 19900, "limit": 19901}, OrderType.STOP, None, 19900),
    ],
)
def test_a_reversed_order_trades_where_the_leaders_does(
    kind: OrderType, prices: dict[str, Any], mirror: OrderType, limit: int | None, stop: int | None
) -> None:
    world = desk(follower(2, reverse=True))
    world.trade(BUY, 1, kind, **prices)
    (order,) = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert (order.side, order.spec.order_type) == (SELL, mirror)
    assert (order.spec.limit, order.spec.stop) == (limit, stop)


def test_a_trailing_stop_has_no_mirror_and_that_is_said() -> None:
    world = desk(follower(2, reverse=True))
    world.trade(SELL, 1, OrderType.TRAILING_STOP, stop=19900, trail=10)
    assert world.reasons() == [RefusalReason.ORDER_TYPE_UNSUPPORTED]


def test_an_order_for_this_moment_has_no_mirror_that_waits() -> None:
    world = desk(follower(2, reverse=True))
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000, seen=False)
    world.change(order, seen=False, tif=TimeInForce.IOC)
    world.connect(LEADER)
    assert world.outbox == []
    other = world.trade(BUY, 1, OrderType.LIMIT, limit=20000, seen=False)
    world.orders[other].spec = OrderSpec(
        order_type=OrderType.LIMIT, qty=1, limit=Ticks(20000), tif=TimeInForce.FOK
    )
    world.step(world._working(world.orders[other]))
    assert world.reasons()[-1] == RefusalReason.ORDER_TYPE_UNSUPPORTED


def test_a_reversed_stop_is_the_targets_place_for_what_is_held() -> None:
    world = desk(follower(2, reverse=True))
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    resting = [copy for copy in world.book.copies.values() if copy.is_open]
    assert [(copy.side, copy.sent.order_type, copy.sent.qty, copy.enters) for copy in resting] == [
        (BUY, OrderType.LIMIT, 2, 0)
    ]


def test_a_reversed_follower_whose_entry_fills_late_gets_its_exit_then() -> None:
    world = desk(follower(2, reverse=True))
    world.market(BUY, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    resting = [copy for copy in world.book.copies.values() if copy.is_open]
    assert [(copy.side, copy.sent.qty) for copy in resting] == [(BUY, 2)]


def test_a_found_order_is_known_to_stand_against_its_leader() -> None:
    world = desk(follower(2, reverse=True))
    world.market(BUY, 2)
    world.settle()
    fresh = desk(follower(2, reverse=True))
    fresh.orders, fresh.fills, fresh.positions = world.orders, world.fills, world.positions
    fresh.connect()
    assert fresh.book.held_for(GROUP, follower(2).account, ES) == (ES, True)


def test_an_exit_that_waits_is_told_in_the_followers_terms_again() -> None:
    world = desk(mapped("ES", "MES"), follower(3, reverse=True))
    world.market(BUY, 2)
    world.market(SELL, 2)
    assert _sent(world) == [(MES, BUY, 20), (ES, SELL, 2)]
    world.settle()
    assert (world.held(2, MES), world.held(3)) == (0, 0)
    assert [order.spec.qty for order in world.placed] == [20, 2, 20, 2]


def test_a_flip_that_waits_opens_the_other_side_in_the_followers_terms() -> None:
    world = desk(mapped("ES", "MES"), follower(3, reverse=True))
    world.market(BUY, 2)
    world.market(SELL, 3)
    world.settle()
    assert (world.held(2, MES), world.held(3)) == (-10, 1)


def _sent(world: Desk) -> list[tuple[str, Side, int]]:
    found = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    return [(order.symbol, order.side, order.spec.qty) for order in found]
