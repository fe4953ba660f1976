"""Entries that find their follower's cap full while the exit before them is still on its way."""

import pytest

from syncgroups.core.resume import STALE
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, Side, SyncMode, TradingState
from tradehaven.domain.ids import AccountId, OrderId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
FULL = ("rounds_to_zero", "it holds as many contracts as its cap lets it")


def key_of(order: OrderId, rest: str = "") -> str:
    return f"th1.g{GROUP}.l{LEADER}.o{order}.f2{rest}"


def on_its_way(world: Desk) -> list[tuple[str, Side, int]]:
    orders = (order for order in world.outbox if isinstance(order, PlaceOrder))
    return [(order.client_order_id, order.side, order.spec.qty) for order in orders]


def why(world: Desk) -> list[tuple[str, str]]:
    return [(one.reason, one.detail) for decision in world.decisions for one in decision.refusals]


def leaving(*, cap: int = 2, ratio: str = "3/2", **settings: object) -> Desk:
    """Return a desk whose follower is as short as its cap lets it, with its exit on its way."""
    world = desk(follower(2, ratio=ratio, max_contracts=cap), **settings)
    world.market(SELL, 2)
    world.settle()
    world.market(BUY, 2)
    return world


def test_an_entry_waits_for_the_exit_on_its_way_that_frees_its_cap() -> None:
    world = leaving()
    entry = world.market(SELL, 3)
    assert [side for _, side, _ in on_its_way(world)] == [BUY]
    world.deliver(world.outbox.pop())
    assert on_its_way(world) == [(key_of(entry), SELL, 2)]
    world.settle()
    assert world.held(2) == -2
    assert not why(world)
    assert not world.book.waiting


def test_a_cap_of_one_that_is_full_is_named() -> None:
    world = desk(follower(2, max_contracts=1))
    world.market(BUY, 1)
    world.settle()
    world.market(BUY, 1)
    assert (on_its_way(world), why(world)) == ([], [FULL])


def test_an_entry_that_a_gate_keeps_out_does_not_wait_for_room_as_well() -> None:
    world = desk(follower(2, max_contracts=3))
    world.market(SELL, 2)
    world.settle()
    world.market(BUY, 1)
    world.shut(gate_of(TWO), state=TradingState.REDUCING)
    world.market(SELL, 2)
    assert not world.book.waiting
    world.shut(gate_of(TWO), state=TradingState.ACTIVE)
    world.settle()
    assert world.held(2) == -1


def test_in_confirmed_mode_the_answer_to_a_fill_waits_alike() -> None:
    world = leaving(mode=SyncMode.CONFIRMED)
    world.market(SELL, 3)
    world.settle()
    assert world.held(2) == -2
    assert not why(world)


@pytest.mark.parametrize("side", Side)
def test_an_entry_waits_for_an_exit_that_waits_itself(side: Side) -> None:
    world = desk(follower(2, max_contracts=2))
    world.market(side, 2)
    world.market(side.opposite, 2)
    world.market(side, 2)
    assert [going for _, going, _ in on_its_way(world)] == [side]
    assert [waiting.enter for waiting in world.book.waiting.values()] == [0, 2]
    world.settle()
    assert [(one.side, one.spec.qty) for one in world.placed] == [(side, 2), (side.opposite, 2), (side, 2)]
    assert world.held(2) == 2 * side.sign
    assert not why(world)


def test_what_fits_goes_at_once_and_the_rest_under_a_name_of_its_own() -> None:
    world = leaving(cap=5, ratio="2")
    entry = world.market(SELL, 2)
    sent = [(key_of(entry), SELL, 1), (key_of(entry, ".r1"), SELL, 3)]
    assert on_its_way(world)[1:] == sent[:1]
    world.settle()
    assert (key_of(entry, ".r1"), 3) in [(one.client_order_id, one.spec.qty) for one in world.placed]
    assert world.held(2) == -4
    assert not why(world)


def test_a_part_of_an_exit_frees_as_much_and_no_more() -> None:
    world = desk(follower(2, max_contracts=3))
    world.market(SELL, 4)
    world.settle()
    world.market(BUY, 2)  # it holds three of four and goes down to two
    world.market(SELL, 5)
    world.market(SELL, 5)
    assert [waiting.enter for waiting in world.book.waiting.values()] == [1, 1]
    world.settle()
    assert world.held(2) == -3
    assert why(world) == [FULL]


def test_an_entry_waits_for_exits_only_and_not_for_entries_on_their_way() -> None:
    world = desk(follower(2, max_contracts=3))
    world.market(SELL, 1)
    world.settle()
    world.market(BUY, 1)
    world.market(SELL, 2)
    entry = world.market(SELL, 1)
    assert [(side, qty) for _, side, qty in on_its_way(world)] == [(BUY, 1), (SELL, 2)]
    world.deliver(world.outbox.pop(0))
    assert (key_of(entry), SELL, 1) in on_its_way(world)
    world.settle()
    assert world.held(2) == -3


def test_an_entry_whose_exit_was_turned_down_is_refused_for_its_cap() -> None:
    world = leaving()
    world.market(SELL, 3)
    world.reject(world.outbox.pop(), "MaxPosLimitReached")
    assert why(world) == [FULL]
    assert world.held(2) == -2
    assert not world.book.waiting


def test_an_entry_whose_exit_fills_too_late_is_refused_as_stale() -> None:
    world = leaving()
    world.market(SELL, 3)
    world.now += STALE
    world.settle()
    assert world.held(2) == 0
    assert why(world) == [("stale", "its old position closed too late for the leader's new one")]


