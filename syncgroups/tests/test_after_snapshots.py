"""After a snapshot, one order at a time: who is looked at, what is told again, what is taken back."""

import pytest

from syncgroups.tests import bracketing
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import LEADER, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, ChangeOrder
from tradehaven.domain.enums import OrderType, Side, SyncMode, TradingState
from tradehaven.domain.ids import AccountId, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
TWO, THREE = AccountId(2), AccountId(3)
CONFIRMED = SyncMode.CONFIRMED


def resting(world: Desk, side: Side = BUY, limit: int = 20000) -> OrderId:
    """Return an order of the leader whose copies work as well."""
    order = world.trade(side, 1, LIMIT, limit=limit)
    world.settle()
    return order


def changes(world: Desk) -> list[tuple[int, int | None, int]]:
    found = (command for command in world.outbox if isinstance(command, ChangeOrder))
    return [(change.account, change.spec.limit, change.spec.qty) for change in found]


# -- who is looked at ---------------------------------------------------------------------------------


def test_a_snapshot_brings_only_its_own_accounts_in_line() -> None:
    world = desk(follower(2), follower(3))
    resting(world)
    world.plan = plan_of(group_of(follower(2, ratio="2"), follower(3, ratio="3")))
    world.lose(THREE)
    world.connect(THREE)
    assert changes(world) == [(3, 20000, 3)]


def test_a_leaders_snapshot_brings_all_its_followers_in_line() -> None:
    world = desk(follower(2), follower(3))
    resting(world)
    world.plan = plan_of(group_of(follower(2, ratio="2"), follower(3, ratio="3")))
    world.lose(LEADER)
    world.connect(LEADER)
    assert changes(world) == [(2, 20000, 2), (3, 20000, 3)]


def test_orders_are_brought_in_line_by_their_names() -> None:
    world = desk()
    world.last_id = 997
    for limit in (20000, 19000):
        resting(world, limit=limit)
    names = sorted(str(copy.key) for copy in world.book.copies.values())
    assert not names[0].startswith("th1.g9.l1.o998")
    world.plan = plan_of(group_of(follower(2, ratio="2")))
    world.lose(TWO)
    world.connect(TWO)
    assert [command.client_order_id.split(".c")[0] for command in world.outbox] == names


def test_a_wish_is_told_when_the_link_is_back_though_its_leader_cannot_be_seen() -> None:
    world = desk()
    order = resting(world)
    world.lose(TWO)
    world.change(order, limit=19990)
    world.lose(LEADER)
    world.plan = plan_of(group_of(follower(2, ratio="2")))  # a new size waits until that one is seen
    world.connect(TWO)
    assert changes(world) == [(2, 19990, 1)]


def test_a_wish_is_told_when_the_link_is_back_though_its_group_has_stopped() -> None:
    world = desk()
    order = resting(world)
    world.lose(TWO)
    world.change(order, limit=19990)
    world.plan = plan_of(group_of(follower(2, ratio="3"), active=False))
    world.connect(TWO)
    assert changes(world) == [(2, 19990, 1)]


def test_a_wish_of_a_leg_of_a_manual_order_is_told_when_the_link_is_back() -> None:
    world = bracketing.desk()
    world.entered(BUY, 2, (1, 20000))
    entry = world.entry()
    world.lose(TWO)
    world.fill(entry, 1, price=20000, seen=False)
    world.connect(TWO)
    world.settle()
    assert world.legs() == ((2, 19980), (2, 20040))


def test_an_order_whose_product_has_no_counterpart_any_more_keeps_its_wish() -> None:
    world = desk()
    gold = Symbol("GCG7")
    order = world.trade(BUY, 1, LIMIT, limit=20000, symbol=gold)
    world.settle()
    world.lose(TWO)
    world.change(order, limit=19990)
    world.plan = plan_of(group_of(follower(2, products={"GC": follower(2, product="ES")})))
    world.connect(TWO)
    assert changes(world) == [(2, 19990, 1)]


def test_an_order_that_stands_as_it_should_is_told_nothing() -> None:
    world = desk()
    resting(world)
    world.lose(TWO)
    before = len(world.decisions)
    world.connect(TWO)
    assert not any(decision.steps for decision in world.decisions[before:])


def test_an_exit_outlives_its_leaders_order_and_is_told_what_it_was_to_be_told() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    target = resting(world, SELL, 21000)
    world.lose(TWO)
    world.change(target, limit=21010)
    world.fill(target)
    world.connect(TWO)
    assert changes(world) == [(2, 21010, 1)]


def test_a_new_size_and_a_wish_are_told_as_one() -> None:
    world = desk()
    order = resting(world)
    world.lose(TWO)
    world.change(order, limit=19990)
    world.plan = plan_of(group_of(follower(2, ratio="2")))
    world.connect(TWO)
    assert changes(world) == [(2, 19990, 2)]


def test_an_exit_that_moved_unseen_is_changed_once_in_confirmed_mode() -> None:
    world = desk(mode=CONFIRMED)
    world.wait(7)
    world.market(BUY, 1)
    world.settle()
    target = resting(world, SELL, 21000)
    world.lose(LEADER)
    world.change(target, limit=21010, seen=False)
    world.connect(LEADER)
    assert changes(world) == [(2, 21010, 1)]


def test_an_exit_that_moved_unseen_is_refused_once_behind_a_shut_gate_in_confirmed_mode() -> None:
    world = desk(mode=CONFIRMED)
    world.wait(7)
    world.market(BUY, 1)
    world.settle()
    target = resting(world, SELL, 21000)
    world.lose(LEADER)
    world.shut(gate_of(TWO))
    world.change(target, limit=21010, seen=False)
    world.connect(LEADER)
    assert (changes(world), world.reasons()) == ([], ["kill_switch"])


