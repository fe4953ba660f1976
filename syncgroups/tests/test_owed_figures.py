"""Exits that failed, to the contract and to the second: how much is owed, when it is tried, what is said."""

from typing import Any

import pytest

from syncgroups.core.decision import Remark
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import GROUP_GATE, SECOND, follower, group_of, plan_of
from tradehaven.domain.commands import Denied, PlaceOrder
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, SizingMode, SyncMode
from tradehaven.domain.events import OrderEnded
from tradehaven.domain.ids import AccountId, Nanos, OrderId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
OFFLINE, NO_ROOM = RefusalReason.FOLLOWER_OFFLINE, RefusalReason.RATE_LIMITED


def fixed(qty: int) -> Any:
    return follower(2, sizing=SizingMode.FIXED, fixed_qty=qty)


def holding(*followers: Any, entry: int = 2, side: Side = BUY, times: int = 1, **settings: Any) -> Desk:
    """Return a desk whose leader entered, with its followers behind it."""
    world = desk(*followers, **settings)
    for _ in range(times):
        world.market(side, entry)
        world.settle()
    return world


def reject(world: Desk, code: str = "NoRoom", text: str = "") -> None:
    """Turn the next command down."""
    command = world.outbox.pop(0)
    world.reject(command, f"{code} {text}".strip())


def ended(world: Desk, order: OrderId, status: OrderStatus, reason: str = "") -> None:
    """Let the broker end an order by itself."""
    known = world.orders[order]
    known.status = status
    world.step(
        OrderEnded(
            account=known.account,
            order_id=order,
            client_order_id=known.client_order_id,
            status=status,
            reason=reason,
            at=world.at(),
        )
    )


def mine(world: Desk) -> OrderId:
    """Return the one order that works at the follower."""
    (order,) = world.resting(2)
    return order.order_id


def closes(world: Desk) -> list[tuple[Side, int]]:
    """Return the orders that are on their way."""
    return [(sent.side, sent.spec.qty) for sent in world.outbox if isinstance(sent, PlaceOrder)]


def said(world: Desk) -> list[Remark]:
    return [remark for made in world.decisions for remark in made.remarks if remark.kind == "exit_failed"]


# -- what counts as an exit that failed ---------------------------------------------------------------


def test_of_a_flip_that_failed_only_the_closing_part_is_owed() -> None:
    world = holding(fixed(2))
    world.market(SELL, 5)
    reject(world)
    assert world.differs() == [("failed_exit", 2, 0, 2)]
    world.market(BUY, 6)  # the leader is long again, and so is what the follower adds
    world.settle()
    world.wait(1)
    assert closes(world) == [(SELL, 2)]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_what_is_owed_is_shown_with_its_sign_and_follows_what_a_hand_closes(side: Side) -> None:
    world = holding(entry=5, side=side)
    world.market(side.opposite, 2)
    reject(world)
    assert world.differs() == [("failed_exit", 2, 3 * side.sign, 5 * side.sign)]
    world.shut(GROUP_GATE)
    world.market(side.opposite, 1, account=TWO)
    world.wait(1)
    assert ("failed_exit", 2, 2 * side.sign, 4 * side.sign) in world.differs()


def test_of_an_exit_that_had_filled_in_part_the_rest_is_owed() -> None:
    world = holding(fixed(3), entry=4, times=2)
    world.trade(SELL, 3)
    world.deliver(world.outbox.pop(0), fill_markets=False)
    world.fill(mine(world), 1)
    ended(world, mine(world), OrderStatus.REJECTED, "margin")
    assert world.differs() == [("failed_exit", 2, 3, 5)]


def test_an_entry_that_failed_is_not_owed_whatever_is_held() -> None:
    world = holding(entry=1)
    world.market(SELL, 1)
    world.outbox.clear()  # the exit never arrives: the follower stays long
    world.book.copies.clear()
    world.book.open_copies.clear()
    world.book.market_copies.clear()
    world.market(SELL, 1)
    reject(world)
    assert world.differs() == []
    assert said(world) == []


def test_an_exit_that_is_turned_down_when_nothing_is_held_any_more_has_not_failed() -> None:
    world = holding()
    world.trade(SELL, 2)
    world.market(SELL, 2, account=TWO)  # by hand, a moment earlier
    reject(world)
    assert world.differs() == []
    assert said(world) == []


def test_an_exit_that_its_leader_withdrew_before_it_was_turned_down_has_not_failed() -> None:
    world = holding()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    world.cancel(stop)
    reject(world)
    assert world.differs() == []


def test_an_exit_that_only_waits_for_room_has_not_failed() -> None:
    world = holding()
    world.market(SELL, 2)
    name = world.outbox.pop(0).client_order_id
    later = Nanos(world.now + SECOND)
    world.step(
        Denied(account=TWO, client_order_id=name, reason=NO_ROOM, text="full", at=world.at(), retry_at=later)
    )
    assert world.differs() == []
    assert said(world) == []


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.FILLED])
def test_an_exit_that_ends_otherwise_than_turned_down_has_not_failed(status: OrderStatus) -> None:
    world = holding()
    world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    world.settle()
    ended(world, mine(world), status)
    assert world.differs() == []


# -- what was missed offline --------------------------------------------------------------------------


def test_parts_of_an_exit_that_were_missed_offline_are_owed_once_each() -> None:
    world = holding(entry=5, mode=SyncMode.CONFIRMED)
    world.lose(TWO)
    leaving = world.trade(SELL, 3)
    world.fill(leaving, 1)
    assert world.differs() == [("failed_exit", 2, 4, 5)]
    world.fill(leaving, 2)
    assert world.differs() == [("failed_exit", 2, 2, 5)]
    assert len(said(world)) == 1


def test_a_part_that_closes_nothing_more_adds_nothing_to_what_is_owed() -> None:
    world = holding(follower(2, ratio="1/2"), entry=5, mode=SyncMode.CONFIRMED)
    assert world.held(2) == 2
    world.lose(TWO)
    leaving = world.trade(SELL, 3)
    found = []
    for _ in range(3):
        world.fill(leaving, 1)
        found.append([(expected, actual) for _, _, expected, actual in world.differs()])
    assert found == [[], [(1, 2)], [(1, 2)]]


def test_a_fill_of_an_order_that_nobody_has_seen_owes_nothing_yet() -> None:
    world = holding(mode=SyncMode.CONFIRMED)
    world.lose(TWO)
    world.fill(world.trade(SELL, 2, seen=False))
    assert world.reasons() == [OFFLINE]
    assert world.differs() == []


def test_without_a_balance_an_exit_that_was_missed_offline_owes_nothing() -> None:
    world = holding()
    world.plan = plan_of(group_of(follower(2, sizing=SizingMode.BALANCE)))
    world.lose(TWO)
    world.market(SELL, 1)
    assert world.differs() == []
