"""Kill switch, limits, flattening and drift."""

import pytest

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import (
    ES,
    GROUP,
    GROUP_GATE,
    LEADER,
    OWNER_GATE,
    follower,
    gate_of,
    group_of,
    plan_of,
)
from tradehaven.domain.commands import CancelOrder, ChangeOrder, ClosePosition
from tradehaven.domain.enums import OrderType, Side, TradingState
from tradehaven.domain.events import GateChanged, PositionReported
from tradehaven.domain.ids import AccountId, GateId, GroupId

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)


@pytest.mark.parametrize("gate", [gate_of(TWO), GROUP_GATE, OWNER_GATE])
def test_every_gate_over_a_follower_stops_its_copies(gate: GateId) -> None:
    world = desk()
    world.shut(gate)
    world.market(BUY, 1)
    assert world.reasons() == ["kill_switch"]
    assert not world.outbox


def test_a_kill_of_one_account_leaves_the_others_alone() -> None:
    world = desk(follower(2), follower(3))
    world.shut(gate_of(TWO))
    world.market(BUY, 1)
    world.settle()
    assert (world.held(2), world.held(3)) == (0, 1)


def test_a_disarmed_gate_copies_again() -> None:
    world = desk()
    world.shut(GROUP_GATE)
    world.shut(GROUP_GATE, state=TradingState.ACTIVE)
    world.market(BUY, 1)
    world.settle()
    assert world.held(2) == 1


def test_old_news_of_a_gate_changes_nothing() -> None:
    world = desk()
    world.shut(GROUP_GATE)
    late = GateChanged(gate=GROUP_GATE, state=TradingState.ACTIVE, flatten=False, version=1, at=world.at())
    world.step(late)
    world.market(BUY, 1)
    assert world.reasons() == ["kill_switch"]


def test_reducing_lets_exits_pass_and_entries_not() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.shut(GROUP_GATE, state=TradingState.REDUCING)
    world.market(BUY, 1)
    assert world.reasons() == ["reduce_only"]
    world.market(SELL, 3)
    world.settle()
    assert world.held(2) == 0


def test_a_flip_behind_a_reducing_gate_only_closes() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.shut(GROUP_GATE, state=TradingState.REDUCING)
    world.market(SELL, 5)
    world.settle()
    assert world.held(2) == 0
    assert world.reasons() == ["reduce_only"]


def test_of_a_flip_that_may_not_open_nothing_is_closed_behind_a_shut_gate() -> None:
    """I7: what bars the opening part, here a quarantine, must not carry the rest past the gates."""
    world = desk(follower(2, quarantined=frozenset({ES})), follower(3))
    world.book.hold((GROUP, TWO, ES, ES), 2)
    world.positions[TWO, ES] = world.book.positions[TWO, ES] = 2
    world.market(BUY, 2)
    world.settle()
    world.shut(gate_of(TWO))
    world.market(SELL, 5)
    assert not [command for command in world.outbox if command.account == TWO]
    assert world.reasons() == ["quarantined", "kill_switch"]


def test_of_a_flip_that_may_not_open_the_rest_closes_and_its_reason_is_told() -> None:
    world = desk(follower(2, quarantined=frozenset({ES})), follower(3))
    world.book.hold((GROUP, TWO, ES, ES), 2)
    world.positions[TWO, ES] = world.book.positions[TWO, ES] = 2
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 5)
    world.settle()
    assert (world.held(2), world.held(3)) == (0, -3)
    assert world.reasons() == ["quarantined", "quarantined"]


def test_behind_a_shut_gate_entries_are_withdrawn_and_exits_stay() -> None:
    world = desk()
    world.market(BUY, 1)
    entry = world.trade(BUY, 1, OrderType.LIMIT, limit=19000)
    world.settle()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=18000)
    world.settle()
    world.shut(GROUP_GATE)
    world.cancel(entry)
    world.cancel(stop)
    world.settle()
    assert [order.side for order in world.resting(2)] == [SELL]
    assert world.reasons() == ["kill_switch"]
    (said,) = (one for decision in world.decisions for one in decision.refusals)
    assert said.detail == "the kill switch is on: this exit stays in the market"


