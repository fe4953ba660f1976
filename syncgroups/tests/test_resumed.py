"""Exits that go on when a doubt ends: how much, under which name, until when, and what is said at the end."""

from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower
from tradehaven.domain.commands import CancelOrder, Denied, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, SyncMode
from tradehaven.domain.events import OrderEnded, OrderFilled
from tradehaven.domain.ids import AccountId, FillId, OrderId
from tradehaven.domain.money import Ticks

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def sent(world: Desk) -> list[tuple[Side, int]]:
    orders = (order for order in world.outbox if isinstance(order, PlaceOrder))
    return [(order.side, order.spec.qty) for order in orders]


def lost(world: Desk) -> PlaceOrder:
    """Take the last order out of the air: nobody knows whether it arrived."""
    order = world.outbox.pop()
    assert isinstance(order, PlaceOrder)
    name = order.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    return order


def entered(world: Desk, *parts: int) -> list[PlaceOrder]:
    """Let the leader enter; nobody knows whether its follower did."""
    found = []
    for qty in parts:
        world.market(BUY, qty)
        found.append(lost(world))
    return found


def why(world: Desk) -> list[tuple[str, str]]:
    found = (refusal for decision in world.decisions for refusal in decision.refusals)
    return [(str(refusal.reason), refusal.detail) for refusal in found]


def names(world: Desk) -> list[str]:
    return [order.client_order_id for order in world.placed if order.side is SELL]


# -- how much, and under which name -------------------------------------------------------------------


def test_each_doubt_that_ends_lets_its_part_go_under_the_next_name() -> None:
    world = desk()
    entries = entered(world, 1, 1, 1)
    leaving = world.market(SELL, 3)
    for entry in entries:
        world.deliver(entry)
        world.settle()
    first = f"th1.g{GROUP}.l{LEADER}.o{leaving}.f2"
    assert names(world) == [first, f"{first}.r1", f"{first}.r2"]
    assert world.held(2) == 0


def test_what_was_closed_on_it_already_is_not_closed_from_what_was_bought_since() -> None:
    world = desk()
    one, two = entered(world, 1, 1)
    world.market(SELL, 2)
    world.deliver(one)
    world.settle()
    world.market(BUY, 2)
    world.settle()
    world.deliver(two)
    world.settle()
    assert world.held(2) == world.held(LEADER) == 2


def test_the_whole_order_counts_while_it_still_works_though_a_part_of_it_has_filled() -> None:
    world = desk()
    (entry,) = entered(world, 3)
    leaving = world.trade(SELL, 3)
    world.fill(leaving, 1)
    world.deliver(entry)
    assert sent(world) == [(SELL, 3)]


def test_an_exit_that_is_said_to_be_filled_counts_before_its_fills_are_told() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    leaving = world.trade(SELL, 2)
    ended(world, leaving, OrderStatus.FILLED)
    world.deliver(entry)
    assert sent(world) == [(SELL, 2)]


def ended(world: Desk, order_id: OrderId, status: OrderStatus) -> None:
    order = world.orders[order_id]
    order.status = status
    world.step(
        OrderEnded(
            account=order.account,
            order_id=order_id,
            client_order_id=order.client_order_id,
            status=status,
            reason="",
            at=world.at(),
        )
    )


def test_each_fill_waits_for_itself_in_confirmed_mode() -> None:
    world = desk(mode=SyncMode.CONFIRMED)
    world.market(BUY, 3)
    entry = lost(world)
    leaving = world.trade(SELL, 3)
    world.fill(leaving, 1)
    world.fill(leaving, 1)
    world.deliver(entry)
    world.settle()
    assert [order.spec.qty for order in world.placed] == [3, 1, 1]
    assert world.held(2) == world.held(LEADER) == 1


def test_a_fill_of_an_order_that_nobody_has_seen_waits_as_well() -> None:
    world = desk(mode=SyncMode.CONFIRMED)
    world.market(BUY, 2)
    entry = lost(world)
    world.fill(world.trade(SELL, 2, seen=False))
    world.deliver(entry)
    world.settle()
    assert world.held(2) == 0
    assert world.reasons() == []


def test_what_a_second_order_in_doubt_left_is_closed_when_it_never_arrived() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 1)
    first = lost(world)
    world.market(SELL, 1)
    world.settle()
    assert world.held(2) == 1
    world.reject(first, "no")
    world.settle()
    assert world.held(2) == 0


def test_a_lost_link_holds_up_what_is_free_to_go() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 1)
    first = lost(world)
    world.market(SELL, 1)
    world.settle()
    world.lose(TWO)
    why_not = RefusalReason.FOLLOWER_OFFLINE
    name = first.client_order_id
    world.step(Denied(account=TWO, client_order_id=name, reason=why_not, text="", at=world.at()))
    assert not world.outbox
    assert world.book.waiting
    world.connect(TWO)
    assert sent(world) == [(SELL, 1)]


def test_what_an_exit_closed_at_once_leaves_the_next_one_its_part() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    (entry,) = entered(world, 2)
    world.market(SELL, 2)
    world.market(SELL, 1)
    world.settle()
    world.deliver(entry)
    world.settle()
    assert world.held(2) == 0


def test_a_flip_that_its_leaders_broker_has_not_filled_yet_opens_its_other_side() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.trade(SELL, 3)
    world.reject(entry, "no")
    assert sent(world) == [(SELL, 1)]


def test_an_exit_waits_for_nothing_beyond_what_it_needs() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    (entry,) = entered(world, 3)
    world.market(SELL, 1)
    world.cancel(stop)  # its copy may fill yet, and enough is there all the same
    world.deliver(entry)
    assert sent(world) == [(SELL, 1)]
    assert not world.book.waiting


