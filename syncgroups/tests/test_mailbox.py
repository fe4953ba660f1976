"""The mailbox: written down before it is sent, one event after another, and no event stops the next."""

import os
from pathlib import Path
from typing import Any

import pytest

from syncgroups.core.book import Book
from syncgroups.engine import records
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal, Mark, read
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.records import DecisionRecord, EventRecord
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import LEADER, connection_of, follower, group_of, open_gates, plan_of
from tradehaven.domain.commands import Command, Denied, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.ids import AccountId, Nanos, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


class Wire:
    """A gateway that keeps what it was given, and may be told how to fail."""

    is_ready = True

    def __init__(self, log: list[Any]) -> None:
        self.log = log
        self.failure: Exception | None = None
        self.answer: Denied | None = None
        self.on_send: Any = None

    def send(self, command: Command) -> Denied | None:
        """Keep a command."""
        if self.failure is not None:
            raise self.failure
        if self.on_send is not None:
            self.on_send()
        self.log.append(command)
        return self.answer


class Room:
    """A mailbox over a desk's world: what the desk shows goes through it."""

    def __init__(self, folder: Path) -> None:
        self.world = Desk(plan_of(group_of(follower(2), follower(3))))
        self.sent: list[Any] = []
        self.is_leading = True
        self.wires = {connection_of(account): Wire(self.sent) for account in self.world.plan.accounts}
        self.journal = Journal(folder, epoch=1)
        self.folder = folder
        dispatch = Dispatch(self.wires, lambda: Nanos(7), lambda: self.is_leading)  # type: ignore[arg-type]
        self.mailbox = Mailbox(self.world.plan, Book(), self.journal, dispatch, lambda: Nanos(5))
        for gate in open_gates(self.world.plan):
            self.mailbox.post(gate)
        self.world.step = self._step  # type: ignore[method-assign]
        self.world.connect()

    def _step(self, event: Any) -> Any:
        self.mailbox.post(event)

    def records(self) -> list[Any]:
        """Return the journal's records."""
        return [records.decode(payload) for payload, _ in read(self.folder, Mark())]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_the_intent_is_on_file_before_the_first_frame_leaves(room: Room) -> None:
    seen: list[list[str]] = []
    room.wires[connection_of(TWO)].on_send = lambda: seen.append(
        [type(record).__name__ for record in room.records()]
    )
    room.world.trade(BUY, 1)
    assert "DecisionRecord" in seen[0]
    names = [type(record).__name__ for record in room.records()]
    assert names[-3:] == ["DecisionRecord", "WrittenRecord", "EventRecord"]
    assert len(room.sent) == 2


