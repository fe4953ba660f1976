"""Entries behind exits that wait: who waits for whom, and what a leader takes back before it is opened."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, Side, SizingMode, SyncMode
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId, FillId, GroupId, OrderId, Symbol
from tradehaven.domain.money import Ticks

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
MES, NQ = Symbol("MESZ6"), Symbol("NQZ6")


def sent(world: Desk, account: int = 2) -> list[tuple[Side, int]]:
    """Return what is on its way to an account."""
    orders = (order for order in world.outbox if isinstance(order, PlaceOrder))
    return [(order.side, order.spec.qty) for order in orders if order.account == account]


def placed(world: Desk) -> list[tuple[Side, int]]:
    return [(order.side, order.spec.qty) for order in world.placed if order.account == TWO]


def lost(world: Desk) -> PlaceOrder:
    """Take a follower's last order out of the air: nobody knows whether it arrived."""
    (order,) = [one for one in world.outbox if isinstance(one, PlaceOrder) and one.account == TWO]
    world.outbox.remove(order)
    name = order.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    return order


def leaving(*followers: Any, **settings: Any) -> tuple[Desk, PlaceOrder]:
    """Return a desk whose leader came and went, while nobody knows whether its follower came."""
    world = desk(*followers, **settings)
    world.market(BUY, 2)
    entry = lost(world)
    world.settle()
    world.market(SELL, 2)
    assert sent(world) == []
    return world, entry


# -- who waits --------------------------------------------------------------------------------------


def test_an_entry_against_the_exit_that_waits_goes_at_once() -> None:
    world, _ = leaving()
    world.market(BUY, 1)
    assert sent(world) == [(BUY, 1)]


def test_an_entry_behind_the_exit_that_waits_comes_after_it() -> None:
    world, entry = leaving()
    world.market(SELL, 1)
    assert sent(world) == []
    world.deliver(entry)
    world.settle()
    assert placed(world)[-2:] == [(SELL, 2), (SELL, 1)]


def test_an_entry_at_rest_need_not_wait() -> None:
    world, _ = leaving()
    world.trade(SELL, 1, OrderType.LIMIT, limit=20100)
    assert sent(world) == [(SELL, 1)]
    assert len(world.book.waiting) == 1


def test_nobody_waits_for_another_followers_exit() -> None:
    world, _ = leaving(follower(2), follower(3))
    world.settle()
    world.market(SELL, 1)
    assert (sent(world, 2), sent(world, 3)) == ([], [(SELL, 1)])


def test_nothing_waits_for_the_exit_of_another_group() -> None:
    other = group_of(follower(2), leader=THREE, group=GroupId(10))
    world = Desk(plan_of(group_of(follower(2)), other))
    world.connect()
    world.market(BUY, 2)
    lost(world)
    world.market(SELL, 2)
    world.market(SELL, 1, account=THREE)
    assert sent(world) == [(SELL, 1)]


def test_nothing_waits_for_an_exit_in_another_contract() -> None:
    world, _ = leaving()
    world.market(SELL, 1, symbol=NQ)
    assert sent(world) == [(SELL, 1)]


def test_nothing_waits_for_an_exit_of_another_contract_of_the_leaders() -> None:
    micro = follower(2, products={"ES": follower(2, product="MES")})
    world, _ = leaving(micro)
    assert [waiting.order.symbol for waiting in world.book.waiting.values()] == [MES]
    world.market(SELL, 1, symbol=MES)
    assert sent(world) == [(SELL, 1)]


def test_nothing_waits_for_an_exit_that_was_answered_in_another_contract() -> None:
    world, _ = leaving(follower(2, products={"ES": follower(2, product="MES")}))
    world.plan = plan_of(group_of(follower(2)))
    world.market(SELL, 1)
    assert sent(world) == [(SELL, 1)]


def test_an_exit_that_cannot_be_sent_is_refused_and_does_not_wait_as_well() -> None:
    world = desk()
    world.market(BUY, 2)
    lost(world)
    world.market(SELL, 1)
    world.lose(TWO)
    world.market(SELL, 1)
    assert world.reasons() == ["follower_offline"]
    assert len(world.book.waiting) == 1


def test_a_stop_for_what_is_certain_is_placed_at_once_and_grows_with_the_rest() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.market(BUY, 2)
    entry = lost(world)
    world.trade(SELL, 3, OrderType.STOP, stop=19900)
    assert sent(world) == [(SELL, 1)]
    assert not world.book.waiting
    world.settle()
    world.deliver(entry)
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [3]
    assert placed(world) == [(BUY, 1), (SELL, 1), (BUY, 2)]


# -- what a leader takes back -----------------------------------------------------------------------


