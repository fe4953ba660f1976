"""What one follower may send for one order, and what it is told where that is less than its share."""

from decimal import Decimal
from typing import Any

import pytest

from syncgroups.core.plan import FollowerPlan
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, GROUP_GATE, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, SessionHours, Side, SizingMode, SyncMode
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId, FillId, GroupId, Symbol
from tradehaven.domain.money import Ticks

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
CONFIRMED = SyncMode.CONFIRMED


def fixed(account: int = 2, qty: int = 2) -> FollowerPlan:
    return follower(account, sizing=SizingMode.FIXED, fixed_qty=qty)


def placed(world: Desk, account: int = 2) -> list[tuple[Side, int]]:
    """Return what the broker took for an account, and what is on its way, in order."""
    waiting = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    return [(one.side, one.spec.qty) for one in [*world.placed, *waiting] if one.account == account]


def lost(world: Desk, account: AccountId = TWO) -> PlaceOrder:
    """Take an account's order out of the air: nobody knows whether it arrived."""
    (order,) = [one for one in world.outbox if isinstance(one, PlaceOrder) and one.account == account]
    world.outbox.remove(order)
    name = order.client_order_id
    world.step(Unresolved(account=account, client_order_id=name, text="no answer", at=world.at()))
    return order


def said(world: Desk) -> list[tuple[str, str]]:
    refusals = (refusal for decision in world.decisions for refusal in decision.refusals)
    return [(str(refusal.reason), refusal.detail) for refusal in refusals]


def test_what_the_groups_filter_names_is_copied() -> None:
    world = desk(instruments=frozenset({"ES"}))
    world.trade(BUY, 1)
    assert (placed(world), said(world)) == ([(BUY, 1)], [])


def test_a_quarantine_holds_for_its_own_follower_and_contract_alone() -> None:
    world = desk()
    world.book.quarantined |= {(GROUP, THREE, ES), (GROUP, TWO, Symbol("NQZ6"))}
    world.trade(BUY, 1)
    assert (placed(world), said(world)) == ([(BUY, 1)], [])


def test_without_a_balance_nothing_is_entered_in_another_product_either() -> None:
    micro = {"ES": follower(2, product="MES", sizing=SizingMode.BALANCE)}
    world = desk(follower(2, sizing=SizingMode.BALANCE, products=micro))
    world.trade(BUY, 1)
    assert (placed(world), [reason for reason, _ in said(world)]) == ([], ["leader_balance_unknown"])


# -- what is said -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "settings", "words"),
    [
        (
            {"sizing": SizingMode.BALANCE},
            {},
            ("leader_balance_unknown", "the leader's balance is unknown or not positive"),
        ),
        (
            {"quarantined": frozenset({ES})},
            {},
            ("quarantined", "this contract is in quarantine here: it only exits"),
        ),
        ({"ratio": "1/4"}, {}, ("rounds_to_zero", "its share of 3 rounds down to 0 contracts")),
        (
            {},
            {"instruments": frozenset({"NQ"})},
            ("instrument_filtered", "ESZ6 is not in the filter"),
        ),
        ({}, {"hours": SessionHours.ETH}, ("outside_hours", "the group copies eth only")),
    ],
)
def test_who_gets_nothing_of_an_entry_is_told_why(
    member: dict[str, Any], settings: dict[str, Any], words: tuple[str, str]
) -> None:
    world = desk(follower(2, **member), **settings)
    world.market(BUY, 3)
    assert said(world) == [words]
    assert placed(world) == []


def test_what_a_filter_keeps_out_is_told_by_the_filter_behind_a_gate_as_well() -> None:
    world = desk(instruments=frozenset({"NQ"}))
    world.shut(GROUP_GATE)
    world.market(BUY, 1)
    assert world.reasons() == ["instrument_filtered"]


def test_a_contract_that_was_shut_for_repairs_in_vain_is_only_left() -> None:
    world = desk()
    world.book.quarantined.add((GROUP, TWO, ES))
    world.market(BUY, 1)
    assert world.reasons() == ["quarantined"]


def test_who_is_out_of_reach_is_told_so() -> None:
    world = desk()
    world.lose(TWO)
    world.market(BUY, 1)
    assert said(world) == [("follower_offline", "no connection to its broker")]