def test_a_journal_that_cannot_be_written_lets_no_entry_out(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting = room.world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    for command in list(room.sent):
        room.world.deliver(command)
    room.sent.clear()

    def full(*_: object) -> int:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        room.world.trade(BUY, 1)
        assert not room.sent
        room.world.cancel(resting)
        assert {type(command).__name__ for command in room.sent} == {"CancelOrder"}
    lost = [copy for copy in room.mailbox.book.copies.values() if copy.sent.order_type is OrderType.MARKET]
    assert {str(copy.state) for copy in lost} == {"ended"}


@pytest.mark.parametrize("lost", [True, False])
def test_without_its_lease_nothing_at_all_leaves(room: Room, lost: bool) -> None:
    resting = room.world.trade(BUY, 1, OrderType.LIMIT, limit=20000)
    for command in list(room.sent):
        room.world.deliver(command)
    room.sent.clear()
    room.is_leading = not lost
    room.world.trade(BUY, 1)
    room.world.cancel(resting)
    assert bool(room.sent) is not lost
    denied = [record for record in room.records() if getattr(record, "name", "") == "Denied"]
    assert all(b"lease_lost" in bytes(record.event) for record in denied)
    assert (len(denied) >= 4) is lost  # two entries, two cancels


def test_a_lease_that_ends_between_two_frames_stops_the_second(room: Room) -> None:
    def end() -> None:
        room.is_leading = False

    room.wires[connection_of(TWO)].on_send = end
    room.world.trade(BUY, 1)
    assert len(room.sent) == 1


def test_what_a_full_disk_did_not_take_is_told_once_it_does(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        order = room.world.trade(BUY, 1)
    room.world.wait(1)
    room.world.market(SELL, 1)
    decided = [
        step.command_id
        for record in room.records()
        if isinstance(record, DecisionRecord)
        for step in record.steps
    ]
    denied = [
        record.name
        for record in room.records()
        if isinstance(record, EventRecord) and record.name == "Denied"
    ]
    assert [name for name in decided if name and f".o{order}." in name] == [
        f"th1.g9.l1.o{order}.f2",
        f"th1.g9.l1.o{order}.f3",
    ]
    assert len(denied) == 2


def test_one_bad_event_does_not_stop_the_next(room: Room) -> None:
    room.mailbox.post("no event at all")  # type: ignore[arg-type]
    assert room.mailbox.failures == 1
    room.world.trade(BUY, 1)
    assert len(room.sent) == 2


def test_what_is_posted_meanwhile_waits_its_turn(room: Room) -> None:
    order: list[int] = []

    def interrupt() -> None:
        room.wires[connection_of(TWO)].on_send = None
        room.world.trade(BUY, 3)
        order.append(len(room.sent))

    room.wires[connection_of(TWO)].on_send = interrupt
    room.world.trade(BUY, 1)
    assert order == [0]
    assert [sent.spec.qty for sent in room.sent if isinstance(sent, PlaceOrder)] == [1, 1, 3, 3]


def test_a_command_that_a_gateway_denies_comes_back_as_an_event(room: Room) -> None:
    wire = room.wires[connection_of(TWO)]
    wire.answer = Denied(
        account=TWO,
        client_order_id=_key(room, 601),
        reason=RefusalReason.FOLLOWER_OFFLINE,
        text="gone",
        at=Nanos(9),
    )
    room.world.trade(BUY, 1)
    assert room.mailbox.book.copies[_key(room, 601)].state == "ended"


def _key(room: Room, order: int) -> Any:
    group = room.world.plan.groups[0]
    return f"th1.g{group.group}.l{LEADER}.o{order}.f2"


def test_a_command_that_cannot_be_made_does_not_keep_the_others_back(room: Room) -> None:
    room.wires[connection_of(TWO)].failure = UnknownInstrument("no such product")
    room.world.trade(BUY, 1, symbol=Symbol("ESZ6"))
    assert [command.account for command in room.sent] == [3]
    assert room.mailbox.failures == 0


def test_what_no_exchange_could_mean_never_leaves(room: Room) -> None:
    room.world.trade(BUY, 1_000_000)
    assert not room.sent
    events = [record for record in room.records() if type(record).__name__ == "EventRecord"]
    denied = [records.event_of(record) for record in events if record.name == "Denied"]
    assert {event.reason for event in denied} == {RefusalReason.INVALID_ORDER}  # type: ignore[union-attr]


def test_an_account_without_a_gateway_is_offline(room: Room) -> None:
    del room.wires[connection_of(TWO)]
    room.world.trade(BUY, 1)
    events = [record for record in room.records() if type(record).__name__ == "EventRecord"]
    denied = [records.event_of(record) for record in events if record.name == "Denied"]
    assert [event.reason for event in denied] == [RefusalReason.FOLLOWER_OFFLINE]  # type: ignore[union-attr]


def test_changed_holdings_stand_in_the_record_of_their_fill(room: Room) -> None:
    room.world.market(BUY, 2)
    for command in list(room.sent):
        room.world.deliver(command)
    events = [record for record in room.records() if isinstance(record, EventRecord)]
    holdings = [(record.name, entry) for record in events for entry in record.holdings]
    assert {name for name, _ in holdings} == {"OrderFilled"}
    assert [entry for _, entry in holdings] == [
        (9, 2, "ESZ6", "ESZ6", 2),
        (9, 3, "ESZ6", "ESZ6", 2),
    ]
