"""Facts about copies: what their brokers answer, what becomes of them, and what a second makes of them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from syncgroups.core.book import Book
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.folding import fold
from syncgroups.core.snapshots import SECOND_LOOK
from syncgroups.tests.bracketing import desk as manual_desk
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, SECOND
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.commands import ChangeOrder, Confirmed, Denied, PlaceOrder, Rejected, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side
from tradehaven.domain.events import (
    Event,
    OrderChanged,
    OrderEnded,
    TimePassed,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos, OrderId
from tradehaven.domain.money import Ticks

BUY = Side.BUY
TWO = AccountId(2)


def resting(order_type: OrderType = OrderType.LIMIT, **price: Any) -> tuple[Desk, OrderId, Copy]:
    """Return a desk, the leader's order that rests, and the copy of it that rests as well."""
    world = desk()
    order = world.trade(BUY, 3, order_type, **(price or {"limit": 19_000}))
    world.settle()
    return world, order, only(world)


def only(world: Desk) -> Copy:
    (copy,) = world.book.copies.values()
    return copy


def changing() -> tuple[Desk, ChangeOrder]:
    """Return a desk whose copy is told a change that has no answer yet."""
    world, order, _ = resting()
    world.change(order, qty=4)
    command = world.outbox.pop()
    assert isinstance(command, ChangeOrder)
    return world, command


def test_a_change_in_force_ends_the_waiting_for_it_but_a_price_that_the_market_draws_does_not() -> None:
    world, command = changing()
    world.book.keep(only(world).changed(refusals=2))
    order = only(world).order_id
    assert order is not None
    world.step(OrderChanged(account=TWO, order_id=order, spec=command.spec, at=world.at()))
    copy = only(world)
    assert (copy.in_flight, copy.asked, copy.refusals, copy.sent.qty) == (None, 0, 0, 4)
    world, order, _ = resting(OrderType.TRAILING_STOP, stop=20_100, trail=40)
    world.change(order, qty=2)
    flying = only(world).in_flight
    assert flying is not None
    mine = world.resting(TWO)[0]
    drawn = OrderChanged(
        account=TWO, order_id=mine.order_id, spec=replace(mine.spec, stop=Ticks(20_090)), at=world.at()
    )
    world.step(drawn)
    assert (only(world).in_flight, only(world).sent.stop) == (flying, 20_090)
    world.step(replace(drawn, spec=replace(drawn.spec, qty=2)))
    assert only(world).in_flight is None


def answer(kind: type, world: Desk, name: ClientOrderId, **what: Any) -> bool:
    event: Event = kind(account=TWO, client_order_id=name, at=world.at(), **what)
    return fold(world.book, event)


NO = {"code": "no", "text": ""}
OFFLINE = {"reason": RefusalReason.FOLLOWER_OFFLINE, "text": "", "retry_at": None}


def test_a_change_that_was_turned_down_counts_and_one_that_never_left_counts_once() -> None:
    world, command = changing()
    name = command.client_order_id
    before = only(world).changed(refusals=1)
    for kind, what, refusals in (
        (Rejected, NO, 2),
        (Unresolved, {"text": ""}, 2),
        (Denied, OFFLINE, 1),
    ):
        world.book.keep(before)
        assert answer(kind, world, name, **what) is True
        assert only(world) == before.changed(in_flight=None, refusals=refusals, asked=only(world).asked)
        assert only(world).asked == (before.asked if kind is Unresolved else 0)
    world.book.keep(before.changed(refusals=0))
    answer(Denied, world, name, **OFFLINE)
    assert only(world).refusals == 1


def test_a_change_that_found_no_room_is_held_and_ends_nothing() -> None:
    world, command = changing()
    rate = {"reason": RefusalReason.RATE_LIMITED, "text": "", "retry_at": Nanos(world.now + 9 * SECOND)}
    assert answer(Denied, world, command.client_order_id, **rate) is True
    copy = only(world)
    assert (copy.state, copy.in_flight, copy.refusals) == (CopyState.LIVE, None, 0)
    assert copy.held_until == rate["retry_at"]
    world.wait(1)
    assert not world.outbox


