"""What found no room in its login's budget: tried when there is room, and only as it is wanted."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.core.copies import CopyState
from syncgroups.core.decision import CopyRefused, CopyStep, Decision
from syncgroups.tests import bracketing
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder, Command, Denied, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, RefusalReason, Side, SyncMode
from tradehaven.domain.events import TimePassed
from tradehaven.domain.ids import AccountId, GroupId, Nanos

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)


def no_room(world: Desk, command: Command | None = None, *, wait: int = 10) -> tuple[Decision, Nanos]:
    """Deny a command for want of room; return the answer and when it may be tried again."""
    denied = command or world.outbox[0]
    world.outbox.remove(denied)
    at = world.at()
    again = Nanos(at + wait * SECOND)
    answer = world.step(
        Denied(
            account=denied.account,
            client_order_id=denied.client_order_id,
            reason=RefusalReason.RATE_LIMITED,
            text="9 of 10 calls",
            at=at,
            retry_at=again,
        )
    )
    return answer, again


def holding(*followers: Any, qty: int = 2, **settings: Any) -> Desk:
    world = desk(*followers, **settings)
    world.market(BUY, qty)
    world.settle()
    return world


def at(world: Desk, when: int) -> Decision:
    """Let a moment come."""
    world.now = max(world.now, when)
    return world.step(TimePassed(at=Nanos(when)))


def orders(world: Desk) -> list[tuple[int, int]]:
    """Return the accounts and sizes of what is on its way."""
    return [(one.account, one.spec.qty) for one in world.outbox if isinstance(one, PlaceOrder)]


def refusals(world: Desk) -> list[CopyRefused]:
    return [refusal for decision in world.decisions for refusal in decision.refusals]


# -- when ---------------------------------------------------------------------------------------------


def test_an_exit_without_room_is_written_down_and_sent_at_its_moment() -> None:
    world = holding()
    world.market(SELL, 2)
    answer, again = no_room(world)
    (step,) = answer.steps
    assert isinstance(step, CopyStep)
    assert (step.command, step.copy.held_until) == (None, again)
    at(world, again - 1)
    assert not world.outbox
    at(world, again)
    assert orders(world) == [(2, 2)]
    world.settle()
    assert (world.held(2), world.reasons()) == (0, [])


def test_of_a_flip_without_room_the_closing_part_goes_at_once_and_the_other_is_refused() -> None:
    world = holding()
    world.market(SELL, 5)
    no_room(world)
    assert orders(world) == [(2, 2)]
    (refusal,) = refusals(world)
    assert refusal.reason is RefusalReason.RATE_LIMITED
    assert refusal.detail == "9 of 10 calls; only what closes its position is sent"


def test_what_was_denied_for_another_reason_does_not_wait() -> None:
    world = holding()
    world.market(SELL, 2)
    command = world.outbox.pop()
    why = RefusalReason.FOLLOWER_OFFLINE
    answer = world.step(
        Denied(account=TWO, client_order_id=command.client_order_id, reason=why, text="", at=world.at())
    )
    assert not answer.steps
    assert not world.book.held
    assert world.reasons() == []


def test_exits_go_before_changes_and_each_kind_in_the_order_of_its_names() -> None:
    accounts = range(2, 9)
    world = holding(*(follower(number) for number in accounts))
    world.trade(SELL, 1, OrderType.STOP, stop=19000)
    world.settle()
    world.change(next(iter(world.book.working[LEADER])), stop=19100)
    changes = list(world.outbox)
    world.market(SELL, 2)
    again = Nanos(0)
    for command in [*changes, *(one for one in world.outbox if isinstance(one, PlaceOrder))]:
        _, again = no_room(world, command)
    at(world, again)
    sent = [(type(command), int(command.account)) for command in world.outbox]
    assert sent[:7] == [(PlaceOrder, number) for number in accounts]
    assert sent[7:] == [(ChangeOrder, number) for number in accounts]


def test_of_two_exits_in_one_contract_the_second_comes_after_the_first() -> None:
    world = holding()
    for _ in range(2):
        world.market(SELL, 1)
        _, again = no_room(world)
    world.market(SELL, 1, account=TWO)  # by hand
    at(world, again)
    assert orders(world) == [(2, 1)]
    world.settle()
    at(world, again + SECOND)
    assert orders(world) == []
    assert world.held(2) == 0


def test_exits_of_several_followers_go_together() -> None:
    world = holding(follower(2), follower(3))
    world.market(SELL, 2)
    no_room(world)
    _, again = no_room(world)
    at(world, again)
    assert orders(world) == [(2, 2), (3, 2)]


@pytest.mark.parametrize("stop_first", [True, False])
def test_a_change_does_not_wait_for_an_exit_nor_an_exit_for_a_change(*, stop_first: bool) -> None:
    world = holding(qty=3)
    leaving = None if stop_first else world.trade(SELL, 1)
    if leaving is not None:
        no_room(world)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000)
    world.settle()
    world.change(stop, stop=19100)
    _, again = no_room(world)
    if stop_first:
        world.trade(SELL, 1)
        _, again = no_room(world)
    at(world, again)
    assert {type(command) for command in world.outbox} == {PlaceOrder, ChangeOrder}


def test_a_stop_that_has_nothing_to_close_keeps_no_other_groups_exit_waiting() -> None:
    world = Desk(plan_of(group_of(follower(2), leader=THREE, group=GroupId(8)), group_of(follower(2))))
    world.connect()
    world.market(BUY, 1, account=THREE)
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 1, OrderType.STOP, stop=19000, account=THREE)
    no_room(world)
    world.book.hold((GroupId(8), TWO, ES, ES), 0)
    world.market(SELL, 2)
    _, again = no_room(world)
    at(world, again)
    assert orders(world) == [(2, 2)]
    assert len(world.book.held) == 1


# -- how much -----------------------------------------------------------------------------------------


def test_an_exit_that_waited_closes_what_is_left_and_opens_nothing() -> None:
    world = holding()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000)
    _, again = no_room(world)
    world.change(stop, qty=5)  # by now it would open three more
    world.market(SELL, 1, account=TWO)
    at(world, again)
    assert orders(world) == [(2, 1)]
    (copy,) = [one for one in world.book.copies.values() if one.side is SELL]
    assert (copy.sent.qty, copy.enters) == (1, 0)


def test_an_exit_waits_on_for_another_that_may_have_closed_the_same() -> None:
    world = holding()
    world.market(SELL, 1)
    first = world.outbox.pop()
    assert isinstance(first, PlaceOrder)
    name = first.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="", at=world.at()))
    world.market(SELL, 1)
    _, again = no_room(world)
    world.market(SELL, 1, account=TWO)
    at(world, again)
    assert orders(world) == []
    assert len(world.book.held) == 1
    world.reject(first, "NeverSeen")
    at(world, again + SECOND)
    assert orders(world) == [(2, 1)]


def test_an_exit_goes_although_another_is_in_doubt_where_there_is_enough_for_both() -> None:
    world = holding()
    world.market(SELL, 1)
    first = world.outbox.pop()
    world.step(Unresolved(account=TWO, client_order_id=first.client_order_id, text="", at=world.at()))
    world.market(SELL, 1)
    _, again = no_room(world)
    at(world, again)
    assert orders(world) == [(2, 1)]


# -- and when no more ---------------------------------------------------------------------------------


def given_up(world: Desk) -> tuple[str, str]:
    """Return why the one exit that waited was given up."""
    assert not world.outbox
    assert not world.book.held
    (refusal,) = refusals(world)
    assert {copy.state for copy in world.book.copies.values()} == {CopyState.ENDED}
    return str(refusal.reason), refusal.detail


def waiting_exit(**settings: Any) -> tuple[Desk, Nanos]:
    world = holding(**settings)
    world.market(SELL, 2)
    _, again = no_room(world)
    return world, again


def test_an_exit_is_given_up_when_copying_has_stopped() -> None:
    world, again = waiting_exit()
    world.plan = plan_of(replace(world.plan.groups[0], active=False))
    at(world, again)
    assert given_up(world) == ("group_off", "copying was stopped before the exit could be sent")


def test_an_exit_is_given_up_behind_a_shut_gate() -> None:
    world, again = waiting_exit()
    world.shut(gate_of(TWO))
    at(world, again)
    assert given_up(world) == ("kill_switch", "the kill switch is on")


def test_an_exit_is_given_up_when_its_position_was_closed() -> None:
    world, again = waiting_exit()
    world.market(SELL, 2, account=TWO)
    at(world, again)
    detail = "what it had to close was closed before it could be sent"
    assert given_up(world) == ("nothing_to_reduce", detail)


def test_an_exit_does_not_wait_for_ever_for_an_entry_that_rests_behind_its_leaders() -> None:
    world = holding()
    world.fill(world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19900))
    world.settle()
    world.market(SELL, 5)  # a turn: the old entry of the follower rests on, and may bring one more to close
    _, again = no_room(world)
    world.market(SELL, 2, account=TWO)
    at(world, again)
    exit_ = next(copy for copy in world.book.copies.values() if copy.side is SELL)
    assert (exit_.state, exit_.is_unsent) == (CopyState.ENDED, False)
    assert not world.book.held
    world.settle()
    world.fill(next(order.order_id for order in world.resting(2) if order.side is BUY))
    world.settle()
    assert world.held(2) == 0  # that one was waited for besides


def test_an_exit_is_given_up_when_its_leaders_order_is_not_even_listed_any_more() -> None:
    world, again = waiting_exit(mode=SyncMode.CONFIRMED)
    world.market(SELL, 2, account=TWO)
    world.orders = {key: order for key, order in world.orders.items() if order.account != LEADER}
    world.connect(LEADER)
    at(world, again)
    assert given_up(world)[0] == "nothing_to_reduce"


def test_a_stop_whose_leader_withdrew_it_while_its_link_was_down_is_given_up_in_silence() -> None:
    world = holding()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000)
    _, again = no_room(world)
    world.lose(TWO)
    world.cancel(stop)
    world.book.links.add(world.plan.accounts[TWO].connection)
    at(world, again)
    assert not world.book.held
    assert world.reasons() == []


@pytest.mark.parametrize("change", [True, False])
def test_without_a_link_nothing_is_tried_and_nothing_is_forgotten(*, change: bool) -> None:
    world = holding()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000)
    if change:
        world.settle()
        world.change(stop, stop=19100)
    _, again = no_room(world)
    world.lose(TWO)
    assert at(world, again + SECOND).steps == ()
    assert len(world.book.held) == 1


def test_a_change_that_its_leader_has_taken_back_waits_no_more() -> None:
    world = holding()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000)
    world.settle()
    world.change(stop, stop=19100)
    _, again = no_room(world)
    world.change(stop, stop=19000)
    assert len(world.book.held) == 1
    at(world, again)
    assert not world.book.held
    assert not world.outbox


# -- legs of manual orders ----------------------------------------------------------------------------


def waiting_leg() -> tuple[bracketing.Desk, PlaceOrder, Nanos]:
    """Return a desk on which the stop behind a manual order found no room."""
    world = bracketing.desk()
    world.order(BUY, 2)
    world.deliver(world.outbox.pop(0))
    (stop,) = [one for one in world.outbox if isinstance(one, PlaceOrder) and one.spec.stop is not None]
    _, again = no_room(world, stop)
    world.settle()
    return world, stop, again


def test_a_leg_of_a_manual_order_goes_under_its_own_name_when_there_is_room() -> None:
    world, stop, again = waiting_leg()
    at(world, again)
    assert [command.client_order_id for command in world.outbox] == [stop.client_order_id]
    assert world.reasons() == []


@pytest.mark.parametrize("shut", [True, False])
def test_a_leg_waits_on_behind_a_shut_gate_and_without_a_link(*, shut: bool) -> None:
    world, _, again = waiting_leg()
    if shut:
        world.shut(gate_of(TWO))
    else:
        world.lose(TWO)
    assert at(world, again).steps == ()
    assert len(world.book.held) == 1
