"""When a difference is mended, by whom, how often, and what is left to a person: case by case."""

from typing import Any

import pytest

from syncgroups.core.decision import RemarkKind
from syncgroups.core.differences import NO_GROUP, Difference, DriftKey, DriftKind
from syncgroups.core.keys import client_order_id, is_repair
from syncgroups.core.plan import RestPolicy
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, GROUP_GATE, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, Command, PlaceOrder
from tradehaven.domain.enums import Ask, DriftPolicy, OrderType, RestRule, Side, TradingState
from tradehaven.domain.ids import AccountId, GroupId, Nanos, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
REPAIR: dict[str, Any] = {"drift_policy": DriftPolicy.REPAIR, "drift_cap": 5}


def entered(side: Side = BUY, qty: int = 2, *followers: Any, **settings: Any) -> Desk:
    """Return a desk whose followers have entered with their leader."""
    world = desk(*followers, **settings)
    world.market(side, qty)
    world.settle()
    return world


def left_behind(side: Side = BUY, qty: int = 2, **settings: Any) -> Desk:
    """Return a desk whose leader left while nobody saw it."""
    world = entered(side, qty, **settings)
    world.unseen(side.opposite, qty)
    return world


def sent(world: Desk) -> list[Command]:
    """Return what is on its way to the broker, and turn it all down."""
    commands = list(world.outbox)
    while world.outbox:
        world.reject(world.outbox.pop(0), "no")
    return commands


# -- how long, and how often -------------------------------------------------------------------------


def test_a_click_is_tried_for_a_minute_and_not_a_moment_longer() -> None:
    for wait, goes in ((60 * SECOND - 1, True), (60 * SECOND, False)):
        world = left_behind()
        world.look()
        world.shut(GROUP_GATE)
        world.ask(Ask.REPAIR, world.name_of(DriftKind.LEFT_BEHIND))
        clicked = world.now
        world.look(50)
        assert not world.outbox
        world.shut(GROUP_GATE, state=TradingState.ACTIVE)
        world.look_at(clicked + wait)
        assert bool(world.outbox) is goes


