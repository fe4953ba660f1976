"""Repairs: by policy or by click, in steps that cannot open anything, within the cap, given up in the end."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncgroups.core.differences import DriftKind
from syncgroups.core.keys import is_repair
from syncgroups.core.mending import pause
from syncgroups.core.plan import FollowerPlan, RestPolicy
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP_GATE, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, PlaceOrder
from tradehaven.domain.enums import Ask, DriftPolicy, OrderType, RestRule, Side, SyncMode, TradingState
from tradehaven.domain.ids import AccountId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
NQ = Symbol("NQZ6")
WAITS = RestPolicy(exits=RestRule.WAIT)


def _left_behind(policy: DriftPolicy, qty: int = 2, leaves: int = 0, cap: int = 5) -> Desk:
    """Let a leader leave, wholly or in part, while nobody sees it."""
    world = desk(follower(2), drift_policy=policy, drift_cap=cap)
    world.market(BUY, qty)
    world.settle()
    world.lose(LEADER)
    world.fill(world.trade(SELL, leaves or qty, seen=False), seen=False)
    world.connect(LEADER)
    return world


def _look(world: Desk, seconds: int = 8) -> None:
    for _ in range(seconds):
        world.wait(1)


@pytest.mark.parametrize("policy", [DriftPolicy.OBSERVE, DriftPolicy.PROPOSE])
def test_without_leave_nothing_is_sent(policy: DriftPolicy) -> None:
    world = _left_behind(policy)
    _look(world, 30)
    assert not world.outbox
    assert world.remarks() == ["drift"]


def test_a_repair_waits_for_the_second_look_and_closes_what_is_too_much() -> None:
    world = _left_behind(DriftPolicy.REPAIR)
    _look(world, 5)
    assert not world.outbox
    _look(world, 2)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert is_repair(command.client_order_id)
    world.settle()
    _look(world)
    assert (world.held(2), world.differs()) == (0, [])
    assert world.remarks() == ["drift", "drift_over"]


def test_a_part_is_repaired_to_the_share() -> None:
    world = _left_behind(DriftPolicy.REPAIR, qty=4, leaves=3)
    _look(world)
    world.settle()
    _look(world)
    assert (world.held(2), world.differs()) == (1, [])


def test_more_than_the_cap_is_said_aloud_and_left_to_a_person() -> None:
    world = _left_behind(DriftPolicy.REPAIR, qty=3, cap=2)
    _look(world, 30)
    assert not world.outbox
    assert world.remarks() == ["repair_refused", "drift"]
    world.ask(Ask.REPAIR, world.name_of(DriftKind.LEFT_BEHIND))
    world.wait(1)
    world.settle()
    assert world.held(2) == 0


def test_a_click_repairs_what_is_only_observed() -> None:
    world = _left_behind(DriftPolicy.OBSERVE)
    _look(world)
    world.ask(Ask.REPAIR, world.name_of(DriftKind.LEFT_BEHIND))
    world.wait(1)
    assert len(world.outbox) == 1
    world.settle()
    _look(world)
    assert (world.held(2), world.differs()) == (0, [])


def test_a_click_on_what_is_over_does_nothing() -> None:
    world = _left_behind(DriftPolicy.OBSERVE)
    world.ask(Ask.REPAIR, "left_behind.g9.f2.NQZ6.NQZ6.o0")
    _look(world)
    assert not world.outbox


def test_the_same_click_twice_counts_once() -> None:
    world = _left_behind(DriftPolicy.OBSERVE)
    _look(world)
    name = world.name_of(DriftKind.LEFT_BEHIND)
    world.ask(Ask.IGNORE, name)
    world.clicks = 0
    world.ask(Ask.REPAIR, name)
    _look(world)
    assert not world.outbox


def test_what_a_person_ignores_is_not_repaired_by_itself() -> None:
    world = _left_behind(DriftPolicy.REPAIR)
    world.wait(1)
    world.ask(Ask.IGNORE, world.name_of(DriftKind.LEFT_BEHIND))
    _look(world, 20)
    assert not world.outbox


def test_a_resting_exit_ends_before_the_close_is_sent() -> None:
    world = desk(follower(2), drift_policy=DriftPolicy.REPAIR, drift_cap=5, rests=WAITS)
    world.market(BUY, 2)
    world.settle()
    target = world.trade(SELL, 2, OrderType.LIMIT, limit=21000)
    world.settle()
    world.fill(target)  # the leader's target filled, the follower's rests on
    _look(world)
    assert [type(command) for command in world.outbox] == [CancelOrder]
    _look(world)
    assert len(world.outbox) == 1
    world.settle()
    _look(world)
    world.settle()
    assert (world.held(2), world.resting(2)) == (0, [])


def test_a_resting_exit_with_a_rule_of_its_own_is_left_to_that() -> None:
    world = desk(follower(2), drift_policy=DriftPolicy.REPAIR, drift_cap=5)
    world.market(BUY, 2)
    world.settle()
    world.fill(world.trade(SELL, 2, OrderType.LIMIT, limit=21000))
    world.settle()
    for _ in range(12):
        world.wait(1)
        world.settle()
    assert (world.held(2), world.resting(2)) == (0, [])
    assert not any(is_repair(command.client_order_id) for command in world.placed)


def test_a_target_that_fills_while_its_cancel_is_on_the_way_leaves_nothing_to_close() -> None:
    world = desk(follower(2), drift_policy=DriftPolicy.REPAIR, drift_cap=5, rests=WAITS)
    world.market(BUY, 2)
    world.settle()
    world.fill(world.trade(SELL, 2, OrderType.LIMIT, limit=21000))
    world.settle()
    _look(world)
    for order in world.resting(2):
        world.fill(order.order_id)
    world.settle()
    _look(world, 20)
    world.settle()
    assert world.held(2) == 0


def test_three_repairs_in_vain_shut_the_contract_and_end_the_tries() -> None:
    world = _left_behind(DriftPolicy.REPAIR)
    sent = 0
    for _ in range(60):
        world.wait(1)
        while world.outbox:
            sent += 1
            world.reject(world.outbox.pop(0), "no")
    assert sent == 3
    assert world.remarks().count("quarantined") == 1
    world.market(BUY, 1)
    assert world.reasons()[-1] == "quarantined"


def test_a_quarantined_contract_is_left_but_not_entered() -> None:
    world = desk(follower(2))
    world.market(BUY, 2)
    world.settle()
    world.plan = plan_of(group_of(follower(2, quarantined=frozenset({"ESZ6"}))))
    world.market(BUY, 1)
    assert world.reasons() == ["quarantined"]
    world.market(SELL, 3)
    world.settle()
    assert world.held(2) == 0


def test_a_shut_gate_stops_a_repair_and_the_remedy_says_so() -> None:
    world = _left_behind(DriftPolicy.REPAIR)
    world.shut(GROUP_GATE)
    _look(world, 20)
    assert not world.outbox
    (difference,) = world.book.differences.values()
    assert difference.remedy.endswith("now refused: the kill switch is on")
    world.shut(GROUP_GATE, state=TradingState.ACTIVE)
    world.wait(1)
    assert len(world.outbox) == 1


@pytest.mark.parametrize(("policy", "placed"), [(DriftPolicy.PROPOSE, 0), (DriftPolicy.REPAIR, 1)])
def test_a_missing_stop_is_placed_where_that_is_allowed(policy: DriftPolicy, placed: int) -> None:
    world = desk(follower(2), drift_policy=policy)
    world.market(BUY, 2)
    world.settle()
    world.lose(LEADER)
    world.trade(SELL, 2, OrderType.STOP, stop=19000, seen=False)
    world.connect(LEADER)
    _look(world)
    world.settle()
    assert len(world.resting(2)) == placed
    _look(world)
    assert len(world.differs()) == 1 - placed


def test_the_remedy_of_an_orphan_and_of_a_missing_stop_can_be_read() -> None:
    world = desk(follower(2), drift_policy=DriftPolicy.PROPOSE)
    world.market(BUY, 2)
    world.settle()
    world.lose(LEADER)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000, seen=False)
    world.connect(LEADER)
    _look(world)
    (difference,) = world.book.differences.values()
    assert difference.remedy == f"place the leader's exit, order {stop}, as it stands now"


def test_pauses_double_up_to_half_a_minute() -> None:
    assert [pause(tries) // SECOND for tries in (0, 1, 2, 3, 4, 5, 50)] == [1, 2, 4, 8, 16, 30, 30]


def test_what_rests_in_another_contract_is_not_in_the_way() -> None:
    world = desk(follower(2), drift_policy=DriftPolicy.REPAIR, drift_cap=5, rests=WAITS)
    for symbol in (ES, NQ):
        world.market(BUY, 1, symbol=symbol)
        world.trade(SELL, 1, OrderType.STOP, stop=19000, symbol=symbol)
    world.settle()
    world.lose(LEADER)
    world.fill(world.trade(SELL, 1, seen=False), seen=False)
    world.connect(LEADER)
    for _ in range(10):
        world.wait(1)
        world.settle()
    assert (world.held(2), world.held(2, NQ)) == (0, 1)
    assert [order.symbol for order in world.resting(2)] == [NQ]


def test_an_exit_whose_change_was_refused_is_swept_by_the_retries() -> None:
    world = desk(follower(2))
    world.market(BUY, 1)
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19000)
    world.settle()
    world.change(stop, stop=19100)
    world.reject(world.outbox.pop(0), "no")
    world.plan = plan_of(group_of(follower(2), active=False))
    world.market(SELL, 1, account=TWO)
    for _ in range(12):
        world.wait(1)
        world.settle()
    assert world.resting(2) == []


def test_an_order_that_the_broker_will_not_change_or_cancel_is_left_to_a_person() -> None:
    world = desk(follower(2))
    world.market(BUY, 1)
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19000)
    world.settle()
    world.plan = plan_of(group_of(follower(2)))
    world.change(stop, stop=19100)
    while world.outbox:
        world.reject(world.outbox.pop(0), "no")
        world.wait(1)
    world.plan = plan_of(group_of(follower(2), active=False))
    world.market(SELL, 1, account=TWO)
    _look(world, 12)
    assert not world.outbox
    assert "command_stuck" in world.remarks()
    assert ("orphan", 2, 0, -1) in world.differs()


def test_a_snapshot_in_the_middle_of_a_repair_leaves_it_alone() -> None:
    world = _left_behind(DriftPolicy.REPAIR)
    _look(world)
    world.settle(fill_markets=False)
    world.connect(TWO)
    assert not world.outbox
    (order,) = world.resting(2)
    world.fill(order.order_id)
    _look(world)
    assert (world.held(2), world.differs()) == (0, [])


STORY = st.lists(
    st.tuples(
        st.sampled_from(
            ["leader", "unseen", "hand", "rest", "fill", "lose", "link", "settle", "reject", "wait"]
        ),
        st.sampled_from(Side),
        st.integers(1, 4),
    ),
    max_size=25,
)


TERMS = st.sampled_from(
    [
        {},
        {"mode": SyncMode.CONFIRMED},
        {"rests": WAITS},
    ]
)
MICRO = follower(2, reverse=True, products={"ES": follower(2, reverse=True, product="MES")})


@given(story=STORY, terms=TERMS, first=st.sampled_from([follower(2), follower(2, ratio="3/2"), MICRO]))
@settings(max_examples=300, deadline=None)
def test_whatever_happens_a_repair_only_reduces(
    story: list[tuple[str, Side, int]], terms: dict[str, Any], first: FollowerPlan
) -> None:
    """I5 of every repair, fill by fill; and a calm world with a flat leader ends flat or says so (I4)."""
    world = desk(first, follower(3, ratio="1/2"), drift_policy=DriftPolicy.REPAIR, drift_cap=100, **terms)
    for what, side, qty in story:
        _play(world, what, side, qty)
    for seconds in (60, 12):  # what two statements lack was never taken, and only then it is mended
        world.connect()
        for _ in range(seconds):
            world.settle()
            world.wait(1)

    held: dict[object, int] = {}
    for fill in world.fills:
        where = fill.account, fill.symbol
        before = held.get(where, 0)
        held[where] = after = before + fill.qty * fill.side.sign
        order = world.orders[fill.order_id]
        if order.client_order_id is not None and is_repair(order.client_order_id):
            assert abs(after) < abs(before), (before, after)
            assert before * after >= 0
    if not world.held(LEADER) and not world.resting(LEADER):
        for (_, account, _, _), net in world.book.copied.items():
            assert not net or any(key.account == account for key in world.book.differences)


def _play(world: Desk, what: str, side: Side, qty: int) -> None:
    if what in ("leader", "hand", "rest", "unseen"):
        _trade(world, what, side, qty)
    elif what == "fill":
        for order in world.resting(2)[:1]:
            world.fill(order.order_id)
    elif what == "lose":
        world.lose(TWO)
        world.outbox = [command for command in world.outbox if command.account != TWO]
    elif what == "link":
        world.connect(TWO)
    elif what == "settle":
        world.settle()
    elif what == "reject" and world.outbox:
        world.reject(world.outbox.pop(0), "no")
    elif what == "wait":
        _look(world, qty * 2)


def _trade(world: Desk, what: str, side: Side, qty: int) -> None:
    if what == "rest":
        world.trade(side, qty, OrderType.LIMIT, limit=20000)
    elif what == "unseen":
        world.lose(LEADER)
        world.fill(world.trade(side, qty, seen=False), seen=False)
        world.connect(LEADER)
    else:
        world.market(side, qty, account=LEADER if what == "leader" else TWO)
