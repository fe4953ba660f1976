"""The journal's records become rows, behind the engine and in a process of its own.

A batch and the mark that stands behind it are one transaction: what was recorded is never recorded
again, and what was not is found at the next start. The engine's loop never waits for any of this.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_never

import msgspec
from django.db import IntegrityError, close_old_connections, connection, transaction

from brokers.models import Connection
from brokers.services import facts
from brokers.services.budgets import record_silence
from brokers.services.health import record_drop
from syncgroups.core.threads import thread_of
from syncgroups.engine import journal
from syncgroups.engine.records import (
    DecisionRecord,
    EventRecord,
    HoldingsRecord,
    JournalRecord,
    StandingsRecord,
    WrittenRecord,
    decode,
    event_of,
)
from syncgroups.models import ActivityKind, JournalMark, Severity, SyncGroup
from syncgroups.services import audit, lineage, lines, standings
from syncgroups.services.lines import Names
from tradehaven.db import DATABASE_AWAY, end_if_idle
from tradehaven.domain.commands import Confirmed, Denied, Rejected, Unresolved
from tradehaven.domain.events import (
    BalanceReported,
    LinkLost,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrderWorking,
    PositionReported,
    SilenceAsked,
    SnapshotTaken,
)
from tradehaven.domain.ids import GroupId, OwnerId
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish

log = logging.getLogger(__name__)

Batch = list[tuple[JournalRecord, bytes]]
BATCH = 500
PAUSE = 0.05
"""Seconds between looks at a journal that has nothing new."""
RETRY_AFTER = 1.0


FROZEN = 2
"""Seconds after which the server undoes the batch of a frozen recorder, for which its successor waits."""


class Superseded(Exception):
    """The shard has a higher epoch: whatever is recorded from now on is its recorder's to write."""


class Recorder:
    """Reads one shard's journal from its mark, in the name of one epoch."""

    def __init__(self, shard: str, folder: Path, epoch: int) -> None:
        self._shard = shard
        self._folder = folder
        self._epoch = epoch
        self.unreadable = 0
        self.left_out = 0

    def claim(self) -> None:
        """Make the mark this epoch's; from here on no recorder of an older one writes anything.

        Waits for a batch that such a one has begun. Raises `Superseded`.
        """
        with transaction.atomic():
            JournalMark.objects.get_or_create(shard=self._shard)
            self._lock()
            JournalMark.objects.filter(shard=self._shard).update(epoch=self._epoch)

    def drain(self) -> int:
        """Record everything that the journal holds now; return how many records that were."""
        total = 0
        while count := self.step():
            total += count
        return total

    def run(self, stopped: Callable[[], bool]) -> None:
        """Record as the journal grows, until told to stop and nothing is left. Raises `Superseded`."""
        while True:
            ending = stopped()
            try:
                count = self.step()
            except DATABASE_AWAY as error:
                log.warning("the database does not take the records; trying again: %s", error)
                close_old_connections()
                time.sleep(RETRY_AFTER)
                continue
            if count == 0:
                if ending:
                    return
                time.sleep(PAUSE)

    def step(self) -> int:
        """Record one batch, in one transaction, under the lock of the mark. Raises `Superseded`."""
        row, _ = JournalMark.objects.get_or_create(shard=self._shard)
        mark, batch = self._read(journal.Mark(segment=row.segment, offset=row.offset))
        if mark.segment == row.segment and mark.offset == row.offset:
            return 0
        try:
            kept = self._keep(row, mark, batch, self._record)
        except IntegrityError:
            kept = self._keep(row, mark, batch, self._record_one_by_one)
        if not kept:
            return 1  # somebody else of this epoch was faster: look again
        journal.forget(self._folder, mark.segment)
        return max(1, len(batch))

    def _keep(
        self, row: JournalMark, mark: journal.Mark, batch: Batch, record: Callable[[Batch], None]
    ) -> bool:
        """Record a batch and move the mark behind it; return whether it was still there to be recorded."""
        with transaction.atomic():
            held = self._lock()
            if (held.segment, held.offset) != (row.segment, row.offset):
                return False
            record(batch)
            JournalMark.objects.filter(pk=row.pk).update(segment=mark.segment, offset=mark.offset)
        return True

    def _lock(self) -> JournalMark:
        end_if_idle(FROZEN)
        mark = JournalMark.objects.select_for_update().get(shard=self._shard)
        if mark.epoch > self._epoch:
            raise Superseded(f"shard {self._shard}: epoch {mark.epoch} has begun, {self._epoch} is over")
        return mark

    def _read(self, mark: journal.Mark) -> tuple[journal.Mark, Batch]:
        batch: Batch = []
        for payload, after in journal.read(self._folder, mark, epoch=self._epoch):
            mark = after
            try:
                batch.append((decode(payload), payload))
            except msgspec.MsgspecError:
                self.unreadable += 1
                log.exception("a journal record could not be read and is left out")
            if len(batch) >= BATCH:
                break
        return mark, batch

    def _record_one_by_one(self, batch: Batch) -> None:
        """Record what can be: an account that was deleted meanwhile must not hold up what is everybody's."""
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")  # else they are looked at when it is too late
        for entry in batch:
            try:
                with transaction.atomic():
                    self._record([entry])
            except IntegrityError as error:
                self.left_out += 1
                log.warning("a record of owner %s is left out: %s", entry[0].owner, error)

    def _record(self, batch: Batch) -> None:
        names: dict[OwnerId, Names] = {}
        topics: dict[OwnerId, set[Topic]] = {}
        trails: dict[OwnerId, list[tuple[str, bytes]]] = {}
        for record, payload in batch:
            owner = record.owner
            if owner not in names:
                names[owner] = lines.names_of(owner)
            topics.setdefault(owner, set()).update(record_one(record, names[owner]))
            kind = _kept_as(record)
            if kind is not None:
                trails.setdefault(owner, []).append((kind, payload))
        for known in names.values():
            lines.write_lines(known)
        for owner, entries in trails.items():
            audit.append(owner, entries)
        for owner, found in topics.items():
            publish(owner, found)


