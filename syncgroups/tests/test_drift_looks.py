"""What is called a difference, from when on and until when: case by case."""

from typing import Any

import pytest

from syncgroups.core.decision import RemarkKind
from syncgroups.core.differences import DriftKind
from syncgroups.tests import bracketing
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.enums import DriftPolicy, OrderType, Side, SizingMode
from tradehaven.domain.ids import AccountId, GroupId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
HOLDING = (GROUP, TWO, ES, ES)
NQ = Symbol("NQZ6")


def entered(side: Side = BUY, qty: int = 2, *followers: Any, **settings: Any) -> Desk:
    """Return a desk whose followers have entered with their leader."""
    world = desk(*followers, **settings)
    world.market(side, qty)
    world.settle()
    return world


def two_groups() -> Desk:
    """Return a desk on which account 2 follows two leaders, 1 and 3."""
    other = group_of(follower(2), leader=THREE, group=GroupId(10))
    world = Desk(plan_of(group_of(follower(2)), other))
    world.connect()
    return world


# -- from when on ------------------------------------------------------------------------------------


def test_a_difference_is_told_when_five_seconds_have_seen_it() -> None:
    world = entered()
    world.unseen(SELL, 2)
    world.wait(1)
    since = world.difference(DriftKind.LEFT_BEHIND).since
    world.look_at(since + 5 * SECOND - 1)
    assert world.remarks() == []
    world.look_at(since + 5 * SECOND)
    assert world.remarks() == ["drift"]


@pytest.mark.parametrize(("side", "stands"), [(BUY, "-3"), (SELL, "+3")])
def test_a_leader_that_turned_is_named_with_what_it_holds(side: Side, stands: str) -> None:
    world = entered(side)
    world.unseen(side.opposite, 5)
    world.look()
    assert world.differs() == [("left_behind", 2, 0, 2 * side.sign)]
    (said,) = world.said(RemarkKind.DRIFT)
    assert said.detail == f"the leader is {stands}, the follower still holds {2 * side.sign:+d}"


def test_a_leader_that_is_out_is_called_flat_and_one_that_is_not_with_the_share() -> None:
    world = entered(BUY, 4)
    world.unseen(SELL, 3)
    world.look()
    world.unseen(SELL, 1)
    world.look()
    assert [said.detail for said in world.said(RemarkKind.DRIFT)] == [
        "the leader holds +1, of which the follower's share is +1; it holds +4",
        "the leader is flat, the follower still holds +4",
    ]


def test_what_changes_is_told_as_a_change_and_not_anew() -> None:
    world = desk()
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=19_000, account=TWO)
    world.look()
    assert world.differs() == [("foreign_order", 2, 0, 3)]
    world.fill(order, 1)
    world.look(3)
    assert world.difference(DriftKind.FOREIGN_ORDER).actual == 2
    first, second = world.said(RemarkKind.DRIFT)[0], world.said(RemarkKind.DRIFT_CHANGED)[0]
    assert first.detail == f"order {order} is not ours: buy 3, left alone"
    assert second.detail == f"order {order} is not ours: buy 2, left alone"
    assert len([one for one in world.said(RemarkKind.DRIFT) if one.difference != first.difference]) == 0


def test_a_share_that_grew_is_expected_from_then_on() -> None:
    world = entered(BUY, 4)
    world.unseen(SELL, 3)
    world.look(2)
    assert world.differs() == [("too_much", 2, 1, 4)]
    world.unseen(BUY, 1)
    world.look(2)
    assert ("too_much", 2, 2, 4) in world.differs()


