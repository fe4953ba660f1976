"""Exits that go on when a doubt ends: how much, under which name, until when, and what is said at the end."""

from dataclasses import replace
from decimal import Decimal

import pytest

from syncgroups.core.plan import GroupPlan
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import GROUP, LEADER, SECOND, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, Denied, PlaceOrder, Rejected, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, SizingMode, SyncMode
from tradehaven.domain.events import OrderEnded, TimePassed
from tradehaven.domain.ids import AccountId, GroupId, Nanos, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def sent(world: Desk) -> list[tuple[Side, int]]:
    orders = (order for order in world.outbox if isinstance(order, PlaceOrder))
    return [(order.side, order.spec.qty) for order in orders]


def lost(world: Desk) -> PlaceOrder:
    """Take the last order out of the air: nobody knows whether it arrived."""
    order = world.outbox.pop()
    assert isinstance(order, PlaceOrder)
    name = order.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    return order


def entered(world: Desk, *parts: int) -> list[PlaceOrder]:
    """Let the leader enter; nobody knows whether its follower did."""
    found = []
    for qty in parts:
        world.market(BUY, qty)
        found.append(lost(world))
    return found


def why(world: Desk) -> list[tuple[str, str]]:
    found = (refusal for decision in world.decisions for refusal in decision.refusals)
    return [(str(refusal.reason), refusal.detail) for refusal in found]


def turned_down(world: Desk, order: PlaceOrder, when: int) -> None:
    """Let the broker say at a certain moment that it never took an order."""
    name = order.client_order_id
    world.now = max(world.now, when)
    world.step(Rejected(account=TWO, client_order_id=name, code="no", text="", at=Nanos(when)))


def names(world: Desk) -> list[str]:
    return [order.client_order_id for order in world.placed if order.side is SELL]


# -- how much, and under which name -------------------------------------------------------------------


def test_each_doubt_that_ends_lets_its_part_go_under_the_next_name() -> None:
    world = desk()
    entries = entered(world, 1, 1, 1)
    leaving = world.market(SELL, 3)
    for entry in entries:
        world.deliver(entry)
        world.settle()
    first = f"th1.g{GROUP}.l{LEADER}.o{leaving}.f2"
    assert names(world) == [first, f"{first}.r1", f"{first}.r2"]
    assert world.held(2) == 0


def test_what_was_closed_on_it_already_is_not_closed_from_what_was_bought_since() -> None:
    world = desk()
    one, two = entered(world, 1, 1)
    world.market(SELL, 2)
    world.deliver(one)
    world.settle()
    world.market(BUY, 2)
    world.settle()
    world.deliver(two)
    world.settle()
    assert world.held(2) == world.held(LEADER) == 2


def test_the_whole_order_counts_while_it_still_works_though_a_part_of_it_has_filled() -> None:
    world = desk()
    (entry,) = entered(world, 3)
    leaving = world.trade(SELL, 3)
    world.fill(leaving, 1)
    world.deliver(entry)
    assert sent(world) == [(SELL, 3)]


def test_an_exit_that_is_said_to_be_filled_counts_before_its_fills_are_told() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    leaving = world.trade(SELL, 2)
    ended(world, leaving, OrderStatus.FILLED)
    world.deliver(entry)
    assert sent(world) == [(SELL, 2)]


def ended(world: Desk, order_id: OrderId, status: OrderStatus) -> None:
    order = world.orders[order_id]
    order.status = status
    world.step(
        OrderEnded(
            account=order.account,
            order_id=order_id,
            client_order_id=order.client_order_id,
            status=status,
            reason="",
            at=world.at(),
        )
    )


def test_each_fill_waits_for_itself_in_confirmed_mode() -> None:
    world = desk(mode=SyncMode.CONFIRMED)
    world.market(BUY, 3)
    entry = lost(world)
    leaving = world.trade(SELL, 3)
    world.fill(leaving, 1)
    world.fill(leaving, 1)
    world.deliver(entry)
    world.settle()
    assert [order.spec.qty for order in world.placed] == [3, 1, 1]
    assert world.held(2) == world.held(LEADER) == 1