def behind(*entries: int, **settings: Any) -> tuple[Desk, PlaceOrder]:
    """Return a desk on which entries wait behind the exit of a short that may not have filled."""
    world = desk(**settings)
    world.market(SELL, 1)
    entry = lost(world)
    for qty in (1, *entries):
        world.market(BUY, qty)
    assert sent(world) == []
    return world, entry


@pytest.mark.parametrize(
    ("taken", "left"),
    [(1, [1, 1]), (2, [1]), (3, [])],
)
def test_of_entries_that_wait_the_last_one_is_taken_back_first(taken: int, left: list[int]) -> None:
    world, entry = behind(1, 2)
    world.market(SELL, taken)
    world.deliver(entry)
    world.settle()
    assert placed(world) == [(SELL, 1), (BUY, 1), *((BUY, qty) for qty in left)]
    assert world.held(2) == world.held(LEADER)


def test_of_a_fixed_size_what_is_closed_at_once_is_not_taken_back_as_well() -> None:
    world = desk(follower(2, sizing=SizingMode.FIXED, fixed_qty=2))
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 1)
    lost(world)
    resting = [world.trade(SELL, 3, OrderType.LIMIT, limit=price) for price in (20100, 20101)]
    world.settle()
    world.market(SELL, 3)  # opens two contracts once it is known what the first exit did
    for order_id in (*resting, *(order.order_id for order in world.resting(2))):
        world.fill(order_id)
    assert world.held(2) == -2
    world.market(BUY, 1)
    assert sent(world) == [(BUY, 2)]
    assert [waiting.enter for waiting in world.book.waiting.values()] == [2]


@pytest.mark.parametrize("beside", [1, 2])
def test_what_waits_is_dropped_with_what_is_held_beside_it_when_the_leader_leaves(beside: int) -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 1)
    lost(world)
    resting = world.trade(SELL, 1 + beside, OrderType.LIMIT, limit=20100)
    world.market(SELL, 3)  # closes the rest, and opens two more when that is known
    world.settle()
    world.fill(resting)
    world.fill(next(order.order_id for order in world.resting(2)))
    assert world.held(2) == -beside
    world.market(BUY, 3 + beside)
    assert [waiting.enter for waiting in world.book.waiting.values()] == [0, 0]


def test_what_waits_to_be_opened_the_same_way_is_not_taken_back() -> None:
    world, _ = behind(2)
    turned = world.trade(SELL, 5, OrderType.LIMIT, limit=20100)
    world.settle()
    world.fill(turned)
    world.fill(world.resting(2)[0].order_id)
    world.market(BUY, 1)
    assert [waiting.enter for waiting in world.book.waiting.values()] == [0, 2, 0]


def test_without_a_balance_nothing_is_taken_back() -> None:
    world, entry = behind(2)
    world.plan = plan_of(group_of(follower(2, sizing=SizingMode.BALANCE)))
    world.market(SELL, 1)
    assert world.reasons() == ["leader_balance_unknown"]
    assert [waiting.enter for waiting in world.book.waiting.values()] == [0, 2]
    world.deliver(entry)


def test_an_entry_that_is_sent_and_taken_back_in_the_same_event_is_sent_for_less_and_once() -> None:
    world = desk(mode=SyncMode.CONFIRMED)
    back = world.trade(SELL, 2)
    for side, qty in ((SELL, 1), (BUY, 1), (BUY, 3)):
        world.market(side, qty)
    entry = world.outbox.pop(0)
    assert isinstance(entry, PlaceOrder)
    world.deliver(entry, fill_markets=False)
    (order,) = world.resting(2)
    filled_unheard_of(world, order.order_id)  # the first exit goes; the entry behind it is next
    world.fill(back, 1)
    assert sent(world) == [(BUY, 1), (BUY, 2)]
    world._end(order, OrderStatus.FILLED, seen=True)
    world.settle()
    assert world.held(2) == world.held(LEADER) == 2


@pytest.mark.parametrize("mode", SyncMode)
def test_exits_that_only_rest_take_nothing_back_and_protect_what_is_opened(mode: SyncMode) -> None:
    world = desk(mode=mode)
    world.market(SELL, 1)
    world.market(BUY, 3)
    world.trade(SELL, 2, OrderType.LIMIT, limit=20500)
    world.trade(SELL, 2, OrderType.STOP, stop=19500)
    world.settle()
    assert world.held(2) == world.held(LEADER) == 2
    assert sorted(order.spec.order_type for order in world.resting(2)) == [OrderType.LIMIT, OrderType.STOP]


def test_in_confirmed_mode_an_order_that_has_not_filled_takes_nothing_back() -> None:
    world = desk(mode=SyncMode.CONFIRMED)
    world.market(SELL, 1)
    world.market(BUY, 3)
    leaving = world.trade(SELL, 2)
    assert [waiting.enter for waiting in world.book.waiting.values()] == [2]
    world.fill(leaving, 1)
    assert [waiting.enter for waiting in world.book.waiting.values()] == [1]