# -- other settings are no missed exit ---------------------------------------------------------------


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_smaller_ratio_stays_excused_while_an_account_is_away(side: Side) -> None:
    world = entered(side, 2, follower(2, ratio="2"))
    world.look()
    world.plan = plan_of(group_of(follower(2)))
    world.look()
    world.lose(TWO)
    world.look()
    world.connect(TWO)
    world.look()
    assert world.differs() == []
    world.market(side, 1)
    world.settle()
    world.look()
    assert (world.held(2), world.differs()) == (5 * side.sign, [])


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("before", [0, 2])
def test_a_head_start_that_its_leader_never_makes_up_for_is_too_much(side: Side, before: int) -> None:
    """The follower filled first, and the leader took its order back: no setting explains what is held."""
    world = entered(side, 3)
    order = world.trade(side, 2, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.look(before)
    assert world.differs() == []
    world.look(3)
    world.cancel(order)
    world.look(2)
    assert world.differs() == [("too_much", 2, 3 * side.sign, 5 * side.sign)]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_head_start_beside_a_smaller_ratio_is_excused_while_its_order_rests(
    side: Side,
) -> None:
    world = entered(side, 2, follower(2, ratio="2"))
    world.look()
    world.plan = plan_of(group_of(follower(2)))
    order = world.trade(side, 2, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.look()
    assert (world.held(2), world.differs()) == (6 * side.sign, [])
    world.cancel(order)
    world.look(2)
    assert world.differs() == [("too_much", 2, 2 * side.sign, 6 * side.sign)]


# -- another hand ------------------------------------------------------------------------------------


def test_two_groups_on_two_sides_of_a_contract_took_nothing_from_each_other() -> None:
    world = two_groups()
    world.market(BUY, 2)
    world.market(SELL, 2, account=THREE)
    world.settle()
    world.look()
    assert (world.held(2), world.differs()) == (0, [])


@pytest.mark.parametrize("side", [BUY, SELL])
def test_one_contract_that_a_hand_closed_stays_named_until_the_leader_is_out(side: Side) -> None:
    world = entered(side, 1)
    world.market(side.opposite, 1, account=TWO)
    world.look()
    assert world.differs() == [("taken", 2, side.sign, 0)]
    world.lose(TWO)
    world.look(2)
    world.connect(TWO)
    world.look(2)
    assert world.differs() == [("taken", 2, side.sign, 0)]
    world.market(side.opposite, 1)
    world.settle()
    world.look(2)
    world.market(side, 1)
    world.settle()
    world.look()
    assert world.differs() == []


def test_what_is_gone_is_corrected_when_five_seconds_have_seen_it_and_only_once() -> None:
    world = entered(qty=3)
    world.unseen(SELL, 2, TWO)
    world.wait(1)
    since = world.difference(DriftKind.TAKEN).since
    world.look_at(since + 5 * SECOND - 1)
    assert world.book.copied[HOLDING] == 3
    world.look_at(since + 5 * SECOND)
    assert world.book.copied[HOLDING] == 1
    world.look()
    (said,) = world.said(RemarkKind.DRIFT)
    assert said.detail == "another hand closed 2 of 3 copied contracts: not bought back"
    looks = [decision.look for decision in world.decisions if decision.look is not None]
    assert [look.holdings for look in looks if look.holdings] == [((HOLDING, 1),)]


# -- entries that were missed ------------------------------------------------------------------------


def test_a_larger_ratio_in_the_middle_of_a_position_is_no_missed_entry() -> None:
    world = entered(BUY, 2, follower(2), follower(3))
    world.lose(THREE)
    world.market(BUY, 1)
    world.settle()
    world.connect(THREE)
    world.plan = plan_of(group_of(follower(2, ratio="2"), follower(3)))
    world.look()
    assert world.differs() == [("missed_entry", 3, 3, 2)]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_fixed_size_is_missed_on_the_leaders_side(side: Side) -> None:
    world = desk(follower(2, sizing=SizingMode.FIXED, fixed_qty=3))
    world.lose(TWO)
    world.market(side, 1)
    world.connect(TWO)
    world.look()
    assert world.differs() == [("missed_entry", 2, 3 * side.sign, 0)]
    (said,) = world.said(RemarkKind.DRIFT)
    holds = f"{side.sign:+d}"
    assert said.detail == f"the follower was not there when the leader entered; the leader holds {holds}"


def test_a_fixed_size_that_is_held_misses_no_second_one() -> None:
    world = entered(BUY, 1, follower(2, sizing=SizingMode.FIXED, fixed_qty=2))
    world.plan = plan_of(group_of(follower(2, sizing=SizingMode.FIXED, fixed_qty=3)))
    world.lose(TWO)
    world.market(BUY, 1)
    world.connect(TWO)
    world.look()
    assert world.differs() == []


# -- nothing is concluded from what is not known -----------------------------------------------------


def test_a_copy_that_cannot_be_told_while_its_login_is_down_is_not_astray() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.lose(TWO)
    world.change(order, limit=19_990)
    world.look()
    assert world.differs() == []


def test_a_missing_stop_is_not_missed_while_its_holding_is_moving() -> None:
    world = entered()
    world.lose(LEADER)
    world.trade(SELL, 2, OrderType.STOP, stop=19_000, seen=False)
    world.connect(LEADER)
    world.market(BUY, 1)
    world.look(2)
    assert world.differs() == []


def test_nobody_says_whose_contracts_are_held_before_a_login_was_seen() -> None:
    """As after a start: holdings come from rows, positions only from the broker."""
    world = Desk(two_groups().plan)
    world.book.hold(HOLDING, 2)
    world.book.hold((GroupId(10), TWO, ES, ES), 1)
    world.look(2)
    assert world.differs() == []


def test_what_is_foreign_stays_named_while_its_account_is_away() -> None:
    world = desk()
    world.trade(BUY, 1, OrderType.LIMIT, limit=19_000, account=TWO)
    world.market(SELL, 2, account=TWO, symbol=NQ)
    world.wait(1)
    named = world.differs()
    assert len(named) == 2
    world.lose(TWO)
    world.look(2)
    assert world.differs() == named
    accounts = {account: plan for account, plan in world.plan.accounts.items() if account != TWO}
    object.__setattr__(world.plan, "accounts", accounts)
    world.look(2)
    assert world.differs() == []


def test_what_is_foreign_stays_named_while_its_contract_moves() -> None:
    world = desk()
    world.market(SELL, 2, account=TWO)
    world.wait(1)
    hanging = world.trade(SELL, 1, account=TWO)
    world.wait(1)
    assert ("foreign_position", 2, 0, -2) in world.differs()
    world.cancel(hanging)
    world.market(BUY, 2, account=TWO)
    world.wait(1)
    assert world.differs() == []


def test_a_foreign_order_that_fills_in_part_is_named_with_what_is_left_also_while_another_moves() -> None:
    world = desk()
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=19_000, account=TWO)
    world.wait(1)
    world.trade(SELL, 1, account=TWO)
    world.fill(order, 1)
    world.wait(1)
    assert ("foreign_order", 2, 0, 2) in world.differs()


def test_who_was_left_behind_stays_so_while_its_leader_is_away() -> None:
    world = entered()
    world.unseen(SELL, 2)
    world.wait(1)
    world.lose(LEADER)
    world.look(2)
    assert world.differs() == [("left_behind", 2, 0, 2)]


def test_a_group_that_is_off_has_no_foreign_orders() -> None:
    world = desk(active=False)
    world.trade(BUY, 1, OrderType.LIMIT, limit=19_000, account=TWO)
    world.look(2)
    assert world.differs() == []


def test_a_leg_of_a_manual_copy_that_could_not_be_changed_is_nobodys_difference() -> None:
    world = bracketing.desk()
    entry = world.entered(BUY, 2, (1, 20_000))
    world.fill(entry)
    refused = 0
    for _ in range(8):
        while world.outbox:
            refused += 1
            world.reject(world.outbox.pop(0), "no")
        world.wait(1)
    assert refused >= 5
    assert world.legs() == ((1, 19_980), (1, 20_040))
    assert not world.book.differences


# -- what the broker says ----------------------------------------------------------------------------


def test_a_report_that_the_fills_caught_up_with_is_explained_although_more_is_on_its_way() -> None:
    world = entered()
    world.stated(3)
    world.wait(1)
    assert ("unexplained", 2, 2, 3) in world.differs()
    world.trade(BUY, 1, account=TWO)
    world.stated(2)
    world.wait(1)
    assert not [row for row in world.differs() if row[0] == "unexplained"]


@pytest.mark.parametrize(
    ("stated", "listed", "detail"),
    [
        (5, 5, "the fills made +2; the broker says +5 twice, and that counts"),
        (0, 2, "the broker's report of +0 was old; +2 counts"),
    ],
)
def test_the_brokers_second_word_is_told_with_its_figures(stated: int, listed: int, detail: str) -> None:
    world = entered(drift_policy=DriftPolicy.OBSERVE)
    world.stated(stated)
    world.look()
    world.list_again(TWO, ESZ6=listed)
    world.wait(1)
    (said,) = world.said(RemarkKind.BROKERS_WORD)
    assert (said.account, said.symbol, said.detail) == (TWO, ES, detail)
    assert said.difference is not None
    assert said.difference.key.kind is DriftKind.UNEXPLAINED
    assert world.book.positions[TWO, ES] == world.book.reported[TWO, ES] == listed


def test_an_account_outside_the_plan_differs_from_nothing() -> None:
    world = desk()
    world.market(BUY, 2, account=AccountId(7))
    world.stated(5, AccountId(7))
    world.look(2)
    assert world.differs() == []
    assert LEADER in world.plan.accounts