def test_an_order_that_is_turned_down_after_all_has_ended_although_a_change_of_it_is_out() -> None:
    world, _ = changing()
    assert answer(Rejected, world, only(world).key, **NO) is True
    assert only(world).state is CopyState.ENDED


def test_a_change_that_was_taken_waits_for_the_orders_own_news() -> None:
    world, command = changing()
    before = only(world)
    assert answer(Confirmed, world, command.client_order_id, order_id=None) is True
    assert only(world) == before


def placed() -> tuple[Desk, PlaceOrder]:
    """Return a desk whose follower was told an order that has no answer yet."""
    world = desk()
    world.trade(BUY, 3, OrderType.LIMIT, limit=19_000)
    command = world.outbox.pop()
    assert isinstance(command, PlaceOrder)
    return world, command


def test_an_order_without_an_answer_is_unresolved_until_its_number_is_known() -> None:
    world, command = placed()
    assert answer(Unresolved, world, command.client_order_id, text="") is True
    assert only(world).state is CopyState.UNRESOLVED
    world, command = placed()
    answer(Confirmed, world, command.client_order_id, order_id=OrderId(700))
    assert only(world).order_id == 700
    answer(Confirmed, world, command.client_order_id, order_id=OrderId(701))
    assert only(world).order_id == 700, "a second answer names no other order"
    answer(Unresolved, world, command.client_order_id, text="")
    assert only(world).state is CopyState.SENDING
    world, command = placed()
    answer(Confirmed, world, command.client_order_id, order_id=None)
    assert only(world).order_id is None


@pytest.mark.parametrize(("kind", "what"), [(Rejected, NO), (Denied, OFFLINE)])
def test_an_order_that_was_turned_down_has_ended_and_what_is_said_of_it_later_is_no_news(
    kind: type, what: dict[str, Any]
) -> None:
    world, command = placed()
    assert answer(kind, world, command.client_order_id, **what) is True
    assert (only(world).state, only(world).in_flight) == (CopyState.ENDED, None)
    assert answer(kind, world, command.client_order_id, **what) is False
    assert answer(kind, world, ClientOrderId("x"), **what) is False


def test_an_order_that_found_no_room_is_looked_for_anew_once_it_leaves() -> None:
    world, command = placed()
    world.book.absent_since[command.client_order_id] = Nanos(1)
    rate = {"reason": RefusalReason.RATE_LIMITED, "text": "", "retry_at": None}
    answer(Denied, world, command.client_order_id, **rate)
    assert not world.book.absent_since


def test_the_end_of_an_order_that_was_never_seen_ends_the_copy_that_it_names() -> None:
    world, command = placed()
    end = OrderEnded(
        account=TWO,
        order_id=OrderId(700),
        client_order_id=command.client_order_id,
        status=OrderStatus.REJECTED,
        reason="",
        at=world.at(),
    )
    assert fold(world.book, end) is True
    copy = only(world)
    assert (copy.state, copy.order_id, copy.in_flight) == (CopyState.ENDED, 700, None)
    assert not world.book.chasing


def test_an_end_that_names_no_copy_is_known_by_the_orders_number() -> None:
    world, _, copy = resting()
    mine = world.resting(TWO)[0]
    end = OrderEnded(
        account=TWO,
        order_id=mine.order_id,
        client_order_id=None,
        status=OrderStatus.CANCELLED,
        reason="",
        at=world.at(),
    )
    assert fold(world.book, end) is True
    assert world.book.copies[copy.key].state is CopyState.ENDED


def test_an_order_of_ours_that_every_record_was_lost_of_is_known_again_by_its_name() -> None:
    world, _, copy = resting()
    mine = world.resting(TWO)[0]
    book = Book()
    fold(book, world._working(mine))
    known = book.copies[copy.key]
    assert (known.order_id, known.leader_order, known.sent) == (mine.order_id, copy.leader_order, mine.spec)
    assert known.state is CopyState.LIVE


