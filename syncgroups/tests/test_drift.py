"""Differences between what followers hold and should hold: found, said, and only where they are certain."""

import pytest

from syncgroups.core.decision import RemarkKind
from syncgroups.core.differences import DriftKind
from syncgroups.core.drift import to_look_at
from syncgroups.core.keys import client_order_id
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, gate_of, group_of, plan_of
from tradehaven.domain.enums import OrderType, Side, SizingMode
from tradehaven.domain.events import PositionReported
from tradehaven.domain.ids import AccountId, GroupId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)


def _entered(*followers: object, qty: int = 2, **settings: object) -> Desk:
    world = desk(*followers, **settings)  # type: ignore[arg-type]
    world.market(BUY, qty)
    world.settle()
    return world


def _leader_leaves_unseen(world: Desk, qty: int) -> None:
    world.lose(LEADER)
    order = world.trade(SELL, qty, seen=False)
    world.fill(order, seen=False)
    world.connect(LEADER)


def _look(world: Desk, seconds: int = 7) -> None:
    """Look each second."""
    for _ in range(seconds):
        world.wait(1)


def test_who_holds_its_share_is_not_in_drift() -> None:
    world = _entered(follower(2), follower(3, ratio="1/2"))
    _look(world)
    assert world.differs() == []
    world.market(SELL, 1)
    world.settle()
    _look(world)
    assert world.differs() == []
    assert world.remarks() == []


def test_a_follower_left_behind_is_found_and_said_after_two_looks() -> None:
    world = _entered()
    _leader_leaves_unseen(world, 2)
    world.wait(1)
    assert world.differs() == [("left_behind", 2, 0, 2)]
    assert world.remarks() == []
    _look(world)
    assert world.remarks() == ["drift"]
    (said,) = [remark for decision in world.decisions for remark in decision.remarks]
    assert said.difference is not None
    assert said.difference.remedy == (
        "sell 2 ESZ6 at the market (the leader last traded at 5000.00); leaves it flat; "
        "no rule stands against it"
    )
    assert not world.outbox  # the policy is to observe


def test_a_follower_that_holds_more_than_its_share_of_the_rest_is_found() -> None:
    world = _entered(qty=4)
    _leader_leaves_unseen(world, 3)
    _look(world)
    assert world.differs() == [("too_much", 2, 1, 4)]
    assert world.remarks() == ["drift"]


def test_a_reduction_within_rounding_is_no_drift() -> None:
    world = _entered(follower(2, ratio="1/2"), qty=5)
    assert world.held(2) == 2
    _leader_leaves_unseen(world, 1)
    _look(world)
    assert world.differs() == []


def test_a_leader_that_turned_leaves_its_old_side_behind() -> None:
    world = _entered()
    _leader_leaves_unseen(world, 5)
    _look(world)
    kinds = dict((kind, (expected, actual)) for kind, _, expected, actual in world.differs())
    assert kinds["left_behind"] == (0, 2)


def test_a_size_that_says_nothing_is_only_bound_by_a_flat_leader() -> None:
    world = _entered(follower(2, sizing=SizingMode.FIXED, fixed_qty=3))
    _leader_leaves_unseen(world, 1)
    _look(world)
    assert world.differs() == []
    _leader_leaves_unseen(world, 1)
    _look(world)
    assert world.differs() == [("left_behind", 2, 0, 3)]


def test_a_smaller_ratio_in_the_middle_of_a_position_is_no_missed_exit() -> None:
    world = _entered(follower(2, ratio="2"), qty=2)
    _look(world)
    world.plan = plan_of(group_of(follower(2)))
    _look(world)
    assert world.differs() == []
    world.market(BUY, 1)
    world.settle()
    _look(world)
    assert (world.held(2), world.differs()) == (5, [])
    _leader_leaves_unseen(world, 1)
    _look(world)
    assert world.differs() == [("too_much", 2, 2, 5)]


def test_a_follower_that_filled_before_its_leader_is_ahead_and_not_in_drift() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    _look(world)
    assert world.differs() == []
    world.cancel(order)
    _look(world)
    assert world.differs() == [("left_behind", 2, 0, 2)]


def test_nothing_is_concluded_while_an_order_is_in_flight() -> None:
    world = _entered()
    world.market(SELL, 2)  # the copy waits in the outbox
    _look(world)
    assert world.differs() == []
    world.settle()
    _look(world)
    assert world.differs() == []