def test_who_holds_nothing_to_close_is_told_so() -> None:
    world = desk(follower(2, ratio="1/2"))
    world.market(BUY, 1)
    world.market(SELL, 1)
    assert said(world)[1] == ("nothing_to_reduce", "it holds nothing that this exit closes")


def test_who_holds_its_share_already_is_told_that_its_part_rounds_to_nothing() -> None:
    world = desk(follower(2, ratio="1/2"))
    world.market(BUY, 5)
    world.settle()
    world.market(SELL, 1)
    assert said(world) == [("rounds_to_zero", "its share of 1 rounds down to 0 contracts")]


def test_the_leg_that_would_enter_twice_is_told_so() -> None:
    world = desk()
    legs = [
        world.trade(BUY, 2, OrderType.LIMIT, limit=19000, seen=False),
        world.trade(BUY, 2, OrderType.STOP, stop=21000, seen=False),
    ]
    world.pair(*legs)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.change(legs[1], stop=21010)
    assert ("copy_ended", "the other leg of the pair has filled here already") in said(world)


def test_an_exit_that_a_strange_hand_is_ahead_of_is_refused_aloud() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.trade(SELL, 1, account=TWO)  # by hand, at the market and not filled yet
    world.market(SELL, 1)
    assert world.reasons() == ["nothing_to_reduce"]


# -- how much -----------------------------------------------------------------------------------------


def test_orders_are_each_cut_by_themselves_and_fills_together() -> None:
    world = desk(follower(2, ratio="1/2"))
    world.market(BUY, 1)
    world.market(BUY, 1)
    assert placed(world) == []
    world = desk(follower(2, ratio="1/2"), mode=CONFIRMED)
    world.market(BUY, 1)
    world.market(BUY, 3)
    assert placed(world) == [(BUY, 2)]


def test_fills_of_a_short_are_cut_together_too() -> None:
    world = desk(follower(2, ratio="1/2"), mode=CONFIRMED)
    world.market(SELL, 1)
    world.market(SELL, 1)
    assert placed(world) == [(SELL, 1)]


def test_what_a_fill_closes_does_not_count_toward_what_it_opens() -> None:
    world = desk(follower(2, ratio="1/2"), mode=CONFIRMED)
    world.market(SELL, 1)
    world.market(BUY, 2)
    assert placed(world) == []


def test_an_exit_that_has_filled_in_part_at_the_leader_stays_an_exit() -> None:
    world = desk()
    world.market(BUY, 4)
    world.settle()
    target = world.trade(SELL, 4, OrderType.LIMIT, limit=20100)
    world.settle()
    world.fill(target, 1)
    world.change(target, limit=20110)
    (change,) = world.outbox
    assert isinstance(change, ChangeOrder)
    assert change.spec.qty == 4


def test_of_a_pair_of_exits_the_second_protects_what_the_first_has_left() -> None:
    world = desk()
    world.market(BUY, 4)
    world.settle()
    legs = [
        world.trade(SELL, 4, OrderType.LIMIT, limit=20100, seen=False),
        world.trade(SELL, 4, OrderType.STOP, stop=19900, seen=False),
    ]
    world.pair(*legs)
    world.settle()
    world.fill(world.resting(2)[0].order_id, 2)
    world.settle()
    assert [order.spec.qty for order in world.resting(2) if order.spec.stop] == [2]


def test_a_product_that_nobody_knows_is_copied_as_it_is_in_a_group_of_all_hours() -> None:
    world = desk()
    world.market(BUY, 1, symbol=Symbol("XYZZ6"))
    assert placed(world) == [(BUY, 1)]


def test_a_follower_whose_balance_is_nothing_gets_nothing() -> None:
    world = desk(follower(2, sizing=SizingMode.BALANCE))
    world.balance(LEADER, Decimal(10_000))
    world.balance(TWO, Decimal(0))
    world.market(BUY, 3)
    assert world.reasons() == ["rounds_to_zero"]


# -- a fixed size, fill by fill -----------------------------------------------------------------------


