"""Confirmed mode: entries by the leader's fills, exits as working orders for what is held (COPY-06)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.plan import FollowerPlan
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import LEADER, follower, gate_of
from tradehaven.domain.commands import CancelOrder, ChangeOrder, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side, SizingMode, SyncMode
from tradehaven.domain.ids import AccountId, Symbol
from tradehaven.domain.money import Ticks

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
MES = Symbol("MESZ6")


def confirmed(*followers: FollowerPlan, **settings: Any) -> Desk:
    """Return a connected desk whose group copies what its leader fills."""
    return desk(*(followers or (follower(2),)), mode=SyncMode.CONFIRMED, **settings)


def sent_by(world: Desk) -> list[tuple[Side, OrderType, int]]:
    """Return what is on its way."""
    found = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    return [(order.side, order.spec.order_type, order.spec.qty) for order in found]


def placed_by(world: Desk) -> list[tuple[Side, int]]:
    """Return what the broker took, in order."""
    return [(order.side, order.spec.qty) for order in world.placed]


# -- entries ----------------------------------------------------------------------------------------


def test_nothing_is_sent_for_an_entry_that_only_works() -> None:
    world = confirmed()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=19900)
    assert world.outbox == []
    world.cancel(order)
    assert world.outbox == []
    assert world.reasons() == []


def test_each_part_of_a_fill_is_copied_at_once_and_the_cancelled_rest_is_not() -> None:
    world = confirmed()
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=19900)
    world.fill(order, 1)
    assert sent_by(world) == [(BUY, OrderType.MARKET, 1)]
    world.fill(order, 1)
    assert sent_by(world) == [(BUY, OrderType.MARKET, 1)] * 2
    world.cancel(order)
    world.settle()
    assert world.held(2) == 2
    assert not any(isinstance(command, CancelOrder) for command in world.outbox)


@pytest.mark.parametrize(
    ("ratio", "parts", "orders"),
    [
        ("0.5", (1, 1, 1, 1), [1, 1]),  # SIZE-01
        ("0.3", (3, 3, 4), [1, 2]),  # SIZE-02: 0, 1, 2
        ("1.5", (1, 1, 1), [1, 2, 1]),  # SIZE-03
    ],
)
def test_the_share_is_cut_over_all_fills_together(
    ratio: str, parts: tuple[int, ...], orders: list[int]
) -> None:
    world = confirmed(follower(2, ratio=ratio))
    order = world.trade(BUY, sum(parts), OrderType.LIMIT, limit=19900)
    for part in parts:
        world.fill(order, part)
    world.settle()
    assert [qty for _, qty in placed_by(world)] == orders


def test_scaling_in_and_out_by_one_follows_size_18_and_19() -> None:
    world = confirmed(follower(2, ratio="0.5"))
    for _ in range(4):
        world.market(BUY, 1)
        world.settle()
    assert world.held(2) == 2
    assert placed_by(world) == [(BUY, 1), (BUY, 1)]
    world = confirmed(follower(2, ratio="0.5"))
    world.market(BUY, 3)
    held = []
    for _ in range(3):
        world.settle()
        world.market(SELL, 1)
        world.settle()
        held.append(world.held(2))
    assert held == [1, 0, 0]


def test_every_fill_has_one_outcome_and_a_second_telling_changes_nothing() -> None:
    world = confirmed(follower(2, ratio="0.5"), follower(3))
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=19900)
    world.fill(order, 1)
    assert world.reasons() == [RefusalReason.ROUNDS_TO_ZERO]
    world.step(world.fills[-1])
    world.settle()
    assert (world.held(2), world.held(3)) == (0, 1)


def test_a_fixed_size_is_that_of_an_order_in_however_many_fills() -> None:
    world = confirmed(follower(2, sizing=SizingMode.FIXED, fixed_qty=3))
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=19900)
    for _ in range(4):
        world.fill(order, 1)
        world.settle()
    assert world.held(2) == 3
    leaving = world.trade(SELL, 3, OrderType.MARKET)
    for _ in range(3):
        world.fill(leaving, 1)
        world.settle()
    assert world.held(2) == 0
    world.market(SELL, 1)
    world.settle()
    assert world.held(2) == 0


def test_an_entry_may_be_at_most_some_ticks_worse_than_the_leaders() -> None:
    world = confirmed(follower(2), follower(3, reverse=True), entry_slack=3)
    world.market(BUY, 2)
    found = [(order.side, order.spec.limit) for order in world.outbox if isinstance(order, PlaceOrder)]
    assert found == [(BUY, 20003), (SELL, 19997)]


def test_a_limited_entry_is_priced_on_the_followers_grid() -> None:
    rule = follower(2, product="QM")
    world = confirmed(follower(2, products={"CL": rule}), entry_slack=1)
    order = world.trade(BUY, 1, symbol=Symbol("CLF7"))
    world.fill(order)
    (sent,) = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert (sent.symbol, sent.spec.qty) == ("QMF7", 2)
    assert sent.spec.limit == 200_00 * 10 // 25 + 1  # 200.00 in ticks of 0.025, and one more


def test_an_entry_that_still_rests_is_withdrawn_when_its_leader_is_out() -> None:
    world = confirmed(entry_slack=0)
    world.market(BUY, 2)
    world.settle()
    assert len(world.resting(2)) == 1
    world.market(SELL, 2)
    world.settle()
    assert world.resting(2) == []
    assert world.held(2) == 0


def test_filters_gates_and_links_are_asked_for_every_fill() -> None:
    world = confirmed(follower(2), follower(3), follower(4, max_position=1))
    world.shut(gate_of(TWO))
    world.lose(AccountId(3))
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=19900)
    world.fill(order, 1)
    assert [command.account for command in world.outbox] == [4]
    assert sorted(world.reasons()) == ["follower_offline", "kill_switch"]
    world.fill(order, 2)
    assert sorted(world.reasons()[2:]) == ["follower_offline", "kill_switch", "max_position"]


# -- exits ------------------------------------------------------------------------------------------


def test_a_leaders_exit_at_the_market_is_copied_by_its_fills() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    leaving = world.trade(SELL, 2)
    assert world.outbox == []
    world.fill(leaving, 1)
    assert sent_by(world) == [(SELL, OrderType.MARKET, 1)]
    world.settle()
    world.fill(leaving, 1)
    world.settle()
    assert world.held(2) == 0


def test_a_protective_order_works_for_what_the_follower_really_holds() -> None:
    world = confirmed(follower(2, ratio="2"), follower(3, max_contracts=1))
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    assert sent_by(world) == [(SELL, OrderType.STOP, 4), (SELL, OrderType.STOP, 1)]


def test_a_stop_that_was_there_before_the_entry_protects_once_there_is_something() -> None:
    world = confirmed()
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    assert world.outbox == []
    world.market(BUY, 2)
    world.settle()
    resting = world.resting(2)
    assert [(order.side, order.spec.qty, order.spec.stop) for order in resting] == [(SELL, 2, 19900)]


def test_a_stop_that_comes_before_the_followers_fill_waits_for_it() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    assert sent_by(world) == [(BUY, OrderType.MARKET, 2)]
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [2]
    assert world.reasons() == []


def test_stop_and_target_that_wait_for_the_same_fill_are_placed_once_each() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.trade(SELL, 2, OrderType.LIMIT, limit=20100)
    world.settle()
    world.wait(1)
    world.settle()
    assert placed_by(world) == [(BUY, 2), (SELL, 2), (SELL, 2)]
    assert [order.spec.order_type for order in world.resting(2)] == [OrderType.STOP, OrderType.LIMIT]


def test_the_fill_of_a_mirrored_exit_needs_no_second_order() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.fill(stop)
    assert world.outbox == []
    world.fill(world.resting(2)[0].order_id)
    assert world.held(2) == 0


def test_a_leaders_exit_fills_where_the_followers_was_turned_down() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.reject(world.outbox.pop(), "Price")
    world.fill(stop)
    world.settle()
    assert world.held(2) == 0


def test_moves_and_cancels_of_a_protective_order_follow() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.change(stop, stop=Ticks(19950))
    world.settle()
    assert [order.spec.stop for order in world.resting(2)] == [19950]
    world.cancel(stop)
    world.settle()
    assert world.resting(2) == []


def test_an_order_that_becomes_an_entry_of_its_own_is_not_mirrored_any_more() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.change(stop, qty=3)
    world.settle()
    assert world.resting(2) == []


def test_a_flip_closes_and_opens_by_its_fills() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    order = world.trade(SELL, 5, OrderType.LIMIT, limit=20100)
    assert world.outbox == []
    world.fill(order, 5)
    assert sent_by(world) == [(SELL, OrderType.MARKET, 5)]
    world.settle()
    assert world.held(2) == -3


def test_a_flip_within_a_limit_closes_at_the_market_and_opens_at_the_limit() -> None:
    world = confirmed(entry_slack=2)
    world.market(BUY, 2)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.market(SELL, 5)
    assert sent_by(world) == [(SELL, OrderType.MARKET, 2), (SELL, OrderType.LIMIT, 3)]
    keys = [command.client_order_id for command in world.outbox]
    assert keys[1] == f"{keys[0]}.e"


def test_a_limited_entry_of_a_flip_stays_where_it_is_when_the_leader_moves_the_rest() -> None:
    world = confirmed(entry_slack=4)
    world.market(BUY, 2)
    world.settle()
    for order in world.resting(2):
        world.fill(order.order_id)
    flip = world.trade(SELL, 2, OrderType.LIMIT, limit=20100)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.change(flip, qty=4)
    world.fill(flip, 3, price=20100)
    world.settle()
    (entry,) = world.resting(2)
    assert (entry.side, entry.spec.qty, entry.spec.limit) == (SELL, 1, 20096)
    world.change(flip, limit=Ticks(20110))
    assert world.outbox == []


def test_the_part_of_a_fill_beyond_a_mirrored_exit_is_an_entry() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.market(SELL, 1)  # by hand, while the stop still works
    world.settle()
    world.fill(stop)
    world.settle()
    for order in world.resting(2):
        world.fill(order.order_id)
    assert world.held(2) == world.held(LEADER) == -1


# -- a law ------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Side)), st.integers(1, 4), st.booleans()), min_size=1, max_size=12
    ),
    st.sampled_from(["1", "0.5", "1.5", "0.3"]),
)
def test_a_follower_holds_its_share_of_what_the_leader_holds(
    trades: list[tuple[Side, int, bool]], ratio: str
) -> None:
    world = confirmed(follower(2, ratio=ratio), follower(3, ratio=ratio, reverse=True))
    for side, qty, at_once in trades:
        world.market(side, qty)
        if at_once:
            world.settle()
    world.settle()
    leader = world.held(LEADER)
    share = int(abs(leader) * float(ratio) + 1e-9) * (1 if leader > 0 else -1)
    assert world.held(2) == share
    assert world.held(3) == -share


def test_a_mirrored_exit_that_moved_unseen_is_moved_once() -> None:
    world = desk(follower(2), mode=SyncMode.CONFIRMED)
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.lose(LEADER)
    world.change(stop, stop=19950, seen=False)
    world.connect(LEADER)
    assert [type(command) for command in world.outbox] == [ChangeOrder]
    world.settle()
    assert [order.spec.stop for order in world.resting(2)] == [19950]