def test_orders_that_grow_in_one_snapshot_share_what_the_limit_leaves() -> None:
    world = desk(follower(2, max_position=4))
    world.market(SELL, 2)
    world.settle()
    world.shut(gate_of(TWO), state=TradingState.REDUCING)
    for stop in (20100, 20110):
        world.trade(BUY, 4, STOP, stop=stop)
    world.settle()
    world.shut(gate_of(TWO), state=TradingState.ACTIVE)
    world.lose(LEADER)
    world.connect(LEADER)
    world.settle()
    assert world.held(2) + sum(order.spec.qty for order in world.resting(2)) == 4


# -- what has outlived its leader's order -------------------------------------------------------------


def test_an_entry_whose_leader_withdrew_it_unseen_is_withdrawn_though_the_leader_holds_something() -> None:
    world = desk()
    world.market(BUY, 1)
    order = resting(world)
    world.lose(LEADER)
    world.cancel(order, seen=False)
    world.connect(LEADER)
    assert [type(command) for command in world.outbox] == [CancelOrder]


def test_an_entry_whose_leader_filled_it_unseen_goes_on_resting() -> None:
    world = desk()
    order = resting(world)
    world.lose(LEADER)
    world.fill(order, seen=False)
    world.connect(LEADER)
    assert world.outbox == []


def test_behind_a_gate_an_exit_with_nothing_left_to_close_is_withdrawn_all_the_same() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    target = resting(world, SELL, 21000)
    world.shut(gate_of(TWO))
    world.lose(LEADER)
    world.lose(TWO)
    world.fill(target, seen=False)
    world.market(SELL, 1, account=TWO, seen=False)
    world.connect()
    assert [type(command) for command in world.outbox] == [CancelOrder]
    assert "kill_switch" not in world.reasons()


def test_an_order_at_the_market_that_its_leader_withdrew_unseen_is_withdrawn() -> None:
    world = desk()
    order = world.trade(BUY, 1)
    world.settle(fill_markets=False)
    world.lose(LEADER)
    world.cancel(order, seen=False)
    world.connect(LEADER)
    assert [type(command) for command in world.outbox] == [CancelOrder]


def test_a_repair_is_not_taken_back_by_a_snapshot() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 1, STOP, stop=19900)
    world.reject(world.outbox.pop(), "no")
    world.fill(stop)
    world.wait(2)
    world.settle(fill_markets=False)
    assert [order.spec.qty for order in world.resting(2)] == [1]
    world.book.forget_orders(LEADER)
    world.lose(LEADER)
    del world.orders[stop]
    world.connect(LEADER)
    assert world.outbox == []


def test_a_stop_that_was_placed_anew_follows_its_leader_over_a_snapshot() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, STOP, stop=19900)
    world.reject(world.outbox.pop(), "no")
    world.wait(2)
    world.settle()
    world.lose(LEADER)
    world.change(stop, stop=19950, seen=False)
    world.connect(LEADER)
    (change,) = world.outbox
    assert isinstance(change, ChangeOrder)
    assert change.spec.stop == 19950


def test_an_order_of_a_leader_that_is_gone_is_left_as_it_is() -> None:
    world = desk()
    resting(world)
    world.plan = plan_of(group_of(follower(2), leader=THREE))
    world.lose(TWO)
    world.connect(TWO)
    assert world.outbox == []


def test_an_exit_that_outlived_its_leaders_and_fits_what_is_held_is_not_even_written_down() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, STOP, stop=19900)
    world.settle()
    world.fill(stop)
    world.lose(TWO)
    world.connect(TWO)
    assert world.decisions[-1].steps == ()


# -- what is held by now ------------------------------------------------------------------------------


def covered(mode: SyncMode, *, seen: bool) -> list[tuple[Side, int]]:
    """Return what rests at a follower whose entry filled after its leader had placed its stop."""
    world = desk(mode=mode)
    world.wait(10)  # a start is over
    entry = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle(fill_markets=False)
    world.fill(entry)
    world.settle(fill_markets=False)
    world.trade(SELL, 2, STOP, stop=19900)
    world.outbox.clear()  # in Confirmed mode the cancel of an entry at the market
    (mine,) = world.resting(2)
    if not seen:
        world.lose(TWO)
    world.fill(mine.order_id, seen=seen)
    if not seen:
        world.connect(TWO)
    world.settle()
    assert world.held(2) == 2
    return [(order.side, order.spec.qty) for order in world.resting(2)]


@pytest.mark.parametrize("mode", SyncMode)
@pytest.mark.parametrize("seen", [True, False])
def test_an_entry_that_filled_unseen_gets_the_stop_that_it_would_have_had(
    mode: SyncMode, *, seen: bool
) -> None:
    assert covered(mode, seen=seen) == [(SELL, 2)]


def test_an_entry_that_had_rounded_to_nothing_is_not_opened_by_a_snapshot() -> None:
    world = desk(follower(2, ratio="0.5"))
    world.wait(10)
    world.trade(BUY, 1, LIMIT, limit=20000)
    assert world.reasons() == ["rounds_to_zero"]
    world.plan = plan_of(group_of(follower(2)))
    world.lose(TWO)
    world.connect()
    assert world.outbox == []


def test_a_group_that_is_off_gives_nobody_its_leaders_stop() -> None:
    world = desk()
    world.wait(10)
    entry = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.fill(entry)
    world.trade(SELL, 2, STOP, stop=19900)
    (mine,) = world.resting(2)
    world.lose(TWO)
    world.fill(mine.order_id, seen=False)
    world.plan = plan_of(group_of(follower(2), active=False))
    world.connect(TWO)
    assert world.outbox == []
