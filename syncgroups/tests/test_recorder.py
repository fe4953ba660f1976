"""From the journal to rows, once; and from rows back to a book that knows what the last one knew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from brokers.models import Account, Connection, Fill, Order, Position
from risk.models import AccountRisk
from syncgroups.core.copies import Copy
from syncgroups.core.keys import client_order_id
from syncgroups.engine import books
from syncgroups.engine.recorder import Recorder, Superseded
from syncgroups.engine.records import StepRecord
from syncgroups.models import Activity, CopiedOrder, Follower, Holding, JournalMark, SyncGroup
from syncgroups.services import audit, lineage, lines
from syncgroups.tests.plans import ES, GROUP, LEADER, connection_of
from syncgroups.tests.rows import Engine, settle_in
from tradehaven.domain.commands import Denied, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.events import GateChanged, OrdersListed
from tradehaven.domain.ids import AccountId, ConnectionId, Nanos, OrderId, OwnerId
from tradehaven.domain.orders import OrderSpec

pytestmark = pytest.mark.django_db
BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)


@pytest.fixture
def owner(alice: User) -> User:
    settle_in(alice)
    return alice


@pytest.fixture
def engine(owner: User, tmp_path: Path) -> Iterator[Engine]:
    found = Engine(owner, tmp_path)
    yield found
    found.journal.close()


def _story(engine: Engine) -> None:
    world = engine.world
    world.market(BUY, 4)
    world.settle()
    resting = world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(resting, limit=19990)
    world.settle()
    world.trade(BUY, 1, OrderType.LIMIT, limit=19000)
    world.reject(world.outbox.pop(0), "MaxPosLimitReached")
    world.cancel(resting)
    world.settle()


def test_a_story_becomes_rows_with_its_times(engine: Engine) -> None:
    _story(engine)
    assert engine.recorder.drain() > 10
    market = CopiedOrder.objects.get(follower_id=TWO, order_type="market")
    assert (market.state, market.filled, market.qty) == ("ended", 4, 4)
    assert None not in (market.written_at, market.acknowledged_at, market.filled_at, market.ended_at)
    moved = CopiedOrder.objects.get(follower_id=TWO, order_type="limit", outcome="cancelled")
    assert moved.limit_ticks == 19990
    turned_down = CopiedOrder.objects.get(outcome="MaxPosLimitReached")
    assert turned_down.state == "ended"
    assert Fill.objects.filter(account_id=THREE).get().qty == 2
    assert dict(Holding.objects.values_list("account_id", "net")) == {TWO: 4, THREE: 2}
    assert set(Connection.objects.values_list("link_up", flat=True)) == {True}
    kinds = set(Activity.objects.values_list("kind", flat=True))
    assert {
        "copy_sent",
        "copy_changed",
        "copy_cancelled",
        "copy_filled",
        "copy_rejected",
        "copy_refused",
    } <= kinds
    assert Activity.objects.filter(reason=RefusalReason.ROUNDS_TO_ZERO, account_id=THREE).exists()
    assert Order.objects.filter(account_id=LEADER).count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_refusal_keeps_the_figures_that_spoke_against_it(engine: Engine) -> None:
    (gate, *_) = engine.world.plan.accounts[TWO].gates
    halted = GateChanged(
        gate=gate, state=TradingState.HALTED, flatten=False, version=99, at=engine.world.at()
    )
    engine.world.step(halted)
    engine.world.market(BUY, 4)
    engine.recorder.drain()
    refused = Activity.objects.get(kind="copy_refused", account_id=TWO)
    assert refused.weighed is not None
    assert (refused.weighed["enter"], refused.weighed["allowed"], refused.weighed["state"]) == (
        4,
        0,
        "halted",
    )


@pytest.mark.django_db(transaction=True)
def test_records_of_what_was_deleted_hold_up_nobody_elses(engine: Engine) -> None:
    _story(engine)
    Follower.objects.filter(account_id=THREE).delete()
    AccountRisk.objects.filter(account_id=THREE).delete()
    Account.objects.filter(pk=THREE).delete()
    assert engine.recorder.drain() > 10
    assert CopiedOrder.objects.get(follower_id=TWO, order_type="market").filled == 4
    assert not Fill.objects.filter(account_id=THREE).exists()
    assert engine.recorder.drain() == 0


@pytest.mark.django_db(transaction=True)
def test_a_record_that_no_row_can_take_is_left_out_alone(engine: Engine) -> None:
    _story(engine)
    SyncGroup.objects.all().delete()
    AccountRisk.objects.filter(account_id=LEADER).delete()
    Account.objects.filter(pk=LEADER).delete()
    assert engine.recorder.drain() > 10
    assert engine.recorder.left_out > 0  # copies of a leader that is gone
    assert Fill.objects.filter(account_id=TWO).get().qty == 4
    assert engine.recorder.drain() == 0


def _rows() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values_list(*fields))
        for model, fields in (
            (CopiedOrder, ("key", "state", "filled", "outcome", "limit_ticks")),
            (Fill, ("account_id", "broker_fill_id", "qty")),
            (Position, ("account_id", "symbol", "net")),
            (Holding, ("account_id", "symbol", "net")),
            (Order, ("account_id", "broker_order_id", "status")),
        )
    ]


def test_a_story_is_sealed_in_the_owners_trail(engine: Engine, owner: User) -> None:
    _story(engine)
    engine.recorder.drain()
    whose = OwnerId(owner.pk)
    assert audit.verify(whose) is None
    assert audit.unexplained(whose) == []
    kinds = list(owner.audit_trail.order_by("number").values_list("kind", flat=True))
    assert {"decision", "written", "OrderWorking", "OrderFilled", "Confirmed", "Rejected"} <= set(kinds)
    assert kinds.index("decision") < kinds.index("written")  # recorded before it was sent (I6)
    market = CopiedOrder.objects.get(follower_id=THREE, order_type="market")
    assert market.weighed == {
        "leader": 0,
        "change": 4,
        "own": 0,
        "reduce": 0,
        "enter": 2,
        "exposure": None,
        "limit": None,
        "state": "active",
        "allowed": 2,
        "reason": None,
        "rule_limit": None,
        "rule_value": None,
        "equity": None,
        "profit": None,
        "floor": None,
    }


def test_recording_twice_changes_nothing(engine: Engine) -> None:
    _story(engine)
    engine.recorder.drain()
    before = _rows()
    assert engine.recorder.drain() == 0
    JournalMark.objects.update(segment="", offset=0)
    engine.recorder.drain()
    assert _rows() == before


def test_a_crash_between_two_batches_resumes_where_it_was(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncgroups.engine.recorder.BATCH", 3)
    _story(engine)
    assert engine.recorder.step() == 3
    again = Recorder("main", engine.recorder._folder, engine.epoch)
    again.drain()
    assert Fill.objects.filter(account_id=TWO).count() == 1
    assert CopiedOrder.objects.filter(follower_id=TWO).count() == 3


def test_a_record_that_says_nothing_readable_is_left_out_and_counted(engine: Engine) -> None:
    engine.journal.intend(b'{"type":"nonsense"}')
    engine.world.market(BUY, 2)
    engine.recorder.drain()
    assert engine.recorder.unreadable == 1
    assert CopiedOrder.objects.exists()


def test_a_book_from_rows_knows_what_the_last_one_knew(engine: Engine, owner: User) -> None:
    _story(engine)
    engine.recorder.drain()
    before, after = engine.mailbox.book, books.book_of(OwnerId(owner.pk))
    assert {key: (copy.filled, copy.order_id) for key, copy in after.copies.items()} == {
        key: (copy.filled, copy.order_id) for key, copy in before.copies.items()
    }
    assert {key for key, copy in after.copies.items() if copy.is_open} == {
        key for key, copy in before.copies.items() if copy.is_open
    }
    assert {key: net for key, net in after.copied.items() if net} == {
        key: net for key, net in before.copied.items() if net
    }
    assert after.refused == before.refused
    assert after.fills == before.fills


def test_an_engine_that_starts_again_doubles_and_forgets_nothing(owner: User, tmp_path: Path) -> None:
    first = Engine(owner, tmp_path)
    first.world.market(BUY, 4)
    first.world.settle()
    first.world.trade(BUY, 2, OrderType.LIMIT, limit=20000)  # on its way when the engine is killed
    first.world.outbox.clear()
    first.journal.close()
    first.recorder.drain()
    second = Engine(owner, tmp_path, first.world, books.book_of(OwnerId(owner.pk)))
    assert not second.world.outbox
    second.world.wait(6)
    second.world.connect()
    second.recorder.drain()
    assert set(CopiedOrder.objects.filter(order_type="limit").values_list("state", flat=True)) == {"missed"}
    assert Activity.objects.filter(kind="missed").count() == 2
    second.world.market(SELL, 4)
    second.world.settle()
    assert (second.world.held(2), second.world.held(3)) == (0, 0)
    second.journal.close()


def test_doubt_and_its_end_are_written_down(engine: Engine) -> None:
    world = engine.world
    world.trade(BUY, 2, OrderType.LIMIT, limit=20000)
    command = world.outbox.pop(0)
    world.step(
        Unresolved(account=TWO, client_order_id=command.client_order_id, text="no answer", at=world.at())
    )
    engine.recorder.drain()
    assert CopiedOrder.objects.get(key=command.client_order_id).state == "unresolved"
    assert Activity.objects.filter(kind="unresolved").exists()
    for _ in range(2):
        world.step(
            OrdersListed(
                connection=ConnectionId(connection_of(TWO)),
                accounts=(TWO,),
                client_order_ids=frozenset(),
                at=world.at(),
            )
        )
        world.wait(6)
    engine.recorder.drain()
    assert CopiedOrder.objects.get(key=command.client_order_id).state == "missed"


def test_a_lost_link_is_written_down_with_its_reason(engine: Engine) -> None:
    engine.world.lose(TWO)
    engine.recorder.drain()
    row = Connection.objects.get(pk=connection_of(TWO))
    assert (row.link_up, row.link_reason) == (False, "test")
    assert Activity.objects.filter(kind="link", text__contains="lost its connection").exists()


def test_an_account_without_a_link_says_why_it_was_left_out(engine: Engine) -> None:
    engine.world.lose(THREE)
    engine.world.market(BUY, 2)
    engine.recorder.drain()
    line = Activity.objects.get(reason=RefusalReason.FOLLOWER_OFFLINE)
    assert line.account_id == THREE
    assert ".f3" in line.key


def test_a_recorder_of_an_old_epoch_writes_nothing_more(engine: Engine, tmp_path: Path) -> None:
    _story(engine)
    Recorder("main", tmp_path, engine.epoch + 1).claim()
    with pytest.raises(Superseded, match="is over"):
        engine.recorder.drain()
    assert not CopiedOrder.objects.exists()
    assert JournalMark.objects.get(shard="main").offset == 0
    with pytest.raises(Superseded):
        engine.recorder.claim()


def test_a_successor_records_what_the_old_epoch_left(engine: Engine, tmp_path: Path) -> None:
    _story(engine)
    successor = Recorder("main", tmp_path, engine.epoch + 1)
    successor.claim()
    assert successor.drain() > 0
    assert CopiedOrder.objects.filter(follower_id=TWO).count() == 3


def test_a_batch_that_another_of_the_epoch_has_recorded_is_left_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _story(engine)
    other, real = Recorder("main", engine.recorder._folder, engine.epoch), engine.recorder._read

    def overtaken(mark: Any) -> Any:
        found = real(mark)
        other.drain()
        monkeypatch.undo()
        return found

    monkeypatch.setattr(engine.recorder, "_read", overtaken)
    engine.recorder.drain()
    assert CopiedOrder.objects.filter(follower_id=TWO).count() == 3
    assert Fill.objects.filter(account_id=TWO).count() == 1


def test_a_flip_that_found_no_room_lives_on_in_its_row_with_what_it_closes(engine: Engine) -> None:
    world = engine.world
    world.market(BUY, 1)
    world.settle()
    world.trade(SELL, 3)
    flip = next(command for command in world.outbox if command.account == TWO)
    world.outbox.remove(flip)
    world.step(
        Denied(
            account=TWO,
            client_order_id=flip.client_order_id,
            reason=RefusalReason.RATE_LIMITED,
            text="80 calls are used",
            at=world.at(),
            retry_at=Nanos(world.now + 1),
        )
    )
    (closing,) = (command for command in world.outbox if command.client_order_id == flip.client_order_id)
    assert isinstance(closing, PlaceOrder)
    assert closing.spec.qty == 1
    engine.recorder.drain()
    row = CopiedOrder.objects.get(key=flip.client_order_id)
    assert (row.state, row.qty, row.ended_at) == ("sending", 1, None)
    world.settle()
    engine.recorder.drain()
    row.refresh_from_db()
    assert (row.state, row.filled) == ("ended", 1)


def test_the_rows_of_a_decision_are_one_statement_however_many_followers_it_reaches(owner: User) -> None:
    names = lines.names_of(OwnerId(owner.pk))

    def statements(orders: range) -> int:
        copies = [_copy_for(order) for order in orders]
        steps = [StepRecord(account=TWO, command="PlaceOrder", command_id=c.key, copy=c) for c in copies]
        with CaptureQueriesContext(connection) as asked:
            lineage.record_copies(OwnerId(owner.pk), steps, Nanos(1), Nanos(2), names)
            lines.write_lines(names)
        return len(asked)

    assert statements(range(1, 2)) == statements(range(2, 102)) <= 3
    assert CopiedOrder.objects.count() == Activity.objects.filter(kind="copy_sent").count() == 101


def test_a_copy_that_is_first_recorded_with_a_change_keeps_what_it_had_traded(owner: User) -> None:
    """Seed 2253576: a disk had lost that it was sent, and the next start counted its fills as none."""
    mine, names = OwnerId(owner.pk), lines.names_of(OwnerId(owner.pk))
    copy = _copy_for(1).changed(order_id=OrderId(700), filled=1)
    step = StepRecord(account=TWO, command="ChangeOrder", command_id=copy.key, copy=copy)
    lineage.record_copies(mine, [step], Nanos(1), Nanos(2), names)
    row = CopiedOrder.objects.get(key=copy.key)
    assert (row.broker_order_id, row.filled) == (700, 1)
    assert books.book_of(mine).copies[copy.key].filled == 1


def _copy_for(order: int) -> Copy:
    spec = OrderSpec(order_type=OrderType.MARKET, qty=1)
    return Copy(
        key=client_order_id(GROUP, LEADER, OrderId(order), TWO),
        group=GROUP,
        leader=LEADER,
        leader_order=OrderId(order),
        follower=TWO,
        symbol=ES,
        side=BUY,
        target=spec,
        sent=spec,
        enters=1,
    )
