"""How far the journals are recorded."""

from django.db import models


class JournalMark(models.Model):
    """How far a shard's journal has been written into these tables; moves in the same transaction.

    `epoch` is the newest that has begun to record: no older one writes a row after it.
    """

    shard = models.CharField(max_length=32, primary_key=True)
    segment = models.CharField(max_length=64, blank=True)
    offset = models.PositiveBigIntegerField(default=0)
    epoch = models.PositiveBigIntegerField(default=0, db_default=0)
    moved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        """Describe the mark in a line."""
        return f"{self.shard}: {self.segment} {self.offset}"
