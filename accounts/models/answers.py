"""What programs were answered, kept for a while so that a repeated request is not carried out twice."""

from django.conf import settings
from django.db import models


class StoredAnswer(models.Model):
    """A request that trades, by the name its program gave it, and its answer; `status` is empty until then.

    `claimed_at` (UTC) is when a process began with it: one that died on the way is taken over later.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stored_answers"
    )
    name = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_answer_per_idempotency_key")
        ]
        indexes = [models.Index(fields=["owner", "expires_at"], name="answers_by_end")]

    def __str__(self) -> str:
        """Name the request."""
        return f"{self.name} of {self.owner_id}"