def test_a_repair_in_vain_is_tried_again_after_two_and_then_four_seconds() -> None:
    world = left_behind(**REPAIR)
    world.wait(1)
    since = world.difference(DriftKind.LEFT_BEHIND).since
    tries = []
    for step in range(1, 200):
        world.look_at(since + step * SECOND // 10)
        if sent(world):
            tries.append(step)
    assert tries == [50, 70, 110]


def test_a_click_after_three_tries_in_vain_begins_anew_at_once() -> None:
    world = left_behind(**REPAIR)
    tries = 0
    while tries < 3:
        world.wait(1)
        tries += len(sent(world))
    assert len(world.said(RemarkKind.QUARANTINED)) == 0
    world.wait(1)
    assert len(world.said(RemarkKind.QUARANTINED)) == 1
    world.ask(Ask.REPAIR, world.name_of(DriftKind.LEFT_BEHIND))
    tries = 0
    for _ in range(20):
        world.wait(1)
        assert len(world.said(RemarkKind.QUARANTINED)) == (1 if tries < 3 else 2)
        tries += len(sent(world))
    assert tries > 3


def test_an_entry_caught_up_in_vain_three_times_shuts_nothing() -> None:
    world = desk(**REPAIR)
    world.lose(TWO)
    for _ in range(4):
        world.market(BUY, 1)
    world.connect(TWO)
    world.look()
    world.ask(Ask.REPAIR, world.name_of(DriftKind.MISSED_ENTRY))
    tries = 0
    for _ in range(40):
        world.wait(1)
        tries += len(world.outbox)
        world.settle()
        for order in world.resting(2):  # nobody sells at that price
            world.cancel(order.order_id)
    assert tries == 4
    assert not world.said(RemarkKind.QUARANTINED)


def test_a_click_on_an_entry_that_a_rule_refuses_is_answered_once() -> None:
    world = desk(follower(2, max_position=1))
    world.lose(TWO)
    world.market(BUY, 2)
    world.connect(TWO)
    world.look()
    said = len(world.reasons())
    world.ask(Ask.REPAIR, world.name_of(DriftKind.MISSED_ENTRY))
    world.look(20)
    assert world.reasons()[said:] == ["max_position"]


# -- how much ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [BUY, SELL])
def test_more_than_the_cap_is_said_once_two_looks_agree_on_it(side: Side) -> None:
    world = left_behind(side, 3, drift_policy=DriftPolicy.REPAIR, drift_cap=2)
    world.look(4)
    assert world.remarks() == []
    world.look(30)
    (said,) = world.said(RemarkKind.REPAIR_REFUSED)
    assert said.detail == "3 contracts are more than the 2 that may be repaired without a click"
    assert said.difference is not None
    assert said.difference.key == world.difference(DriftKind.LEFT_BEHIND).key
    assert not world.outbox


@pytest.mark.parametrize("side", [BUY, SELL])
def test_as_much_as_the_cap_is_repaired(side: Side) -> None:
    world = entered(side, 4, drift_policy=DriftPolicy.REPAIR, drift_cap=3)
    world.unseen(side.opposite, 3)
    world.look()
    world.settle()
    assert world.held(2) == side.sign


def test_a_missing_stop_counts_toward_no_cap() -> None:
    world = entered(BUY, 3, drift_policy=DriftPolicy.REPAIR, drift_cap=1)
    world.lose(LEADER)
    world.trade(SELL, 3, OrderType.STOP, stop=19_000, seen=False)
    world.connect(LEADER)
    world.look()
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [3]


# -- one thing after another -------------------------------------------------------------------------


def test_a_missing_stop_waits_for_the_close_of_what_is_too_much() -> None:
    world = entered(BUY, 4, **REPAIR)
    world.lose(LEADER)
    world.fill(world.trade(SELL, 3, seen=False), seen=False)
    world.trade(SELL, 1, OrderType.STOP, stop=19_000, seen=False)
    world.connect(LEADER)
    world.look(6)
    assert [is_repair(command.client_order_id) for command in world.outbox] == [True]
    world.settle()
    world.look(8)
    world.settle()
    assert world.held(2) == 1
    assert [order.spec.qty for order in world.resting(2)] == [1]


def test_of_two_missing_exits_each_is_placed_as_its_own() -> None:
    world = entered(**REPAIR)
    world.lose(LEADER)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000, seen=False)
    target = world.trade(SELL, 2, OrderType.LIMIT, limit=21_000, seen=False)
    world.connect(LEADER)
    world.look(6)
    names = [client_order_id(GROUP, LEADER, order, TWO) for order in (stop, target)]
    assert [command.client_order_id for command in world.outbox] == names[:1]
    world.settle()
    world.wait(1)
    assert [command.client_order_id for command in world.outbox] == names[1:]


def test_differences_of_several_followers_are_mended_in_one_order() -> None:
    several = [9, 4, 7, 2, 6, 3, 8, 5]
    world = entered(BUY, 2, *(follower(account) for account in several), **REPAIR)
    world.unseen(SELL, 2)
    world.look()
    assert [command.account for command in world.outbox] == sorted(several)


def test_what_could_only_open_something_is_swept_while_an_exit_of_its_holding_is_still_owed() -> None:
    """Another group holds the contract too, so that nobody can say whose contracts are gone."""
    other = group_of(follower(2), leader=THREE, group=GroupId(10))
    world = Desk(plan_of(group_of(follower(2)), other))
    world.connect()
    world.market(BUY, 2)
    world.market(BUY, 1, account=THREE)
    world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    world.settle()
    world.trade(SELL, 2, OrderType.LIMIT, limit=21_000)
    sent(world)
    world.stated(0)
    world.look()
    world.list_again(TWO)
    world.look(8)
    assert [type(command) for command in world.outbox] == [CancelOrder]
    assert [row for row in world.differs() if row[0] == "failed_exit"]


# -- who may -----------------------------------------------------------------------------------------


def test_nothing_is_entered_by_itself() -> None:
    world = desk(**REPAIR)
    world.lose(TWO)
    world.market(BUY, 2)
    world.connect(TWO)
    world.look(30)
    assert ("missed_entry", 2, 2, 0) in world.differs()
    assert not world.outbox


def test_a_click_means_the_difference_that_it_names() -> None:
    world = entered(BUY, 2, follower(2), follower(3))
    world.unseen(SELL, 2)
    world.look()
    for account in (THREE, TWO):
        world.ask(Ask.REPAIR, world.difference(DriftKind.LEFT_BEHIND, account).key.name)
        world.wait(1)
        assert [command.account for command in world.outbox] == [account]
        world.settle()


