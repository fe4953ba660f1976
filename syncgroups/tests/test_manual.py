"""Manual copies: one order for chosen followers, sized as an entry, kept apart from what the group holds."""

import pytest

from syncgroups.core.keys import (
    Leg,
    command_id,
    leg_id,
    manual_group,
    manual_id,
    manual_order,
    parse_key,
    parse_manual,
)
from syncgroups.core.plan import FollowerPlan
from syncgroups.tests.bracketing import NUMBER, Desk, desk
from syncgroups.tests.plans import ES, GROUP, GROUP_GATE, LEADER, Capped, follower, group_of, plan_of
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side, SizingMode, SyncMode, TradingState
from tradehaven.domain.ids import AccountId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def _placed(world: Desk) -> list[tuple[int, Side, int]]:
    return [
        (command.account, command.side, command.spec.qty)
        for command in world.outbox
        if isinstance(command, PlaceOrder)
    ]


def test_chosen_followers_get_their_share_and_nobody_else() -> None:
    world = desk(follower(2), follower(3, ratio="0.5"), follower(4))
    world.order(BUY, 4, 2, 3)
    assert _placed(world) == [(2, BUY, 4), (3, BUY, 2)]
    assert world.outbox[0].client_order_id == f"th1h.m{NUMBER}.l1.f2.s20.t40"


def test_asked_twice_it_is_placed_once() -> None:
    world = desk()
    world.order(BUY, 1)
    world.order(BUY, 1)
    assert len(world.outbox) == 1
    world.book.orders_asked.clear()  # as after a start: the copies are what is remembered
    world.order(BUY, 1)
    assert len(world.outbox) == 1


def test_a_refusal_is_an_answer_as_well() -> None:
    world = desk()
    world.lose(TWO)
    world.order(BUY, 1)
    world.connect(TWO)
    world.book.orders_asked.clear()
    world.order(BUY, 1)
    assert (world.outbox, world.reasons()) == ([], ["follower_offline"])
    assert not world.book.missed  # and nothing that could be replayed: it answers no order of the leader


@pytest.mark.parametrize(
    ("mine", "reason"),
    [
        (follower(2, ratio="0.1"), "rounds_to_zero"),
        (follower(2, max_position=1), "max_position"),
        (follower(2, max_contracts=0), "rounds_to_zero"),
        (follower(2, sizing=SizingMode.BALANCE), "leader_balance_unknown"),
        (follower(2, quarantined=frozenset({ES})), "quarantined"),
        (follower(2, product="NQ"), "unknown_instrument"),
        (follower(2, copies=False), "instrument_filtered"),
    ],
)
def test_a_follower_is_left_out_for_the_reasons_of_any_entry(mine: FollowerPlan, reason: str) -> None:
    world = desk(mine)
    world.order(BUY, 2)
    assert (world.outbox, world.reasons()) == ([], [reason])
    (refusal,) = world.decisions[-1].refusals
    assert parse_manual(refusal.key) is not None


@pytest.mark.parametrize(
    ("state", "reason"), [(TradingState.HALTED, "kill_switch"), (TradingState.REDUCING, "reduce_only")]
)
def test_gates_hold(state: TradingState, reason: str) -> None:
    world = desk()
    world.shut(GROUP_GATE, state=state)
    world.order(BUY, 1)
    assert (world.outbox, world.reasons()) == ([], [reason])


def test_a_group_that_is_off_or_waits_for_fills_can_still_be_ordered_for() -> None:
    for settings in ({"active": False}, {"mode": SyncMode.CONFIRMED}):
        world = desk(**settings)
        world.order(BUY, 1)
        assert _placed(world) == [(2, BUY, 1)]


@pytest.mark.parametrize("leader", [LEADER, AccountId(8)])
def test_who_follows_no_more_is_left_out_with_that_reason(leader: AccountId) -> None:
    world = desk(follower(3))
    world.order(BUY, 1, 2, leader=leader)
    assert (world.outbox, world.reasons()) == ([], ["settings_changed"])


def test_mapping_and_reverse_hold_and_offsets_are_of_the_followers_own_contract() -> None:
    world = desk(follower(2, product="MES", reverse=True))
    world.order(BUY, 1, order_type=OrderType.LIMIT, limit=20000)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert (command.symbol, command.side, command.spec.qty) == ("MESZ6", SELL, 10)
    assert (command.spec.order_type, command.spec.stop) == (OrderType.STOP, 20000)
    world.settle()
    world.fill(world.resting(2)[0].order_id, price=19999)
    world.settle()
    assert world.legs() == ((10, 20019), (10, 19959))


