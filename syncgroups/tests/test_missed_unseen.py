"""After a snapshot: what a leader did unseen is said to be missed, and what lacks an exit gets it."""

from typing import Any

import pytest

from syncgroups.core.decision import CopyRefused
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, connection_of, follower, group_of, plan_of
from tradehaven.domain.commands import PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, Side, SyncMode
from tradehaven.domain.events import OrdersListed
from tradehaven.domain.ids import AccountId, Nanos, OrderId

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
TWO, THREE = AccountId(2), AccountId(3)
CONFIRMED = SyncMode.CONFIRMED


def refusals(world: Desk) -> list[CopyRefused]:
    return [refusal for decision in world.decisions for refusal in decision.refusals]


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
    world.book.past.orders[LEADER] = order
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


def test_two_snapshots_that_lack_it_make_an_order_missed() -> None:
    world = desk()
    world.trade(BUY, 1)
    name = world.outbox.pop().client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="", at=world.at()))
    world.connect(TWO)
    world.wait(6)
    world.connect(TWO)
    world.connect(TWO)
    assert world.remarks() == ["missed"]


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


def test_an_immediate_group_leaves_exits_that_came_unseen_to_repair() -> None:
    world = without_stops(SyncMode.IMMEDIATE)
    world.connect(TWO)
    assert protected(world) == []


def lacking(mode: SyncMode) -> Desk:
    """Return a desk on which the third account lacks a stop for what it turned out to hold."""
    world = desk(follower(2), follower(3), mode=mode)
    world.wait(7)
    world.outbox.clear()
    world.lose(THREE)
    world.market(BUY, 1)
    world.settle()
    world.connect(THREE)
    world.trade(SELL, 1, STOP, stop=19900)
    world.settle()
    world.book.hold((GROUP, THREE, ES, ES), 1)
    world.positions[THREE, ES] = world.book.positions[THREE, ES] = 1
    return world


@pytest.mark.parametrize("mode", SyncMode)
def test_another_accounts_snapshot_brings_no_exit(mode: SyncMode) -> None:
    world = lacking(mode)
    world.lose(TWO)
    world.connect(TWO)
    assert protected(world) == []
    world.lose(THREE)
    world.connect(THREE)
    assert protected(world) == [3]


def test_an_account_that_has_settled_brings_no_exit_to_another() -> None:
    world = lacking(CONFIRMED)
    world.book.first_seen.pop(connection_of(TWO))
    world.lose(TWO)
    world.connect(TWO)
    world.wait(7)
    assert protected(world) == []


def test_exits_come_in_the_order_in_which_their_leader_placed_them() -> None:
    world = desk(mode=CONFIRMED)
    world.wait(7)
    world.market(BUY, 1)
    world.settle()
    world.lose(LEADER)
    world.last_id = 614
    world.trade(SELL, 1, STOP, stop=19900, seen=False)
    world.trade(SELL, 1, LIMIT, limit=20100, seen=False)
    world.connect(LEADER)
    kinds = [command.spec.order_type for command in world.outbox if isinstance(command, PlaceOrder)]
    assert kinds == [STOP, LIMIT]
