"""What people are told of drift: when it is sure, when it changes and when it is over, in one order."""

from dataclasses import replace

from syncgroups.core.decision import Remark, RemarkKind
from syncgroups.core.differences import DriftKind
from syncgroups.core.plan import RestPolicy
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower
from tradehaven.domain.enums import OrderType, RestRule, Side
from tradehaven.domain.ids import AccountId, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
NQ, GC = Symbol("NQZ6"), Symbol("GCZ6")
WAITS = RestPolicy(exits=RestRule.WAIT)


def told(world: Desk) -> list[Remark]:
    return [remark for decision in world.decisions for remark in decision.remarks]


def seconds(world: Desk, count: int) -> None:
    for _ in range(count):
        world.wait(1)


def exit_that_rests(world: Desk, qty: int) -> OrderId:
    """Let the leader be out by a limit at which its followers still rest."""
    order = world.trade(SELL, qty, OrderType.LIMIT, limit=21_000)
    world.settle()
    world.fill(order)
    return order


def test_what_is_over_before_it_is_sure_is_told_to_nobody() -> None:
    world = desk(follower(2), rests=WAITS)
    world.market(BUY, 1)
    world.settle()
    exit_that_rests(world, 1)
    seconds(world, 2)
    assert world.differs()
    world.fill(world.resting(2)[0].order_id)
    seconds(world, 8)
    assert not world.differs()
    assert told(world) == []


def test_a_difference_that_becomes_another_is_told_once_more_with_what_would_mend_it_now() -> None:
    world = desk(follower(2), rests=WAITS)
    world.market(BUY, 3)
    world.settle()
    exit_that_rests(world, 3)
    seconds(world, 8)
    (first,) = told(world)
    assert first.kind is RemarkKind.DRIFT
    assert first.group == GROUP
    assert first.difference is not None
    assert first.difference.said
    assert "sell 3 ESZ6" in first.difference.remedy
    world.fill(world.resting(2)[0].order_id, 1)
    seconds(world, 3)
    _, second = told(world)
    assert (second.kind, second.account, second.symbol) == (RemarkKind.DRIFT_CHANGED, TWO, ES)
    assert second.difference is not None
    assert (second.difference.expected, second.difference.actual) == (0, 2)
    assert "sell 2 ESZ6" in second.difference.remedy
    assert list(world.book.differences.values()) == [second.difference]


def test_several_differences_are_told_and_ended_kind_by_kind_and_account_by_account() -> None:
    world = desk(follower(3), follower(2), rests=WAITS)
    world.lose(TWO)
    world.market(BUY, 1, symbol=NQ)
    world.connect(TWO)
    world.market(BUY, 1)
    world.settle()
    exit_that_rests(world, 1)
    strange = world.trade(BUY, 1, OrderType.LIMIT, limit=1, account=THREE, symbol=GC)
    seconds(world, 8)
    missed, left, foreign = DriftKind.MISSED_ENTRY, DriftKind.LEFT_BEHIND, DriftKind.FOREIGN_ORDER
    expected = [(foreign, THREE, GC), (left, TWO, ES), (left, THREE, ES), (missed, TWO, NQ)]
    assert [(r.difference.key.kind, r.account, r.symbol) for r in told(world) if r.difference] == expected
    for account in (2, 3):
        world.fill(world.resting(account)[0].order_id)
    world.cancel(strange)
    world.market(SELL, 1, symbol=NQ)
    world.settle()
    before = len(told(world))
    seconds(world, 2)
    over = told(world)[before:]
    assert [remark.kind for remark in over] == [RemarkKind.DRIFT_OVER] * 4
    assert [(r.difference.key.kind, r.account, r.symbol) for r in over if r.difference] == expected


def test_what_belongs_to_no_group_is_told_of_the_account() -> None:
    world = desk()
    world.market(BUY, 2, account=TWO)
    seconds(world, 8)
    (said,) = told(world)
    assert (said.kind, said.account, said.group, said.symbol) == (RemarkKind.DRIFT, TWO, None, ES)


def test_a_look_that_finds_the_same_again_says_nothing() -> None:
    world = desk(follower(2), rests=WAITS)
    world.market(BUY, 1)
    world.settle()
    exit_that_rests(world, 1)
    seconds(world, 20)
    assert [remark.kind for remark in told(world)] == [RemarkKind.DRIFT]
    assert world.book.positions[LEADER, ES] == 0
    (known,) = world.book.differences.values()
    assert known == replace(known, said=True)