def test_what_a_leader_has_left_by_its_target_is_not_opened_any_more() -> None:
    world = desk()
    world.market(SELL, 1)
    world.market(BUY, 3)
    world.fill(world.trade(SELL, 2, OrderType.LIMIT, limit=20500))
    world.settle()
    assert world.held(2) == world.held(LEADER) == 0
    assert world.reasons()[-1] == "stale"


def filled_unheard_of(world: Desk, order_id: OrderId) -> None:
    """Let an order fill, and nothing else be heard for the moment."""
    order, at = world.orders[order_id], world.at()
    order.filled, world.last_id = order.spec.qty, world.last_id + 1
    world.positions[order.account, ES] += order.spec.qty * order.side.sign
    world.step(
        OrderFilled(
            account=order.account,
            order_id=order_id,
            fill_id=FillId(world.last_id),
            symbol=ES,
            side=order.side,
            qty=order.spec.qty,
            price=Ticks(20000),
            at=at,
            traded_at=at,
        )
    )


def one_behind_another(*, meanwhile: int = 0, **settings: Any) -> Desk:
    """Return a desk where a second exit closed its share of what was certain, and the first goes then.

    `meanwhile` is what the leader buys before that. In Confirmed mode the second one's order is older.
    """
    confirmed = settings.get("mode") is SyncMode.CONFIRMED
    world = desk(follower(2, ratio=Fraction(3, 2)), **settings)
    for side, qty in ((BUY, 1), (SELL, 2), (BUY, 4 if confirmed else 3)):
        world.market(side, qty)
        world.settle()
    second = world.trade(SELL, 5) if confirmed else None
    if second is not None:
        world.fill(second, 1)
        world.settle()
    assert (world.positions[LEADER, ES], world.held(2)) == (2, 3)
    coming = world.trade(BUY, 5)
    world.fill(coming, 5 if confirmed else 1)
    world.deliver(world.outbox.pop(), fill_markets=False)
    (mine,) = world.resting(2)
    world.fill(mine.order_id, 2)
    world.market(SELL, 2)
    assert sent(world) == []  # what it holds for certain is within its share
    if not confirmed:
        world.fill(coming)
    world.fill(mine.order_id, 3)
    world.fill(second or world.trade(SELL, 4))
    assert sent(world) == [(SELL, 7)]
    world.settle()
    if meanwhile:
        world.market(BUY, meanwhile)
        world.settle()
    world.fill(mine.order_id, 2)
    world.settle()
    assert not world.book.waiting
    return world


@pytest.mark.parametrize("mode", SyncMode)
def test_an_exit_closes_what_one_behind_it_has_left_of_its_share(mode: SyncMode) -> None:
    """Seed -648770: the second closed its share of what was certain, and the first its own of everything."""
    world = one_behind_another(mode=mode)
    assert (world.positions[LEADER, ES], world.held(2)) == (1, 1)


def test_an_exit_leaves_what_was_bought_meanwhile_when_one_behind_it_had_closed_beyond_its_share() -> None:
    world = one_behind_another(meanwhile=2)
    assert (world.positions[LEADER, ES], world.held(2)) == (3, 4)
    assert placed(world)[-1] == (SELL, 2)
    assert ".r" not in world.placed[-1].client_order_id, "it is the first that closes them"


def test_an_exit_counts_with_every_part_that_the_one_before_it_has_closed() -> None:
    world = desk()
    entries = []
    for _ in range(3):
        world.market(BUY, 1)
        entries.append(lost(world))
    world.market(SELL, 2)
    world.market(SELL, 1)
    for entry in entries[:2]:
        world.deliver(entry)
        world.settle()
    world.market(BUY, 2)
    world.settle()
    world.deliver(entries[2])
    world.settle()
    assert world.held(2) == world.held(LEADER) == 2


def test_an_exit_counts_once_what_the_one_before_it_had_closed_by_then() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(BUY, 1)
    entry = lost(world)
    for qty in (2, 1):
        world.market(SELL, qty)
    world.settle()
    world.deliver(entry)
    world.settle()
    assert world.held(2) == world.held(LEADER) == 0


def test_an_exit_goes_on_beside_one_whose_order_is_not_listed_any_more() -> None:
    """One login has both accounts: all of it is told at once."""
    world = desk()
    world.market(BUY, 3)
    entry = lost(world)
    _, gone = world.market(SELL, 1), world.market(SELL, 1)
    known = world._accept(TWO, entry.client_order_id, ES, BUY, entry.spec)
    world.fill(known.order_id, seen=False)
    del world.orders[gone]
    both = (*world.snapshot(LEADER).accounts, *world.snapshot(TWO).accounts)
    world.step(replace(world.snapshot(LEADER), accounts=both))
    world.settle()
    assert world.held(2) == 2
    assert world.reasons() == ["nothing_to_reduce"]
