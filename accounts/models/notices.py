"""Mails that are to go out. A row is made with the change that it tells of, and delivered after commit."""

from django.db import models

from accounts.models.people import User
from tradehaven.db import enum_field
from tradehaven.domain.enums import NoticeKind


class Notice(models.Model):
    """One mail to one person: written once, delivered at least once, given up after some attempts."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    kind = enum_field(NoticeKind)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(sent_at__isnull=True), name="notices_to_send")
        ]
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        """Describe the mail in a line."""
        return f"{self.subject} to {self.owner}"
