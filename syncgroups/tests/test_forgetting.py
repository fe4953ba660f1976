"""What a book that lives for weeks forgets, what it keeps, and that nothing forgotten is ever news again."""

from collections.abc import Sized
from dataclasses import replace
from datetime import timedelta

import pytest

from syncgroups.core.book import Book
from syncgroups.core.folding import fold
from syncgroups.core.forgetting import REMEMBER, tidy
from syncgroups.core.share import leader_order
from syncgroups.core.waiting import Doubt, Waiting
from syncgroups.engine.books import REMEMBER as LOOKS_BACK
from syncgroups.tests import bracketing, drifting
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import GROUP, LEADER, SECOND, follower
from tradehaven.domain.enums import DriftPolicy, OrderType, Side, SyncMode
from tradehaven.domain.events import OrderWorking
from tradehaven.domain.ids import AccountId, FillId, Nanos, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def _there_and_back(world: Desk) -> tuple[OrderId, OrderId]:
    orders = world.market(BUY, 2), world.market(SELL, 2)
    world.settle()
    return orders


def _spans(world: Desk, count: int) -> None:
    """Let so many spans pass, with a look at the book at the end of each."""
    for _ in range(count):
        world.now += REMEMBER
        tidy(world.book, Nanos(world.now))


def _size(book: Book) -> int:
    kept: list[Sized] = [book.orders, book.copies, book.by_order, book.by_leader, book.refused]
    kept += [book.fills, book.adopted, book.absent_since, book.chasing]
    return sum(len(known) for known in kept)


@pytest.mark.parametrize("mode", SyncMode)
def test_a_book_does_not_grow_with_what_is_over(mode: SyncMode) -> None:
    world = desk(follower(2), follower(3, ratio="1/10"), mode=mode)
    for _ in range(20):
        _there_and_back(world)
    assert _size(world.book) > 100
    _spans(world, 3)
    assert _size(world.book) == 0


def test_nothing_is_forgotten_before_it_was_over_for_the_whole_span() -> None:
    world = desk(follower(2))
    _spans(world, 1)
    _there_and_back(world)
    before = _size(world.book)
    _spans(world, 1)  # over for less than a span: only seen to be over
    world.now += REMEMBER - 5 * SECOND
    tidy(world.book, Nanos(world.now))
    assert _size(world.book) == before
    _spans(world, 1)
    assert _size(world.book) == 0


def test_the_roll_of_the_day_looks_after_it() -> None:
    world = desk(follower(2))
    _there_and_back(world)
    for _ in range(14):
        world.wait(24 * 3600)
    assert _size(world.book) == 0


def test_what_was_forgotten_is_no_news_when_it_is_told_again() -> None:
    world = desk(follower(2))
    order, _ = _there_and_back(world)
    _spans(world, 3)
    told = OrderWorking(
        account=LEADER,
        order_id=order,
        client_order_id=None,
        symbol=world.orders[order].symbol,
        side=BUY,
        spec=world.orders[order].spec,
        at=world.at(),
    )
    assert not fold(world.book, told)
    assert not any(fold(world.book, fill) for fill in world.fills)
    assert _size(world.book) == 0
    assert fold(world.book, replace(told, order_id=OrderId(world.last_id + 1)))


def test_a_snapshot_that_restates_what_was_forgotten_says_nothing_new() -> None:
    world = desk(follower(2), follower(3, ratio="1/10"))
    _there_and_back(world)
    _spans(world, 3)
    decisions = len(world.decisions)
    world.connect()
    world.wait(1)
    said = [(d.steps, d.refusals, d.remarks) for d in world.decisions[decisions:] if d]
    assert not any(steps or refusals or remarks for steps, refusals, remarks in said)
    assert world.book.copied[GROUP, TWO, world.placed[0].symbol, world.placed[0].symbol] == 0
    assert _size(world.book) == 0


def test_an_order_that_works_is_kept_with_its_copies_however_long_it_rests() -> None:
    world = desk(follower(2))
    resting = world.trade(BUY, 1, OrderType.LIMIT, limit=19_000)
    world.settle()
    for _ in range(3):
        _there_and_back(world)
    _spans(world, 4)
    assert set(world.book.orders) >= {(LEADER, resting)}
    assert [copy.leader_order for copy in world.book.copies.values()] == [resting]
    world.cancel(resting)
    world.settle()
    assert not world.resting(2)


@pytest.mark.parametrize("mode", SyncMode)
def test_the_unseen_end_of_an_order_that_rested_for_very_long_is_news(
    mode: SyncMode,
) -> None:
    world = desk(follower(2), mode=mode)
    resting = world.trade(BUY, 1, OrderType.LIMIT, limit=19_000)
    world.settle()
    _there_and_back(world)
    _spans(world, 3)
    world.lose(LEADER)
    world.fill(resting, seen=False)
    world.connect(LEADER)
    if mode is SyncMode.CONFIRMED:
        assert world.reasons() == ["engine_offline"]
    else:  # its copy goes on as that of an order that has filled
        assert [copy.side for copy in world.book.open_copies_of(TWO)] == [BUY]
        assert not world.outbox