def _kept_as(record: JournalRecord) -> str | None:
    """Return as what a record goes into the audit trail; cash, positions and lists are not kept there."""
    match record:
        case DecisionRecord():
            return "decision"
        case WrittenRecord():
            return "written"
        case EventRecord(name=name) if name in _KEPT:
            return name
        case _:
            return None


def record_one(record: JournalRecord, names: Names) -> tuple[Topic, ...]:
    """Write one record down; return which parts of its owner's pages it changes."""
    match record:
        case DecisionRecord():
            return _decision(record, names)
        case EventRecord():
            return _event(record, names)
        case WrittenRecord():
            lineage.record_written(record.at)
            return ()
        case HoldingsRecord():
            lineage.record_holdings(record.rows(), names)
            return (Topic.GROUPS,)
        case StandingsRecord():
            standings.record_standings(record.accounts, record.at, names)
            return (Topic.ACCOUNTS,)
        case _:  # pragma: no cover
            assert_never(record)


def _decision(record: DecisionRecord, names: Names) -> tuple[Topic, ...]:
    there = names.accounts.keys()
    steps = (step for step in record.steps if step.copy is None or step.copy.follower in there)
    # What one of several followers was told goes with its account, not the others'.
    lineage.record_copies(record.owner, steps, record.received, record.decided, names)
    for refusal in record.refusals:
        lineage.record_refusal(record.owner, refusal, record.decided, names)
    for locked in record.locks:
        standings.record_lock(record.owner, locked, names)
    for remark in record.remarks:
        lineage.record_remark(record.owner, remark, record.decided, names)
        standings.tell_of(record.owner, remark, names)
    return (Topic.ACTIVITY, Topic.GROUPS)


def _event(record: EventRecord, names: Names) -> tuple[Topic, ...]:
    event = event_of(record)
    account = getattr(event, "account", None)
    if account is not None and account not in names.accounts:
        return ()  # it was deleted meanwhile, and its rows with it
    write = _EVENTS.get(type(event))
    topics = write(record.owner, event, names) if write is not None else ()
    if not record.holdings:
        return topics
    lineage.record_holdings(list(record.holdings), names)
    return (*topics, Topic.GROUPS)


def _working(owner: OwnerId, event: OrderWorking, names: Names) -> tuple[Topic, ...]:
    facts.record_working(event)
    lineage.copy_working(event)
    _leader_line(owner, event, names)
    return (Topic.ACTIVITY,)


def _changed(_owner: OwnerId, event: OrderChanged, _names: Names) -> tuple[Topic, ...]:
    facts.record_changed(event)
    lineage.copy_changed(event)
    return ()


def _filled(owner: OwnerId, event: OrderFilled, names: Names) -> tuple[Topic, ...]:
    facts.record_fills([event])
    lineage.copy_filled(owner, event, names)
    return (Topic.OVERVIEW, Topic.ACCOUNTS, Topic.ACTIVITY)


def _ended(owner: OwnerId, event: OrderEnded, names: Names) -> tuple[Topic, ...]:
    facts.record_ended(event)
    lineage.copy_ended(owner, event, names)
    return (Topic.ACTIVITY,)


def _position(_owner: OwnerId, event: PositionReported, _names: Names) -> tuple[Topic, ...]:
    facts.record_positions([event])
    return (Topic.ACCOUNTS, Topic.OVERVIEW)


