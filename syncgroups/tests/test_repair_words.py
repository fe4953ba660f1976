"""What would mend a difference, as a person reads it beside the difference."""

from typing import Any

import pytest

from syncgroups.core.differences import DriftKind
from syncgroups.core.plan import RestPolicy
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import LEADER, follower, group_of, plan_of
from tradehaven.domain.enums import OrderType, RestRule, Side
from tradehaven.domain.ids import AccountId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
NQ = Symbol("NQZ6")
AT = "at the market (the leader last traded at 5000.00)"


def entered(side: Side = BUY, qty: int = 2, *followers: Any, **settings: Any) -> Desk:
    world = desk(*followers, **settings)
    world.market(side, qty)
    world.settle()
    return world


def words(world: Desk, kind: DriftKind) -> str:
    """Look until a difference is told, and return the remedy that is shown with it."""
    world.look(8)
    return world.difference(kind).remedy


@pytest.mark.parametrize(("side", "verb"), [(BUY, "sell"), (SELL, "buy")])
def test_who_was_left_behind_with_one_contract_may_close_it(side: Side, verb: str) -> None:
    world = entered(side, 1)
    world.unseen(side.opposite, 1)
    said = words(world, DriftKind.LEFT_BEHIND)
    assert said == f"{verb} 1 ESZ6 {AT}; leaves it flat; no rule stands against it"


@pytest.mark.parametrize(("side", "verb", "left"), [(BUY, "sell", "+1"), (SELL, "buy", "-1")])
def test_of_what_is_too_much_the_share_is_left(side: Side, verb: str, left: str) -> None:
    world = entered(side, 4)
    world.unseen(side.opposite, 3)
    said = words(world, DriftKind.TOO_MUCH)
    assert said == f"{verb} 3 ESZ6 {AT}; leaves {left}; no rule stands against it"


@pytest.mark.parametrize(("exits", "first"), [(1, "cancel 1 resting exit"), (2, "cancel 2 resting exits")])
def test_what_rests_in_the_way_is_counted(exits: int, first: str) -> None:
    world = entered(rests=RestPolicy(exits=RestRule.WAIT))
    for limit in range(21_000, 21_000 + exits):
        world.trade(SELL, 2, OrderType.LIMIT, limit=limit)
    world.settle()
    for order in world.resting(LEADER):
        world.fill(order.order_id, 2 // exits)
    world.settle()
    world.look(8)
    remedies = [difference.remedy for difference in world.book.differences.values()]
    assert [remedy.split(", then ")[0] for remedy in remedies if remedy.startswith("cancel")] == [first]


def test_the_leaders_last_price_is_that_of_its_newest_order_in_the_contract() -> None:
    world = entered(qty=1)
    world.fill(world.trade(BUY, 1), price=20_001)
    world.settle()
    world.fill(world.trade(BUY, 1, symbol=NQ), price=20_009)
    for order in world.resting(2):
        world.fill(order.order_id, price=20_005)
    world.settle()
    world.lose(LEADER)
    world.fill(world.trade(SELL, 2, seen=False), price=20_002, seen=False)
    world.connect(LEADER)
    world.fill(world.trade(BUY, 1, symbol=NQ), price=20_012)
    assert "(the leader last traded at 5000.50)" in words(world, DriftKind.LEFT_BEHIND)


def test_without_a_price_of_the_leader_none_is_named() -> None:
    world = entered()
    world.lose(LEADER)
    world.fill(world.trade(SELL, 2, seen=False), seen=False)
    world.fills = [fill for fill in world.fills if fill.account != LEADER]
    world.orders = {number: order for number, order in world.orders.items() if order.account != LEADER}
    world.connect(LEADER)
    said = words(world, DriftKind.LEFT_BEHIND)
    assert said == "sell 2 ESZ6 at the market; leaves it flat; no rule stands against it"


@pytest.mark.parametrize(("side", "verb"), [(BUY, "buy"), (SELL, "sell")])
def test_a_missed_entry_is_caught_up_to_the_share_and_not_beyond_a_price(side: Side, verb: str) -> None:
    world = entered(side, 1)
    world.lose(TWO)
    world.market(side, 1)
    world.connect(TWO)
    said = words(world, DriftKind.MISSED_ENTRY)
    assert said == (
        f"{verb} up to 1 ESZ6, at most 8 ticks worse than the leader's price "
        "(the leader last traded at 5000.00); never done without a click"
    )


def test_a_stray_exit_is_to_be_cancelled() -> None:
    world = entered(qty=1)
    world.trade(SELL, 1, OrderType.STOP, stop=19_000)
    world.settle()
    (stop,) = world.resting(2)
    world.plan = plan_of(group_of(follower(2), active=False))
    world.market(SELL, 1, account=TWO)
    world.look(8)
    told = {difference.remedy for decision in world.decisions for difference in _told(decision)}
    assert told == {f"cancel order {stop.order_id}; nothing is held for it to close"}


def _told(decision: Any) -> list[Any]:
    return [remark.difference for remark in decision.remarks if remark.difference is not None]


def test_what_another_hand_did_has_no_remedy() -> None:
    world = entered(qty=3)
    world.market(SELL, 1, account=TWO)
    world.market(BUY, 1, account=TWO, symbol=NQ)
    assert words(world, DriftKind.TAKEN) == ""
    assert words(world, DriftKind.FOREIGN_POSITION) == ""


def test_a_copy_that_would_not_follow_its_leader_has_no_remedy() -> None:
    world = entered()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    world.settle()
    world.change(stop, stop=19_100)
    for _ in range(7):
        while world.outbox:
            world.reject(world.outbox.pop(0), "no")
        world.wait(1)
    assert words(world, DriftKind.ASTRAY) == ""


def test_what_belongs_to_no_group_any_more_has_no_remedy() -> None:
    world = entered()
    world.unseen(SELL, 2)
    world.wait(1)
    world.lose(TWO)
    world.plan = plan_of(group_of(follower(2), active=False))
    assert words(world, DriftKind.LEFT_BEHIND) == ""


def test_an_exit_that_goes_on_failing_is_told_with_what_it_has_to_close() -> None:
    world = entered(BUY, 3)
    world.market(SELL, 3)
    for _ in range(4):
        while world.outbox:
            world.reject(world.outbox.pop(0), "no")
        world.wait(1)
    assert world.difference(DriftKind.FAILED_EXIT).remedy.startswith(f"sell 3 ESZ6 {AT}; leaves it flat")