def test_an_order_that_nobody_saw_is_news_though_younger_ones_are_forgotten() -> None:
    world = desk(follower(2))
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=19_000, seen=False)
    _there_and_back(world)
    _spans(world, 3)
    world.connect(LEADER)
    assert order in world.book.working[LEADER]
    assert world.reasons() == ["engine_offline"]


def test_a_copy_that_works_is_kept_when_its_leaders_order_is_over() -> None:
    world = desk(follower(2))
    resting = world.trade(BUY, 1, OrderType.LIMIT, limit=19_000)
    world.settle()
    world.fill(resting)
    _spans(world, 4)
    assert [copy.is_open for copy in world.book.copies.values()] == [True]


def test_what_something_unfinished_names_is_kept() -> None:
    world = desk(follower(2))
    order, other = _there_and_back(world)
    (doubtful,) = world.book.copies_of_order(LEADER, other)
    waits = Waiting(
        key=world.book.copies_of_order(LEADER, order)[0].key,
        order=leader_order(world.book, LEADER, order, Nanos(world.now)),
        group=GROUP,
        follower=TWO,
        own=0,
        doubts=(Doubt(key=doubtful.key, left=1, filled=0, closes=True),),
    )
    world.book.waiting[waits.key] = waits
    _spans(world, 4)
    assert {copy.leader_order for copy in world.book.copies.values()} == {order, other}
    world.book.waiting.clear()
    _spans(world, 2)
    assert not world.book.copies


def test_a_reason_to_be_missing_is_kept_as_long_as_somebody_may_be_asked_about_it() -> None:
    world = desk(follower(2))
    world.lose(TWO)
    order = world.market(BUY, 1)
    assert world.book.missed
    _spans(world, 4)
    assert {record for _, record in world.book.orders} == {order}
    assert set(world.book.refused) == set(world.book.missed)


def test_an_order_of_the_followers_own_leader_in_a_chain_is_kept_while_its_copy_works() -> None:
    world = desk(follower(2))
    resting = world.trade(BUY, 1, OrderType.LIMIT, limit=19_000)
    world.settle()
    (mine,) = world.resting(2)
    world.fill(resting)
    _spans(world, 4)
    assert world.book.copy_of_order(TWO, mine.order_id) is not None
    assert (TWO, mine.order_id) in world.book.orders


def test_a_start_and_a_book_that_lives_on_look_back_equally_far() -> None:
    assert timedelta(days=4) == LOOKS_BACK
    assert REMEMBER == 4 * 24 * 3600 * SECOND


def test_nothing_of_an_order_is_left_when_it_is_forgotten() -> None:
    world = desk(follower(2))
    order, _ = _there_and_back(world)
    for copy in world.book.copies_of_order(LEADER, order):
        world.book.adopted.add(copy.key)
        world.book.absent_since[copy.key] = world.book.chasing[copy.key] = Nanos(world.now)
    _spans(world, 3)
    assert _size(world.book) == 0


def test_the_first_look_forgets_nothing() -> None:
    world = desk(follower(2))
    _there_and_back(world)
    world.book.past.aged_orders = set(world.book.orders)
    before = _size(world.book)
    tidy(world.book, Nanos(world.now))
    assert _size(world.book) == before


def test_a_manual_order_is_kept_for_as_long_as_its_contracts_are_held() -> None:
    world = bracketing.desk()
    world.order(BUY, 2, stop_loss=None, take_profit=None)
    world.settle()
    _spans(world, 4)
    assert [copy.filled for copy in world.book.copies.values()] == [2]
    world.market(SELL, 2, account=TWO)
    world.wait(1)
    _spans(world, 3)
    assert not world.book.copies


def test_repairs_that_are_over_are_forgotten_although_something_else_differs() -> None:
    world = drifting.desk(drift_policy=DriftPolicy.REPAIR, drift_cap=5)
    world.market(BUY, 2)
    world.settle()
    world.unseen(SELL, 2)
    world.look(8)
    world.settle()
    world.market(BUY, 1, account=TWO, symbol=Symbol("NQZ6"))
    world.look(2)
    assert [row[0] for row in world.differs()] == ["foreign_position"]
    world.book.missed.clear()
    _spans(world, 3)
    assert not world.book.copies


def test_an_order_that_the_broker_never_numbered_is_forgotten_too() -> None:
    world = desk(follower(2))
    order = world.trade(BUY, 1)
    world.reject(world.outbox.pop(), "no")
    world.fill(order)
    world.market(SELL, 1)
    _spans(world, 3)
    assert _size(world.book) == 0


def test_the_first_execution_of_an_account_is_kept_while_nothing_of_it_is_forgotten() -> None:
    """A broker's first number stands above none at all."""
    book = Book()
    tidy(book, Nanos(SECOND))
    book.fills.add((AccountId(2), FillId(1)))
    tidy(book, Nanos(SECOND + REMEMBER))
    assert book.fills == {(AccountId(2), FillId(1))}
