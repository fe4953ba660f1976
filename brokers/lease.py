"""One engine for each shard, and an epoch that tells its successors apart (COPY-15).

The lease is a PostgreSQL advisory lock on a connection of its own: it is free the moment its holder dies,
and cannot be forgotten. The epoch is a row that grows with every new holder.
"""

import logging
import zlib
from contextlib import suppress
from types import TracebackType
from typing import Self

import psycopg
from django.db import connection
from django.utils import timezone

from brokers.models import Lease

log = logging.getLogger(__name__)

_NAMESPACE = 0x7448  # keeps our locks apart from those of anything else in the same database


class ShardLease:
    """Holds the right to trade one shard while its connection lives."""

    def __init__(self, shard: str, holder: str) -> None:
        self.shard = shard
        self.holder = holder
        self.epoch = 0
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def try_take(self) -> bool:
        """Take the lease if nobody holds it; say whether it is ours now."""
        if self._connection is None or self._connection.closed:
            parameters = connection.get_connection_params()
            parameters.pop("cursor_factory", None)
            parameters.pop("context", None)
            self._connection = psycopg.connect(**parameters, autocommit=True)
        row = self._connection.execute(
            "select pg_try_advisory_lock(%s, %s)", (_NAMESPACE, self._number())
        ).fetchone()
        if row is None or row[0] is not True:
            return False
        self.epoch = self._next_epoch()
        return True

    def is_held(self) -> bool:
        """Say whether the lock's connection still answers; without it the lease is gone."""
        if self.epoch == 0 or self._connection is None or self._connection.closed:
            return False
        try:
            self._connection.execute("select 1")
        except psycopg.Error:
            log.warning("the lease of shard %s was lost", self.shard, exc_info=True)
            return False
        Lease.objects.filter(shard=self.shard, epoch=self.epoch).update(beat_at=timezone.now())
        return True

    def release(self) -> None:
        """Give the lease up; another engine may take it at once."""
        if self._connection is not None and not self._connection.closed:
            Lease.objects.filter(shard=self.shard, epoch=self.epoch).update(holder="", beat_at=None)
            self._unlock(self._connection)
            self.epoch = 0

    def _unlock(self, held: psycopg.Connection[tuple[object, ...]]) -> None:
        # A server takes a moment to notice a closed connection; the next engine should not have to wait.
        with suppress(psycopg.Error):
            held.execute("select pg_advisory_unlock(%s, %s)", (_NAMESPACE, self._number()))
        held.close()

    def _number(self) -> int:
        return zlib.crc32(self.shard.encode()) - (1 << 31)

    def _next_epoch(self) -> int:
        lease, _ = Lease.objects.get_or_create(shard=self.shard)
        lease.epoch += 1
        lease.holder = self.holder
        lease.taken_at = lease.beat_at = timezone.now()
        lease.save()
        return lease.epoch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