def test_the_side_that_an_account_holds_is_not_traded_against() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.order(SELL, 1)
    assert (world.outbox, world.reasons()) == ([], ["other_side"])
    world.order(BUY, 1, number=6)
    assert _placed(world) == [(2, BUY, 1)]


def test_an_entry_in_flight_on_the_other_side_counts_as_held() -> None:
    world = desk()
    world.trade(BUY, 2)
    world.order(SELL, 1)
    assert world.reasons() == ["other_side"]


def test_a_cap_counts_what_the_group_and_other_manual_copies_brought() -> None:
    world = desk(follower(2, max_contracts=5), follower(3))
    world.trade(BUY, 1, OrderType.LIMIT, limit=100)  # what only rests is not counted
    world.market(BUY, 2)
    world.settle()
    world.order(BUY, 2, stop_loss=None, take_profit=None)
    world.order(BUY, 2, number=6)
    world.order(BUY, 1, number=7)
    assert _placed(world) == [(2, BUY, 2), (2, BUY, 1)]
    assert world.reasons() == ["rounds_to_zero"]


# -- apart from the group ----------------------------------------------------------------------------


def test_the_leaders_exit_closes_what_the_group_holds_and_not_the_manual_copy() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.order(BUY, 1)
    world.settle()
    world.market(SELL, 2)
    world.settle()
    assert (world.held(2), world.manual_held()) == (1, 1)
    assert world.legs() == ((1, 19980), (1, 20040))
    for _ in range(12):
        world.wait(1)
        world.settle()
    assert world.held(2) == 1
    assert not world.book.differences  # nobody is left behind, and nothing is foreign


def test_a_leader_that_trades_the_same_contract_later_does_not_touch_it() -> None:
    world = desk()
    world.order(BUY, 3)
    world.settle()
    world.market(BUY, 1)
    world.settle()
    world.market(SELL, 1)
    world.settle()
    assert (world.held(2), world.manual_held(), world.legs()) == (3, 3, ((3, 19980), (3, 20040)))


def test_what_a_hand_closes_is_not_bought_back_and_loses_its_legs() -> None:
    world = desk()
    world.order(BUY, 3)
    world.settle()
    world.market(SELL, 2, account=TWO)
    world.settle()
    assert (world.manual_held(), world.legs()) == (1, ((1, 19980), (1, 20040)))
    world.market(SELL, 1, account=TWO)
    world.settle()
    assert (world.manual_held(), world.legs(), world.held(2)) == (0, (None, None), 0)


def test_contracts_beside_the_groups_are_gone_when_the_account_is_flat() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.order(BUY, 1)
    world.settle()
    world.market(SELL, 3, account=TWO)
    world.settle()
    assert (world.manual_held(), world.legs()) == (0, (None, None))


def test_what_a_hand_closed_in_part_while_nobody_looked_is_protected_no_more() -> None:
    world = desk()
    world.order(BUY, 3)
    world.settle()
    world.lose(TWO)
    world.fill(world.trade(SELL, 2, account=TWO, seen=False), seen=False)
    world.connect(TWO)
    world.settle()
    world.wait(1)
    world.settle()
    assert (world.manual_held(), world.legs()) == (1, ((1, 19980), (1, 20040)))


def test_opposite_sides_of_group_and_manual_copy_net_and_nothing_is_forgotten() -> None:
    world = desk()
    world.order(BUY, 1)
    world.settle()
    world.market(SELL, 1)  # the leader goes the other way: at the broker both are flat
    world.settle()
    world.wait(1)
    world.settle()
    assert (world.held(2), world.manual_held(), world.legs()) == (0, 1, (None, None))
    world.market(BUY, 1)
    world.settle()
    assert world.held(2) >= 0


def test_what_was_closed_while_nobody_looked_is_gone_when_two_answers_say_so() -> None:
    world = desk()
    world.order(BUY, 1)
    world.settle()
    world.lose(TWO)
    world.fill(world.trade(SELL, 1, account=TWO, seen=False), seen=False)
    del world.positions[TWO, ES]
    world.connect(TWO)
    world.settle()
    assert world.legs() == ((1, 19980), (1, 20040))  # one answer that leaves a position out proves nothing
    world.now += 6_000_000_000
    world.connect(TWO)
    world.settle()
    world.wait(1)
    world.settle()
    assert (world.legs(), world.manual_held()) == ((None, None), 0)