@pytest.mark.parametrize("lost", [LEADER, TWO])
def test_nothing_is_concluded_about_who_cannot_be_seen(lost: AccountId) -> None:
    world = _entered()
    world.lose(lost)
    if lost == LEADER:
        world.fill(world.trade(SELL, 2, seen=False), seen=False)
    _look(world)
    assert world.differs() == []


def test_a_drift_stays_open_while_its_follower_is_away_and_ends_when_it_is_flat() -> None:
    world = _entered()
    _leader_leaves_unseen(world, 2)
    _look(world)
    world.lose(TWO)
    _look(world)
    assert world.differs() == [("left_behind", 2, 0, 2)]
    world.connect(TWO)
    world.market(SELL, 2, account=TWO)
    _look(world)
    assert world.differs() == []
    assert world.remarks() == ["drift", "drift_over"]


def test_what_another_hand_closed_is_named_and_not_bought_back() -> None:
    world = _entered(qty=3)
    world.market(SELL, 1, account=TWO)
    _look(world)
    assert world.differs() == [("taken", 2, 3, 2)]
    assert world.remarks() == ["drift"]
    assert not world.outbox
    world.market(SELL, 3)
    world.settle()
    _look(world)
    assert (world.held(2), world.differs()) == (0, [])
    assert world.remarks() == ["drift", "drift_over"]


def test_what_was_closed_unseen_counts_only_after_two_looks() -> None:
    world = _entered(qty=3)
    world.lose(TWO)
    world.fill(world.trade(SELL, 2, account=TWO, seen=False), seen=False)
    world.connect(TWO)
    world.wait(1)
    assert world.book.copied[GROUP, TWO, ES, ES] == 3
    _look(world)
    assert world.book.copied[GROUP, TWO, ES, ES] == 1
    assert world.differs() == [("taken", 2, 3, 1)]


def test_an_answer_without_the_position_is_not_flat() -> None:
    world = _entered()
    world.lose(TWO)
    kept = dict(world.positions)
    del world.positions[TWO, ES]
    world.connect(TWO)  # the list lagged behind
    world.positions.update(kept)
    world.market(SELL, 2)
    world.settle()
    _look(world)
    assert world.differs() == []
    assert to_look_at(world.book) == {TWO}
    world.list_again(TWO)
    _look(world)
    assert to_look_at(world.book) == set()
    assert world.differs() == [("left_behind", 2, 0, 2)]


def test_an_answer_that_leaves_a_position_out_twice_counts() -> None:
    world = _entered()
    world.lose(TWO)
    world.fill(world.trade(SELL, 2, account=TWO, seen=False), seen=False)
    del world.positions[TWO, ES]
    world.connect(TWO)
    assert to_look_at(world.book) == {TWO}
    world.list_again(TWO)
    assert to_look_at(world.book) == {TWO}
    _look(world, 6)
    world.list_again(TWO)
    assert to_look_at(world.book) == set()
    _look(world)
    assert world.differs() == [("taken", 2, 2, 0)]


def _report(world: Desk, net: int) -> None:
    world.step(PositionReported(account=TWO, symbol=ES, net=net, price=None, at=world.at()))


def test_a_lost_fill_is_asked_about_and_the_brokers_word_counts() -> None:
    world = _entered()
    world.positions[TWO, ES] = 5
    _report(world, 5)
    _look(world)
    assert ("unexplained", 2, 2, 5) in world.differs()
    world.list_again(TWO)
    _look(world)
    assert world.book.positions[TWO, ES] == 5
    assert world.differs() == [("foreign_position", 2, 2, 5)]
    assert "brokers_word" in world.remarks()


def test_an_old_report_does_not_count_against_the_fills() -> None:
    world = _entered()
    _report(world, 0)
    _look(world)
    world.list_again(TWO)
    world.wait(1)
    assert world.book.reported[TWO, ES] == 2
    assert world.differs() == []


def test_a_list_that_says_a_third_thing_settles_nothing() -> None:
    world = _entered()
    _report(world, 5)
    _look(world)
    world.list_again(TWO, ESZ6=4)
    world.wait(1)
    assert world.differs() == [("unexplained", 2, 2, 5)]
    _report(world, 4)
    world.wait(1)
    assert world.differs() == [("unexplained", 2, 2, 4)]
    assert world.remarks().count("drift_over") == 0


