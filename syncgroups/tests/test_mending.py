"""The orders that mend a holding: what is cancelled first, what is closed, and what they are on record as."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.core.decision import CopyStep, Remark
from syncgroups.core.differences import DriftKind
from syncgroups.core.plan import FollowerPlan
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, PlaceOrder
from tradehaven.domain.enums import Ask, OrderType, Side, SizingMode
from tradehaven.domain.events import PersonAsked
from tradehaven.domain.ids import AccountId, GroupId, Symbol

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
TWO, THREE = AccountId(2), AccountId(3)
MES = Symbol("MESZ6")


def fixed(qty: int) -> FollowerPlan:
    return follower(2, sizing=SizingMode.FIXED, fixed_qty=qty)


def holding(*followers: FollowerPlan, qty: int = 2, **settings: Any) -> Desk:
    world = desk(*followers, **settings)
    world.market(BUY, qty)
    world.settle()
    return world


def reject(world: Desk) -> None:
    world.reject(world.outbox.pop(0), "no")


def sent(world: Desk) -> list[tuple[str, int]]:
    """Return what is on its way: an order's size, or which order is cancelled."""
    return [
        ("place", command.spec.qty)
        if isinstance(command, PlaceOrder)
        else ("cancel", command.order_id if isinstance(command, CancelOrder) else 0)
        for command in world.outbox
    ]


def own(world: Desk, side: Side, kind: OrderType) -> int:
    """Return the follower's order of this kind that works."""
    (found,) = [one for one in world.resting(2) if (one.side, one.spec.order_type) == (side, kind)]
    return found.order_id


def test_a_close_is_on_record_as_what_it_is() -> None:
    world = holding()
    leaving = world.market(SELL, 2)
    reject(world)
    world.wait(1)
    (step,) = [step for step in world.decisions[-1].steps if isinstance(step, CopyStep)]
    assert step.copy.in_flight == step.copy.key
    assert step.copy.key == f"th1d.g9.l1.o{leaving}.f2.ESZ6.ESZ6.{world.now // SECOND}"
    assert (step.copy.leader_order, step.copy.enters) == (leaving, 0)


@pytest.mark.parametrize(
    "member", [follower(2, products={"ES": follower(2, product="MES")}), follower(2, reverse=True)]
)
def test_a_close_counts_toward_the_holding_that_it_closes(member: FollowerPlan) -> None:
    world = holding(member)
    (held,) = [holding for holding, net in world.book.copied.items() if net]
    world.market(SELL, 2)
    reject(world)
    world.wait(1)
    world.settle()
    assert world.book.copied[held] == 0
    assert (held in world.book.reversed) is member.reverse
    assert world.held(2, held[2]) == 0


def test_of_two_groups_whose_contracts_cancel_each_other_nothing_is_there_to_be_closed() -> None:
    other = group_of(follower(2), leader=THREE, group=GroupId(10))
    world = Desk(plan_of(group_of(fixed(2)), other))
    world.connect()
    world.market(BUY, 4)
    world.settle()
    world.market(SELL, 1)
    reject(world)
    world.market(SELL, 2, account=THREE)
    world.settle()
    assert world.held(2) == 0
    world.wait(1)
    assert sent(world) == []


# -- what is cancelled first --------------------------------------------------------------------------


def test_behind_a_flat_leader_every_exit_is_cancelled_and_no_entry() -> None:
    world = holding(qty=1)
    world.trade(BUY, 1, LIMIT, limit=19000)
    world.trade(SELL, 1, STOP, stop=19500)
    world.settle()
    world.market(SELL, 1)
    reject(world)
    world.outbox.clear()
    stop = own(world, SELL, STOP)
    world.wait(1)
    assert sent(world) == [("cancel", stop)]


def test_beside_a_leader_that_stays_only_what_outlived_its_order_is_cancelled() -> None:
    world = holding(qty=4)
    target = world.trade(SELL, 2, LIMIT, limit=21000)
    world.trade(SELL, 1, STOP, stop=19500)
    world.settle()
    world.fill(target)  # at the leader alone
    world.market(SELL, 1)
    reject(world)
    world.settle()
    world.wait(1)
    assert sent(world) == [("cancel", own(world, SELL, LIMIT))]