def test_of_two_groups_each_has_its_own_policy_and_cap() -> None:
    first = group_of(follower(2), drift_policy=DriftPolicy.OBSERVE)
    second = group_of(follower(4), leader=THREE, group=GroupId(10), **REPAIR)
    world = Desk(plan_of(first, second))
    world.connect()
    for leader in (LEADER, THREE):
        world.market(BUY, 2, account=leader)
        world.settle()
        world.unseen(SELL, 2, account=leader)
    world.look()
    assert [command.account for command in world.outbox] == [4]


def test_a_click_on_what_belongs_to_no_group_any_more_does_nothing() -> None:
    world = left_behind()
    world.look()
    world.lose(TWO)
    world.plan = plan_of(group_of(follower(2), active=False))
    world.ask(Ask.REPAIR, world.name_of(DriftKind.LEFT_BEHIND))
    world.look(3)
    assert world.differs() == [("left_behind", 2, 0, 2)]
    assert not world.outbox


def test_a_stray_order_is_not_cancelled_behind_the_back_of_a_link_that_is_down() -> None:
    world = entered(BUY, 1)
    world.trade(SELL, 1, OrderType.STOP, stop=19_000)
    world.settle()
    world.plan = plan_of(group_of(follower(2), active=False))
    world.market(SELL, 1, account=TWO)
    world.wait(1)
    world.lose(TWO)
    world.look(20)
    assert [row[0] for row in world.differs()] == ["orphan"]
    assert [copy.target is not None for copy in world.book.open_copies_of(TWO)] == [True]
    world.connect(TWO)
    world.look(2)
    world.settle()
    assert not world.resting(2)


def test_a_stray_order_that_nobody_remembers_is_left_alone() -> None:
    """Rows of differences may live longer than those of the orders that they name."""
    world = desk()
    world.lose(TWO)
    key = DriftKey(DriftKind.ORPHAN, NO_GROUP, TWO, ES, ES, OrderId(77))
    world.book.differences[key] = Difference(key=key, expected=0, actual=-1, since=Nanos(1), detail="stray")
    world.look(3)
    assert world.differs() == [("orphan", 2, 0, -1)]
    assert not world.outbox


def test_a_stray_order_stays_while_something_that_it_may_close_is_on_its_way() -> None:
    world = entered(BUY, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    world.settle()
    world.stated(0)
    world.look()
    world.list_again(TWO)
    world.look(2)
    assert [row for row in world.differs() if row[0] == "orphan"]
    world.market(BUY, 2)
    world.look(12)
    assert [type(command) for command in world.outbox] == [PlaceOrder]


# -- beside the rules for orders that rest -----------------------------------------------------------


def _target_rests(rests: RestPolicy) -> Desk:
    world = entered(rests=rests, **REPAIR)
    target = world.trade(SELL, 2, OrderType.LIMIT, limit=21_000)
    world.settle()
    world.fill(target)
    return world


def test_an_exit_that_rests_under_a_rule_is_left_to_it_for_as_long_as_that_takes() -> None:
    world = _target_rests(RestPolicy(exits=RestRule.MARKET, after=60))
    world.look(50)
    assert not world.outbox


def test_the_rule_of_one_contract_holds_no_other_one_up() -> None:
    world = entered(rests=RestPolicy(exits=RestRule.MARKET, after=600), **REPAIR)
    other = Symbol("NQZ6")
    world.market(BUY, 1, symbol=other)
    world.settle()
    target = world.trade(SELL, 1, OrderType.LIMIT, limit=21_000, symbol=other)
    world.settle()
    world.fill(target)
    world.unseen(SELL, 2)
    world.look()
    world.settle()
    assert (world.held(2), world.held(2, other)) == (0, 1)


def test_an_entry_that_goes_on_resting_holds_no_repair_up() -> None:
    world = entered(rests=RestPolicy(entries=RestRule.WAIT, exits=RestRule.MARKET), **REPAIR)
    more = world.trade(BUY, 2, OrderType.LIMIT, limit=19_900)
    world.settle()
    world.fill(more)
    world.look(2)
    world.unseen(SELL, 3)
    world.look(8)
    world.settle()
    assert world.held(2) == 1
    assert [order.spec.qty for order in world.resting(2)] == [2]
