"""Which order at the broker is which of ours, and what its fills and a strange hand make of what is held."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.core.copies import CopyState
from syncgroups.core.keys import CopyKey, client_order_id, command_id, manual_group, manual_id, repair_id
from syncgroups.tests import bracketing
from syncgroups.tests.drifting import TWO, Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, Side
from tradehaven.domain.events import OrderChanged, OrderEnded, OrderWorking
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
THREE = AccountId(3)
MES, NQ = Symbol("MESZ6"), Symbol("NQZ6")
HOLDING = (GROUP, TWO, ES, ES)
MANUAL = (manual_group(bracketing.NUMBER), TWO, ES, ES)


def working(world: Any, order: OrderId, name: ClientOrderId | None) -> None:
    """Let an order be seen that works at the broker, under this name or none."""
    known = world.orders[order]
    world.step(
        OrderWorking(
            account=known.account,
            order_id=order,
            client_order_id=name,
            symbol=known.symbol,
            side=known.side,
            spec=known.spec,
            at=world.at(),
        )
    )


def sent_by_leader(world: Any, side: Side = BUY, qty: int = 2, **spec: Any) -> tuple[PlaceOrder, OrderId]:
    """Let the leader order; return the follower's order, which the broker has taken and nobody seen."""
    world.trade(side, qty, **spec)
    command = world.outbox.pop()
    assert isinstance(command, PlaceOrder)
    order = world.trade(side, qty, account=TWO, seen=False, **spec)
    world.orders[order].client_order_id = command.client_order_id
    return command, order


# -- an order and its name ---------------------------------------------------------------------------


@pytest.mark.parametrize(("answered", "state"), [(True, CopyState.ENDED), (False, CopyState.MISSED)])
def test_an_order_that_two_lists_lack_was_never_taken_unless_the_broker_had_numbered_it(
    answered: bool, state: CopyState
) -> None:
    world = desk()
    world.trade(BUY, 1)
    command = world.outbox.pop()
    if answered:
        world.answer(command, OrderId(999))
    else:
        name = command.client_order_id
        world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    for _ in range(2):
        world.list_again(TWO)
        world.look(6)
    assert world.book.copies[command.client_order_id].state is state


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_order_that_was_seen_without_a_name_is_caught_up_with_when_its_answer_names_it(side: Side) -> None:
    world = desk()
    command, order = sent_by_leader(world, side, 3)
    working(world, order, None)
    world.fill(order, 2)
    assert world.book.copied[HOLDING] == 0
    world.answer(command, order)
    assert world.book.copied[HOLDING] == 2 * side.sign
    (copy,) = world.book.copies.values()
    assert (copy.filled, copy.outstanding, copy.state) == (2, 1, CopyState.LIVE)
    world.fill(order)
    assert world.book.copied[HOLDING] == 3 * side.sign


def test_what_a_hand_closed_before_the_order_had_a_name_is_not_held() -> None:
    world = desk()
    command, order = sent_by_leader(world, qty=3)
    working(world, order, None)
    world.fill(order, 2)
    world.market(SELL, 1, account=TWO)
    world.answer(command, order)
    assert (world.book.copied[HOLDING], world.held(2)) == (1, 1)


def test_an_order_that_was_filled_and_over_before_it_had_a_name_counts_with_its_end() -> None:
    world = desk()
    command, order = sent_by_leader(world)
    working(world, order, None)
    world.fill(order)
    assert world.book.copied[HOLDING] == 2
    assert world.book.copies[command.client_order_id].state is CopyState.ENDED
    world.answer(command, order)
    assert world.book.copied[HOLDING] == 2


def test_an_answer_that_comes_after_the_fills_counts_nothing_twice() -> None:
    world = desk()
    command, order = sent_by_leader(world)
    working(world, order, command.client_order_id)
    world.fill(order, 1)
    world.answer(command, order)
    assert world.book.copied[HOLDING] == 1


