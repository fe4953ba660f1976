"""Exits that failed, until they are done: when each is tried again, for how much, and what is said."""

import pytest

from syncgroups.core.keys import client_order_id, is_repair
from syncgroups.tests.drifting import Desk
from syncgroups.tests.plans import ES, GROUP, GROUP_GATE, LEADER, SECOND, follower, group_of, plan_of
from syncgroups.tests.test_owed_figures import closes, ended, fixed, holding, mine, reject, said
from tradehaven.domain.commands import CancelOrder, Denied
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, SyncMode
from tradehaven.domain.enums import TradingState as State
from tradehaven.domain.events import TimePassed
from tradehaven.domain.ids import AccountId, GroupId, Nanos

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
OFFLINE = RefusalReason.FOLLOWER_OFFLINE


# -- until it is done ---------------------------------------------------------------------------------


def test_a_retry_comes_a_second_after_its_exit_failed_and_not_a_moment_earlier() -> None:
    world = holding()
    world.market(SELL, 2)
    reject(world)
    failed_at = said(world)[0].difference.since  # type: ignore[union-attr]
    world.step(TimePassed(at=Nanos(failed_at + SECOND - 1)))
    assert closes(world) == []
    world.step(TimePassed(at=Nanos(failed_at + SECOND)))
    assert closes(world) == [(SELL, 2)]


def test_of_two_exits_that_failed_in_one_contract_one_is_retried_at_a_time() -> None:
    world = holding()
    for _ in range(2):
        world.market(SELL, 1)
        reject(world)
    world.wait(1)
    assert closes(world) == [(SELL, 2)]
    world.settle()
    assert world.held(2) == 0


def test_the_exit_of_a_second_group_is_retried_too() -> None:
    other = group_of(follower(2), leader=THREE, group=GroupId(10))
    world = Desk(plan_of(group_of(follower(4)), other))
    world.connect()
    world.market(BUY, 1, account=THREE)
    world.settle()
    world.market(SELL, 1, account=THREE)
    reject(world)
    world.wait(1)
    assert closes(world) == [(SELL, 1)]


def test_nothing_is_owed_once_nothing_is_held_though_the_login_is_down() -> None:
    world = holding()
    world.market(SELL, 2)
    reject(world)
    world.market(SELL, 2, account=TWO)
    world.lose(TWO)
    world.wait(1)
    assert world.differs() == []


def test_an_exit_whose_leader_order_is_no_longer_listed_is_closed_all_the_same() -> None:
    world = holding()
    leaving = world.market(SELL, 2)
    reject(world)
    del world.orders[leaving]
    world.connect(LEADER)
    world.wait(1)
    assert closes(world) == [(SELL, 2)]


def test_a_rejected_stop_is_placed_anew_under_a_name_that_the_broker_has_not_seen() -> None:
    world = holding(follower(3), follower(2))
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    world.deliver(world.outbox.pop(0))  # the other follower has its own
    reject(world)
    world.wait(1)
    (again,) = world.outbox
    assert again.account == TWO
    assert is_repair(again.client_order_id)
    assert again.client_order_id.endswith(f".{world.now // SECOND}")
    assert client_order_id(GROUP, LEADER, stop, TWO) != again.client_order_id


@pytest.mark.parametrize("side", [BUY, SELL])
def test_of_a_fixed_size_each_retry_closes_what_that_exit_would_have(side: Side) -> None:
    world = holding(fixed(2), entry=2, side=side, times=2)
    world.market(side.opposite, 1)
    reject(world)
    world.wait(1)
    reject(world)
    world.wait(2)
    assert closes(world) == [(side.opposite, 2)]
    world.settle()
    world.wait(1)
    assert (world.held(2) * side.sign, world.differs()) == (2, [])


def test_of_a_fixed_size_of_one_an_exit_is_retried_while_one_each_is_held() -> None:
    world = holding(fixed(1), entry=2)
    world.market(SELL, 1)
    reject(world)
    world.wait(1)
    assert closes(world) == [(SELL, 1)]


def test_a_stop_that_failed_twice_owes_its_size_once() -> None:
    world = holding(fixed(2), entry=2, times=2)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    reject(world)
    world.wait(1)
    reject(world)
    world.fill(stop)
    world.wait(4)
    assert closes(world) == [(SELL, 2)]


def test_of_a_fixed_size_nothing_is_closed_for_an_exit_that_its_leader_withdrew() -> None:
    world = holding(fixed(2), entry=4, times=2)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    reject(world)
    world.cancel(stop)
    world.wait(2)
    assert (closes(world), world.differs()) == ([], [])


def test_of_an_exit_that_its_leader_withdrew_in_part_that_part_is_owed() -> None:
    world = holding(entry=3)
    stop = world.trade(SELL, 3, OrderType.STOP, stop=19_000)
    reject(world)
    world.fill(stop, 1)
    world.cancel(stop)
    world.wait(2)
    assert closes(world) == [(SELL, 1)]


