"""Confirmed mode when answers are late, links fall, and nobody watched."""

from decimal import Decimal

from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, group_of, plan_of
from syncgroups.tests.test_confirmed import BUY, MES, SELL, TWO, confirmed, placed_by, sent_by
from tradehaven.domain.commands import Lane, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, RefusalReason, SizingMode, SyncMode
from tradehaven.domain.ids import Symbol


def test_an_exit_waits_for_an_entry_that_is_on_its_way() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.market(SELL, 2)
    assert sent_by(world) == [(BUY, OrderType.MARKET, 2)]
    world.settle()
    assert world.held(2) == 0
    assert placed_by(world) == [(BUY, 2), (SELL, 2)]


def test_an_entry_of_unknown_fate_is_not_closed_before_it_is_known() -> None:
    world = confirmed()
    world.market(BUY, 2)
    sent = world.outbox.pop()
    world.step(Unresolved(account=TWO, client_order_id=sent.client_order_id, text="?", at=world.at()))
    world.market(SELL, 2)
    assert world.outbox == []
    world.outbox.append(sent)
    world.settle()
    assert world.held(2) == 0


def test_fills_that_nobody_saw_are_missed_and_never_sent_late() -> None:
    world = confirmed(follower(2), follower(3))
    world.lose(LEADER)
    order = world.trade(BUY, 2, seen=False)
    world.fill(order, seen=False)
    world.connect(LEADER)
    assert world.outbox == []
    assert world.reasons() == [RefusalReason.ENGINE_OFFLINE] * 2
    world.connect(LEADER)
    assert len(world.reasons()) == 2


def test_what_was_copied_is_not_missed_after_a_reconnect() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.fill(stop)
    world.fill(world.resting(2)[0].order_id)
    world.connect()
    assert world.reasons() == []
    assert world.outbox == []


def test_what_was_filled_before_the_group_ran_is_not_missed() -> None:
    world = Desk(plan_of(group_of(follower(2), mode=SyncMode.CONFIRMED, active_since=1_900_000_000 * 10**9)))
    order = world.trade(BUY, 2, seen=False)
    world.fill(order, seen=False)
    world.connect()
    assert world.reasons() == []


def test_a_protective_order_that_is_only_seen_in_a_snapshot_protects_all_the_same() -> None:
    world = confirmed()
    world.wait(7)
    world.market(BUY, 2)
    world.settle()
    world.lose(LEADER)
    world.trade(SELL, 2, OrderType.STOP, stop=19900, seen=False)
    world.trade(BUY, 2, OrderType.STOP, stop=20100, seen=False)
    world.connect(LEADER)
    assert sent_by(world) == [(SELL, OrderType.STOP, 2)]


def test_a_limited_entry_outlives_a_reconnect() -> None:
    world = confirmed(entry_slack=0)
    world.market(BUY, 2)
    world.settle()
    world.connect()
    world.settle()
    assert len(world.resting(2)) == 1


def test_an_entry_is_found_again_by_its_id_alone() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    fresh = confirmed()
    fresh.orders, fresh.fills, fresh.positions = world.orders, world.fills, world.positions
    fresh.connect()
    (copy,) = fresh.book.copies.values()
    assert copy.fill == world.fills[0].fill_id
    assert fresh.book.copied[GROUP, TWO, ES, ES] == 2
    assert fresh.outbox == []


def test_a_group_that_is_off_answers_no_fill() -> None:
    world = confirmed(active=False)
    world.market(BUY, 2)
    assert world.outbox == []


def test_micros_by_balance_follow_fills() -> None:
    rule = follower(2, product="MES", sizing=SizingMode.BALANCE)
    world = confirmed(follower(2, products={"ES": rule}))
    world.balance(LEADER, Decimal(50_000))
    world.balance(TWO, Decimal(26_000))
    world.market(BUY, 1)
    world.settle()
    assert world.held(2, MES) == 5


def test_the_part_of_a_fill_beyond_an_exit_that_still_works_is_an_entry() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.market(SELL, 1)  # by hand: the follower has not got so far when the stop goes off
    world.outbox.clear()
    world.fill(stop)
    assert sent_by(world) == [(SELL, OrderType.MARKET, 1)]


def test_that_part_is_sent_as_an_entry() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.market(SELL, 1)
    world.outbox.clear()
    world.fill(stop)
    (entry,) = world.outbox
    assert isinstance(entry, PlaceOrder)
    assert (entry.spec.qty, entry.lane) == (1, Lane.ENTRY)


def test_a_fill_of_an_exit_whose_copy_is_being_taken_back_is_answered() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19900)
    world.settle()
    world.cancel(stop)
    world.fill(stop)  # it had filled before its broker saw the cancel
    world.settle()
    assert world.held(2) == world.held(LEADER) == 0


def test_a_fill_that_was_answered_already_is_not_answered_again() -> None:
    world = confirmed()
    order = world.trade(BUY, 1)
    world.fill(order)
    sent = len(world.outbox)
    world.book.fills.clear()  # as if the rows of fills had been lost
    world.step(world.fills[-1])
    assert len(world.outbox) == sent


def test_a_fill_without_a_counterpart_is_said() -> None:
    world = confirmed(follower(2, products={"GC": follower(2, product="ES")}))
    world.market(BUY, 1, symbol=Symbol("GCG7"))
    assert RefusalReason.UNKNOWN_INSTRUMENT in world.reasons()
    assert world.outbox == []


def test_an_exit_without_a_counterpart_is_said_after_a_reconnect() -> None:
    world = confirmed(follower(2, products={"GC": follower(2, product="ES")}))
    world.wait(7)
    world.lose(LEADER)
    world.trade(SELL, 1, OrderType.STOP, stop=100, symbol=Symbol("GCG7"), seen=False)
    world.connect(LEADER)
    assert RefusalReason.UNKNOWN_INSTRUMENT in world.reasons()


def test_right_after_a_start_an_exit_may_be_on_its_way_already() -> None:
    world = confirmed()
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 2, OrderType.STOP, stop=19900, seen=False)
    fresh = confirmed()  # nothing is on record any more
    fresh.orders, fresh.fills, fresh.positions = world.orders, world.fills, world.positions
    fresh.book.links.clear()
    fresh.book.first_seen.clear()
    fresh.connect()
    assert sent_by(fresh) == []
    fresh.wait(7)
    assert sent_by(fresh) == [(SELL, OrderType.STOP, 2)]
    fresh.settle()
    fresh.wait(7)
    assert fresh.outbox == []
