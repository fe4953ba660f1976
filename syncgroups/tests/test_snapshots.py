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
