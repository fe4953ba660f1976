"""Two orders of one name, after a disk has lost what was sent; and an order that traded too much."""

from dataclasses import replace

import pytest

from syncgroups.core.folding import fold
from syncgroups.core.keys import close_id
from syncgroups.tests.answers import BrokerOrder
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import SECOND, gate_of
from tradehaven.domain.commands import CancelOrder
from tradehaven.domain.enums import OrderStatus, OrderType, Side, SyncMode
from tradehaven.domain.events import OrderEnded, TimePassed
from tradehaven.domain.ids import AccountId, Nanos, OrderId

TWO = AccountId(2)


def doubled(*, seen: bool = True) -> tuple[Desk, BrokerOrder, BrokerOrder]:
    """Return a desk whose follower's order rests twice."""
    world = desk()
    world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_900)
    world.settle()
    (first,) = world.resting(TWO)
    second = world._accept(TWO, first.client_order_id, first.symbol, first.side, first.spec)
    if seen:
        world.step(world._working(second))
    return world, first, second


def cancels(world: Desk) -> list[int]:
    return [command.order_id for command in world.outbox if isinstance(command, CancelOrder)]


@pytest.mark.parametrize("how", ["told", "after a snapshot"])
def test_the_second_order_of_a_name_is_cancelled_and_said(how: str) -> None:
    """Of seed 729286: a machine died with what it had written; what was sent arrived later, and twice."""
    world, first, second = doubled(seen=how == "told")
    if how != "told":
        world.step(world.snapshot(TWO))
    world.wait(1)
    assert cancels(world) == [second.order_id]
    assert world.remarks().count("doubled") == 1
    world.settle()
    world.wait(10)
    assert world.resting(TWO) == [first]
    assert world.outbox == []
    assert not world.book.at_work.twins
    assert not world.book.flattening
    assert world.remarks().count("doubled") == 1


def test_the_first_one_follows_its_leader_as_before() -> None:
    world, first, _ = doubled()
    world.wait(1)
    world.settle()
    (order_id,) = (order for account, order in world.book.orders if account == 1)
    world.change(order_id, qty=2)
    world.settle()
    assert [(order.order_id, order.spec.qty) for order in world.resting(TWO)] == [(first.order_id, 2)]
    world.fill(first.order_id)
    assert [copy.filled for copy in world.book.copies.values()] == [2]
    assert [copy.is_open for copy in world.book.copies.values()] == [False]


def test_a_cancel_without_effect_is_told_again_after_three_seconds() -> None:
    world, _, second = doubled()
    told = []
    for _ in range(7):
        world.wait(1)
        told.append(len(cancels(world)))
    assert told == [1, 1, 1, 2, 2, 2, 3]
    assert set(cancels(world)) == {second.order_id}
    assert len({command.client_order_id for command in world.outbox}) == 3
    assert world.remarks().count("doubled") == 1