def _balance(_owner: OwnerId, event: BalanceReported, _names: Names) -> tuple[Topic, ...]:
    facts.record_balance(event)
    return (Topic.ACCOUNTS, Topic.OVERVIEW)


def _confirmed(_owner: OwnerId, event: Confirmed, _names: Names) -> tuple[Topic, ...]:
    lineage.copy_confirmed(event)
    return ()


def _rejected(owner: OwnerId, event: Rejected, names: Names) -> tuple[Topic, ...]:
    lineage.copy_rejected(owner, event, names)
    return (Topic.ACTIVITY,)


def _denied(owner: OwnerId, event: Denied, names: Names) -> tuple[Topic, ...]:
    lineage.copy_denied(owner, event, names)
    return (Topic.ACTIVITY,)


def _unresolved(owner: OwnerId, event: Unresolved, names: Names) -> tuple[Topic, ...]:
    lineage.copy_unresolved(owner, event, names)
    return (Topic.ACTIVITY,)


def _leader_line(owner: OwnerId, event: OrderWorking, names: Names) -> None:
    group = SyncGroup.objects.filter(leader_id=event.account, active=True).first()
    if group is None:
        return
    order = f"{event.side} {event.spec.qty} {event.symbol} {lineage.describe(event.symbol, event.spec)}"
    text = f"{names.account(event.account)} placed {order}"
    lines.log(
        owner,
        ActivityKind.LEADER_ORDER,
        event.at,
        text,
        names,
        account=event.account,
        group=GroupId(group.pk),
        symbol=event.symbol,
        thread=thread_of(event.account, event.order_id),
    )


def _link(owner: OwnerId, event: SnapshotTaken | LinkLost, names: Names) -> tuple[Topic, ...]:
    up = isinstance(event, SnapshotTaken)
    reason = "" if isinstance(event, SnapshotTaken) else event.reason
    before = Connection.objects.filter(pk=event.connection).values_list("link_up", "name").first()
    facts.record_link(event.connection, up=up, reason=reason, at=event.at)
    if isinstance(event, SnapshotTaken):
        for snapshot in event.accounts:
            facts.record_snapshot(snapshot)
            for order in snapshot.orders:
                lineage.copy_stated(snapshot.account, order, event.at)
    if before is not None and before[0] is not up:
        text = f"{before[1]} is connected" if up else f"{before[1]} lost its connection: {reason}"
        severity = Severity.GOOD if up else Severity.WARNING
        lines.log(owner, ActivityKind.LINK, event.at, text, names, severity=severity)
    if isinstance(event, LinkLost):
        _dropped(owner, event, names)
    return (Topic.ACCOUNTS, Topic.OVERVIEW, Topic.ACTIVITY, Topic.GROUPS)


def _dropped(owner: OwnerId, event: LinkLost, names: Names) -> None:
    count = record_drop(event.connection, facts.moment(event.at), event.reason)
    if count is None:
        return
    name = Connection.objects.filter(pk=event.connection).values_list("name", flat=True).first()
    text = (
        f"{name} lost its connection {count} times within an hour. Look at its token, at the broker's status "
        "page, and at firewalls and proxies on port 443"
    )
    lines.log(owner, ActivityKind.LINK, event.at, text, names, severity=Severity.DANGER)


def _silence(owner: OwnerId, event: SilenceAsked, names: Names) -> tuple[Topic, ...]:
    until = facts.moment(event.until)
    if record_silence(event.connection, until, event.reason):
        name = Connection.objects.filter(pk=event.connection).values_list("name", flat=True).first()
        text = f"{name}: {event.reason}. Until {until:%H:%M:%S} UTC entries are refused and changes wait"
        lines.log(owner, ActivityKind.LINK, event.at, text, names, severity=Severity.DANGER)
    return (Topic.ACCOUNTS, Topic.ACTIVITY)


_KEPT = frozenset(
    kind.__name__
    for kind in (
        OrderWorking,
        OrderChanged,
        OrderFilled,
        OrderEnded,
        LinkLost,
        SilenceAsked,
        Confirmed,
        Rejected,
        Denied,
        Unresolved,
    )
)
_EVENTS: dict[type, Callable[[OwnerId, Any, Names], tuple[Topic, ...]]] = {
    OrderWorking: _working,
    OrderChanged: _changed,
    OrderFilled: _filled,
    OrderEnded: _ended,
    PositionReported: _position,
    BalanceReported: _balance,
    SnapshotTaken: _link,
    LinkLost: _link,
    SilenceAsked: _silence,
    Confirmed: _confirmed,
    Rejected: _rejected,
    Denied: _denied,
    Unresolved: _unresolved,
}
"""How each kind of event becomes rows. Gates and the passing of time come from rows, or from nowhere."""