def test_a_foreign_order_and_position_are_named_once_and_left_alone() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=19000, account=TWO)
    world.market(SELL, 2, account=TWO)
    _look(world, 12)
    assert world.differs() == [("foreign_order", 2, 0, 1), ("foreign_position", 2, 0, -2)]
    assert world.remarks() == ["drift", "drift"]
    assert not world.outbox
    world.cancel(order)
    world.wait(1)
    assert world.differs() == [("foreign_position", 2, 0, -2)]


def test_a_trader_that_leads_as_well_may_trade() -> None:
    world = Desk(plan_of(group_of(follower(2)), group_of(follower(3), leader=TWO, group=GroupId(10))))
    world.connect()
    world.market(BUY, 1, account=TWO)
    world.settle()
    _look(world)
    assert world.held(3) == 1
    assert world.differs() == []


def test_an_exit_that_protects_nothing_is_swept_under_every_policy() -> None:
    world = _entered(qty=1)
    world.trade(SELL, 1, OrderType.STOP, stop=19000)
    world.settle()
    world.plan = plan_of(group_of(follower(2), active=False))
    world.market(SELL, 1, account=TWO)  # closed by hand while the group is off: nobody resizes the stop
    assert len(world.resting(2)) == 1
    world.wait(1)
    assert not world.outbox
    _look(world)
    world.settle()
    assert world.resting(2) == []
    _look(world)
    assert not [kind for kind, *_ in world.differs() if kind == "orphan"]


def test_a_copy_that_would_not_follow_its_leader_is_shown() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(order, limit=19990)
    for _ in range(7):
        while world.outbox:
            world.reject(world.outbox.pop(0), "no")
        world.wait(1)
    _look(world)
    assert [row[0] for row in world.differs()] == ["astray"]


def test_an_entry_missed_while_offline_is_shown_until_the_leader_is_out() -> None:
    world = desk(follower(2), follower(3, sizing=SizingMode.FIXED, fixed_qty=3))
    world.lose(TWO)
    world.lose(THREE)
    world.market(BUY, 2)
    world.connect()
    _look(world)
    assert world.differs() == [("missed_entry", 2, 2, 0), ("missed_entry", 3, 3, 0)]
    remedies = {difference.remedy for difference in world.book.differences.values()}
    assert remedies == {
        f"buy up to {qty} ESZ6, at most 8 ticks worse than the leader's price "
        "(the leader last traded at 5000.00); never done without a click"
        for qty in (2, 3)
    }
    world.market(SELL, 2)
    _look(world)
    assert world.differs() == []
    assert not world.book.missed


def test_a_missing_stop_after_a_restart_of_the_leaders_link_is_unprotected() -> None:
    world = _entered()
    world.lose(LEADER)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000, seen=False)
    world.connect(LEADER)
    _look(world)
    assert world.differs() == [("unprotected", 2, -2, 0)]
    assert client_order_id(GROUP, LEADER, stop, TWO) in world.book.refused
    name = world.name_of(DriftKind.UNPROTECTED)
    assert world.book.differences[next(iter(world.book.differences))].key.name == name


def test_a_kill_with_flatten_is_nobodys_foreign_hand() -> None:
    world = _entered()
    world.shut(gate_of(TWO), flatten=True)
    world.settle()
    _look(world)
    assert world.differs() == []
    assert RemarkKind.DRIFT not in world.remarks()


def test_a_hanging_market_order_leaves_everything_open() -> None:
    world = _entered()
    _leader_leaves_unseen(world, 2)
    world.trade(BUY, 1, account=TWO)  # by hand, and the market is closed
    _look(world)
    assert not [row for row in world.differs() if row[0] == "left_behind"]


def test_a_live_copy_at_the_market_leaves_everything_open() -> None:
    world = _entered()
    world.market(SELL, 2)
    world.settle(fill_markets=False)
    _look(world)
    assert world.differs() == []


def test_a_follower_that_left_its_group_is_not_compared() -> None:
    world = _entered(follower(2), follower(3))
    world.plan = plan_of(group_of(follower(3)))
    _leader_leaves_unseen(world, 2)
    _look(world)
    assert world.differs() == [("left_behind", 3, 0, 2)]


def test_an_exit_in_another_contract_protects_nothing_here() -> None:
    world = _entered()
    world.lose(LEADER)
    world.trade(SELL, 1, OrderType.STOP, stop=19000, seen=False, symbol=Symbol("NQZ6"))
    world.connect(LEADER)
    _look(world)
    assert world.differs() == []
