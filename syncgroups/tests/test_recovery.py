"""What a start, a reconnect or a lost answer may and may not do: nothing twice, nothing lost in silence."""

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest

from syncgroups.core.book import Book
from syncgroups.core.copies import CopyState
from syncgroups.core.folding import _FOLDS
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, SECOND, connection_of, follower, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, Confirmed, Denied, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side
from tradehaven.domain.events import BalanceReported, Event, OrdersListed
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def _unanswered(world: Desk, command: PlaceOrder) -> None:
    world.step(
        Unresolved(
            account=command.account, client_order_id=command.client_order_id, text="time-out", at=world.at()
        )
    )


def _listed(world: Desk, *keys: str) -> None:
    world.step(
        OrdersListed(
            connection=connection_of(TWO),
            accounts=(TWO,),
            client_order_ids=frozenset(keys),  # type: ignore[arg-type]
            at=world.at(),
        )
    )


def test_an_order_without_an_answer_is_never_sent_again() -> None:
    world = desk()
    order = world.trade(BUY, 1)
    command = world.outbox.pop()
    assert isinstance(command, PlaceOrder)
    _unanswered(world, command)
    world.fill(order)
    world.connect()
    world.wait(1)
    assert not world.outbox


def test_an_order_without_an_answer_is_adopted_when_the_broker_shows_it() -> None:
    world = desk()
    world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    command = world.outbox.pop()
    assert isinstance(command, PlaceOrder)
    _unanswered(world, command)
    world._accept(TWO, command.client_order_id, ES, BUY, command.spec)
    world.connect(TWO)
    copy = world.book.copies[command.client_order_id]
    assert copy.state == "live"
    assert copy.order_id is not None
    assert not world.outbox


def test_two_complete_lists_without_it_make_an_order_missed() -> None:
    world = desk()
    world.trade(BUY, 1)
    command = world.outbox.pop()
    assert isinstance(command, PlaceOrder)
    _unanswered(world, command)
    _listed(world)
    assert world.book.copies[command.client_order_id].state == "unresolved"
    world.wait(6)
    _listed(world)
    assert world.book.copies[command.client_order_id].state == "missed"
    assert world.remarks() == ["missed"]
    _listed(world)
    assert world.remarks() == ["missed"]


def test_a_list_that_shows_it_ends_the_doubt() -> None:
    world = desk()
    world.trade(BUY, 1)
    command = world.outbox.pop()
    assert isinstance(command, PlaceOrder)
    _unanswered(world, command)
    _listed(world)
    world.wait(6)
    _listed(world, command.client_order_id)
    _listed(world)
    assert world.book.copies[command.client_order_id].state == "unresolved"


def test_a_leader_that_cancels_while_the_answer_is_out_cancels_when_it_comes() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    command = world.outbox.pop()
    world.cancel(order)
    assert not world.outbox
    world.deliver(command)
    assert [type(found) for found in world.outbox] == [CancelOrder]


def test_a_snapshot_is_never_a_new_event() -> None:
    world = Desk(desk().plan)
    for _ in range(3):
        world.market(BUY, 1, seen=False)
    world.trade(BUY, 1, OrderType.LIMIT, limit=1, seen=False)
    world.connect()
    assert not world.outbox
    assert world.book.positions[LEADER, ES] == 3


def test_what_the_leader_did_unseen_is_logged_once_for_each_follower() -> None:
    world = desk(follower(2), follower(3))
    world.lose(LEADER)
    world.market(BUY, 1, seen=False)
    world.connect(LEADER)
    world.connect(LEADER)
    assert world.reasons() == ["engine_offline"] * 2
    assert not world.outbox


def test_orders_from_before_the_group_was_switched_on_are_not_missed() -> None:
    world = desk(active_since=Nanos(10**19))
    world.lose(LEADER)
    world.market(BUY, 1, seen=False)
    world.connect(LEADER)
    assert not world.reasons()


def test_a_change_of_an_order_that_was_missed_copies_nothing() -> None:
    world = desk()
    world.lose(LEADER)
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000, seen=False)
    world.connect(LEADER)
    world.change(order, limit=19990)
    assert not world.outbox


def test_an_order_cancelled_while_the_leader_was_away_is_cancelled_after() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.lose(LEADER)
    world.cancel(order, seen=False)
    world.connect(LEADER)
    world.settle()
    assert not world.resting(2)


def test_a_price_moved_while_the_leader_was_away_is_moved_after() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.lose(LEADER)
    world.change(order, limit=19950, seen=False)
    world.connect(LEADER)
    world.settle()
    assert world.resting(2)[0].spec.limit == 19950


def test_a_leaders_order_of_a_closed_session_leaves_no_orphan() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.lose(LEADER)
    del world.orders[order]
    world.connect(LEADER)
    world.settle()
    assert not world.resting(2)


def test_a_cancel_waits_for_the_followers_link() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.lose(TWO)
    world.cancel(order)
    assert not world.outbox
    world.connect(TWO)
    world.settle()
    assert not world.resting(2)


def test_a_change_waits_for_the_followers_link() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.lose(TWO)
    world.change(order, limit=19990)
    assert not world.outbox
    world.connect(TWO)
    world.settle()
    assert world.resting(2)[0].spec.limit == 19990


def test_fills_that_came_while_the_link_was_down_count_once() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    copy = world.resting(2)[0].order_id
    world.fill(copy, 1)
    world.lose(TWO)
    world.fill(copy, 1, seen=False)
    world.connect(TWO)
    world.fill(order)
    world.market(SELL, 2)
    world.settle()
    assert world.held(2) == 0


