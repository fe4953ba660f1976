"""After a snapshot, one order at a time: who is looked at, what is told again, what is said to be missed."""

from typing import Any

import pytest

from syncgroups.core.decision import CopyRefused
from syncgroups.tests import bracketing
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, connection_of, follower, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, Side, SyncMode
from tradehaven.domain.events import OrdersListed
from tradehaven.domain.ids import AccountId, Nanos, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
TWO, THREE = AccountId(2), AccountId(3)
CONFIRMED = SyncMode.CONFIRMED


def resting(world: Desk, side: Side = BUY, limit: int = 20000) -> OrderId:
    """Return an order of the leader whose copies work as well."""
    order = world.trade(side, 1, LIMIT, limit=limit)
    world.settle()
    return order


def changes(world: Desk) -> list[tuple[int, int | None, int]]:
    found = (command for command in world.outbox if isinstance(command, ChangeOrder))
    return [(change.account, change.spec.limit, change.spec.qty) for change in found]


def refusals(world: Desk) -> list[CopyRefused]:
    return [refusal for decision in world.decisions for refusal in decision.refusals]


# -- who is looked at ---------------------------------------------------------------------------------


def test_a_snapshot_brings_only_its_own_accounts_in_line() -> None:
    world = desk(follower(2), follower(3))
    resting(world)
    world.plan = plan_of(group_of(follower(2, ratio="2"), follower(3, ratio="3")))
    world.lose(THREE)
    world.connect(THREE)
    assert changes(world) == [(3, 20000, 3)]


def test_a_leaders_snapshot_brings_all_its_followers_in_line() -> None:
    world = desk(follower(2), follower(3))
    resting(world)
    world.plan = plan_of(group_of(follower(2, ratio="2"), follower(3, ratio="3")))
    world.lose(LEADER)
    world.connect(LEADER)
    assert changes(world) == [(2, 20000, 2), (3, 20000, 3)]


def test_orders_are_brought_in_line_by_their_names() -> None:
    world = desk()
    world.last_id = 997
    for limit in (20000, 19000):
        resting(world, limit=limit)
    names = sorted(str(copy.key) for copy in world.book.copies.values())
    assert not names[0].startswith("th1.g9.l1.o998")
    world.plan = plan_of(group_of(follower(2, ratio="2")))
    world.lose(TWO)
    world.connect(TWO)
    assert [command.client_order_id.split(".c")[0] for command in world.outbox] == names


def test_a_wish_is_told_when_the_link_is_back_though_its_leader_cannot_be_seen() -> None:
    world = desk()
    order = resting(world)
    world.lose(TWO)
    world.change(order, limit=19990)
    world.lose(LEADER)
    world.cancel(order, seen=False)
    world.connect(TWO)
    assert changes(world) == [(2, 19990, 1)]


def test_a_wish_is_told_when_the_link_is_back_though_its_group_has_stopped() -> None:
    world = desk()
    order = resting(world)
    world.lose(TWO)
    world.change(order, limit=19990)
    world.plan = plan_of(group_of(follower(2, ratio="3"), active=False))
    world.connect(TWO)
    assert changes(world) == [(2, 19990, 1)]


def test_a_wish_of_a_leg_of_a_manual_order_is_told_when_the_link_is_back() -> None:
    world = bracketing.desk()
    world.entered(BUY, 2, (1, 20000))
    entry = world.entry()
    world.lose(TWO)
    world.fill(entry, 1, price=20000, seen=False)
    world.connect(TWO)
    world.settle()
    assert world.legs() == ((2, 19980), (2, 20040))


def test_an_order_whose_product_has_no_counterpart_any_more_keeps_its_wish() -> None:
    world = desk()
    gold = Symbol("GCG7")
    order = world.trade(BUY, 1, LIMIT, limit=20000, symbol=gold)
    world.settle()
    world.lose(TWO)
    world.change(order, limit=19990)
    world.plan = plan_of(group_of(follower(2, products={"GC": follower(2, product="ES")})))
    world.connect(TWO)
    assert changes(world) == [(2, 19990, 1)]


def test_an_order_that_stands_as_it_should_is_told_nothing() -> None:
    world = desk()
    resting(world)
    world.lose(TWO)
    before = len(world.decisions)
    world.connect(TWO)
    assert not any(decision.steps for decision in world.decisions[before:])


def test_an_exit_outlives_its_leaders_order_and_is_told_what_it_was_to_be_told() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    target = resting(world, SELL, 21000)
    world.lose(TWO)
    world.change(target, limit=21010)
    world.fill(target)
    world.connect(TWO)
    assert changes(world) == [(2, 21010, 1)]


# -- what was missed ----------------------------------------------------------------------------------