def test_a_fill_of_an_order_that_nobody_has_seen_waits_as_well() -> None:
    world = desk(mode=SyncMode.CONFIRMED)
    world.market(BUY, 2)
    entry = lost(world)
    world.fill(world.trade(SELL, 2, seen=False))
    world.deliver(entry)
    world.settle()
    assert world.held(2) == 0
    assert world.reasons() == []


def test_what_a_second_order_in_doubt_left_is_closed_when_it_never_arrived() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 1)
    first = lost(world)
    world.market(SELL, 1)
    world.settle()
    assert world.held(2) == 1
    world.reject(first, "no")
    world.settle()
    assert world.held(2) == 0


def test_a_lost_link_holds_up_what_is_free_to_go() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 1)
    first = lost(world)
    world.market(SELL, 1)
    world.settle()
    world.lose(TWO)
    why_not = RefusalReason.FOLLOWER_OFFLINE
    name = first.client_order_id
    world.step(Denied(account=TWO, client_order_id=name, reason=why_not, text="", at=world.at()))
    assert not world.outbox
    assert world.book.waiting
    world.connect(TWO)
    assert sent(world) == [(SELL, 1)]


def test_an_exit_waits_for_nothing_beyond_what_it_needs() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    (entry,) = entered(world, 3)
    world.market(SELL, 1)
    world.cancel(stop)  # its copy may fill yet, and enough is there all the same
    world.deliver(entry)
    assert sent(world) == [(SELL, 1)]
    assert not world.book.waiting


def test_an_exit_that_waits_for_a_late_cancel_closes_nothing_that_is_bought_meanwhile() -> None:
    world = desk()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    world.market(BUY, 1)
    world.market(SELL, 1)
    world.cancel(stop)
    world.market(BUY, 1)
    entry, cancel, again = world.outbox
    world.outbox.clear()
    assert isinstance(cancel, CancelOrder)
    world.deliver(entry)
    world.deliver(again)
    world.deliver(cancel)
    world.settle()
    assert world.held(2) == world.held(LEADER) == 1


def test_an_exit_is_closed_as_far_as_its_ratio_asks_once_it_is_known() -> None:
    world = desk(follower(2, ratio="1/2"))
    world.market(BUY, 8)
    entry = lost(world)
    world.market(SELL, 4)
    world.deliver(entry)
    assert sent(world) == [(SELL, 2)]


# -- exits at rest ------------------------------------------------------------------------------------


def test_a_stop_that_waited_is_one_order_that_grows_with_each_part() -> None:
    world = desk()
    entries = entered(world, 1, 1)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    assert sent(world) == []
    for number, entry in enumerate(entries, start=1):
        world.deliver(entry)
        world.settle()
        assert [order.spec.qty for order in world.resting(2)] == [number]
    assert len(names(world)) == 1
    assert not world.book.waiting


def test_a_stop_that_filled_at_the_leader_meanwhile_is_answered_part_by_part() -> None:
    world = desk()
    entries = entered(world, 1, 1)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.fill(stop)
    for entry in entries:
        world.deliver(entry)
        world.settle()
    assert sum(order.spec.qty for order in world.resting(2)) == 2


def test_a_stop_behind_a_gate_that_has_shut_says_what_keeps_it() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.shut(gate_of(TWO))
    world.deliver(entry)
    assert world.resting(2) == []
    assert why(world) == [("kill_switch", "the kill switch is on")]


# -- until when ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "opened"), [(0, True), (1, False)])
def test_a_flip_opens_its_other_side_within_two_seconds_or_never(*, late: int, opened: bool) -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.market(SELL, 3)
    (waiting,) = world.book.waiting.values()
    turned_down(world, entry, waiting.order.at + 2 * SECOND + late)
    assert sent(world) == ([(SELL, 1)] if opened else [])
    too_late = ("stale", "its old position closed too late for the leader's new one")
    assert why(world) == ([] if opened else [too_late])