def test_a_live_stop_is_left_beside_a_close_of_one_for_a_leader_of_one() -> None:
    world = holding(fixed(1))
    world.trade(SELL, 1, STOP, stop=19500)
    world.settle()
    world.market(SELL, 1)
    reject(world)
    world.wait(1)
    assert sent(world)[0] == ("place", 1)


def test_an_exit_whose_leaders_order_is_not_listed_any_more_is_cancelled_first() -> None:
    world = holding(qty=3)
    target, stop = world.trade(SELL, 2, LIMIT, limit=21000), world.trade(SELL, 2, STOP, stop=19500)
    world.settle()
    world.market(SELL, 1)
    reject(world)
    world.fill(target)  # at the leader alone
    world.cancel(stop)
    world.settle()
    world.lose(LEADER)
    del world.orders[stop], world.orders[target]
    world.connect(LEADER)
    assert not world.outbox, "its follower is still protected"
    world.wait(1)
    assert sent(world) == [("cancel", own(world, SELL, kind)) for kind in (LIMIT, STOP)]


def test_an_exit_whose_cancel_is_stuck_keeps_a_close_waiting_for_a_minute_and_not_for_ever() -> None:
    world = holding(qty=4)
    stop = world.trade(SELL, 1, STOP, stop=19500)
    world.settle()
    world.cancel(stop)
    for _ in range(40):
        while world.outbox:
            reject(world)
        world.wait(1)
    assert world.remarks() == ["command_stuck"]
    world.market(SELL, 4)
    reject(world)
    for _ in range(61):
        world.wait(1)
    assert sent(world) == [("place", 4)]


def test_of_a_fixed_size_all_that_is_owed_is_closed_after_a_cancel() -> None:
    world = holding(fixed(2), qty=4)
    world.market(BUY, 4)
    world.settle()
    target = world.trade(SELL, 4, LIMIT, limit=21000)
    world.settle()
    world.fill(target)
    world.market(SELL, 1)
    reject(world)
    world.wait(1)
    assert [kind for kind, _ in sent(world)] == ["cancel"]
    world.settle()
    world.wait(3)
    assert sent(world) == [("place", 2)]


def test_what_could_not_be_told_yet_was_no_try() -> None:
    world = holding()
    target = world.trade(SELL, 2, LIMIT, limit=21000)
    world.settle()
    world.change(target, limit=20900)
    reject(world)
    world.market(SELL, 2)
    while world.outbox:
        reject(world)
    world.wait(1)
    found = [one for key, one in world.book.differences.items() if key.kind is DriftKind.FAILED_EXIT]
    assert [one.attempts for one in found] == [0]


# -- what is said, and asked --------------------------------------------------------------------------


def test_a_contract_that_is_shut_says_after_how_many_tries() -> None:
    world = holding()
    world.market(SELL, 2)
    reject(world)
    for _ in range(8):
        world.wait(1)
        while world.outbox:
            reject(world)
    (remark,) = [one for made in world.decisions for one in made.remarks if one.kind == "quarantined"]
    assert isinstance(remark, Remark)
    assert (remark.account, remark.group, remark.symbol) == (TWO, GROUP, ES)
    assert remark.detail == "3 tries to mend it were in vain: no entries here until it is released"
    assert remark.difference is not None
    assert remark.difference.shut


def test_a_person_who_asks_for_flat_gets_it_for_that_account_alone() -> None:
    world = holding(follower(2), follower(3))
    world.step(PersonAsked(request=1, ask=Ask.FLATTEN, subject="2", at=world.at()))
    assert {command.account for command in world.outbox} == {TWO}
    world.settle()
    assert (world.held(2), world.held(3)) == (0, 2)


def test_an_entry_that_is_turned_down_calls_what_rests_in_its_contract() -> None:
    world = desk()
    world.trade(BUY, 1, LIMIT, limit=19000)
    world.settle()
    world.trade(BUY, 1, LIMIT, limit=19500)
    world.plan = plan_of(group_of(follower(2, ratio="2")))
    reject(world)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [2]
    assert replace(world.resting(2)[0].spec, qty=1) == world.resting(LEADER)[0].spec