def unseen(world: Desk, **what: Any) -> OrderId:
    """Let the leader enter while nobody sees it."""
    world.lose(LEADER)
    order = world.trade(BUY, 2, seen=False, **what)
    world.fill(order, seen=False)
    return order


@pytest.mark.parametrize("mode", SyncMode)
def test_what_was_missed_is_said_in_the_followers_own_contract(mode: SyncMode) -> None:
    world = desk(follower(2, products={"ES": follower(2, product="MES")}), mode=mode)
    order = unseen(world)
    world.connect(LEADER)
    (refusal,) = refusals(world)
    assert (refusal.symbol, refusal.leader_order, refusal.reason) == ("MESZ6", order, "engine_offline")
    assert refusal.detail == "the leader's order came while the leader could not be seen"


@pytest.mark.parametrize("mode", SyncMode)
@pytest.mark.parametrize(("later", "said"), [(0, 1), (1, 0)])
def test_what_came_as_the_group_began_is_missed_and_what_came_before_is_not(
    mode: SyncMode, later: int, said: int
) -> None:
    world = desk(mode=mode)
    order = unseen(world)
    when = world.orders[order].created_at if mode is not CONFIRMED else world.fills[0].traded_at
    since = Nanos(when + later)
    world.plan = plan_of(group_of(follower(2), mode=mode, active_since=since))
    world.connect(LEADER)
    assert len(refusals(world)) == said


@pytest.mark.parametrize("mode", SyncMode)
def test_a_group_that_is_off_misses_nothing(mode: SyncMode) -> None:
    world = desk(mode=mode, active=False)
    unseen(world)
    world.connect(LEADER)
    assert refusals(world) == []


@pytest.mark.parametrize("mode", SyncMode)
def test_what_is_so_old_that_it_was_forgotten_is_not_missed(mode: SyncMode) -> None:
    world = desk(mode=mode)
    order = unseen(world)
    world.book.gone_orders[LEADER] = order
    world.connect(LEADER)
    assert refusals(world) == []


def test_a_fill_that_a_mirrored_exit_answered_is_not_missed() -> None:
    world = desk(mode=CONFIRMED)
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, STOP, stop=19900)
    world.settle()
    world.lose(LEADER)
    world.fill(stop, seen=False)
    world.connect(LEADER)
    assert refusals(world) == []


def test_what_never_reached_the_broker_is_named() -> None:
    world = desk(follower(2), follower(3))
    world.trade(BUY, 1)
    for command in world.outbox:
        assert isinstance(command, PlaceOrder)
        name = command.client_order_id
        world.step(Unresolved(account=command.account, client_order_id=name, text="", at=world.at()))
    for _ in range(2):
        for account in (TWO, THREE):
            connection = connection_of(account)
            world.step(
                OrdersListed(
                    connection=connection, accounts=(account,), client_order_ids=frozenset(), at=world.at()
                )
            )
        world.wait(6)
    found = [remark for decision in world.decisions for remark in decision.remarks if remark.kind == "missed"]
    assert [(remark.account, remark.group, remark.symbol) for remark in found] == [
        (TWO, GROUP, ES),
        (THREE, GROUP, ES),
    ]
    assert found[0].detail == "buy 1 ESZ6 was sent but never reached the broker"
    assert found[0].key == world.outbox[0].client_order_id


# -- exits that are only seen now ---------------------------------------------------------------------


def protected(world: Desk) -> list[int]:
    """Return who is sent the leader's exit."""
    return [command.account for command in world.outbox if isinstance(command, PlaceOrder)]


def without_stops(mode: SyncMode = CONFIRMED) -> Desk:
    """Return a desk whose followers hold what their leader does, and lack the stop that it has."""
    world = desk(follower(2), follower(3), mode=mode)
    world.wait(7)
    world.market(BUY, 1)
    world.settle()
    for account in (TWO, THREE, LEADER):
        world.lose(account)
    world.trade(SELL, 1, STOP, stop=19900, seen=False)
    world.connect(LEADER)
    return world


def test_who_comes_back_gets_the_exit_that_it_lacks_and_nobody_else() -> None:
    world = without_stops()
    world.connect(TWO)
    assert protected(world) == [2]
    world.settle()
    world.connect(THREE)
    assert protected(world) == [3]


def test_a_leader_that_comes_back_brings_its_exits_to_all() -> None:
    world = desk(follower(2), follower(3), mode=CONFIRMED)
    world.wait(7)
    world.market(BUY, 1)
    world.settle()
    world.lose(LEADER)
    world.trade(SELL, 1, STOP, stop=19900, seen=False)
    world.connect(LEADER)
    assert protected(world) == [2, 3]
    assert refusals(world) == []


def test_an_immediate_group_leaves_its_exits_to_repair() -> None:
    world = without_stops(SyncMode.IMMEDIATE)
    world.connect(TWO)
    assert protected(world) == []