def test_an_exit_that_waits_for_a_late_cancel_closes_nothing_that_is_bought_meanwhile() -> None:
    world = desk()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    world.market(BUY, 1)
    world.market(SELL, 1)
    world.cancel(stop)
    world.market(BUY, 1)
    entry, cancel, again = world.outbox
    world.outbox.clear()
    assert isinstance(cancel, CancelOrder)
    world.deliver(entry)
    world.deliver(again)
    world.deliver(cancel)
    world.settle()
    assert world.held(2) == world.held(LEADER) == 1


def test_an_exit_is_closed_as_far_as_its_ratio_asks_once_it_is_known() -> None:
    world = desk(follower(2, ratio="1/2"))
    world.market(BUY, 8)
    entry = lost(world)
    world.market(SELL, 4)
    world.deliver(entry)
    assert sent(world) == [(SELL, 2)]


def filled_unheard_of(world: Desk, order: PlaceOrder) -> None:
    """Let an order arrive and fill, and nothing else be heard for the moment."""
    world.deliver(order, fill_markets=False)
    known = next(one for one in world.orders.values() if one.client_order_id == order.client_order_id)
    known.filled, world.last_id = known.spec.qty, world.last_id + 1
    world.positions[TWO, ES] += known.spec.qty * known.side.sign
    at = world.at()
    world.step(
        OrderFilled(
            account=TWO,
            order_id=known.order_id,
            fill_id=FillId(world.last_id),
            symbol=ES,
            side=known.side,
            qty=known.spec.qty,
            price=Ticks(20000),
            at=at,
            traded_at=at,
        )
    )


def test_what_the_exit_before_it_could_not_close_is_closed_by_the_next() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.market(SELL, 1)
    world.market(SELL, 1)
    filled_unheard_of(world, entry)
    world.reject(world.outbox.pop(), "no")
    assert sent(world) == [(SELL, 2)]


def test_an_order_that_had_filled_in_part_brings_the_rest() -> None:
    world = desk()
    world.market(BUY, 3)
    world.deliver(world.outbox.pop(), fill_markets=False)
    (entry,) = world.resting(2)
    world.fill(entry.order_id, 1)
    world.market(SELL, 3)
    world.outbox = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    world.settle()
    assert world.held(2) == 0
    world.market(BUY, 2)
    world.settle()
    world.fill(entry.order_id)
    world.settle()
    assert world.held(2) == world.held(LEADER) == 2


def test_what_a_hand_closed_meanwhile_is_not_closed_again() -> None:
    world = desk()
    one, two = entered(world, 1, 1)
    world.market(SELL, 2)
    world.deliver(one)
    world.settle()
    world.market(SELL, 1, account=TWO)
    world.deliver(two)
    world.settle()
    assert world.held(2) == 0


def test_what_is_held_on_the_other_side_is_not_closed() -> None:
    world = desk()
    (entry,) = entered(world, 2)
    world.market(SELL, 2)
    resting = world.trade(SELL, 3, OrderType.LIMIT, limit=20100)
    world.deliver(world.outbox.pop())
    world.fill(resting)
    world.fill(world.resting(2)[0].order_id)
    world.deliver(entry)
    assert sent(world) == []


def stops_being_cancelled(world: Desk, *stops: OrderId) -> list[CancelOrder]:
    """Let the leader take stops back; their cancels are on their way."""
    for stop in stops:
        world.cancel(stop)
    cancels = [command for command in world.outbox if isinstance(command, CancelOrder)]
    world.outbox = [command for command in world.outbox if not isinstance(command, CancelOrder)]
    return cancels


def test_what_late_doubts_trade_is_counted_once_and_what_is_bought_meanwhile_stays() -> None:
    world = desk()
    stops = [world.trade(SELL, 1, OrderType.STOP, stop=stop) for stop in (19900, 19800)]
    world.settle()
    one, two = world.resting(2)
    (entry,) = entered(world, 2)
    world.market(SELL, 2)
    _, second = stops_being_cancelled(world, *stops)
    world.deliver(entry)
    world.wait(1)
    world.outbox.clear()
    world.fill(one.order_id)
    world.market(BUY, 1)
    world.settle()
    world.deliver(second)
    world.settle()
    assert two.filled == 0
    assert world.held(2) == world.held(LEADER) == 1


def test_what_an_exit_has_sent_for_itself_is_no_doubt_of_its_own() -> None:
    world = desk()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19900)
    world.settle()
    one, two, three = entered(world, 1, 1, 1)
    world.market(SELL, 3)
    world.deliver(one)
    world.deliver(two)
    sales = [command for command in world.outbox if isinstance(command, PlaceOrder)]
    assert len(sales) == 2
    cancel = stops_being_cancelled(world, stop)[-1]
    world.deliver(three)
    world.settle()
    world.deliver(cancel)
    world.settle()
    assert world.held(2) == 0


def test_a_flip_that_goes_on_in_a_snapshot_shares_a_limit_with_what_grows_in_it() -> None:
    world = desk(follower(2, max_position=3))
    growing = world.trade(BUY, 1, OrderType.LIMIT, limit=19000)
    world.settle()
    world.market(SELL, 1)
    entry = lost(world)
    world.market(BUY, 2)
    world.lose(TWO)
    world.change(growing, qty=3)
    known = world._accept(TWO, entry.client_order_id, ES, SELL, entry.spec)
    world.fill(known.order_id, seen=False)
    world.connect(TWO)  # one order grows by two, and the flip closes its one
    assert sent(world) == [(BUY, 1)]
    assert world.reasons() == ["max_position"]