def test_of_a_fixed_size_each_order_is_closed_once_and_the_last_fill_closes_all() -> None:
    world = desk(fixed(qty=1), mode=CONFIRMED)
    for _ in range(4):
        world.market(BUY, 1)
        world.settle()
    leaving = world.trade(SELL, 4)
    held = []
    for _ in range(4):
        world.fill(leaving, 1)
        world.settle()
        held.append(world.held(2))
    assert held == [3, 3, 3, 0]


def test_of_a_fixed_size_what_a_fill_could_not_close_at_once_is_closed_later() -> None:
    world = desk(fixed(qty=2), mode=CONFIRMED)
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 1, account=TWO)  # by hand: one is left
    world.market(BUY, 2)
    entry = lost(world)
    leaving = world.trade(SELL, 3)
    world.fill(leaving, 1)
    world.settle()
    world.deliver(entry)
    world.settle()
    assert world.held(2) == 1
    assert placed(world)[-2:] == [(BUY, 2), (SELL, 1)]


def test_a_fixed_size_that_waits_to_be_opened_is_not_opened_by_the_next_fill_as_well() -> None:
    world = desk(fixed(), mode=CONFIRMED)
    world.market(SELL, 1)
    entry = lost(world)
    turned = world.trade(BUY, 4)
    for part in (2, 2):
        world.fill(turned, part)
    world.deliver(entry)
    world.settle()
    assert world.held(2) == 2


def test_a_fixed_size_is_opened_by_the_fill_that_enters_behind_one_that_only_closes() -> None:
    world = desk(fixed(), mode=CONFIRMED)
    world.market(SELL, 1)
    entry = lost(world)
    turned = world.trade(BUY, 4)
    for part in (1, 3):
        world.fill(turned, part)
    world.deliver(entry)
    world.settle()
    assert world.held(2) == 2


def test_a_fixed_size_is_opened_for_each_order_that_waits() -> None:
    world = desk(fixed(), mode=CONFIRMED)
    world.market(SELL, 1)
    entry = lost(world)
    world.market(BUY, 2)
    world.market(BUY, 1)
    world.deliver(entry)
    world.settle()
    assert world.held(2) == 4


def test_a_fixed_size_is_opened_for_another_leaders_order_of_the_same_number() -> None:
    plan = plan_of(
        group_of(fixed(), mode=CONFIRMED),
        group_of(fixed(), leader=THREE, group=GroupId(10), mode=CONFIRMED),
    )
    world = Desk(plan)
    world.connect()
    world.market(SELL, 1)
    lost(world)
    order = world.market(BUY, 2)
    at = world.at()
    world.step(
        OrderFilled(
            account=THREE,
            order_id=order,
            fill_id=FillId(9000),
            symbol=ES,
            side=BUY,
            qty=1,
            price=Ticks(20000),
            at=at,
            traded_at=at,
        )
    )
    assert placed(world) == [(BUY, 2)]


@pytest.mark.parametrize("waits", [True, False])
def test_a_fixed_size_is_opened_for_who_missed_the_first_fill(*, waits: bool) -> None:
    world = desk(fixed(2), fixed(3), mode=CONFIRMED)
    world.market(SELL, 1)
    if waits:
        lost(world, THREE)
    world.settle()
    turned = world.trade(BUY, 4)
    world.lose(TWO)
    world.fill(turned, 2)
    world.connect(TWO)
    world.outbox.clear()
    world.fill(turned, 2)
    assert [(one.side, one.spec.qty) for one in world.outbox if one.account == TWO] == [(BUY, 2)]  # type: ignore[union-attr]


def test_a_size_that_was_fixed_meanwhile_is_that_of_an_order() -> None:
    world = desk(mode=CONFIRMED)
    order = world.trade(BUY, 4)
    world.fill(order, 1)
    world.plan = plan_of(group_of(fixed(qty=3), mode=CONFIRMED))
    world.fill(order, 3)
    assert placed(world) == [(BUY, 1)]


def test_a_group_that_copies_at_all_hours_copies_when_the_session_is_over_too() -> None:
    """A leader's order that is there is there: its filter of contracts asks nobody for hours."""
    world = desk(instruments=frozenset({"ES"}))
    world.now += 3 * 24 * 3600 * SECOND  # Saturday
    world.trade(BUY, 1, OrderType.LIMIT, limit=19_000)
    assert (placed(world), said(world)) == ([(BUY, 1)], [])
