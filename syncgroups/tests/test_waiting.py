"""Exits that wait for a follower's own orders in doubt: nothing is flipped, and nothing is left behind."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.resume import LIMIT, STALE
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, connection_of, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, Side
from tradehaven.domain.events import OrderEnded, OrdersListed
from tradehaven.domain.ids import AccountId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def _orders(world: Desk) -> list[tuple[Side, int]]:
    return [(order.side, order.spec.qty) for order in world.outbox if isinstance(order, PlaceOrder)]


def _in_doubt(world: Desk) -> PlaceOrder:
    """Let an entry go out of which nothing is heard: it is not in the outbox any more."""
    world.market(BUY, 2)
    sent = next(order for order in world.outbox if isinstance(order, PlaceOrder))
    world.outbox.clear()
    world.step(Unresolved(account=TWO, client_order_id=sent.client_order_id, text="no answer", at=world.at()))
    return sent


def test_an_exit_waits_for_an_entry_that_is_on_its_way() -> None:
    world = desk()
    world.market(BUY, 2)
    world.market(SELL, 2)
    assert _orders(world) == [(BUY, 2)]
    world.settle()
    assert world.held(2) == 0
    assert [order.spec.qty for order in world.placed] == [2, 2]


def test_an_exit_needs_nothing_when_the_entry_it_waited_for_is_turned_down() -> None:
    world = desk()
    world.market(BUY, 2)
    world.market(SELL, 2)
    world.reject(world.outbox.pop(), "MaxPosLimitReached")
    world.settle()
    assert world.held(2) == 0
    assert world.reasons() == ["nothing_to_reduce"]
    assert not world.book.waiting


def test_an_exit_waits_until_two_lists_say_that_an_entry_never_was() -> None:
    world = desk()
    _in_doubt(world)
    world.market(SELL, 2)
    world.connect()
    assert not world.outbox
    world.wait(6)
    world.connect()
    assert not world.outbox
    assert "nothing_to_reduce" in world.reasons()


def test_an_exit_closes_an_entry_that_turns_up_in_a_list() -> None:
    world = desk()
    sent = _in_doubt(world)
    world.market(SELL, 2)
    world.deliver(sent)  # it had arrived after all
    assert _orders(world) == [(SELL, 2)]
    world.settle()
    assert world.held(2) == 0


def test_what_is_certain_is_closed_at_once_and_the_rest_under_a_name_of_its_own() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    sent = _in_doubt(world)
    leaving = world.market(SELL, 3)
    assert _orders(world) == [(SELL, 1)]
    world.settle()
    world.deliver(sent)
    world.settle()
    assert world.held(2) == 0
    keys = [order.client_order_id for order in world.placed][-1:]
    assert keys == [f"th1.g{GROUP}.l{LEADER}.o{leaving}.f2.r1"]


def test_the_rest_is_only_what_the_doubt_brought_and_not_what_was_bought_since() -> None:
    world = desk()
    sent = _in_doubt(world)
    world.market(SELL, 2)
    world.market(BUY, 1)
    world.settle()
    world.deliver(sent)
    world.settle()
    assert world.held(2) == 1


def test_an_exit_at_rest_that_waits_opens_nothing_once_its_leader_is_out() -> None:
    world = desk()
    sent = _in_doubt(world)
    world.trade(SELL, 2, OrderType.LIMIT, limit=20100)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.fill(stop)
    assert not world.outbox
    world.deliver(sent)
    world.settle()
    assert not any(copy.enters for copy in world.book.open_copies_of(TWO))


def test_a_flip_opens_the_other_side_after_this_one_is_closed() -> None:
    world = desk()
    world.market(BUY, 2)
    world.market(SELL, 3)
    assert _orders(world) == [(BUY, 2)]
    world.settle()
    assert world.held(2) == -1
    assert [order.spec.qty for order in world.placed] == [2, 3]


def test_a_flip_whose_old_side_closes_late_opens_nothing() -> None:
    world = desk()
    sent = _in_doubt(world)
    world.market(SELL, 3)
    world.now += STALE
    world.deliver(sent)
    world.settle()
    assert world.held(2) == 0
    assert "stale" in world.reasons()


def test_an_entry_behind_a_waiting_exit_comes_after_it() -> None:
    world = desk()
    world.market(SELL, 1)
    world.market(BUY, 1)
    world.market(BUY, 2)
    assert _orders(world) == [(SELL, 1)]
    world.settle()
    assert world.held(2) == 2
    assert [(order.side, order.spec.qty) for order in world.placed] == [(SELL, 1), (BUY, 1), (BUY, 2)]


def test_what_the_leader_closes_of_a_waiting_flip_is_never_opened() -> None:
    world = desk()
    world.market(BUY, 1)
    world.market(SELL, 3)
    world.market(BUY, 1)
    world.settle()
    assert world.held(LEADER) == -1
    assert world.held(2) == -1
    assert [(order.side, order.spec.qty) for order in world.placed] == [(BUY, 1), (SELL, 2)]


def test_a_resting_exit_waits_too_and_works_once_the_entry_has_filled() -> None:
    world = desk()
    world.market(BUY, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    assert _orders(world) == [(BUY, 2)]
    world.settle()
    assert [order.spec.qty for order in world.resting(2)] == [2]
    assert not world.reasons()


def test_a_resting_exit_whose_entry_was_turned_down_is_never_placed() -> None:
    world = desk()
    world.market(BUY, 2)
    world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.reject(world.outbox.pop(), "MaxPosLimitReached")
    world.settle()
    assert not world.resting(2)
    assert world.reasons() == ["nothing_to_reduce"]


def test_an_exit_that_the_leader_takes_back_in_time_is_not_copied() -> None:
    world = desk()
    world.market(BUY, 2)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.cancel(stop)
    world.settle()
    assert not world.resting(2)
    assert world.held(2) == 2
    assert world.reasons() == ["nothing_to_reduce"]


def test_an_order_that_is_said_to_be_filled_waits_for_its_fills() -> None:
    world = desk()
    world.market(BUY, 2)
    sent = world.outbox.pop()
    assert isinstance(sent, PlaceOrder)
    world.deliver(sent, fill_markets=False)
    entry = world.resting(2)[0]
    world.step(
        OrderEnded(
            account=TWO,
            order_id=entry.order_id,
            client_order_id=entry.client_order_id,
            status=OrderStatus.FILLED,
            reason="",
            at=world.at(),
        )
    )
    world.market(SELL, 2)
    assert not world.outbox  # neither closed nor refused: its fills are still on the way
    assert not world.reasons()
    world.fill(entry.order_id)
    world.settle()
    assert world.held(2) == 0


def test_an_entry_that_still_rests_is_closed_if_it_fills_before_its_cancel() -> None:
    world = desk()
    entry = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.fill(entry)
    world.market(SELL, 2)
    world.fill(world.resting(2)[0].order_id)
    world.settle()
    assert world.held(2) == 0


def test_a_shut_gate_lets_no_waiting_exit_out() -> None:
    world = desk()
    world.market(BUY, 2)
    world.market(SELL, 2)
    entry = world.outbox.pop(0)
    world.shut(gate_of(TWO))
    world.deliver(entry)
    assert world.held(2) == 2
    assert "kill_switch" in world.reasons()


def test_an_exit_gives_up_after_a_minute_and_says_so() -> None:
    world = desk()
    _in_doubt(world)
    world.market(SELL, 2)
    world.now += LIMIT
    world.wait(1)
    assert not world.book.waiting
    assert "unresolved" in world.reasons()


def test_an_exit_waits_for_a_link_that_was_lost() -> None:
    world = desk()
    world.market(BUY, 2)
    world.market(SELL, 2)
    entry = world.outbox.pop(0)
    world.lose(TWO)
    world.wait(1)
    assert not world.outbox
    world.connect(TWO)
    world.deliver(entry)
    world.settle()
    assert world.held(2) == 0


def test_a_group_that_was_stopped_closes_nothing_more() -> None:
    world = desk()
    world.market(BUY, 2)
    world.market(SELL, 2)
    world.plan = plan_of(replace(group_of(follower(2)), active=False))
    world.settle()
    assert world.held(2) == 2
    assert not world.book.waiting


def test_an_exit_that_filled_in_part_closes_that_part() -> None:
    world = desk()
    world.market(BUY, 4)
    leaving = world.trade(SELL, 4)
    world.fill(leaving, 1)
    world.cancel(leaving)
    world.settle()
    assert world.held(LEADER) == 3
    assert world.held(2) == 3
    assert world.book.copied[GROUP, TWO, ES, ES] == 3


def test_an_exit_at_the_market_that_waits_is_not_sized_again_while_it_works() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    _in_doubt(world)
    entry = next(copy for copy in world.book.copies.values() if copy.state == "unresolved")
    leaving = world.trade(SELL, 3)  # its leader's own order is not filled yet
    assert _orders(world) == [(SELL, 1)]
    world.deliver(PlaceOrder(account=TWO, client_order_id=entry.key, symbol=ES, side=BUY, spec=entry.sent))
    assert not [command for command in world.outbox if isinstance(command, ChangeOrder)]
    world.settle()
    world.fill(leaving)
    world.settle()
    assert world.held(2) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Side)), st.integers(1, 4), st.booleans()), min_size=1, max_size=12
    ),
    st.sampled_from([1, 2, 3]),
)
def test_however_quick_the_leader_trades_a_follower_ends_with_its_share(
    trades: list[tuple[Side, int, bool]], ratio: int
) -> None:
    world = desk(follower(2, ratio=ratio), follower(3, ratio=ratio, reverse=True))
    for side, qty, at_once in trades:
        world.market(side, qty)
        if at_once:
            world.settle()
    world.settle()
    assert (world.held(2), world.held(3)) == (ratio * world.held(LEADER), -ratio * world.held(LEADER))


def test_exits_that_stayed_for_an_entry_in_doubt_go_when_it_never_was() -> None:
    world = desk()
    _in_doubt(world)
    world.market(BUY, 1)
    world.settle()
    target = world.trade(SELL, 3, OrderType.LIMIT, limit=20100)
    world.trade(SELL, 3, OrderType.STOP, stop=19900)
    world.settle()
    mine = {order.spec.order_type: order.order_id for order in world.resting(2)}
    world.fill(mine[OrderType.LIMIT])  # its own target has closed all that it holds; the entry may come yet
    world.settle()
    assert [order.spec.order_type for order in world.resting(2)] == [OrderType.STOP]
    for _ in range(2):
        world.step(
            OrdersListed(
                connection=connection_of(TWO),
                accounts=(TWO,),
                client_order_ids=frozenset(order.client_order_id for order in world.placed),
                at=world.at(),
            )
        )
        world.wait(6)
    world.settle()
    assert world.orders[target].status is OrderStatus.WORKING
    assert not world.resting(2)


def test_an_exit_waits_for_a_cancel_that_came_under_way_meanwhile() -> None:
    world = desk()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    world.market(BUY, 1)
    world.market(SELL, 1)
    world.cancel(stop)
    world.settle()
    assert world.held(2) == 0
    assert world.reasons() == []


def test_what_such_an_order_still_trades_is_not_closed_twice() -> None:
    world = desk()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    world.market(BUY, 1)
    world.market(SELL, 1)
    world.cancel(stop)
    world.deliver(world.outbox.pop(0))  # the entry fills, its exit waits for the cancel
    world.fill(world.resting(2)[0].order_id)  # and the stop trades before the cancel comes
    world.settle()
    assert world.held(2) == 0
