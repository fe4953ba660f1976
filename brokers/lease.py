"""The right to write for a shard, for a few seconds at a time (COPY-15).

A holder moves its row on twice a second, and writes only until a deadline by its own clock, counted from
before it asked. Another process takes a row over after it has watched it stand still for the whole term, by
its own clock, in one guarded statement. No clock is compared with another one, and every holder has a higher
epoch than any before it. docs/adr/0014-leases-by-time.md has the reasons and the proof.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Now

from brokers.core.shards import FleetView, shard_names
from brokers.core.stillness import Stillness
from brokers.models import EngineProcess, Lease
from tradehaven.db import end_if_idle

log = logging.getLogger(__name__)

_TAKING = 0x7448_0000
"""The advisory lock under which leases change hands; free again with the end of the transaction."""
_FROZEN_TAKER = 2
"""Seconds after which the server lets go of a taker that was frozen with that lock."""
MARGIN = 1 / 3
"""The part of a term that its holder leaves unused: its last write has arrived before another may write."""
STEP = 1 / 6
"""The part of a term between two renewals, and between two looks at the others."""
FORGET_AFTER = 20
"""Terms after which the row of a process that shows no life is deleted."""


class ShardLease:
    """One shard, as long as it is ours. Once it has lapsed it never comes back: a new epoch must be taken."""

    def __init__(self, shard: str, epoch: int, deadline: float, now: Callable[[], float]) -> None:
        self.shard = shard
        self.epoch = epoch
        self.deadline = deadline
        self._now = now

    def is_fresh(self) -> bool:
        """Say whether a write may leave now. To be asked immediately before each one; costs no I/O."""
        return self._now() < self.deadline

    def extend(self, deadline: float) -> None:
        """Move the deadline (seconds of the lease's clock), unless it has passed: others may trade by now."""
        if self.is_fresh():
            self.deadline = max(self.deadline, deadline)

    def lapse(self) -> None:
        """Write nothing any more."""
        self.deadline = float("-inf")


@dataclass
class Leases:
    """One process's dealings with all leases. Runs in one thread; `now` never stands still, not even asleep.

    Raises `DatabaseError` where the database does not answer; what was granted then lasts to its deadline.
    """

    holder: str
    shards: int
    seconds: int
    now: Callable[[], float]
    _leases: Stillness = field(default_factory=Stillness)
    _processes: Stillness = field(default_factory=Stillness)
    _rows: dict[str, Lease] = field(default_factory=dict)

    # -- what there is ------------------------------------------------------------------------------

    def look(self) -> FleetView:
        """Show that we live, look at everybody, and return who leads what."""
        self._show()
        rows = {row.shard: row for row in Lease.objects.all()}
        self._leases.see({shard: _face(row) for shard, row in rows.items()}, self.now())
        self._rows = rows
        live = self._live()
        holders = {
            shard: "" if (row := rows.get(shard)) is None or self._is_takeable(row) else row.holder
            for shard in shard_names(self.shards)
        }
        return FleetView(me=self.holder, live=live, holders=holders)

    def strangers(self) -> list[str]:
        """Return, as of the last look, the live leases of a fleet that is divided in another way."""
        return sorted(
            f"{row.shard} ({row.holder})" for row in self._rows.values() if self._is_in_the_way(row)
        )

    def _show(self) -> None:
        mine = EngineProcess.objects.filter(holder=self.holder)
        if not mine.update(beats=F("beats") + 1, beat_at=Now()):
            EngineProcess.objects.create(holder=self.holder, shards=self.shards)

    def _live(self) -> frozenset[str]:
        rows = list(EngineProcess.objects.all())
        self._processes.see({row.holder: row.beats for row in rows}, self.now())
        now, found = self.now(), {self.holder}
        for row in rows:
            still = self._processes.still_for(row.holder, now)
            if still < self.seconds and row.shards == self.shards:
                found.add(row.holder)
            elif still > self.seconds * FORGET_AFTER:
                EngineProcess.objects.filter(holder=row.holder, beats=row.beats).delete()
        return frozenset(found)

    def _is_takeable(self, row: Lease) -> bool:
        # The longer term counts: the holder may have been started with another setting than ours.
        term = max(row.seconds, self.seconds)
        return not row.holder or self._leases.still_for(row.shard, self.now()) >= term

    def _is_in_the_way(self, row: Lease) -> bool:
        return row.shard not in shard_names(self.shards) and not self._is_takeable(row)

    # -- taking, keeping, giving up -----------------------------------------------------------------

    def take(self, shard: str) -> ShardLease | None:
        """Take a shard that was free or still at the last look; None when somebody else has it after all.

        While a live fleet divides the owners in another way nothing is taken: an owner would be led twice.
        """
        asked = self.now()
        with transaction.atomic():
            end_if_idle(_FROZEN_TAKER)
            if not self._alone() or not self._others_are_free():
                return None
            Lease.objects.get_or_create(shard=shard)
            epoch = self._next_epoch()
            if not self._seize(shard, epoch):
                return None
        log.info("shard %s is led by %s, epoch %s", shard, self.holder, epoch)
        return ShardLease(shard, epoch, self._deadline(asked), self.now)

    def _alone(self) -> bool:
        # Tried, not waited for: whoever waits here cannot renew what it holds.
        with connection.cursor() as cursor:
            cursor.execute("select pg_try_advisory_xact_lock(%s)", [_TAKING])
            found = cursor.fetchone()
        return found is not None and bool(found[0])

    def _others_are_free(self) -> bool:
        """Fence the dead off that belong to another division; False while one of its leases is alive."""
        mine = shard_names(self.shards)
        for row in Lease.objects.exclude(shard__in=mine).exclude(holder=""):
            known = self._rows.get(row.shard)
            if known is None or _face(known) != _face(row) or not self._is_takeable(known):
                return False
            if not _same(known).update(holder="", epoch=self._next_epoch(), beat_at=None):
                return False
        return True

    def _next_epoch(self) -> int:
        highest: int | None = Lease.objects.aggregate(highest=Max("epoch"))["highest"]
        return (highest or 0) + 1

    def _seize(self, shard: str, epoch: int) -> bool:
        known = self._rows.get(shard)
        if known is not None and known.holder and not self._is_takeable(known):
            return False
        free = Lease.objects.filter(shard=shard, holder="")
        found = free if known is None or not known.holder else _same(known)
        values = {"holder": self.holder, "epoch": epoch, "seconds": self.seconds, "beats": F("beats") + 1}
        return bool(found.update(**values, taken_at=Now(), beat_at=Now()))

    def renew(self, lease: ShardLease) -> bool:
        """Move a lease's row on; say whether it still is ours. Time that has passed is not granted."""
        asked = self.now()
        mine = Lease.objects.filter(shard=lease.shard, epoch=lease.epoch)
        if not lease.is_fresh() or not mine.update(beats=F("beats") + 1, beat_at=Now()):
            lease.lapse()
            return False
        lease.extend(self._deadline(asked))
        return lease.is_fresh()

    def _deadline(self, asked: float) -> float:
        return asked + self.seconds * (1 - MARGIN)

    def release(self, lease: ShardLease) -> None:
        """Give a lease up: nothing is written under it any more, and another process may take it at once."""
        lease.lapse()
        Lease.objects.filter(shard=lease.shard, epoch=lease.epoch).update(holder="", beat_at=None)

    def leave(self) -> None:
        """Take this process out of the count."""
        EngineProcess.objects.filter(holder=self.holder).delete()


def _face(row: Lease) -> tuple[object, ...]:
    """Return what changes whenever a holder moves its row."""
    return (row.epoch, row.beats, row.beat_at, row.holder)


def _same(row: Lease) -> QuerySet[Lease]:
    return Lease.objects.filter(
        shard=row.shard, epoch=row.epoch, beats=row.beats, beat_at=row.beat_at, holder=row.holder
    )