def test_an_answer_that_comes_after_a_change_lets_that_go_on() -> None:
    world = desk()
    command, order = sent_by_leader(world, order_type=OrderType.LIMIT, limit=20_000)
    working(world, order, command.client_order_id)
    leaders = command.client_order_id.split(".o")[1].split(".")[0]
    world.change(OrderId(int(leaders)), limit=19_990)
    assert [type(sent) for sent in world.outbox] == [ChangeOrder]
    world.answer(command, order)
    world.change(OrderId(int(leaders)), limit=19_980)
    assert len(world.outbox) == 1  # one at a time: the first one has no answer yet
    world.settle()
    assert world.resting(2)[0].spec.limit == 19_980


def test_what_a_manual_order_paid_before_it_had_a_name_places_its_stop() -> None:
    world = bracketing.desk()
    world.order(BUY, 1, order_type=OrderType.LIMIT, limit=20_000)
    command = world.outbox.pop()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20_000, account=TWO, seen=False)
    working(world, order, None)
    world.fill(order, price=19_990)
    world.answer(command, order)
    world.wait(1)
    world.settle()
    assert world.legs() == ((1, 19_970), (1, 20_030))


@pytest.mark.parametrize("limit", [20_000, 19_990])
def test_an_order_that_a_list_left_out_keeps_what_it_had_filled_and_what_it_was_told(limit: int) -> None:
    world = desk()
    leaders = world.trade(BUY, 3, OrderType.LIMIT, limit=20_000)
    world.settle()
    (mine,) = world.resting(2)
    world.fill(mine.order_id, 1)
    world.market(BUY, 5, account=TWO)
    del world.orders[mine.order_id]
    world.connect(TWO)  # the list lagged
    world.change(leaders, limit=limit)
    told = list(world.outbox)
    world.orders[mine.order_id] = mine
    working(world, mine.order_id, mine.client_order_id)
    assert world.outbox == told
    (copy,) = world.book.copies.values()
    assert (copy.filled, copy.cost, copy.outstanding) == (1, 20_000, 2)
    assert world.book.orders[TWO, mine.order_id].filled == 1
    assert world.book.copied[HOLDING] == 1
    world.fill(mine.order_id, 1)
    assert (world.book.copied[HOLDING], world.book.positions[TWO, ES]) == (2, 7)


def test_an_order_that_is_only_seen_changes_nothing_that_is_held() -> None:
    world = desk()
    world.trade(BUY, 1, OrderType.LIMIT, limit=20_000)
    world.settle()
    assert world.book.changed_holdings == set()


def test_an_order_that_was_made_smaller_before_it_was_seen_is_over_with_what_it_is_by_then() -> None:
    """Seed 1616766: the first news of it was lost, and the next told of what a hand had made of it."""
    world = desk()
    command, _ = sent_by_leader(world, qty=5, order_type=OrderType.LIMIT, limit=19_000)
    world.outbox.clear()
    order = world._accept(TWO, command.client_order_id, ES, BUY, command.spec)
    order.spec = replace(command.spec, qty=1)
    working(world, order.order_id, command.client_order_id)
    (copy,) = world.book.copies.values()
    assert (copy.sent.qty, copy.in_flight) == (1, command_id(copy.key, 1))
    assert [one.spec.qty for one in world.outbox if isinstance(one, ChangeOrder)] == [5]
    world.outbox.clear()
    world.fill(order.order_id)
    (copy,) = world.book.copies.values()
    assert (copy.state, copy.filled) == (CopyState.ENDED, 1)


def test_an_order_that_grows_is_not_over_when_it_has_filled_what_it_was() -> None:
    world = desk()
    leaders = world.trade(BUY, 2, OrderType.LIMIT, limit=20_000)
    world.settle()
    (mine,) = world.resting(2)
    world.change(leaders, qty=3)
    world.change(mine.order_id, seen=False, qty=3)  # in force at the broker, and not told so far
    world.fill(mine.order_id, 2)
    world.outbox.clear()
    world.step(OrderChanged(account=TWO, order_id=mine.order_id, spec=mine.spec, at=world.at()))
    world.cancel(leaders)
    world.settle()
    assert (world.resting(2), world.book.copied[HOLDING]) == ([], 2)


# -- an order that is said to be filled before its fills came ----------------------------------------