def test_legs_of_what_an_answer_left_out_stay_whatever_is_traded_beside_it() -> None:
    world = desk()
    world.order(BUY, 1)
    world.settle()
    world.lose(TWO)
    del world.positions[TWO, ES]
    world.connect(TWO)
    world.market(BUY, 1, symbol=Symbol("NQZ6"))
    world.settle()
    assert world.legs() == ((1, 19980), (1, 20040))


def test_what_one_account_closed_while_nobody_looked_is_not_gone_from_another() -> None:
    world = desk(follower(2), follower(3))
    world.order(BUY, 1, 2, 3)
    world.settle()
    world.lose(TWO)
    world.fill(world.trade(SELL, 1, account=TWO, seen=False), seen=False)
    world.connect(TWO)
    world.wait(1)
    world.settle()
    assert (world.manual_held(2), world.manual_held(3)) == (0, 1)
    assert world.legs(3) == ((1, 19980), (1, 20040))


def test_a_resting_order_is_left_alone_by_snapshots_and_by_its_leaders_deeds() -> None:
    world = desk()
    world.order(BUY, 1, order_type=OrderType.LIMIT, limit=19900)
    world.settle()
    world.market(SELL, 1)
    world.cancel(world.trade(BUY, 1, OrderType.LIMIT, limit=19000))
    world.lose(LEADER)
    world.connect()
    world.settle()
    alive = [order.spec.limit for order in world.resting(2) if order.side is BUY]
    assert alive == [19900]


# -- names -------------------------------------------------------------------------------------------


def test_ids_say_what_an_order_is_for() -> None:
    entry = manual_id(7, LEADER, TWO, None, 40)
    third = leg_id(entry, Leg.TAKE_PROFIT, 2)
    named = parse_manual(command_id(third, 3))
    assert named is not None
    assert (named.key, named.number, named.follower) == ("th1h.m7.l1.f2.t40.tp.r2", 7, TWO)
    assert (named.stop_loss, named.take_profit, named.leg) == (None, 40, Leg.TAKE_PROFIT)
    assert (manual_group(7), manual_order(7)) == (-7, -7)  # no row's and no broker's number is below 0
    assert parse_key(entry) is None
    for stranger in (None, "", "th1.g9.l1.o5.f2", f"{entry}.xx"):
        assert parse_manual(stranger) is None


def test_after_the_loss_of_every_record_the_brokers_lists_say_what_is_whose() -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    lost = Desk(world.plan, orders=world.orders, fills=world.fills, positions=world.positions)
    lost.now, lost.last_id = world.now, world.last_id
    lost.connect()
    assert lost.outbox == []
    assert (lost.manual_held(), lost.legs()) == (2, ((2, 19980), (2, 20040)))
    stop = lost.leg(OrderType.STOP)
    assert stop is not None
    lost.fill(stop.order_id)
    lost.settle()
    assert (lost.manual_held(), lost.held(2), lost.legs()) == (0, 0, (None, None))
    assert GROUP not in {holding[0] for holding, net in lost.book.copied.items() if net}


def test_a_leg_that_outlived_every_record_and_its_position_is_swept() -> None:
    world = desk()
    world.order(BUY, 2)
    world.settle()
    legs = {order.order_id: order for order in world.resting(2)}
    lost = Desk(world.plan, orders=legs)  # a day later: neither the entry nor its fills are listed
    lost.now, lost.last_id = world.now, world.last_id
    lost.connect()
    for _ in range(8):
        lost.wait(1)
        lost.settle()
    assert lost.resting(2) == []


def test_another_accounts_id_is_nobodys() -> None:
    world = desk(follower(2), follower(3))
    world.order(BUY, 1, stop_loss=None, take_profit=None)
    world.settle()
    order = next(iter(world.orders.values()))
    order.account = AccountId(3)
    lost = Desk(world.plan, orders=world.orders)
    lost.connect()
    assert not lost.book.copies


def test_limits_that_let_a_part_through_are_told() -> None:
    world = desk(Capped(account=TWO, gates=(), max_position=3))
    world.order(BUY, 2)
    world.settle()
    world.order(BUY, 2, number=6)
    assert world.reasons() == [RefusalReason.MAX_POSITION]


def test_an_unknown_contract_is_refused_by_name() -> None:
    world = Desk(plan_of(group_of(follower(2, product="MES"))))
    world.connect()
    world.order(BUY, 1, symbol=Symbol("ESH7"))
    assert _placed(world) == [(2, BUY, 10)]
