"""What a manual copy is sized, refused and recorded by: figures, reasons, and the room under a cap."""

from typing import Any

import pytest

from syncgroups.core.decision import Action, CopyRefused, CopyStep
from syncgroups.core.keys import manual_group, manual_order
from syncgroups.tests.bracketing import NUMBER, Desk, desk
from syncgroups.tests.plans import ES, LEADER, Capped, follower, group_of, plan_of
from tradehaven.domain.commands import CancelOrder, Lane, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import AccountId, GroupId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
MES, NQ = Symbol("MESZ6"), Symbol("NQZ6")


def refused(world: Desk) -> CopyRefused:
    """Return the one refusal of the last decision."""
    (refusal,) = world.decisions[-1].refusals
    return refusal


def sizes(world: Desk) -> list[tuple[int, int]]:
    """Return account and contracts of what is on its way."""
    return [(order.account, order.spec.qty) for order in world.outbox if isinstance(order, PlaceOrder)]


def plain(world: Desk, side: Side, qty: int, *followers: int, number: int = NUMBER, **asked: Any) -> None:
    """Ask for a manual order without legs, and let it be filled."""
    world.order(side, qty, *followers, number=number, stop_loss=None, take_profit=None, **asked)
    world.settle()


# -- records -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_order_is_recorded_as_an_entry_from_flat_of_a_ledger_of_its_own(side: Side) -> None:
    world = desk(follower(2, ratio="2"))
    world.market(side, 3)
    world.settle()
    decision = world.order(side, 2)
    (step,) = [step for step in decision.steps if isinstance(step, CopyStep)]
    copy, weighed = step.copy, step.weighed
    assert (copy.group, copy.leader, copy.leader_order) == (
        manual_group(NUMBER),
        LEADER,
        manual_order(NUMBER),
    )
    assert (copy.enters, copy.leads, copy.reverse, copy.fill) == (4, ES, False, None)
    assert weighed is not None
    assert (weighed.leader, weighed.change, weighed.enter) == (0, 2 * side.sign, 4)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert (command.side, command.lane) == (side, Lane.ENTRY)


def test_what_another_product_or_side_brought_is_held_in_its_own_terms() -> None:
    rule = follower(2, product="MES", reverse=True)
    world = desk(follower(2, products={"ES": rule}, reverse=True))
    plain(world, BUY, 1)
    assert world.book.copied == {(manual_group(NUMBER), TWO, MES, MES): -10}
    assert world.book.held_for(manual_group(NUMBER), TWO, MES) == (MES, False)


def test_who_follows_no_more_is_recorded_with_the_order_that_was_asked_for() -> None:
    world = desk(follower(3))
    world.order(BUY, 1, 2)
    refusal = refused(world)
    assert (refusal.group, refusal.leader, refusal.leader_order) == (0, LEADER, manual_order(NUMBER))
    assert (refusal.follower, refusal.symbol, refusal.action) == (TWO, ES, Action.PLACE)
    assert refusal.detail == "it does not follow this leader any more"
    assert refusal.key == f"th1h.m{NUMBER}.l1.f2.s20.t40"


def test_a_refusal_by_a_rule_carries_its_figures() -> None:
    world = desk(Capped(account=TWO, gates=(), max_position=3))
    world.order(BUY, 5)
    refusal = refused(world)
    assert refusal.reason is RefusalReason.MAX_POSITION
    assert refusal.weighed is not None
    assert (refusal.weighed.enter, refusal.weighed.limit, refusal.weighed.allowed) == (5, 3, 0)
    assert refusal.key == f"th1h.m{NUMBER}.l1.f2.s20.t40"


def test_a_contract_that_its_terms_do_not_know_is_refused_under_the_orders_own_name() -> None:
    world = desk(follower(2, products={"ES": follower(2, product="NQ")}))
    world.order(BUY, 1)
    assert refused(world).key == f"th1h.m{NUMBER}.l1.f2.s20.t40"
    assert refused(world).reason is RefusalReason.UNKNOWN_INSTRUMENT


# -- the other side ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "held"), [(BUY, "+1"), (SELL, "-1")])
def test_one_contract_on_the_other_side_is_enough_to_be_left_out(side: Side, held: str) -> None:
    world = desk()
    world.market(side, 1, account=TWO)
    world.order(side.opposite, 1)
    assert refused(world).reason is RefusalReason.OTHER_SIDE
    assert refused(world).detail == (
        f"its account stands at {held} on the other side: this order would close that instead"
    )
    world.order(side.opposite, 1, number=6, symbol=NQ)
    assert sizes(world) == [(2, 1)]


def test_what_is_about_to_be_held_is_named_with_what_it_will_be() -> None:
    world = desk()
    world.market(SELL, 1, account=TWO)
    world.trade(BUY, 3, account=TWO)
    world.order(SELL, 1)
    assert "stands at +2 on the other side" in refused(world).detail


def test_another_reason_comes_before_the_other_side() -> None:
    world = desk(follower(2, ratio="1/10"))
    world.market(BUY, 1, account=TWO)
    world.order(SELL, 1)
    assert world.reasons() == ["rounds_to_zero"]


# -- the room under a cap ----------------------------------------------------------------------------


def test_a_cap_is_filled_up_and_then_said_to_be_full() -> None:
    world = desk(follower(2, max_contracts=3))
    plain(world, BUY, 2)
    world.order(BUY, 2, number=6)
    assert sizes(world) == [(2, 1)]
    world.settle()
    world.order(BUY, 1, number=7)
    assert refused(world).detail == "it holds as many contracts as its cap lets it"


def test_a_cap_counts_its_own_contract_account_and_group() -> None:
    other = group_of(follower(2), leader=THREE, group=GroupId(10))
    world = Desk(plan_of(group_of(follower(2, max_contracts=3), follower(4)), other))
    world.connect()
    world.market(BUY, 3, account=THREE)
    world.settle()
    plain(world, BUY, 3, 2, symbol=NQ)
    plain(world, BUY, 3, 4, number=6)
    world.order(BUY, 3, 2, number=7)
    assert sizes(world) == [(2, 3)]


def test_what_stands_on_the_other_side_makes_no_room() -> None:
    """The account holds the side of the order, so that only the group's own contracts are against it."""
    world = desk(follower(2, max_contracts=2))
    world.market(SELL, 1)
    world.settle()
    world.market(BUY, 5, account=TWO)
    world.book.hold((world.plan.groups[0].group, TWO, ES, ES), -1)
    world.order(BUY, 4)
    assert sizes(world) == [(2, 2)]


def test_manual_orders_that_still_rest_count_as_they_would_fill() -> None:
    world = desk(follower(2, max_contracts=4))
    resting: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit": 19_000}
    plain(world, BUY, 2, **resting)
    plain(world, BUY, 1, number=6, symbol=NQ, **resting)
    world.order(SELL, 1, number=8, order_type=OrderType.LIMIT, limit=21_000)
    world.order(BUY, 4, number=9)
    assert sizes(world) == [(2, 1), (2, 2)]


def test_the_legs_of_a_manual_short_that_are_being_taken_back_leave_room_for_a_buy() -> None:
    world = desk(follower(2, max_contracts=3))
    world.order(SELL, 1)
    world.settle()
    world.market(BUY, 2)
    world.deliver(world.outbox.pop(0))
    assert [type(command) for command in world.outbox] == [CancelOrder, CancelOrder]
    world.order(BUY, 3, number=6)
    assert sizes(world) == [(2, 1)], "beside the two that the group may turn out to hold"