@pytest.mark.parametrize(
    ("status", "chased", "settles"),
    [
        (OrderStatus.CANCELLED, True, True),
        (OrderStatus.CANCELLED, False, False),
        (OrderStatus.FILLED, True, False),
    ],
)
def test_only_a_cancelled_order_makes_room_for_the_one_that_chases(
    status: OrderStatus, chased: bool, settles: bool
) -> None:
    world, _, copy = resting()
    world.book.keep(copy.changed(chased=chased))
    mine = world.resting(TWO)[0]
    end = OrderEnded(
        account=TWO,
        order_id=mine.order_id,
        client_order_id=mine.client_order_id,
        status=status,
        reason="",
        at=Nanos(77),
    )
    fold(world.book, end)
    assert world.book.chasing == ({copy.key: 77} if settles else {})


# -- time --------------------------------------------------------------------------------------------


def test_an_order_rests_behind_its_leaders_from_the_first_second_on_that_sees_it() -> None:
    world, order, copy = resting()
    world.wait(1)
    assert not world.book.resting_since
    world.fill(order)
    world.wait(1)
    first = world.now
    world.wait(2)
    assert world.book.resting_since == {copy.key: first}


@pytest.mark.parametrize(
    "what",
    [
        {"state": CopyState.UNRESOLVED},
        {"target": None},
        {"in_flight": ClientOrderId("x")},
    ],
)
def test_what_is_in_doubt_is_ending_or_changes_does_not_rest(what: dict[str, Any]) -> None:
    world, order, copy = resting()
    world.fill(order)
    world.book.keep(copy.changed(**what))
    fold(world.book, TimePassed(at=world.at()))
    assert not world.book.resting_since


def test_a_copy_of_one_fill_rests_whatever_became_of_the_leaders_order() -> None:
    world, _, copy = resting()
    world.book.keep(copy.changed(fill=FillId(1)))
    fold(world.book, TimePassed(at=world.at()))
    assert list(world.book.resting_since) == [copy.key]


def test_a_login_has_settled_once_and_when_two_looks_are_far_enough_apart() -> None:
    world = desk()
    seen = max(world.book.first_seen.values())
    fold(world.book, TimePassed(at=Nanos(min(world.book.first_seen.values()) + SECOND_LOOK - 1)))
    assert not world.book.settled
    fold(world.book, TimePassed(at=Nanos(seen + SECOND_LOOK)))
    assert world.book.settled == frozenset(world.book.first_seen)
    assert not world.book.settling
    fold(world.book, TimePassed(at=Nanos(seen + SECOND_LOOK + SECOND)))
    assert not world.book.settled


def test_a_day_of_sizes_ends_at_five_in_chicago() -> None:
    world = desk()
    world.wait(1)
    five = int(datetime(2026, 11, 18, 17, tzinfo=CHICAGO).timestamp()) * SECOND
    assert world.book.sizing_until == five
    fold(world.book, TimePassed(at=Nanos(five - 1)))
    assert world.book.sizing_until == five
    fold(world.book, TimePassed(at=Nanos(five)))
    assert world.book.sizing_until == five + 24 * 3600 * SECOND


@pytest.mark.parametrize(("in_doubt", "left"), [(True, 2), (False, 0)])
def test_manual_contracts_that_are_gone_are_forgotten_unless_their_going_is_in_doubt(
    in_doubt: bool, left: int
) -> None:
    world = manual_desk()
    world.order(BUY, 2, stop_loss=None, take_profit=None)
    world.settle()
    (holding,) = [key for key, net in world.book.copied.items() if net]
    world.book.positions[TWO, ES] = 0
    if in_doubt:
        world.book.assumed[TWO, ES] = Nanos(1)
    fold(world.book, TimePassed(at=world.at()))
    assert world.book.copied[holding] == left
    assert bool(world.book.manual[TWO]) is in_doubt