def test_an_order_that_is_said_to_be_filled_is_over_with_its_last_fill_and_not_before() -> None:
    world = desk()
    command, order = sent_by_leader(world)
    working(world, order, command.client_order_id)
    ended = OrderEnded(
        account=TWO,
        order_id=order,
        client_order_id=command.client_order_id,
        status=OrderStatus.FILLED,
        reason="",
        at=world.at(),
    )
    world.step(ended)
    states = []
    for _ in range(2):
        world.fill(order, 1)
        states.append(world.book.copies[command.client_order_id].state)
    assert states == [CopyState.FILLING, CopyState.ENDED]


# -- another hand ------------------------------------------------------------------------------------


def test_a_hand_closes_what_is_held_in_its_contract_and_account_alone() -> None:
    world = desk(follower(2), follower(3))
    world.market(BUY, 3)
    world.market(BUY, 2, symbol=NQ)
    world.settle()
    world.market(SELL, 2, account=TWO)
    assert world.book.copied == {
        HOLDING: 1,
        (GROUP, TWO, NQ, NQ): 2,
        (GROUP, THREE, ES, ES): 3,
        (GROUP, THREE, NQ, NQ): 2,
    }
    assert world.book.taken == {HOLDING: 2}


def test_what_a_group_held_before_hides_nothing_that_a_hand_closes_now() -> None:
    other = group_of(follower(2), leader=THREE, group=GroupId(10))
    world = Desk(plan_of(group_of(follower(2)), other))
    world.connect()
    for leader, side in ((THREE, BUY), (THREE, SELL), (LEADER, BUY)):
        world.market(side, 2, account=leader)
        world.settle()
    world.market(SELL, 1, account=TWO)
    assert world.book.copied[HOLDING] == 1


def _beside_a_group(manual: int, copied: int) -> bracketing.Desk:
    world = bracketing.desk()
    world.market(BUY, copied)
    world.settle()
    world.order(BUY, manual, stop_loss=None, take_profit=None)
    world.settle()
    world.book.changed_holdings.clear()
    return world


def test_manual_contracts_beside_a_groups_stay_as_long_as_anything_is_left() -> None:
    world = _beside_a_group(manual=2, copied=1)
    world.market(SELL, 2, account=TWO)
    assert (world.book.copied[MANUAL], world.book.copied[HOLDING]) == (2, 1)
    assert world.book.changed_holdings == set()


def test_manual_contracts_beside_a_groups_are_gone_when_nothing_is_left() -> None:
    world = _beside_a_group(manual=2, copied=1)
    world.market(SELL, 3, account=TWO)
    assert (world.book.copied[MANUAL], world.book.copied[HOLDING]) == (0, 0)
    assert world.book.changed_holdings == {MANUAL, HOLDING}


def test_manual_contracts_against_a_groups_are_not_closed_by_it() -> None:
    world = bracketing.desk(follower(2), follower(3))
    world.order(BUY, 2, stop_loss=None, take_profit=None)
    world.settle()
    world.market(SELL, 2)
    world.settle()
    assert (world.held(2), world.book.copied[MANUAL], world.book.copied[HOLDING]) == (0, 2, -2)


def test_manual_contracts_in_one_contract_do_not_hang_on_another() -> None:
    world = bracketing.desk()
    world.market(BUY, 1, symbol=NQ)
    world.order(BUY, 2, stop_loss=None, take_profit=None)
    world.settle()
    world.market(SELL, 1, account=TWO)
    assert (world.book.copied[MANUAL], world.book.copied[GROUP, TWO, NQ, NQ]) == (1, 1)


def test_of_micros_held_for_minis_a_hand_closes_the_micros() -> None:
    world = desk(follower(2, products={"ES": follower(2, product="MES")}))
    world.market(BUY, 1)
    world.settle()
    world.market(SELL, 4, account=TWO, symbol=MES)
    assert world.book.copied == {(GROUP, TWO, MES, ES): 6}


