"""Positions that somebody else has closed: of several groups at once, or twice while a link was down."""

import pytest

from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, group_of, plan_of
from syncgroups.tests.test_protect import MINE, desk_with, guards
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import Side
from tradehaven.domain.ids import AccountId, GroupId

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
HOLDING = GROUP, TWO, ES, ES


def _of_two_groups(side: Side, other: Side) -> Desk:
    """Return a follower that holds two contracts for each of two leaders."""
    second = group_of(follower(2), leader=THREE, group=GroupId(10))
    world = Desk(plan_of(group_of(follower(2)), second))
    world.connect()
    for leader, bought in ((LEADER, side), (THREE, other)):
        world.market(bought, 2, account=leader)
    world.settle()
    return world


SECOND_HOLDING = GroupId(10), TWO, ES, ES


@pytest.mark.parametrize("side", [BUY, SELL])
def test_of_two_groups_nobody_says_whose_contracts_a_hand_closed(side: Side) -> None:
    world = _of_two_groups(side, side)
    for _ in range(3):
        world.market(side.opposite, 1, account=TWO)
    assert (world.book.copied[HOLDING], world.book.copied[SECOND_HOLDING]) == (2 * side.sign, 2 * side.sign)
    assert world.book.taken == {}


@pytest.mark.parametrize("side", [BUY, SELL])
def test_of_two_groups_both_are_out_when_nothing_is_left(side: Side) -> None:
    """Seed -619910: what came next was sized, and protected, beside contracts that were long gone."""
    world = _of_two_groups(side, side)
    world.market(side.opposite, 4, account=TWO)
    assert (world.book.copied[HOLDING], world.book.copied[SECOND_HOLDING]) == (0, 0)
    assert world.book.taken == {HOLDING: 2 * side.sign, SECOND_HOLDING: 2 * side.sign}
    world.market(side, 3)
    world.settle()
    assert (world.held(2), world.book.copied[HOLDING]) == (3 * side.sign, 3 * side.sign)


def test_of_two_groups_against_each_other_both_hold_what_nets_to_nothing() -> None:
    world = _of_two_groups(BUY, SELL)
    world.market(BUY, 1, account=TWO)
    world.market(SELL, 1, account=TWO)
    assert (world.book.copied[HOLDING], world.book.copied[SECOND_HOLDING]) == (2, -2)
    assert world.book.taken == {}


@pytest.mark.parametrize(
    ("seconds", "known", "left"),
    [(2, True, 0), (11, True, 0), (900, True, 0), (2, False, 0), (11, False, -1)],
)
def test_what_a_stop_and_an_exit_closed_twice_while_a_link_was_down_is_closed_when_it_is_back(
    seconds: int, known: bool, left: int
) -> None:
    """Seeds 613712 and 755312: the stop's fill came with the snapshot, and what it opened was anybody's.

    An engine that did not know the stop before closes only what is fresh: a person may have traded since.
    """
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    (guard,) = guards(desk)
    desk.market(Side.SELL, 1)
    (sent,) = desk.outbox
    desk.outbox.clear()
    assert isinstance(sent, PlaceOrder)
    desk.lose(MINE)
    out = desk._accept(MINE, sent.client_order_id, ES, sent.side, sent.spec)
    desk.fill(out.order_id, seen=False)
    desk.fill(guard.order_id, price=19_960, seen=False)
    desk.wait(seconds)
    if not known:
        desk.book.risk.guards.clear()
        desk.book.risk.guard_orders.clear()
    desk.connect(MINE)
    desk.settle()
    assert desk.positions[MINE, ES] == left


def test_what_a_person_opened_while_a_link_was_down_is_no_double_close() -> None:
    desk = desk_with()
    desk.lose(MINE)
    desk.fill(desk.trade(Side.BUY, 1, account=MINE, seen=False), seen=False)
    desk.connect(MINE)
    desk.settle()
    assert desk.positions[MINE, ES] == 1
