"""A leader's orders become the followers', one behaviour at a time."""

from decimal import Decimal
from typing import Any

import pytest

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, ChangeOrder, PlaceOrder
from tradehaven.domain.enums import OrderType, SessionHours, Side, SizingMode
from tradehaven.domain.ids import AccountId, GroupId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def test_a_market_order_reaches_every_follower_at_its_ratio() -> None:
    world = desk(follower(2), follower(3, ratio="2"), follower(4, ratio="1/2"))
    world.market(BUY, 4)
    world.settle()
    assert [world.held(account) for account in (2, 3, 4)] == [4, 8, 2]


@pytest.mark.parametrize(
    ("order_type", "prices"),
    [
        (OrderType.LIMIT, {"limit": 20000}),
        (OrderType.STOP, {"stop": 20100}),
        (OrderType.STOP_LIMIT, {"limit": 20104, "stop": 20100}),
        (OrderType.MIT, {"stop": 19900}),
        (OrderType.LIMIT_IF_TOUCHED, {"limit": 19896, "stop": 19900}),
        (OrderType.TRAILING_STOP, {"stop": 20100, "trail": 40}),
        (OrderType.TRAILING_STOP_LIMIT, {"stop": 20100, "limit": 20104, "trail": 40}),
    ],
)
def test_a_resting_order_is_copied_with_its_prices(order_type: OrderType, prices: dict[str, Any]) -> None:
    world = desk()
    world.trade(BUY, 2, order_type, **prices)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert command.spec.order_type is order_type
    assert {name: getattr(command.spec, name) for name in prices} == prices
    assert command.client_order_id.startswith("th1.g9.l1.")


def test_a_change_that_is_on_its_way_counts_until_its_effect_is_seen() -> None:
    world = desk(follower(2, max_position=6))
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(order, qty=5)
    (growing,) = world.outbox
    world.outbox.clear()  # it is under way, and may be in force at any moment
    world.change(order, qty=1)
    world.trade(BUY, 2)
    assert world.reasons() == ["max_position"]
    world.deliver(growing)
    world.settle()
    world.trade(BUY, 2)
    assert world.reasons() == ["max_position"]


def test_a_trailing_stop_is_left_to_trail_by_itself() -> None:
    world = desk()
    stop = world.trade(SELL, 2, OrderType.TRAILING_STOP, stop=19900, trail=100)
    world.settle()
    assert world.reasons() == []
    (copy,) = world.resting(2)
    assert (copy.spec.stop, copy.spec.trail) == (19900, 100)
    world.change(stop, stop=19950)  # the market draws the leader's along, and the follower's a little later
    world.change(copy.order_id, stop=19940)
    assert not world.outbox
    world.change(stop, qty=1)
    (change,) = world.outbox
    assert isinstance(change, ChangeOrder)
    assert (change.spec.qty, change.spec.stop) == (1, 19940)
    world.change(copy.order_id, stop=19945)  # drawn along once more before the answer: still one command
    assert len(world.outbox) == 1
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [1]
    assert not world.outbox


def test_four_partial_fills_at_half_ratio_give_two() -> None:
    world = desk(follower(2, ratio="1/2"))
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=20000)
    world.settle()
    for _ in range(4):
        world.fill(order, 1)
    (copy,) = world.resting(2)
    world.fill(copy.order_id)
    assert world.held(2) == 2


def test_a_repeated_event_places_nothing_twice() -> None:
    world = desk()
    order = world.trade(BUY, 1)
    event = world._working(world.orders[order])
    world.step(event)
    world.fill(order)
    world.step(world.fills[0])
    assert len(world.outbox) == 1
    assert world.book.positions[LEADER, ES] == 1


def test_leader_flat_means_followers_flat_whatever_they_hold() -> None:
    world = desk(follower(2, ratio="1/2"), follower(3, sizing=SizingMode.FIXED, fixed_qty=4))
    world.market(BUY, 3)
    world.settle()
    assert (world.held(2), world.held(3)) == (1, 4)
    world.market(SELL, 3)
    world.settle()
    assert (world.held(2), world.held(3)) == (0, 0)


