"""The journal's records become rows, behind the engine and in a process of its own.

A batch and the mark that stands behind it are one transaction: what was recorded is never recorded
again, and what was not is found at the next start. The engine's loop never waits for any of this.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

import msgspec
from django.db import IntegrityError, close_old_connections, connection, transaction

from syncgroups.engine import journal
from syncgroups.engine.event_rows import KEPT, WRITERS
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
from syncgroups.models import JournalMark
from syncgroups.services import audit, lineage, lines, standings
from syncgroups.services.lines import Names
from tradehaven.db import DATABASE_AWAY, end_if_idle
from tradehaven.domain.ids import OwnerId
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
        case EventRecord(name=name) if name in KEPT:
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
    write = WRITERS.get(type(event))
    topics = write(record.owner, event, names) if write is not None else ()
    if not record.holdings:
        return topics
    lineage.record_holdings(list(record.holdings), names)
    return (*topics, Topic.GROUPS)