def test_a_cancel_is_told_again_to_the_nanosecond_and_named_by_its_second() -> None:
    world, _, second = doubled()
    world.wait(1)
    told_at = world.book.at_work.twins[TWO, second.order_id]
    for late, cancelled in ((3 * SECOND - 1, 1), (3 * SECOND, 2)):
        world.step(TimePassed(at=Nanos(told_at + late)))
        assert len(cancels(world)) == cancelled
    name = f"t{second.order_id}"
    assert [one.client_order_id for one in world.outbox] == [
        close_id(TWO, name, told_at // SECOND),
        close_id(TWO, name, told_at // SECOND + 3),
    ]


def test_what_answers_a_fill_goes_on_whatever_becomes_of_its_leaders_order() -> None:
    world = desk(mode=SyncMode.CONFIRMED, entry_slack=2)
    order = world.trade(Side.BUY, 2, OrderType.LIMIT, limit=19_900)
    world.fill(order, 1, price=19_900)
    world.cancel(order)
    world.settle()
    assert [one.spec.order_type for one in world.resting(TWO)] == [OrderType.LIMIT]


def test_nothing_is_told_while_its_login_is_down() -> None:
    world, _, second = doubled()
    world.lose(TWO)
    world.wait(1)
    assert world.outbox == []
    world.step(world.snapshot(TWO))
    world.wait(1)
    assert cancels(world) == [second.order_id]


def test_what_has_ended_is_no_twin() -> None:
    world, first, second = doubled(seen=False)
    second.status = OrderStatus.CANCELLED
    world.step(world.snapshot(TWO))
    world.wait(1)
    assert world.outbox == []
    (copy,) = world.book.copies.values()
    assert (copy.order_id, copy.is_open) == (first.order_id, True)


def test_behind_a_shut_gate_it_goes_all_the_same() -> None:
    world, _, second = doubled()
    world.shut(gate_of(TWO))
    world.outbox.clear()
    world.wait(1)
    assert second.order_id in cancels(world)


def test_an_account_that_becomes_flat_takes_its_twins_along() -> None:
    world, _, second = doubled()
    world.press(gate_of(TWO), flatten=True)
    world.outbox.clear()
    tried = dict(world.book.flattening)
    world.wait(4)
    assert second.order_id in cancels(world)
    assert world.book.flattening[TWO] > tried[TWO]
    world.settle()
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert world.resting(TWO) == []
    assert not world.book.flattening


def test_an_order_that_traded_beyond_its_size_is_named() -> None:
    """Seed 729973: an exit closed one contract of a person's own as well, and nobody was told."""
    world = desk()
    world.market(Side.BUY, 2, account=TWO)
    world.market(Side.BUY, 1)
    world.settle()
    world.market(Side.SELL, 1)
    world.deliver(world.outbox.pop(), fill_markets=False)
    (exit_,) = world.resting(TWO)
    world.fill(exit_.order_id, 2)
    assert world.remarks() == ["overfilled"]
    (detail,) = [one.detail for decision in world.decisions for one in decision.remarks]
    assert detail == f"order {exit_.order_id} traded 2 of 1 contracts: look at the account"


def test_one_that_traded_beyond_its_size_unseen_is_named_once() -> None:
    """Seed 1113421: the engine was down meanwhile, and another copy's contracts hid it."""
    world = desk()
    world.trade(Side.BUY, 2, OrderType.LIMIT, limit=19_900)
    world.settle()
    (mine,) = world.resting(TWO)
    world.lose(TWO)
    for _ in range(3):
        world.fill(mine.order_id, 1, seen=False)
    world.connect(TWO)
    assert world.remarks() == ["overfilled"]
    world.lose(TWO)
    world.connect(TWO)
    assert world.remarks() == ["overfilled"]


def test_an_order_whose_growth_is_under_way_may_have_grown_already() -> None:
    world = desk()
    order = world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_900)
    world.settle()
    world.change(order, qty=3)
    (mine,) = world.resting(TWO)
    world.fill(mine.order_id, 3)
    assert world.remarks() == []


def test_an_order_that_arrives_after_its_leaders_is_over_is_taken_back() -> None:
    """Seed 729286: a disk had lost that it was sent, and only its name told of it."""
    world = desk()
    order = world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_900)
    (placed,) = world.outbox
    world.outbox.clear()
    world.book.copies.clear()
    world.book.open_copies.clear()
    world.book.by_leader.clear()
    world.cancel(order)
    world.deliver(placed)
    assert len(cancels(world)) == 1
    world.settle()
    assert world.resting(TWO) == []


def test_an_order_that_is_there_twice_is_no_strange_hands() -> None:
    world, _, second = doubled()
    for _ in range(7):
        world.wait(1)
        world.outbox.clear()
    assert second.order_id in world.book.working[TWO]
    assert "drift" not in world.remarks()


def test_the_end_of_the_second_order_is_news_once() -> None:
    world, _, second = doubled()
    end = OrderEnded(
        account=TWO,
        order_id=second.order_id,
        client_order_id=second.client_order_id,
        status=OrderStatus.CANCELLED,
        reason="",
        at=world.at(),
    )
    unseen = replace(end, order_id=OrderId(second.order_id + 1))
    assert [fold(world.book, event) for event in (end, end, unseen)] == [True, False, False]