def _closed_unseen(world: bracketing.Desk, qty: int, symbol: Symbol = ES) -> None:
    world.lose(TWO)
    world.fill(world.trade(SELL, qty, account=TWO, symbol=symbol, seen=False), seen=False)
    world.connect(TWO)
    world.wait(1)


def test_manual_contracts_that_were_closed_unseen_are_gone_whatever_else_was_held_once() -> None:
    world = bracketing.desk()
    world.market(BUY, 1)
    world.settle()
    world.market(SELL, 1)
    world.settle()
    world.market(BUY, 1, symbol=NQ)
    world.order(BUY, 2, stop_loss=None, take_profit=None)
    world.settle()
    _closed_unseen(world, 1)
    assert (world.book.copied[MANUAL], world.book.copied[GROUP, TWO, NQ, NQ]) == (1, 1)
    world.book.changed_holdings.clear()
    world.wait(1)
    assert world.book.changed_holdings == set()


def test_manual_contracts_beside_a_groups_are_gone_when_all_was_closed_unseen() -> None:
    world = _beside_a_group(manual=2, copied=1)
    _closed_unseen(world, 3)
    assert (world.book.copied[MANUAL], world.book.copied[HOLDING]) == (0, 1)


def test_manual_contracts_beside_micros_held_for_minis_are_not_alone() -> None:
    world = bracketing.desk(follower(2, products={"ES": follower(2, product="MES")}))
    world.market(BUY, 1)
    world.order(BUY, 2, symbol=MES, stop_loss=None, take_profit=None)
    world.settle()
    _closed_unseen(world, 11, MES)
    held = {holding[2:]: net for holding, net in world.book.copied.items()}
    assert held == {(MES, ES): 10, (MES, MES): 2}


def test_quiet_trading_takes_nothing_and_writes_down_only_what_changed() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.book.changed_holdings.clear()
    world.market(BUY, 1, account=TWO)
    assert world.book.taken == {}
    assert world.book.changed_holdings == set()


# -- orders that are ours by their id alone ----------------------------------------------------------


def _found(name: ClientOrderId, *, leaders: bool, side: Side = BUY) -> Desk:
    """Return a desk that has lost every record, and finds one order of ours at the broker."""
    rule = follower(2, product="MES")
    world = Desk(plan_of(group_of(follower(2, products={"ES": rule}))))
    world.trade(BUY, 1, OrderType.LIMIT, limit=19_000, seen=False)
    if leaders:
        world.connect(LEADER)
    world.connect(TWO)
    mine = world.trade(side, 10, OrderType.STOP, stop=19_500, account=TWO, symbol=MES, seen=False)
    working(world, mine, name)
    return world


@pytest.mark.parametrize(("seen", "leads"), [(True, ES), (False, MES)])
def test_a_found_order_answers_the_contract_of_its_leaders_order_where_that_is_known(
    seen: bool, leads: Symbol
) -> None:
    world = _found(client_order_id(GROUP, LEADER, OrderId(601), TWO), leaders=seen)
    (copy,) = world.book.copies.values()
    assert (copy.symbol, copy.leads, copy.enters, copy.state) == (MES, leads, 10, CopyState.LIVE)
    (mine,) = world.resting(2)
    world.fill(mine.order_id)
    assert world.book.copied[GROUP, TWO, MES, leads] == 10


def test_a_found_repair_closes_for_the_contract_in_its_name_and_enters_nothing() -> None:
    whose = CopyKey(group=GROUP, leader=LEADER, leader_order=OrderId(601), follower=TWO)
    world = _found(repair_id(whose, MES, ES, 1_795_017_605), leaders=True, side=SELL)
    (copy,) = world.book.copies.values()
    assert (copy.leads, copy.enters, copy.reverse) == (ES, 0, False)


@pytest.mark.parametrize(
    "name", [client_order_id(GROUP, LEADER, OrderId(601), THREE), manual_id(5, LEADER, THREE, None, None)]
)
def test_an_order_that_names_another_account_is_nobodys(name: ClientOrderId) -> None:
    world = _found(name, leaders=True)
    assert not world.book.copies
    world.wait(1)
    assert ("foreign_order", 2, 0, 10) in world.differs()
