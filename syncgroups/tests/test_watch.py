"""Making flat until the broker says so, and telling again what was turned down."""

from collections.abc import Iterator

import pytest

from syncgroups.core.copies import CopyState
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, connection_of, follower, gate_of
from tradehaven.domain.commands import CancelOrder, ClosePosition, Command, Denied
from tradehaven.domain.enums import OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.events import PositionReported
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
NQ = Symbol("NQZ6")


@pytest.fixture
def world() -> Desk:
    """Return a desk whose follower holds something and has two orders at rest in another contract."""
    found = desk(follower(2), follower(3))
    found.market(BUY, 2)
    found.trade(SELL, 2, OrderType.LIMIT, limit=21_000, symbol=NQ)
    found.trade(SELL, 2, OrderType.STOP, stop=19_000, symbol=NQ)
    found.settle()
    return found


def _of_two(commands: list[Command]) -> Iterator[Command]:
    return (command for command in commands if command.account == TWO)


def test_a_gate_that_only_shuts_or_only_narrows_makes_nothing_flat(world: Desk) -> None:
    world.shut(gate_of(TWO))
    world.shut(gate_of(TWO), state=TradingState.REDUCING, flatten=True)
    assert not world.outbox
    assert not world.book.flattening


def test_making_flat_cancels_first_and_closes_then_for_the_accounts_of_that_gate_alone(world: Desk) -> None:
    world.shut(gate_of(TWO), flatten=True)
    assert [type(command) for command in world.outbox] == [CancelOrder, CancelOrder, ClosePosition]
    assert {command.account for command in world.outbox} == {TWO}
    orders = [command.order_id for command in world.outbox if isinstance(command, CancelOrder)]
    assert orders == sorted(orders)
    assert set(world.book.flattening) == {TWO}


def test_it_is_told_again_every_three_seconds_under_another_name_until_it_is_flat(world: Desk) -> None:
    world.shut(gate_of(TWO), flatten=True)
    first = {command.client_order_id for command in world.outbox}
    world.outbox.clear()
    world.wait(2.9)
    assert not world.outbox
    world.wait(0.1)
    again = {command.client_order_id for command in _of_two(world.outbox)}
    assert len(again) == len(first) == 3
    assert not again & first
    world.settle()
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert world.remarks().count("flat") == 1
    assert not world.book.flattening
    world.wait(10)
    assert not list(_of_two(world.outbox))


def test_an_account_with_an_order_or_with_any_position_left_is_not_flat(world: Desk) -> None:
    world.shut(gate_of(TWO), flatten=True)
    cancels, closing = world.outbox[:2], world.outbox[2]
    world.outbox.clear()
    world.deliver(closing)
    world.wait(1)
    assert "flat" not in world.remarks(), "orders work"
    gold = Symbol("GCZ6")
    world.step(PositionReported(account=TWO, symbol=gold, net=1, price=None, at=world.at()))
    for cancel in cancels:
        world.deliver(cancel)
    world.wait(1)
    assert "flat" not in world.remarks(), "something is held"
    world.step(PositionReported(account=TWO, symbol=gold, net=0, price=None, at=world.at()))
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert "flat" in world.remarks()


def test_an_account_that_is_out_of_sight_is_neither_flat_nor_told_anything(world: Desk) -> None:
    world.shut(gate_of(TWO), flatten=True)
    world.settle()
    world.lose(TWO)
    world.wait(5)
    assert "flat" not in world.remarks()
    assert not world.outbox
    world.connect(TWO)
    world.wait(1)
    assert "flat" in world.remarks()
    assert connection_of(TWO) in world.book.links


def _denied(world: Desk, *, retry: bool) -> Denied:
    return Denied(
        account=TWO,
        client_order_id=ClientOrderId("th1x.a2.ESZ6.1"),
        reason=RefusalReason.RATE_LIMITED,
        text="full",
        at=world.at(),
        retry_at=Nanos(world.now + SECOND // 2) if retry else None,
    )


@pytest.mark.parametrize(("retry", "soon"), [(True, True), (False, False)])
def test_an_account_that_found_no_room_to_become_flat_is_told_again_as_soon_as_there_is(
    world: Desk, *, retry: bool, soon: bool
) -> None:
    world.shut(gate_of(TWO), flatten=True)
    world.outbox.clear()
    world.step(_denied(world, retry=retry))
    world.wait(0.6)
    assert bool(world.outbox) is soon


def test_a_denial_of_something_else_makes_no_account_flat(world: Desk) -> None:
    world.step(_denied(world, retry=True))
    world.wait(5)
    assert not world.outbox


def test_a_change_that_was_turned_down_is_told_again_after_a_wait(world: Desk) -> None:
    (target,) = (order for order in world.resting(LEADER) if order.spec.limit is not None)
    world.change(target.order_id, limit=21_010)
    sent = list(world.outbox)
    world.outbox.clear()
    for command in sent:
        world.reject(command, "AnotherCommandPending")
    assert not world.outbox
    world.wait(1)
    assert {command.account for command in world.outbox} == {TWO, AccountId(3)}
    assert all(copy.state is not CopyState.ENDED for copy in world.book.open_copies_of(TWO))
    world.settle()
    assert {order.spec.limit for order in world.resting(2)} == {21_010, None}
    assert ES in world.book.held_symbols(TWO)


def test_of_a_change_that_was_turned_down_what_may_be_by_now_is_told_again_and_the_rest_is_named() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=19_900)
    world.settle()
    world.change(order, qty=3, limit=19_901)
    world.reject(world.outbox.pop(), "AnotherCommandPending")
    world.book.quarantined.add((GROUP, TWO, ES))
    world.wait(1)
    world.settle()
    assert [(mine.spec.qty, mine.spec.limit) for mine in world.resting(TWO)] == [(1, 19_901)]
    assert world.reasons() == ["quarantined"]