def test_what_the_leader_closes_again_is_not_opened_any_more() -> None:
    world = leaving()
    world.market(SELL, 3)
    world.market(BUY, 3)
    world.settle()
    assert world.held(2) == 0
    assert ("stale", "the leader closed it again before it could be opened") in why(world)


def test_a_gate_that_shuts_meanwhile_is_asked_as_for_any_entry() -> None:
    world = leaving()
    world.market(SELL, 3)
    world.shut(gate_of(TWO), state=TradingState.REDUCING)
    world.settle()
    assert world.held(2) == 0
    assert [reason for reason, _ in why(world)] == ["reduce_only"]


def test_entries_that_wait_for_one_exit_do_not_pass_the_cap_together() -> None:
    world = desk(follower(2, max_contracts=3))
    world.market(SELL, 3)
    world.settle()
    world.market(BUY, 3)
    world.market(SELL, 2)
    world.market(SELL, 2)
    world.settle()
    assert [order.spec.qty for order in world.placed] == [3, 3, 2, 1]
    assert world.held(2) == -3


def test_entries_behind_an_exit_that_waits_do_not_pass_the_cap_together() -> None:
    world = desk(follower(2, max_contracts=2))
    world.market(BUY, 2)
    world.market(SELL, 2)
    for _ in range(3):
        world.market(SELL, 1)
    world.settle()
    assert world.held(2) == -2
    assert why(world) == [FULL]


def test_an_exit_that_comes_to_wait_meanwhile_is_waited_for_too() -> None:
    world = leaving(ratio="1")
    (exit_,) = world.outbox
    world.outbox.clear()
    world.step(Unresolved(account=TWO, client_order_id=exit_.client_order_id, text="", at=world.at()))
    world.market(SELL, 2)
    assert not on_its_way(world)
    world.deliver(exit_)
    world.settle()
    assert world.held(2) == -2


def test_an_entry_at_rest_comes_as_soon_as_there_is_room() -> None:
    world = leaving()
    entry = world.trade(SELL, 3, OrderType.LIMIT, limit=20100)
    assert [side for _, side, _ in on_its_way(world)] == [BUY]
    world.deliver(world.outbox.pop())
    assert on_its_way(world) == [(key_of(entry), SELL, 2)]
    assert not why(world)


def test_an_entry_at_rest_that_is_there_in_part_grows_into_the_room() -> None:
    world = leaving(cap=5, ratio="2")
    world.trade(SELL, 2, OrderType.LIMIT, limit=20100)
    assert not world.book.waiting
    world.settle()
    assert [order.spec.qty for order in world.orders.values() if order.side is SELL][-1] == 4


def test_an_entry_at_rest_waits_as_long_as_the_entry_before_it() -> None:
    world = desk(follower(2, max_contracts=3))
    world.market(SELL, 3)
    target = world.trade(BUY, 2, OrderType.LIMIT, limit=19900)
    world.settle()
    (copied,) = world.resting(2)
    world.market(BUY, 1)
    world.cancel(target)  # at its follower it may fill all the same
    world.market(SELL, 1)
    world.trade(SELL, 1, OrderType.LIMIT, limit=20100)
    world.reject(world.outbox.pop(0), "MaxPosLimitReached")
    assert not why(world), "its own exit has made no room, the target may yet"
    world.fill(copied.order_id)
    world.settle()
    assert [(order.side, order.spec.qty) for order in world.resting(2)] == [(SELL, 1)]


def test_an_entry_that_fits_by_now_does_not_wait_for_an_exit_behind_it() -> None:
    world = desk(follower(2, max_contracts=4))
    world.market(SELL, 4)
    world.settle()
    world.market(BUY, 2)
    entry = world.market(SELL, 2)
    world.market(BUY, 1)  # takes one of them back, and waits itself
    world.deliver(world.outbox.pop())
    assert on_its_way(world) == [(key_of(entry), SELL, 1)]
    world.settle()
    assert world.held(2) == world.held(int(LEADER)) == -3


@pytest.mark.parametrize("barred", ["filter", "quarantine"])
def test_an_entry_that_may_not_open_at_all_does_not_wait(barred: str) -> None:
    world = leaving()
    if barred == "filter":
        world.plan = plan_of(
            group_of(follower(2, ratio="3/2", max_contracts=2), instruments=frozenset({"NQ"}))
        )
    else:
        world.book.quarantined.add((GROUP, TWO, ES))
    world.market(SELL, 3)
    assert not world.book.waiting
    world.settle()
    assert world.held(2) == 0


@pytest.mark.parametrize(("ratio", "cap"), [("1/4", 2), ("1/4", None)])
def test_a_share_of_nothing_does_not_wait_for_room(ratio: str, cap: int | None) -> None:
    world = desk(follower(2, ratio=ratio, max_contracts=cap))
    world.market(SELL, 4)
    world.settle()
    world.market(BUY, 4)
    world.market(SELL, 3)
    assert why(world) == [("rounds_to_zero", "its share of 3 rounds down to 0 contracts")]
    assert not world.book.waiting


def test_a_full_cap_with_nothing_on_its_way_is_said_at_once() -> None:
    world = desk(follower(2, max_contracts=2))
    world.market(SELL, 2)
    world.settle()
    world.market(SELL, 1)
    assert why(world) == [FULL]