def test_after_a_minute_an_exit_gives_up_and_says_so() -> None:
    world = desk()
    entered(world, 2)
    world.market(SELL, 2)
    (waiting,) = world.book.waiting.values()
    limit = waiting.order.at + 60 * SECOND
    world.step(TimePassed(at=Nanos(limit - 1)))
    assert world.book.waiting
    world.step(TimePassed(at=Nanos(limit)))
    assert not world.book.waiting
    assert why(world) == [("unresolved", "its own earlier order has no known end: look at the account")]


def test_an_exit_gives_up_on_an_order_at_the_market_that_hangs_for_a_minute() -> None:
    world = desk()
    world.market(BUY, 2)
    world.deliver(world.outbox.pop(), fill_markets=False)
    world.market(SELL, 2)
    for _ in range(61):
        while world.outbox:
            world.reject(world.outbox.pop(), "NotNow")  # its cancel, until that is given up
        world.wait(1)
    assert not world.book.waiting
    assert world.reasons() == ["unresolved"]


def test_an_exit_waits_longer_for_an_order_that_is_being_told_something() -> None:
    world = desk()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    entered(world, 1)
    world.cancel(stop)
    world.outbox.clear()  # the cancel is on its way
    world.market(SELL, 1)
    world.wait(61)
    assert world.book.waiting
    assert world.reasons() == []


# -- what is said at the end --------------------------------------------------------------------------


def test_an_exit_for_which_nothing_was_sent_says_why_once() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.market(SELL, 2)
    world.reject(entry, "no")
    held_nothing = "its own entry ended without a fill: nothing is to close"
    assert why(world) == [("nothing_to_reduce", held_nothing)]


def test_a_stop_for_which_nothing_was_sent_says_why_once() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.reject(entry, "no")
    assert why(world) == [("nothing_to_reduce", "it holds nothing that this exit closes")]


def test_an_exit_of_which_something_was_sent_says_nothing() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    (entry,) = entered(world, 2)
    world.market(SELL, 3)
    world.settle()
    world.reject(entry, "no")
    assert world.reasons() == []
    assert not world.book.waiting


def test_an_exit_that_was_withdrawn_says_so_and_is_over() -> None:
    world = desk()
    entered(world, 2)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.cancel(stop)
    assert why(world) == [("nothing_to_reduce", "the leader withdrew the exit before it had to close")]
    assert not world.book.waiting


def test_an_exit_whose_order_is_not_listed_any_more_counts_as_withdrawn() -> None:
    world = desk()
    entered(world, 2)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.lose(LEADER)
    del world.orders[stop]
    world.connect(LEADER)
    assert ("nothing_to_reduce", "the leader withdrew the exit before it had to close") in why(world)
    assert not world.book.waiting


@pytest.mark.parametrize(
    "left",
    [
        group_of(follower(3)),
        group_of(follower(2), leader=AccountId(4)),
        group_of(follower(2), group=GroupId(10)),
    ],
)
def test_who_is_not_copied_any_more_closes_nothing(left: GroupPlan) -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.market(SELL, 2)
    plan = plan_of(left)
    world.plan = replace(plan, accounts={**world.plan.accounts, **plan.accounts})
    world.deliver(entry)
    assert sent(world) == []
    assert not world.book.waiting


def test_without_a_balance_an_exit_waits_and_sends_nothing() -> None:
    world = desk(follower(2, sizing=SizingMode.BALANCE))
    world.balance(LEADER, Decimal(10_000))
    world.balance(TWO, Decimal(10_000))
    world.wait(1)
    (entry,) = entered(world, 3)
    world.market(SELL, 1)
    world.book.sizing_balances.clear()
    world.deliver(entry)
    assert not world.outbox


def test_an_exit_whose_contract_has_no_counterpart_any_more_is_over() -> None:
    gold = Symbol("GCG7")
    world = desk()
    world.market(BUY, 1, symbol=gold)
    entry = lost(world)
    world.market(SELL, 1, symbol=gold)
    world.plan = plan_of(group_of(follower(2, products={"GC": follower(2, product="ES")})))
    world.reject(entry, "no")
    assert not world.book.waiting