def test_an_exit_that_is_said_to_be_filled_is_owed_before_its_fills_are_told() -> None:
    world = holding(fixed(2), entry=4, times=2)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    reject(world)
    ended(world, stop, OrderStatus.FILLED)
    world.wait(2)
    assert closes(world) == [(SELL, 2)]


def test_behind_a_flat_leader_a_retry_closes_all_that_is_held() -> None:
    world = holding(fixed(2), times=2)
    for _ in range(2):
        world.market(SELL, 2)
        reject(world)
    world.wait(2)
    assert closes(world) == [(SELL, 4)]


def test_a_retry_that_closes_for_two_leaves_nothing_below_nought() -> None:
    world = holding(entry=3)
    world.market(SELL, 1)
    reject(world)
    world.market(SELL, 2)
    reject(world)
    world.wait(1)
    assert closes(world) == [(SELL, 3)]
    reject(world)
    assert world.differs()[0] == ("failed_exit", 2, 0, 3)


def test_what_a_gate_held_up_was_not_tried() -> None:
    world = holding()
    world.market(SELL, 2)
    reject(world)
    world.shut(GROUP_GATE)
    for _ in range(20):
        world.wait(1)
    assert closes(world) == []
    assert "quarantined" not in world.remarks()
    world.shut(GROUP_GATE, state=State.ACTIVE)
    world.wait(1)
    assert closes(world) == [(SELL, 2)]


def test_behind_a_shut_gate_a_stop_that_failed_is_not_placed_anew() -> None:
    world = holding()
    world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    reject(world)
    world.shut(GROUP_GATE)
    for _ in range(3):
        world.wait(1)
    assert not world.outbox
    world.shut(GROUP_GATE, state=State.ACTIVE)
    world.wait(1)
    assert closes(world) == [(SELL, 2)]


def test_the_entry_of_a_flip_that_rests_is_taken_back_before_its_exit_is_retried() -> None:
    world = holding(mode=SyncMode.CONFIRMED, entry_slack=2)
    world.fill(world.resting(2)[0].order_id)
    world.market(SELL, 5)
    reject(world)
    world.settle()
    assert [(order.side, order.spec.qty) for order in world.resting(2)] == [(SELL, 3)]
    world.wait(1)
    assert [type(command) for command in world.outbox] == [CancelOrder]
    world.settle()
    world.wait(4)
    assert closes(world) == [(SELL, 2)]


# -- what is said -------------------------------------------------------------------------------------


def test_a_failed_exit_is_said_with_its_figures_and_its_reason() -> None:
    world = holding(entry=3)
    world.market(SELL, 2)
    reject(world, "MaxOrderQty", "is 5")
    (remark,) = said(world)
    assert (
        remark.detail == "an exit failed, +3 is still held: the broker turned the exit down: MaxOrderQty is 5"
    )
    assert (remark.account, remark.group, remark.symbol) == (TWO, GROUP, ES)
    assert remark.difference is not None
    assert remark.difference.remedy == "retried at the market until +1 is left"


def test_what_was_never_sent_says_so() -> None:
    world = holding()
    world.market(SELL, 2)
    name = world.outbox.pop(0).client_order_id
    world.step(Denied(account=TWO, client_order_id=name, reason=OFFLINE, text="no link", at=world.at()))
    (remark,) = said(world)
    assert remark.detail == "an exit failed, +2 is still held: the exit was not sent: no link"
    assert remark.difference is not None
    assert remark.difference.remedy == "retried at the market until it is flat"


def test_what_the_broker_turned_down_late_says_why() -> None:
    world = holding()
    world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    world.settle()
    ended(world, mine(world), OrderStatus.REJECTED, "margin")
    assert said(world)[0].detail.endswith("the broker turned the exit down: margin")


def test_it_is_said_again_every_minute_with_its_newest_reason_and_how_often_it_was_tried() -> None:
    world = holding()
    world.market(SELL, 2)
    reject(world)
    first = said(world)[0].difference
    assert first is not None
    for _ in range(59):
        world.wait(1)
        while world.outbox:
            reject(world, "Closed")
    world.step(TimePassed(at=Nanos(first.since + 60 * SECOND - 1)))
    assert len(said(world)) == 1
    world.step(TimePassed(at=Nanos(first.since + 60 * SECOND)))
    detail = "the broker turned the exit down: Closed; tried 5 times since"
    assert said(world)[1].detail == f"an exit failed, +2 is still held: {detail}"


def test_who_was_out_of_reach_is_told_so() -> None:
    world = holding()
    world.lose(TWO)
    world.market(SELL, 2)
    assert said(world)[0].detail.endswith("its login was down when the leader's exit came")