def test_scaling_out_follows_the_cut_share() -> None:
    world = desk(follower(2, ratio="1/2"))
    world.market(BUY, 3)
    world.settle()
    held = []
    for _ in range(3):
        world.market(SELL, 1)
        world.settle()
        held.append(world.held(2))
    assert held == [1, 0, 0]


def test_two_quick_exits_do_not_close_the_same_contracts_twice() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 1)
    world.trade(SELL, 1)  # the first one's fills are still on their way, at leader and follower
    world.settle()
    assert world.held(2) == 0


def test_a_flip_closes_and_opens_in_one_order() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 5)
    world.settle()
    assert world.held(2) == -3


def test_a_flip_on_a_follower_that_missed_the_entry_only_opens_the_new_side() -> None:
    world = desk()
    world.lose(AccountId(2))
    world.market(BUY, 2)
    world.connect(AccountId(2))
    world.market(SELL, 5)
    world.settle()
    assert world.held(2) == -3


def test_an_exit_of_a_missed_entry_opens_nothing() -> None:
    world = desk()
    world.lose(AccountId(2))
    world.market(BUY, 2)
    world.connect(AccountId(2))
    world.market(SELL, 2)
    world.settle()
    assert world.held(2) == 0
    assert world.reasons() == ["follower_offline", "nothing_to_reduce"]


def test_an_offline_follower_is_named_and_the_others_trade() -> None:
    world = desk(follower(2), follower(3))
    world.lose(AccountId(3))
    world.market(BUY, 1)
    world.settle()
    assert (world.held(2), world.held(3)) == (1, 0)
    assert world.reasons() == ["follower_offline"]


def test_a_rejected_follower_does_not_touch_the_others() -> None:
    world = desk(follower(2), follower(3))
    world.trade(BUY, 1)
    first = world.outbox.pop(0)
    world.reject(first, "MaxPosLimitReached")
    world.settle()
    assert (world.held(2), world.held(3)) == (0, 1)
    assert world.book.copies[first.client_order_id].state == "ended"


def test_a_size_of_nought_is_said_and_may_grow() -> None:
    world = desk(follower(2, ratio="1/2"))
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    assert world.reasons() == ["rounds_to_zero"]
    world.change(order, qty=2)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert command.spec.qty == 1


def test_a_moved_price_moves_the_copy() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(order, limit=19990)
    world.settle()
    (copy,) = world.resting(2)
    assert (copy.spec.limit, copy.spec.qty) == (19990, 2)


def test_fifty_changes_while_one_is_in_flight_become_two_commands() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    for price in range(19999, 19949, -1):
        world.change(order, limit=price)
    assert len(world.outbox) == 1
    world.settle()
    (copy,) = world.resting(2)
    assert copy.spec.limit == 19950
    assert world.book.copies[copy.client_order_id].commands == 2  # type: ignore[index]


def test_a_change_before_the_copy_has_a_name_waits_for_it() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.change(order, limit=19990)
    assert [type(command) for command in world.outbox] == [PlaceOrder]
    world.settle()
    assert world.resting(2)[0].spec.limit == 19990


def test_a_cancel_before_the_copy_has_a_name_waits_for_it() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.cancel(order)
    world.settle()
    assert not world.resting(2)
    assert world.held(2) == 0


def test_a_cancelled_order_cancels_its_copies() -> None:
    world = desk(follower(2), follower(3))
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.cancel(order)
    assert [type(command) for command in world.outbox] == [CancelOrder, CancelOrder]
    world.settle()
    assert not world.resting(2)
    assert not world.resting(3)


def test_a_partial_fill_and_a_cancelled_rest_leave_what_filled() -> None:
    world = desk()
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(order, 1)
    world.fill(world.resting(2)[0].order_id, 1)
    world.cancel(order)
    world.settle()
    assert world.held(2) == 1
    assert not world.resting(2)


def test_a_smaller_quantity_than_has_filled_cancels_the_rest() -> None:
    world = desk()
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(world.resting(2)[0].order_id, 3)
    world.change(order, qty=2)
    assert [type(command) for command in world.outbox] == [CancelOrder]


def test_a_larger_quantity_grows_the_copy() -> None:
    world = desk(follower(2, ratio="1/2"))
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(order, qty=8)
    (command,) = world.outbox
    assert isinstance(command, ChangeOrder)
    assert command.spec.qty == 4


