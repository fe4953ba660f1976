"""Manual copies through mailbox, journal and rows: what each follower got, and what a start remembers."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import confirm
from brokers.models import Account
from syncgroups.core.keys import manual_group
from syncgroups.engine import books, plans
from syncgroups.models import CopiedOrder, ManualCopy, ManualShare
from syncgroups.selectors.manual import ManualStatus, results_of
from syncgroups.services import audit
from syncgroups.services.manual import Asked, copy_order
from syncgroups.tests.answers import BrokerOrder
from syncgroups.tests.plans import ES, LEADER
from syncgroups.tests.rows import THREE, TWO, Engine, settle_in
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import OwnerId

pytestmark = pytest.mark.django_db
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def owner(alice: User) -> User:
    settle_in(alice)
    confirm(alice)
    return alice


@pytest.fixture
def engine(owner: User, tmp_path: Path) -> Iterator[Engine]:
    found = Engine(owner, tmp_path)
    yield found
    found.journal.close()


def _ask(owner: User, qty: int = 2, **order: Any) -> ManualCopy:
    fields: dict[str, Any] = {"symbol": "ESZ6", "side": BUY, "qty": qty} | order
    return copy_order(
        owner=owner,
        leader=Account.objects.get(pk=LEADER),
        followers=list(Account.objects.filter(pk__in=(TWO, THREE))),
        order=Asked(**{"stop_loss": 20, "take_profit": 40} | fields),
    )


def _found(engine: Engine, owner: User) -> None:
    """Let the engine find what was asked, as its look each second does."""
    for asked in plans.settings_of(OwnerId(owner.pk)).asked:
        engine.mailbox.post(asked)


def _again(engine: Engine, owner: User, folder: Path) -> Engine:
    """Start anew on what rows and broker say; what was on its way is lost."""
    engine.journal.close()
    engine.recorder.drain()
    engine.world.outbox.clear()
    found = Engine(owner, folder, engine.world, books.book_of(OwnerId(owner.pk)))
    engine.journal = found.journal
    return found


def _settle_in(engine: Engine) -> None:
    """Let a start's first seconds pass."""
    for _ in range(8):
        engine.world.settle()
        engine.world.wait(1)
    engine.world.settle()


def _stops(engine: Engine, account: int) -> list[BrokerOrder]:
    return [order for order in engine.world.resting(account) if order.spec.order_type is OrderType.STOP]


def test_each_follower_has_its_result(engine: Engine, owner: User) -> None:
    copy = _ask(owner)
    _found(engine, owner)
    engine.recorder.drain()
    now = timezone.now()
    assert [(r.account.pk, r.status, r.qty) for r in results_of(copy, now)] == [
        (TWO, ManualStatus.SUBMITTED, 2),
        (THREE, ManualStatus.SUBMITTED, 1),
    ]
    engine.world.settle()
    engine.recorder.drain()
    two, three = results_of(copy, now)
    assert (two.status, two.filled, two.net, three.net) == (ManualStatus.FILLED, 2, 2, 1)
    assert None not in (two.order_id, two.stop_loss_order_id, two.take_profit_order_id)
    (stop,) = _stops(engine, TWO)
    assert two.stop_loss_order_id == stop.order_id
    engine.world.fill(stop.order_id, price=19980)
    engine.world.settle()
    engine.recorder.drain()
    assert [result.net for result in results_of(copy, now)] == [0, 1]
    assert audit.unexplained(OwnerId(owner.pk)) == []


def test_who_is_left_out_or_turned_down_is_told_why(engine: Engine, owner: User) -> None:
    copy = _ask(owner, 1)
    _found(engine, owner)
    engine.world.reject(engine.world.outbox.pop(0), "NoMoney")
    engine.recorder.drain()
    two, three = results_of(copy, timezone.now())
    assert (two.status, two.reason) == (ManualStatus.REJECTED, "NoMoney")
    assert (three.status, three.code) == (ManualStatus.SKIPPED, RefusalReason.ROUNDS_TO_ZERO)
    assert "rounds down to 0" in three.reason


def test_a_resting_order_that_is_taken_away_is_cancelled(engine: Engine, owner: User) -> None:
    copy = _ask(owner, order_type=OrderType.LIMIT, limit=19900)
    _found(engine, owner)
    engine.world.settle()
    engine.recorder.drain()
    assert {result.status for result in results_of(copy, timezone.now())} == {ManualStatus.WORKING}
    engine.world.cancel(engine.world.resting(TWO)[0].order_id)
    engine.recorder.drain()
    assert results_of(copy, timezone.now())[0].status is ManualStatus.CANCELLED


def test_a_start_neither_doubles_nor_loses_an_order(engine: Engine, owner: User, tmp_path: Path) -> None:
    copy = _ask(owner)
    _found(engine, owner)
    engine.world.deliver(engine.world.outbox.pop(0), fill_markets=False)  # one arrives, one is lost
    again = _again(engine, owner, tmp_path)
    _found(again, owner)
    assert again.world.outbox == []
    (entry,) = again.world.resting(TWO)
    again.world.fill(entry.order_id, price=20001)
    _settle_in(again)
    (stop,) = _stops(again, TWO)
    assert (stop.spec.qty, stop.spec.stop) == (2, 19981)
    assert CopiedOrder.objects.filter(leader_order_id=-copy.pk).count() == 2


def test_a_start_knows_what_is_held_and_protects_what_filled_meanwhile(
    engine: Engine, owner: User, tmp_path: Path
) -> None:
    copy = _ask(owner, 4, order_type=OrderType.LIMIT, limit=20000)
    _found(engine, owner)
    engine.world.settle()
    entry = next(order for order in engine.world.resting(TWO))
    engine.world.fill(entry.order_id, 1, price=20000)
    engine.world.settle()
    engine.world.step = lambda event: None  # type: ignore[method-assign,assignment,return-value]
    engine.world.fill(entry.order_id, 3, price=20002, seen=False)
    again = _again(engine, owner, tmp_path)
    again.world.settle()
    (stop,) = _stops(again, TWO)
    assert (stop.spec.qty, stop.spec.stop) == (4, 19982)  # 20001 1/2 on average, toward its profit
    holding = (manual_group(copy.pk), TWO, ES, ES)
    assert again.mailbox.book.copied[holding] == 4
    again.recorder.drain()
    assert ManualShare.objects.get(copy=copy, account_id=TWO).net == 4


def test_what_is_still_held_is_remembered_however_old_it_is(
    engine: Engine, owner: User, tmp_path: Path
) -> None:
    copy = _ask(owner)
    _found(engine, owner)
    engine.world.settle()
    engine.recorder.drain()
    CopiedOrder.objects.update(received_at=timezone.now() - timedelta(days=30))
    book = books.book_of(OwnerId(owner.pk))
    (entry,) = book.manual[TWO]
    assert (book.copies[entry].filled, book.copies[entry].cost) == (2, 40000)
    again = Engine(owner, tmp_path / "next", engine.world, book)
    for stop in _stops(again, TWO):
        again.world.fill(stop.order_id, price=19980)
    again.world.settle()
    assert (again.world.held(TWO), again.world.resting(TWO)) == (0, [])
    again.recorder.drain()
    assert ManualShare.objects.get(copy=copy, account_id=TWO).net == 0
    again.journal.close()
