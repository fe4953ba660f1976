"""Exits that come while earlier ones still wait: together they close what the leader closed, and no more."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import LEADER, follower
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import Side, SyncMode
from tradehaven.domain.ids import AccountId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def sent(world: Desk) -> list[int]:
    return [order.spec.qty for order in world.outbox if isinstance(order, PlaceOrder)]


def parts(world: Desk, side: Side, *sizes: int) -> None:
    """Let the leader's market order fill in parts."""
    order = world.trade(side, sum(sizes))
    for qty in sizes:
        world.fill(order, qty)


def backlog() -> Desk:
    """Return a desk with three exits that waited, all free to go by now; the first two have gone."""
    world = desk(mode=SyncMode.CONFIRMED)
    world.market(SELL, 4)
    world.settle()
    world.market(SELL, 5)
    entry = world.outbox.pop()
    parts(world, BUY, 2, 1)
    parts(world, BUY, 3)  # one of these three is closed at once
    world.deliver(entry)
    assert sent(world) == [1, 2, 1]
    assert len(world.book.waiting) == 1
    return world


def test_what_a_later_exit_has_closed_an_earlier_one_leaves() -> None:
    """Seed -1812020: both closed the same two contracts in one event, and the follower was turned."""
    world = backlog()
    world.market(BUY, 2)
    assert sent(world) == [1, 2, 1, 4]
    world.settle()
    assert world.held(2) == world.held(LEADER) == -1
    assert not world.book.waiting
    assert world.reasons() == []


@pytest.mark.parametrize(("qty", "left"), [(3, 0), (4, 1)])
def test_a_later_exit_out_of_all_leaves_nothing_to_an_earlier_one(qty: int, left: int) -> None:
    world = backlog()
    world.market(BUY, qty)
    world.settle()
    assert world.held(2) == world.held(LEADER) == left


def test_an_earlier_exit_goes_with_the_next_event_when_a_later_order_opens() -> None:
    world = backlog()
    world.market(SELL, 1)
    world.settle()
    assert world.held(2) == world.held(LEADER) == -4


@pytest.mark.parametrize("mode", SyncMode)
@pytest.mark.parametrize("one", [BUY, SELL])
@pytest.mark.parametrize(("flip", "waits"), [(5, 2), (3, 0)])
def test_of_an_entry_that_waits_just_what_its_leader_closed_is_given_up(
    mode: SyncMode, one: Side, flip: int, waits: int
) -> None:
    """What it waits for trades on the other side, and is no part of it."""
    world = desk(mode=mode)
    world.market(one, 2)
    world.market(one.opposite, flip)
    world.market(one, 1)
    assert sum(waiting.enter for waiting in world.book.waiting.values()) == waits
    world.settle()
    assert world.held(2) == world.held(LEADER) == (3 - flip) * one.sign


def test_an_exit_behind_an_entry_that_is_on_its_way_counts_what_that_will_have_brought() -> None:
    """It had waited for the entry's fill as for something more to close, and the flip was never made."""
    world = desk(mode=SyncMode.CONFIRMED)
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 1)
    world.settle(fill_markets=False)
    world.market(BUY, 1)
    world.settle(fill_markets=False)
    parts(world, SELL, 1, 2)
    world.settle()
    for order in world.resting(2):
        world.fill(order.order_id)
    world.settle()
    assert world.held(2) == world.held(LEADER) == -1


def test_beside_one_contract_on_its_way_just_what_the_leader_closed_of_those_that_wait_is_given_up() -> None:
    """With all that was on its way the follower had one on the side of what still waited."""
    world = desk(mode=SyncMode.CONFIRMED)
    parts(world, SELL, 2, 1, 2)
    parts(world, BUY, 2)
    world.deliver(world.outbox.pop(0), fill_markets=False)
    (late,) = world.resting(2)
    order = world.trade(BUY, 11)
    world.fill(order, 4)
    world.deliver(world.outbox.pop(1))
    world.fill(order, 4)
    world.deliver(world.outbox.pop(0))
    world.fill(late.order_id, 1)
    world.fill(order, 3)
    world.deliver(world.outbox.pop(1))
    world.fill(late.order_id, 1)
    assert [waiting.enter for waiting in world.book.waiting.values()] == [4, 3]
    world.market(SELL, 1)
    assert sent(world)[-2:] == [4, 2]
    world.settle()
    assert world.held(2) == world.held(LEADER) == 7


MOVES = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.lists(st.integers(1, 4), min_size=1, max_size=3),
        st.lists(st.integers(0, 5), max_size=3),
    ),
    min_size=1,
    max_size=8,
)


@given(MOVES, st.sampled_from(list(SyncMode)), st.sampled_from([1, 2, 3]), st.booleans())
@settings(max_examples=400, deadline=None)
def test_however_fills_and_answers_come_a_follower_never_ends_with_more_than_its_share(
    moves: list[tuple[Side, list[int], list[int]]], mode: SyncMode, ratio: int, reverse: bool
) -> None:
    """Nor with less, unless something was refused: that is what reversals quicker than any answer come to."""
    world = desk(follower(2, ratio=ratio, reverse=reverse), mode=mode)
    for side, sizes, picks in moves:
        order = world.trade(side, sum(sizes))
        for number, qty in enumerate(sizes):
            world.fill(order, qty)
            if number < len(picks) and world.outbox:
                world.deliver(world.outbox.pop(picks[number] % len(world.outbox)))
    world.settle()
    world.wait(1)
    world.settle()
    held, due = world.held(2), (-ratio if reverse else ratio) * world.held(LEADER)
    if held != due:
        assert world.reasons()
        assert due
        assert 0 <= held / due < 1