def test_a_moved_price_behind_a_shut_gate_stays_where_it_was() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.shut(GROUP_GATE)
    world.change(order, limit=19990)
    world.settle()
    assert world.resting(2)[0].spec.limit == 20000


def test_a_kill_with_flatten_cancels_closes_and_says_flat() -> None:
    world = desk(follower(2), follower(3))
    world.market(BUY, 2)
    world.trade(BUY, 1, OrderType.LIMIT, limit=19000)
    world.settle()
    world.shut(GROUP_GATE, flatten=True)
    kinds = {type(command) for command in world.outbox}
    assert kinds == {ClosePosition}
    world.settle()
    assert (world.held(2), world.held(3)) == (0, 0)
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert world.remarks().count("flat") == 3  # the leader stands under this test's gate as well
    world.wait(4)
    assert not world.outbox


def test_an_order_in_a_contract_without_a_position_is_cancelled() -> None:
    world = desk()
    world.trade(BUY, 1, OrderType.LIMIT, limit=19000)
    world.settle()
    world.shut(gate_of(TWO), flatten=True)
    assert [type(command) for command in world.outbox] == [CancelOrder]
    world.settle()
    assert not world.resting(2)


def test_flattening_repeats_until_the_broker_says_flat() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.shut(gate_of(TWO), flatten=True)
    world.outbox.clear()  # the close got lost
    world.wait(1)
    assert not world.outbox
    world.wait(3)
    assert [type(command) for command in world.outbox] == [ClosePosition]
    world.settle()
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert world.remarks() == ["flat"]


def test_maximum_position_counts_what_works_as_well() -> None:
    world = desk(follower(2, max_position=3))
    world.market(BUY, 1)
    world.trade(BUY, 1, OrderType.LIMIT, limit=19000)
    world.settle()
    world.market(BUY, 2)
    assert world.reasons() == ["max_position"]
    world.market(BUY, 1)
    world.settle()
    assert world.held(2) == 2


def test_maximum_position_counts_what_is_on_its_way() -> None:
    world = desk(follower(2, max_position=3))
    world.trade(BUY, 2)
    world.trade(BUY, 2)
    assert world.reasons() == ["max_position"]


def test_maximum_position_never_blocks_an_exit() -> None:
    world = desk(follower(2, max_position=2))
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 5)
    world.settle()
    assert world.held(2) == 0
    assert world.reasons() == ["max_position"]


def test_a_refused_growth_keeps_its_size_and_takes_the_new_price() -> None:
    world = desk(follower(2, max_position=2))
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(order, qty=4, limit=19990)
    world.settle()
    (copy,) = world.resting(2)
    assert (copy.spec.qty, copy.spec.limit) == (2, 19990)
    assert world.reasons() == ["max_position"]


def test_a_follower_left_behind_is_said_once_and_once_when_it_is_over() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    exit_order = world.trade(SELL, 1, OrderType.LIMIT, limit=21000)
    world.settle()
    world.fill(exit_order)
    world.wait(1)
    assert world.remarks() == []
    world.wait(6)
    world.wait(1)
    assert world.remarks() == ["drift"]
    world.fill(world.resting(2)[0].order_id)
    world.wait(1)
    world.wait(1)
    assert world.remarks() == ["drift", "drift_over"]


def test_an_exit_waits_for_a_target_whose_cancel_is_on_the_way_and_may_still_fill() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    target = world.trade(SELL, 1, OrderType.LIMIT, limit=21000)
    world.settle()
    world.cancel(target)
    world.market(SELL, 1)
    world.fill(world.resting(2)[0].order_id)  # before the broker sees the cancel
    world.settle()
    assert world.held(2) == 0  # F39: the target closed it, and the leader's exit found nothing left
    assert "nothing_to_reduce" in world.reasons()


def test_a_position_that_only_the_broker_knows_is_closed_as_well() -> None:
    world = desk()
    world.positions[TWO, ES] = 3
    world.step(PositionReported(account=TWO, symbol=ES, net=3, price=None, at=world.at()))
    world.shut(gate_of(TWO), flatten=True)
    assert [type(command) for command in world.outbox] == [ClosePosition]


