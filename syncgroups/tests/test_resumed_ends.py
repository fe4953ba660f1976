"""Exits that wait, to their end: those at rest, how long they wait, and what is said then."""

from dataclasses import replace
from decimal import Decimal

import pytest

from syncgroups.core.plan import GroupPlan
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import LEADER, SECOND, follower, gate_of, group_of, plan_of
from syncgroups.tests.test_resumed import TWO, entered, lost, names, sent, why
from tradehaven.domain.commands import Denied, PlaceOrder, Rejected
from tradehaven.domain.enums import OrderType, RefusalReason, Side, SizingMode
from tradehaven.domain.events import TimePassed
from tradehaven.domain.ids import AccountId, GroupId, Nanos, Symbol

BUY, SELL = Side.BUY, Side.SELL


def turned_down(world: Desk, order: PlaceOrder, when: int) -> None:
    """Let the broker say at a certain moment that it never took an order."""
    name = order.client_order_id
    world.now = max(world.now, when)
    world.step(Rejected(account=TWO, client_order_id=name, code="no", text="", at=Nanos(when)))


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


def test_an_exit_at_the_market_behind_a_gate_that_has_shut_sends_nothing() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.market(SELL, 2)
    world.shut(gate_of(TWO))
    world.deliver(entry)
    assert sent(world) == []
    assert why(world) == [("kill_switch", "the kill switch is on")]


def test_a_stop_whose_entry_never_came_is_placed_for_the_next_one() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.market(BUY, 1)
    again = world.outbox.pop()
    world.change(stop, qty=3)
    world.reject(entry, "no")
    held_nothing = "its own entry ended without a fill: nothing is to close"
    assert why(world) == [("nothing_to_reduce", held_nothing)]
    world.deliver(again)
    world.settle()
    assert [(order.side, order.spec.qty) for order in world.resting(2)] == [(SELL, 1)]


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


def test_an_exit_gives_up_also_beside_an_order_that_ended_before_there_was_room_for_its_cancel() -> None:
    """Seed 501834: what had been put off counted as about to be told for ever."""
    world = desk()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    entered(world, 1)
    world.cancel(stop)
    (cancel,) = world.outbox
    world.outbox.clear()
    world.step(
        Denied(
            account=TWO,
            client_order_id=cancel.client_order_id,
            reason=RefusalReason.RATE_LIMITED,
            text="no room",
            at=world.at(),
            retry_at=Nanos(world.now + 3600 * SECOND),
        )
    )
    world.market(SELL, 1)
    world.wait(61)
    assert world.book.waiting, "its cancel waits for room"
    world.cancel(world.resting(2)[0].order_id)
    world.wait(1)
    assert not world.book.waiting
    assert world.reasons() == ["unresolved"]


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


def test_what_the_leader_took_back_before_it_was_opened_says_so() -> None:
    world = desk()
    world.market(SELL, 1)
    entry = lost(world)
    for side, qty in ((BUY, 1), (BUY, 2), (SELL, 2)):
        world.market(side, qty)
    world.deliver(entry)
    world.settle()
    assert ("stale", "the leader closed it again before it could be opened") in why(world)


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


@pytest.mark.parametrize(("qty", "said"), [(3, []), (4, ["unresolved"])])
def test_what_an_exit_was_to_open_is_named_also_when_it_has_closed_something(
    qty: int, said: list[str]
) -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    entered(world, 2)
    world.market(SELL, qty)
    world.settle()
    assert world.held(2) == 0
    world.wait(61)
    assert not world.book.waiting
    assert world.reasons() == said


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


def test_what_the_first_order_of_an_exit_is_about_to_close_is_not_closed_by_the_next() -> None:
    """A hand has closed one meanwhile: with the late entry there is exactly what the first one closes."""
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(BUY, 1)
    world.settle(fill_markets=False)
    world.market(SELL, 3)
    place, cancel = world.outbox
    world.outbox.clear()
    world.deliver(place, fill_markets=False)
    world.market(SELL, 1, account=TWO)
    late, first = (order.order_id for order in world.resting(2))
    world.fill(late)
    world.deliver(cancel)
    world.settle()
    world.fill(first)
    world.settle()
    assert world.held(2) == 0
    assert [order.spec.qty for order in world.placed if order.side is SELL] == [2]
