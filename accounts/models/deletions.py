"""What remains of a deleted account: that it was, when, and how much. Nothing that names the person."""

from django.db import models

from tradehaven.db import AppendOnly


class Deletion(AppendOnly):
    """The proof of one deletion: rows by kind, counted as they went. `person` is the account's number."""

    person = models.BigIntegerField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField()
    counts = models.JSONField()

    class Meta:
        ordering = ["-done_at"]

    def __str__(self) -> str:
        """Describe the deletion in a line."""
        return f"account {self.person}: {sum(self.counts.values())} rows"