def test_a_report_that_is_older_than_a_fill_calls_nobody_flat() -> None:
    """F39: the news of the position was lost, that of the fill was not."""
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.book.reported[TWO, ES] = 0
    world.shut(GROUP_GATE, flatten=True)
    assert [type(command) for command in world.outbox if command.account == TWO] == [ClosePosition]
    world.outbox.clear()
    world.wait(1)
    assert "flat" not in world.remarks()
    assert TWO in world.book.flattening


def test_two_groups_in_one_contract_are_not_told_apart_by_a_foreign_close() -> None:
    other = GroupId(10)
    plan = plan_of(group_of(follower(2)), group_of(follower(2), leader=THREE, group=other))
    world = Desk(plan)
    world.connect()
    world.market(BUY, 2)
    world.market(BUY, 1, account=THREE)
    world.settle()
    assert world.held(2) == 3
    world.market(SELL, 1, account=TWO)  # by hand: whose contract that was, nobody can say
    assert (world.book.copied[GROUP, TWO, ES, ES], world.book.copied[other, TWO, ES, ES]) == (2, 1)


def test_a_filter_narrowed_in_the_middle_keeps_the_size_and_moves_the_price() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.plan = plan_of(group_of(follower(2), instruments=frozenset({"NQ"})))
    world.change(order, qty=4, limit=19990)
    world.settle()
    (copy,) = world.resting(2)
    assert (copy.spec.qty, copy.spec.limit) == (2, 19990)


def test_a_flip_outside_the_filter_only_closes() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.plan = plan_of(group_of(follower(2), instruments=frozenset({"NQ"})))
    world.market(SELL, 5)
    world.settle()
    assert world.held(2) == 0


def test_a_foreign_order_that_works_counts_toward_the_limit() -> None:
    world = desk(follower(2, max_position=3))
    world.trade(BUY, 2, OrderType.LIMIT, limit=19000, account=TWO)
    world.market(BUY, 2)
    assert world.reasons() == ["max_position"]


def test_an_unknown_account_under_a_gate_is_nobody() -> None:
    world: Desk = desk()
    world.shut(GateId(12345), flatten=True)
    assert not world.outbox
    assert world.held(int(LEADER)) == 0


def test_flattening_begins_when_a_link_comes_back() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.lose(TWO)
    world.shut(gate_of(TWO), flatten=True)
    assert not world.outbox
    world.wait(5)
    assert not world.outbox
    assert "flat" not in world.remarks()
    world.connect(TWO)
    world.wait(1)
    assert [type(command) for command in world.outbox] == [ClosePosition]
    world.settle()
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert world.held(2) == 0
    assert "flat" in world.remarks()


def test_two_orders_that_grow_at_once_share_what_the_limit_leaves() -> None:
    world = desk(follower(2, max_position=3))
    world.market(SELL, 2)
    world.settle()
    world.shut(gate_of(TWO), state=TradingState.REDUCING)
    world.trade(BUY, 4, OrderType.STOP, stop=20100)
    world.trade(BUY, 4, OrderType.STOP, stop=20110)
    world.settle()
    world.shut(gate_of(TWO), state=TradingState.ACTIVE)
    world.lose(LEADER)
    world.connect(LEADER)  # both look again at what they may be, in one decision
    world.settle()
    opening = sum(order.spec.qty for order in world.resting(2)) - 2
    assert world.held(2) == -2
    assert opening <= 3


def test_a_change_that_waited_for_its_turn_is_not_told_behind_a_gate_that_has_shut_since() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(order, qty=3)
    world.reject(world.outbox.pop(), "AnotherCommandPending")
    world.shut(gate_of(TWO))
    assert not world.wait(1).steps
    world.shut(gate_of(TWO), state=TradingState.ACTIVE)
    world.wait(1)
    assert [command.spec.qty for command in world.outbox if isinstance(command, ChangeOrder)] == [3]