def test_a_growing_order_whose_copy_has_ended_is_refused_by_name() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.change(order, qty=3)
    assert world.reasons() == ["copy_ended"]


def test_an_entry_that_rests_after_its_leader_left_is_cancelled() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(order)
    assert world.resting(2)
    world.market(SELL, 1)
    world.settle()
    assert not world.resting(2)
    assert world.held(2) == 0


def test_a_stop_follows_an_entry_that_filled_late_and_in_parts() -> None:
    world = desk()
    entry = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(entry)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    assert world.reasons() == ["nothing_to_reduce"]
    own = world.resting(2)[0].order_id
    world.fill(own, 1)
    world.settle()
    assert [order.spec.qty for order in world.resting(2) if order.side is SELL] == [1]
    world.fill(own, 1)
    world.settle()
    assert [order.spec.qty for order in world.resting(2) if order.side is SELL] == [2]


def test_an_exit_never_exceeds_what_a_foreign_hand_left() -> None:
    world = desk()
    world.market(BUY, 3)
    world.settle()
    world.market(SELL, 2, account=AccountId(2))
    world.market(SELL, 3)
    world.settle()
    assert world.held(2) == 0


def test_an_instrument_filter_refuses_entries_and_lets_exits_pass() -> None:
    world = desk(instruments=frozenset({"NQ"}))
    world.market(BUY, 1)
    assert world.reasons() == ["instrument_filtered"]
    world.market(BUY, 1, symbol=Symbol("NQZ6"))
    assert len(world.outbox) == 1


@pytest.mark.parametrize(
    ("hours", "copied"), [(SessionHours.RTH, 1), (SessionHours.ETH, 0), (SessionHours.ALL, 1)]
)
def test_hours_let_entries_pass_inside_them_only(hours: SessionHours, copied: int) -> None:
    world = desk(hours=hours)  # its clock stands at ten in the morning in Chicago
    world.market(BUY, 1)
    assert len(world.outbox) == copied
    assert world.reasons() == ([] if copied else ["outside_hours"])


def test_a_group_that_is_off_copies_nothing_and_says_nothing() -> None:
    world = desk(active=False)
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=1)
    world.change(order, limit=2)
    assert not world.outbox
    assert not world.reasons()


def test_balances_of_the_start_of_the_day_size_the_order() -> None:
    world = desk(follower(2, sizing=SizingMode.BALANCE))
    world.market(BUY, 2)
    assert world.reasons() == ["leader_balance_unknown"]
    world.balance(LEADER, Decimal(100_000))
    world.balance(AccountId(2), Decimal(50_000))
    world.balance(AccountId(2), Decimal(900_000))
    world.market(BUY, 2)
    assert world.outbox[0].spec.qty == 1  # type: ignore[union-attr]


def test_balances_are_taken_anew_when_the_limit_day_ends() -> None:
    world = desk(follower(2, sizing=SizingMode.BALANCE))
    world.balance(LEADER, Decimal(100_000))
    world.balance(AccountId(2), Decimal(50_000))
    world.wait(1)
    world.balance(AccountId(2), Decimal(200_000))
    world.market(BUY, 2)
    world.settle()
    assert world.held(2) == 1
    world.market(SELL, 2)
    world.settle()
    world.wait(8 * 3600)  # past five in the afternoon in Chicago
    world.market(BUY, 2)
    world.settle()
    assert world.held(2) == 4


def test_a_chain_copies_the_copies_and_nothing_comes_back() -> None:
    second = GroupId(10)
    plan = plan_of(
        group_of(follower(2)), group_of(follower(3), follower(4), leader=AccountId(2), group=second)
    )
    world = Desk(plan)
    world.connect()
    world.market(BUY, 2)
    world.settle()
    assert [world.held(account) for account in (2, 3, 4)] == [2, 2, 2]
    world.market(SELL, 2)
    world.settle()
    assert [world.held(account) for account in (2, 3, 4)] == [0, 0, 0]
    assert len(world.placed) == 6
    assert {copy.group for copy in world.book.copies.values()} == {GROUP, second}
