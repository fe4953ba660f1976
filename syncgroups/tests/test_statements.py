"""A broker states a login anew in the middle of things: what that settles, and what it leaves."""

from typing import Any

import pytest

from syncgroups.core.copies import CopyState
from syncgroups.core.forgetting import REMEMBER, tidy
from syncgroups.tests.drifting import TWO, Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, connection_of, follower
from syncgroups.tests.test_protect import STOP, desk_with
from tradehaven.domain.commands import CancelOrder, ChangeOrder, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.events import OrdersListed
from tradehaven.domain.ids import ClientOrderId, Nanos, OrderId

BUY, SELL = Side.BUY, Side.SELL
HOLDING = (GROUP, TWO, ES, ES)


def resting(qty: int = 2, **settings: Any) -> tuple[Desk, OrderId]:
    """Return a desk whose leader's limit order rests at its follower, and that order."""
    world = desk(follower(2, **settings))
    order = world.trade(BUY, qty, OrderType.LIMIT, limit=19_000)
    world.settle()
    return world, order


def again(world: Desk) -> None:
    """Lose the follower's link with all that is on its way, and connect it again."""
    world.lose(TWO)
    world.outbox.clear()
    world.connect(TWO)


def lists(world: Desk, at: int, *names: Any) -> None:
    """Let the broker list the follower's orders at a moment: those of these names."""
    world.step(
        OrdersListed(
            connection=connection_of(TWO), accounts=(TWO,), client_order_ids=frozenset(names), at=Nanos(at)
        )
    )


# -- orders as they are stated -----------------------------------------------------------------------


def test_an_order_is_stated_with_all_that_it_has_filled() -> None:
    world = desk()
    order = world.trade(BUY, 5, OrderType.LIMIT, limit=20_000)
    world.fill(order, 1, price=20_000)
    world.lose(LEADER)
    world.fill(order, 2, price=19_996, seen=False)
    world.connect(LEADER)
    record = world.book.orders[LEADER, order]
    assert (record.filled, record.price, record.cost, record.unfilled) == (3, 19_996, 59_992, 2)
    untouched = world.trade(BUY, 1, OrderType.LIMIT, limit=19_000)
    world.connect(LEADER)
    record = world.book.orders[LEADER, untouched]
    assert (record.filled, record.price, record.cost) == (0, None, 0)


def test_a_fill_that_a_statement_counted_is_no_news_afterwards() -> None:
    world, _ = resting()
    world.lose(TWO)
    world.fill(world.resting(2)[0].order_id, 1, seen=False)
    world.connect(TWO)
    assert world.book.copied[HOLDING] == 1
    world.step(world.fills[-1])
    assert (world.book.copied[HOLDING], world.book.positions[TWO, ES]) == (1, 1)


def test_an_old_order_that_still_works_is_no_old_news_although_newer_ones_are_forgotten() -> None:
    world, order = resting()
    for side in (BUY, SELL):
        world.market(side, 1)
        world.settle()
    for _ in range(3):
        world.now += REMEMBER
        tidy(world.book, Nanos(world.now))
    assert world.book.past.orders[LEADER] > order
    world.connect()
    world.change(order, limit=18_990)
    world.settle()
    assert [one.spec.limit for one in world.resting(2)] == [18_990]


def test_an_order_of_ours_is_known_by_its_number_where_the_list_leaves_its_name_out() -> None:
    world, order = resting()
    (mine,) = world.resting(2)
    mine.client_order_id = None
    again(world)
    world.look(7)
    world.change(order, limit=18_990)
    again(world)  # the change is lost with the link
    world.settle()
    assert [one.spec.limit for one in world.resting(2)] == [18_990]
    world.fill(mine.order_id)
    assert world.book.copied[HOLDING] == 2


def test_an_exit_whose_answer_was_lost_is_still_an_exit_when_the_list_shows_it() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    order = world.trade(SELL, 2, OrderType.STOP, stop=19_000, account=TWO, seen=False)
    world.orders[order].client_order_id = command.client_order_id
    again(world)
    copy = world.book.copies[command.client_order_id]
    assert (copy.enters, copy.state, copy.in_flight, copy.order_id) == (0, CopyState.LIVE, None, order)


def test_what_was_wished_before_an_answer_was_lost_is_told_when_the_list_shows_the_order() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=19_000)
    (command,) = world.outbox
    mine = world.trade(BUY, 2, OrderType.LIMIT, limit=19_000, account=TWO, seen=False)
    world.orders[mine].client_order_id = command.client_order_id
    world.change(order, limit=18_990)
    world.lose(LEADER)
    again(world)
    assert [type(told) for told in world.outbox] == [ChangeOrder]
    world.settle()
    assert [one.spec.limit for one in world.resting(2)] == [18_990]


# -- what was on its way -----------------------------------------------------------------------------


def test_a_change_that_was_lost_with_the_link_is_told_again_at_once() -> None:
    world, order = resting()
    world.change(order, limit=18_990)
    again(world)
    assert [type(command) for command in world.outbox] == [ChangeOrder]
    world.settle()
    assert [one.spec.limit for one in world.resting(2)] == [18_990]


