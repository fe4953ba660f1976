"""What the broker's lists show and lack of our orders: who is looked for, from when on, and who is not."""

from syncgroups.core.copies import CopyState
from syncgroups.core.snapshots import NO_WORD, SECOND_LOOK
from syncgroups.tests.drifting import TWO, Desk, desk, entered
from syncgroups.tests.plans import SECOND
from tradehaven.domain.commands import Denied, PlaceOrder, Unresolved
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.ids import Nanos

BUY, SELL = Side.BUY, Side.SELL


def sent(world: Desk, side: Side) -> PlaceOrder:
    """Let the leader trade; return the follower's order, which the broker has not seen."""
    world.market(side, 1)
    order = world.outbox.pop()
    assert isinstance(order, PlaceOrder)
    return order


def state_of(world: Desk, order: PlaceOrder) -> CopyState:
    return world.book.copies[order.client_order_id].state


def test_a_list_that_shows_an_order_is_no_first_look_at_its_absence() -> None:
    world = desk()
    order = sent(world, BUY)
    name = order.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    theirs = world._accept(TWO, name, order.symbol, order.side, order.spec)
    world.list_again(TWO)
    del world.orders[theirs.order_id]
    world.now += SECOND_LOOK
    world.list_again(TWO)
    assert state_of(world, order) is CopyState.UNRESOLVED
    world.now += SECOND_LOOK
    world.list_again(TWO)
    assert state_of(world, order) is CopyState.MISSED


def test_an_exit_that_waits_for_its_budget_is_never_missed() -> None:
    world = entered(qty=1)
    order = sent(world, SELL)
    late = Denied(
        account=TWO,
        client_order_id=order.client_order_id,
        reason=RefusalReason.RATE_LIMITED,
        text="429",
        at=world.at(),
        retry_at=Nanos(world.now + 2 * NO_WORD),
    )
    world.step(late)
    for _ in range(2):
        world.list_again(TWO)
        world.now += NO_WORD
    assert state_of(world, order) is CopyState.SENDING
    world.wait(NO_WORD // SECOND)
    world.settle()
    assert world.held(2) == 0


def test_what_a_life_before_has_counted_of_an_order_counts_when_only_its_name_is_left() -> None:
    """Seed 804732: the rest of its fills was less than its size, and it was waited for without an end."""
    world = desk()
    world.market(BUY, 3)
    order = world.outbox.pop()
    world.deliver(order, fill_markets=False)
    (mine,) = world.resting(2)
    world.fill(mine.order_id, 2, price=20_010)
    for lost in (world.book.copies, world.book.open_copies, world.book.by_leader, world.book.by_order):
        lost.clear()
    world.lose(TWO)
    world.step(world.snapshot(TWO))
    world.fill(mine.order_id, 1, price=20_020)
    (copy,) = world.book.copies.values()
    assert (copy.state, copy.filled, copy.cost) == (CopyState.ENDED, 3, 2 * 20_010 + 20_020)
    assert set(world.book.copied.values()) == {3}