def test_the_book_is_made_again_from_the_brokers_lists_alone() -> None:
    world = desk(follower(2, ratio="2"))
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.book = Book()
    world.connect()
    world.cancel(order)
    world.settle()
    assert not world.resting(2)
    assert len(world.placed) == 1


def test_a_fill_before_the_name_of_its_order_is_caught_up_on() -> None:
    world = desk()
    world.trade(BUY, 1)
    command = world.outbox.pop()
    assert isinstance(command, PlaceOrder)
    order = world._accept(TWO, None, ES, BUY, command.spec)  # the broker has not told our id yet
    world.step(world._working(order))
    world.fill(order.order_id)
    world.answer(command, order.order_id)
    assert world.book.copies[command.client_order_id].state == "ended"
    assert world.book.copied[9, TWO, ES, ES] == 1  # type: ignore[index]


def test_a_stranger_cannot_answer_for_another_account() -> None:
    world = desk(follower(2), follower(3))
    world.trade(BUY, 1, OrderType.LIMIT, limit=1)
    command = world.outbox[0]
    found = world.step(
        Confirmed(account=AccountId(3), client_order_id=command.client_order_id, order_id=None, at=world.at())
    )
    assert not found


def test_an_id_of_ours_on_another_account_is_not_adopted() -> None:
    world = Desk(desk().plan)
    spec = OrderSpec(order_type=OrderType.LIMIT, qty=1, limit=Ticks(1))
    order = world._accept(TWO, ClientOrderId("th1.g9.l1.o5.f3"), ES, BUY, spec)
    world.connect(TWO)
    assert order.status is OrderStatus.WORKING
    assert not world.book.copies


@pytest.mark.parametrize("code", ["AnotherCommandPending", "RiskCheckTimeout"])
def test_a_refused_cancel_is_tried_again_and_then_shouted_about(code: str) -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.cancel(order)
    for _ in range(8):
        if world.outbox:
            world.reject(world.outbox.pop(), code)
        assert not world.outbox  # never in the same instant
        world.wait(1)
    assert world.remarks() == ["command_stuck"]
    copy = next(iter(world.book.copies.values()))
    assert copy.commands == 5


def test_a_change_without_an_answer_is_told_again_after_a_while() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(order, limit=19990)
    command = world.outbox.pop()
    _unanswered(world, command)  # type: ignore[arg-type]
    assert not world.outbox
    world.wait(1)
    assert len(world.outbox) == 1
    world.settle()
    assert world.resting(2)[0].spec.limit == 19990


def test_a_follower_is_brought_in_line_when_its_leader_can_be_seen_again() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.lose(LEADER)
    world.lose(TWO)
    world.cancel(order, seen=False)
    world.connect(TWO)
    assert not world.outbox  # what the leader wants now is not known
    world.connect(LEADER)
    world.settle()
    assert not world.resting(2)


def test_a_follower_that_left_its_group_keeps_what_it_has() -> None:
    world = desk()
    world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.trade(SELL, 2, OrderType.STOP, stop=19000)
    world.settle()
    world.plan = plan_of(group_of(follower(3)), group_of(follower(2), leader=AccountId(4), group=GroupId(10)))
    world.fill(world.resting(2)[0].order_id)
    assert not world.outbox
    assert world.held(2) == 2


def test_a_snapshot_brings_the_balance_along() -> None:
    world = desk()
    snapshot = world.snapshot(TWO)
    (account,) = snapshot.accounts
    cash = BalanceReported(account=TWO, cash=Decimal(50_000), realized=Decimal(0), at=snapshot.at)
    world.step(replace(snapshot, accounts=(replace(account, balance=cash),)))
    assert world.book.balances[TWO] == 50_000


def test_a_cancel_without_an_answer_is_told_again_once_time_has_passed() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.cancel(order)
    first = world.outbox.pop()
    name = first.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="time-out", at=world.at()))
    assert not world.outbox
    world.wait(1)
    assert isinstance(world.outbox[0], CancelOrder)
    assert world.outbox[0].client_order_id != name
    world.settle()
    assert not world.resting(2)


def test_every_kind_of_event_has_its_fold() -> None:
    assert set(_FOLDS) == set(get_args(Event))


def test_a_cancel_that_never_left_is_tried_until_it_does() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.cancel(order)
    for _ in range(8):
        name = world.outbox.pop().client_order_id
        reason = RefusalReason.JOURNAL_FAILED
        world.step(Denied(account=TWO, client_order_id=name, reason=reason, text="full", at=world.at()))
        world.wait(1)
    world.settle()
    assert not world.resting(2)
    assert "command_stuck" not in world.remarks()


def test_a_cancel_that_is_never_answered_is_shouted_about() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.cancel(order)
    for _ in range(5):
        name = world.outbox.pop().client_order_id
        world.step(Unresolved(account=TWO, client_order_id=name, text="time-out", at=world.at()))
        world.wait(1)
    assert not world.outbox
    assert world.remarks() == ["command_stuck"]


def test_an_exit_that_found_no_room_is_looked_for_from_when_it_left() -> None:
    """I12: a list from before it really left says nothing about it."""
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.market(SELL, 1)
    exit_ = world.outbox.pop()
    assert isinstance(exit_, PlaceOrder)
    _listed(world)  # while it is on its way
    world.step(
        Denied(
            account=TWO,
            client_order_id=exit_.client_order_id,
            reason=RefusalReason.RATE_LIMITED,
            text="429",
            at=world.at(),
            retry_at=Nanos(world.now + 7 * SECOND),
        )
    )
    world.wait(8)
    (again,) = world.outbox
    assert again.client_order_id == exit_.client_order_id
    _listed(world)
    assert world.book.copies[exit_.client_order_id].state is not CopyState.MISSED
    world.settle()
    assert world.positions[TWO, ES] == 0