def test_changes_that_were_turned_down_before_are_past_after_a_new_link() -> None:
    world, order = resting()
    world.change(order, limit=18_990)
    for _ in range(4):
        world.reject(world.outbox.pop(), "no")
        world.wait(2)
    again(world)
    assert [type(command) for command in world.outbox] == [ChangeOrder]
    world.settle()
    assert [one.spec.limit for one in world.resting(2)] == [18_990]


def test_a_change_that_came_into_force_unseen_is_not_told_again() -> None:
    world, order = resting()
    world.change(order, limit=18_990)
    (command,) = world.outbox
    world.lose(TWO)
    world.outbox.clear()
    world.orders[world.resting(2)[0].order_id].spec = command.spec  # type: ignore[union-attr]
    world.connect(TWO)
    assert world.outbox == []
    world.change(order, limit=19_000)
    assert [type(sent) for sent in world.outbox] == [ChangeOrder]


def test_a_size_that_was_asked_for_and_never_came_takes_no_room_under_a_cap() -> None:
    world, order = resting(1, max_position=4)
    world.change(order, qty=4)
    assert [type(command) for command in world.outbox] == [ChangeOrder]
    world.lose(TWO)
    world.outbox.clear()
    world.change(order, qty=1)
    world.connect(TWO)
    world.trade(BUY, 3)
    assert [command.spec.qty for command in world.outbox if isinstance(command, PlaceOrder)] == [3]


# -- what a list lacks -------------------------------------------------------------------------------


def doubted() -> tuple[Desk, ClientOrderId]:
    """Return a follower's order of which nobody knows whether the broker has it."""
    world = desk()
    world.trade(BUY, 1)
    name = world.outbox.pop().client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer in time", at=world.at()))
    return world, name


@pytest.mark.parametrize(("early", "state"), [(1, CopyState.UNRESOLVED), (0, CopyState.MISSED)])
def test_an_order_was_never_taken_when_two_lists_six_seconds_apart_lack_it(
    early: int, state: CopyState
) -> None:
    world, name = doubted()
    start = world.now
    lists(world, start)
    assert world.book.copies[name].state is CopyState.UNRESOLVED
    lists(world, start + 6 * SECOND - early)
    assert world.book.copies[name].state is state


def test_an_order_that_a_list_shows_in_between_is_looked_for_anew() -> None:
    world, name = doubted()
    start = world.now
    lists(world, start)
    lists(world, start + 5 * SECOND, name)
    lists(world, start + 10 * SECOND)
    assert world.book.copies[name].state is CopyState.UNRESOLVED


@pytest.mark.parametrize(("early", "state"), [(1, CopyState.SENDING), (0, CopyState.MISSED)])
def test_an_order_that_is_still_being_asked_for_is_missed_only_after_a_minute_without_a_word(
    early: int, state: CopyState
) -> None:
    world = desk()
    world.trade(BUY, 1)
    name = world.outbox.pop().client_order_id
    start = world.now
    for second in (0, 7, 20):  # a penalty is waited out, and the order repeated with its ticket
        lists(world, start + second * SECOND)
        assert world.book.copies[name].state is CopyState.SENDING
    lists(world, start + 60 * SECOND - early)
    assert world.book.copies[name].state is state


def test_lists_from_before_an_order_was_given_up_say_nothing_about_it() -> None:
    world = desk()
    world.trade(BUY, 1)
    name = world.outbox.pop().client_order_id
    start = world.now
    lists(world, start)
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer in time", at=world.at()))
    lists(world, start + 10 * SECOND)
    assert world.book.copies[name].state is CopyState.UNRESOLVED
    lists(world, start + 16 * SECOND)
    assert world.book.copies[name].state is CopyState.MISSED


def test_an_order_that_had_worked_and_is_listed_no_more_has_ended() -> None:
    world, order = resting()
    (copy,) = world.book.copies.values()
    start = world.now
    lists(world, start)
    assert world.book.copies[copy.key].state is CopyState.LIVE
    lists(world, start + 6 * SECOND)
    assert world.book.copies[copy.key].state is CopyState.ENDED
    world.cancel(order)
    assert not [command for command in world.outbox if isinstance(command, CancelOrder)]


def test_two_statements_that_lack_an_order_count_as_two_lists() -> None:
    world = desk()
    world.trade(BUY, 1)
    name = world.outbox.pop().client_order_id
    world.connect(TWO)
    assert world.book.copies[name].state is CopyState.UNRESOLVED
    world.look(6)
    world.connect(TWO)
    assert world.book.copies[name].state is CopyState.MISSED


def test_a_login_settles_once() -> None:
    world = desk()
    assert world.book.settling == {connection_of(LEADER), connection_of(TWO)}
    world.look(5)
    assert world.book.settling
    world.look(2)
    assert not world.book.settling
    world.connect(TWO)
    assert not world.book.settling


def test_a_stop_of_a_rule_that_a_statement_lacks_is_placed_anew() -> None:
    world = desk_with(STOP)
    world.market(BUY, 2)
    world.settle()
    (stop,) = world.resting(2)
    world.lose(TWO)
    world.cancel(stop.order_id, seen=False)
    world.connect(TWO)
    world.wait(1)
    world.settle()
    assert [one.spec.order_type for one in world.resting(2)] == [OrderType.STOP]
