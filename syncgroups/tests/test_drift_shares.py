"""How much a follower should hold, what explains that it holds more or less, and what it lacks."""

from typing import Any

import pytest

from syncgroups.core.decision import RemarkKind
from syncgroups.core.differences import DriftKind
from syncgroups.tests.drifting import desk, entered, two_groups
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.enums import OrderType, Side, SizingMode
from tradehaven.domain.ids import AccountId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
HOLDING = (GROUP, TWO, ES, ES)
NQ = Symbol("NQZ6")


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


def test_what_a_share_of_nothing_grew_to_is_excused_too() -> None:
    world = entered(BUY, 1, follower(2, ratio="5"))
    world.look()
    world.plan = plan_of(group_of(follower(2, ratio="1/2")))
    world.look()
    world.market(BUY, 2)
    world.settle()
    world.look()
    assert (world.held(2), world.differs()) == (6, [])


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


@pytest.mark.parametrize("side", [BUY, SELL])
def test_more_than_the_leader_ever_added_is_not_excused_by_other_settings(side: Side) -> None:
    world = entered(side, 2, follower(2, ratio="2"))
    world.look()
    world.plan = plan_of(group_of(follower(2)))
    world.look(2)
    world.market(side, 1)
    world.settle()
    world.unseen(side.opposite, 1)
    world.wait(1)
    assert world.differs() == [("too_much", 2, 2 * side.sign, 5 * side.sign)]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_exit_that_was_missed_is_not_excused_by_other_settings_before_it(side: Side) -> None:
    world = entered(side, 5)
    world.look()
    world.plan = plan_of(group_of(follower(2, ratio="1/2")))
    world.look()
    assert world.differs() == []
    world.unseen(side.opposite, 1)  # half of five and half of four are both two
    world.wait(1)
    assert world.differs() == [("too_much", 2, 2 * side.sign, 5 * side.sign)]


def test_the_last_contract_beside_a_leader_that_holds_one_is_too_much_and_not_left_behind() -> None:
    world = entered(BUY, 2, follower(2, ratio="1/2"))
    world.unseen(SELL, 1)
    world.wait(1)
    assert world.differs() == [("too_much", 2, 0, 1)]


def test_a_product_with_terms_of_its_own_is_compared_on_those() -> None:
    world = entered(BUY, 1, follower(2, products={"ES": follower(2, ratio="3")}))
    world.look()
    assert (world.held(2), world.differs()) == (3, [])


def test_what_stands_against_its_leader_does_so_until_it_is_closed_whatever_is_set_by_then() -> None:
    world = entered(BUY, 2, follower(2, reverse=True))
    world.plan = plan_of(group_of(follower(2)))
    world.look()
    assert (world.held(2), world.differs()) == (-2, [])


def test_a_contract_that_nobody_knows_is_compared_as_it_is() -> None:
    world = desk()
    unknown = Symbol("XYZZ6")
    world.market(BUY, 2, symbol=unknown)
    world.settle()
    world.unseen(SELL, 1, symbol=unknown)
    world.wait(1)
    assert world.differs() == [("too_much", 2, 1, 2)]


# -- another hand ------------------------------------------------------------------------------------


def test_two_groups_on_two_sides_of_a_contract_took_nothing_from_each_other() -> None:
    world = two_groups()
    world.market(BUY, 2)
    world.market(SELL, 2, account=THREE)
    world.settle()
    world.look()
    assert (world.held(2), world.differs()) == (0, [])


def test_two_groups_that_net_to_nothing_differ_in_nothing_when_lists_leave_that_out() -> None:
    world = two_groups()
    world.market(BUY, 2)
    world.market(SELL, 2, account=THREE)
    world.settle()
    del world.positions[TWO, ES]
    world.connect(TWO)
    world.look(6)
    world.list_again(TWO, NQZ6=0)
    world.look(2)
    assert world.differs() == []


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
    world = entered(BUY, 3, follower(2), follower(3))
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


def test_a_group_that_holds_nothing_any_more_does_not_hide_whose_contracts_are_gone() -> None:
    world = two_groups()
    for leader, side in ((THREE, BUY), (THREE, SELL), (LEADER, BUY)):
        world.market(side, 2, account=leader)
        world.settle()
    world.unseen(SELL, 1, TWO)
    world.wait(1)
    assert world.differs() == [("taken", 2, 2, 1)]


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


def test_a_share_that_is_held_in_full_was_not_missed() -> None:
    world = entered(BUY, 2, follower(2, ratio="1/2"))
    world.lose(TWO)
    world.market(BUY, 1)
    world.connect(TWO)
    world.look(2)
    assert world.book.missed
    assert world.differs() == []


def test_a_fixed_size_that_is_held_misses_no_second_one() -> None:
    world = entered(BUY, 1, follower(2, sizing=SizingMode.FIXED, fixed_qty=2))
    world.plan = plan_of(group_of(follower(2, sizing=SizingMode.FIXED, fixed_qty=3)))
    world.lose(TWO)
    world.market(BUY, 1)
    world.connect(TWO)
    world.look()
    assert world.differs() == []


# -- exits that were never placed ---------------------------------------------------------------------


def test_a_stop_protects_its_own_contract_alone() -> None:
    world = entered()
    world.market(BUY, 1, symbol=NQ)
    world.settle()
    world.lose(LEADER)
    world.trade(SELL, 1, OrderType.STOP, stop=19_000, symbol=NQ, seen=False)
    world.connect(LEADER)
    world.wait(1)
    assert [(key.kind, key.symbol) for key in world.book.differences] == [(DriftKind.UNPROTECTED, NQ)]


@pytest.mark.parametrize(("leaves", "side"), [(2, SELL), (5, BUY)])
def test_what_is_no_exit_of_the_leader_or_none_for_the_follower_protects_nobody(
    leaves: int, side: Side
) -> None:
    """A flat leader's order enters, and that of one which turned would add to what was left behind."""
    world = entered()
    world.lose(LEADER)
    world.fill(world.trade(SELL, leaves, seen=False), seen=False)
    world.trade(side, 2, OrderType.STOP, stop=19_000, seen=False)
    world.connect(LEADER)
    world.wait(1)
    assert world.differs() == [("left_behind", 2, 0, 2)]


@pytest.mark.parametrize(
    ("terms", "stop", "expected"),
    [({}, 1, -1), ({}, 2, -2), ({"sizing": SizingMode.FIXED, "fixed_qty": 3}, 1, -3)],
)
def test_what_a_missing_stop_should_cover_is_its_share(terms: Any, stop: int, expected: int) -> None:
    world = entered(BUY, 2, follower(2, **terms))
    world.lose(LEADER)
    world.trade(SELL, stop, OrderType.STOP, stop=19_000, seen=False)
    world.connect(LEADER)
    world.wait(1)
    assert world.differs() == [("unprotected", 2, expected, 0)]


def test_who_holds_nothing_lacks_no_stop() -> None:
    world = desk()
    world.lose(TWO)
    world.market(BUY, 2)
    world.lose(LEADER)
    world.trade(SELL, 2, OrderType.STOP, stop=19_000, seen=False)
    world.connect()
    world.wait(1)
    assert world.differs() == [("missed_entry", 2, 2, 0)]
