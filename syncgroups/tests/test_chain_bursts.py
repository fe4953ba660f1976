"""A chain in a burst: what its middle has sent but not been told of is no past for what comes behind it."""

import pytest

from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import follower, group_of, plan_of
from tradehaven.domain.enums import OrderType, RefusalReason, Side, SyncMode
from tradehaven.domain.ids import AccountId, GroupId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def test_in_a_chain_what_was_sent_later_is_not_counted_as_held_before() -> None:
    world = Desk(plan_of(group_of(follower(2)), group_of(follower(3), leader=TWO, group=GroupId(10))))
    world.connect()
    world.market(SELL, 6)
    world.settle()
    world.market(BUY, 6)
    world.market(BUY, 1)  # its copy is on its way when the leader of the chain closes
    world.settle()
    assert (world.held(2), world.held(3)) == (1, 1)
    assert [order.spec.qty for order in world.placed if order.account == 3] == [6, 6, 1]


def test_in_a_chain_the_second_half_of_a_flip_is_not_counted_before_its_first() -> None:
    world = Desk(plan_of(group_of(follower(2)), group_of(follower(3), leader=TWO, group=GroupId(10))))
    world.connect()
    world.market(SELL, 3)
    world.settle()
    world.market(BUY, 1)
    world.market(BUY, 3)  # two are closed at once; the last one and the new side go when the first is known
    world.settle()
    assert (world.held(2), world.held(3)) == (1, 1)
    rests = [order for order in world.placed if ".r" in order.client_order_id]
    assert rests
    sizes = [order.spec.qty for order in world.placed if order.account == 3]
    assert sum(sizes) == 3 + 4


def test_in_a_chain_answers_to_fills_come_in_the_order_of_the_fills_and_not_of_their_orders() -> None:
    first = group_of(follower(2), mode=SyncMode.CONFIRMED)
    world = Desk(plan_of(first, group_of(follower(3), leader=TWO, group=GroupId(10))))
    world.connect()
    world.market(BUY, 3)
    world.settle()
    slow = world.trade(SELL, 1)
    world.market(SELL, 3)
    world.fill(slow)  # its answer goes out behind that of the younger order, which closes
    world.settle()
    assert [(one.side, one.spec.qty) for one in world.placed if one.account == 3] == [
        (BUY, 3),
        (SELL, 3),
        (SELL, 1),
    ]


def chain(*, reverse: bool = False) -> Desk:
    """Return a chain of three whose middle and end hold one contract each."""
    end = follower(3, reverse=reverse)
    world = Desk(plan_of(group_of(follower(2)), group_of(end, leader=TWO, group=GroupId(10))))
    world.connect()
    world.market(BUY, 1)
    world.settle()
    return world


@pytest.mark.parametrize("reverse", [False, True])
def test_in_a_chain_an_order_without_an_answer_makes_neither_an_entry_nor_an_exit_of_the_next(
    reverse: bool,
) -> None:
    world = chain(reverse=reverse)
    world.market(SELL, 1)
    world.outbox.clear()  # the middle's exit is lost on its way, and nobody knows that yet
    world.market(SELL, 1)
    world.settle()
    assert (world.held(2), world.held(3)) == (0, -1 if reverse else 1)
    (one,) = [one for said in world.decisions for one in said.refusals]
    assert (one.follower, one.reason) == (AccountId(3), RefusalReason.UNRESOLVED)
    assert (
        one.detail
        == "what its leader holds is not certain: an order of the leader's own is without an answer"
    )


def test_in_a_chain_what_is_sure_of_an_order_goes_and_the_rest_is_left_out_with_its_reason() -> None:
    world = chain()
    world.market(SELL, 1)
    world.outbox.clear()
    world.market(SELL, 3)
    world.settle()
    assert (world.held(2), world.held(3)) == (-2, -1), "two open a position either way"
    assert [one.reason for said in world.decisions for one in said.refusals] == [RefusalReason.UNRESOLVED]


def test_in_a_chain_an_order_whose_size_is_the_same_either_way_is_copied_as_it_is() -> None:
    world = chain()
    world.market(BUY, 2)
    world.outbox.clear()
    world.market(BUY, 1)
    world.settle()
    assert (world.held(2), world.held(3)) == (2, 2)
    assert not [one for said in world.decisions for one in said.refusals]


def test_in_a_chain_an_entry_goes_when_its_leader_turns_out_to_be_out() -> None:
    """Seed 636889: an order that had been lost kept it, for its leader might have held something by it."""
    world = Desk(plan_of(group_of(follower(2)), group_of(follower(3), leader=TWO, group=GroupId(10))))
    world.connect()
    world.market(SELL, 1)
    lost = world.outbox.pop()
    order = world.trade(SELL, 1, OrderType.LIMIT, limit=20_100)
    world.settle()
    (middle,) = world.resting(2)
    world.fill(order)
    world.fill(middle.order_id)
    world.market(BUY, 2)
    world.settle()
    assert (world.held(2), len(world.resting(3))) == (0, 1)
    world.reject(lost, "NoQuote")
    world.settle()
    assert world.resting(3) == []
