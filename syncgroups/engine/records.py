"""What the journal's records look like. The engine writes them, the recorder reads them, nobody else does."""

from collections.abc import Iterable
from typing import Any

import msgspec

from risk.core.rules import Drawdown
from risk.core.standing import Band, Standing
from syncgroups.core.copies import Copy
from syncgroups.core.decision import CopyRefused, CopyStep, Decision, Locked, Remark, Step, Weighed
from tradehaven.domain import commands, events
from tradehaven.domain.events import Event
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos, OwnerId, Symbol


class StepRecord(msgspec.Struct, gc=False):
    """One step of a decision: the command's kind and id, and the copy that it makes, if it makes one."""

    account: AccountId
    command: str
    command_id: ClientOrderId | None
    copy: Copy | None
    weighed: Weighed | None = None


class DecisionRecord(msgspec.Struct, tag="decision", gc=False):
    """An intent: written before any of its commands is sent."""

    owner: OwnerId
    received: Nanos
    decided: Nanos
    steps: list[StepRecord]
    refusals: tuple[CopyRefused, ...]
    remarks: tuple[Remark, ...]
    locks: tuple[Locked, ...] = ()


HoldingRow = tuple[GroupId, AccountId, Symbol, Symbol, int]
"""Group, follower, its contract, the leader's contract, signed contracts."""


class EventRecord(msgspec.Struct, tag="event", gc=False):
    """A fact that was news to the book, and the holdings that it changed.

    They are one record: a fill on record whose holding is not would never be counted again.
    """

    owner: OwnerId
    name: str
    event: msgspec.Raw
    holdings: tuple[HoldingRow, ...] = ()


class WrittenRecord(msgspec.Struct, tag="written", gc=False):
    """When each command of a decision left, by its id."""

    owner: OwnerId
    at: dict[ClientOrderId, Nanos]


class HoldingsRecord(msgspec.Struct, tag="holdings", gc=False):
    """What followers hold because of their groups, where our own decision changed it."""

    owner: OwnerId
    holdings: list[tuple[Any, ...]]

    def rows(self) -> list[HoldingRow]:
        """Return the holdings; a record from before contracts could differ names only one."""
        return [(*row[:3], row[-2], row[-1]) for row in self.holdings]


class Stood(msgspec.Struct, gc=False):
    """Where one account stands, by which rule its floor is, and how near a limit it was last said to be."""

    standing: Standing
    drawdown: Drawdown | None = None
    band: Band = Band.SAFE


class StandingsRecord(msgspec.Struct, tag="standings", gc=False):
    """Where accounts stand by their rules, a few seconds behind: a start goes on from there."""

    owner: OwnerId
    at: Nanos
    accounts: dict[AccountId, Stood]


JournalRecord = DecisionRecord | EventRecord | WrittenRecord | HoldingsRecord | StandingsRecord

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(JournalRecord)
_EVENTS: dict[str, Any] = {
    kind.__name__: msgspec.json.Decoder(kind)
    for kind in (
        events.OrderWorking,
        events.OrderChanged,
        events.OrderFilled,
        events.OrderEnded,
        events.PositionReported,
        events.BalanceReported,
        events.LimitsReported,
        events.SnapshotTaken,
        events.OrdersListed,
        events.LinkLost,
        events.SilenceAsked,
        events.GateChanged,
        events.AccountLocked,
        events.PriceMoved,
        events.PricesLost,
        events.HaltPressed,
        events.TimePassed,
        events.PersonAsked,
        events.OrderAsked,
        commands.Confirmed,
        commands.Rejected,
        commands.Denied,
        commands.Unresolved,
    )
}


def encode_decision(owner: OwnerId, decision: Decision, received: Nanos, decided: Nanos) -> bytes:
    """Return a decision as a record."""
    record = DecisionRecord(
        owner=owner,
        received=received,
        decided=decided,
        steps=[_step(step) for step in decision.steps],
        refusals=decision.refusals,
        remarks=decision.remarks,
        locks=decision.locks,
    )
    return _encoder.encode(record)


def _step(step: Step) -> StepRecord:
    command = step.command
    name = type(command).__name__ if command is not None else ""
    client_id = command.client_order_id if command is not None else None
    if isinstance(step, CopyStep):
        return StepRecord(step.copy.follower, name, client_id, step.copy, step.weighed)
    return StepRecord(step.account, name, client_id, None)


def encode_event(owner: OwnerId, event: Event, holdings: Iterable[HoldingRow] = ()) -> bytes:
    """Return an event as a record, with the holdings that it changed."""
    raw = msgspec.Raw(_encoder.encode(event))
    return _encoder.encode(EventRecord(owner, type(event).__name__, raw, tuple(holdings)))


def encode_written(owner: OwnerId, at: dict[ClientOrderId, Nanos]) -> bytes:
    """Return the times of writing as a record."""
    return _encoder.encode(WrittenRecord(owner, at))


def encode_holdings(owner: OwnerId, holdings: list[HoldingRow]) -> bytes:
    """Return changed holdings as a record."""
    return _encoder.encode(HoldingsRecord(owner, list(holdings)))


def encode_standings(owner: OwnerId, at: Nanos, accounts: dict[AccountId, Stood]) -> bytes:
    """Return where accounts stand as a record."""
    return _encoder.encode(StandingsRecord(owner, at, accounts))


def decode(payload: bytes) -> JournalRecord:
    """Return what a record says; raise `msgspec.MsgspecError` when it says nothing readable."""
    record: JournalRecord = _decoder.decode(payload)
    return record


def event_of(record: EventRecord) -> Event:
    """Return the event of a record."""
    found: Event = _EVENTS[record.name].decode(record.event)
    return found
