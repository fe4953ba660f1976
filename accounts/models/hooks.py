"""Web hooks out: addresses that a person wants told, and the messages on their way to them (DASH-10)."""

from django.conf import settings
from django.db import models

from accounts.core.hooks import KINDS
from tradehaven.db import enum_field
from tradehaven.domain.enums import NoticeKind


class Webhook(models.Model):
    """One address and what it is told. `secret` is sealed to this row; `kinds` are `NoticeKind`s.

    `failures` counts messages given up in a row; `off_because` says why a hook is off.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    secret = models.TextField(editable=False)
    kinds = models.JSONField(default=list)
    active = models.BooleanField(default=True)
    off_because = models.CharField(max_length=200, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = "web hook"
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_webhook_per_name")]

    def __str__(self) -> str:
        """Name the hook."""
        return self.name

    @property
    def told_of(self) -> list[str]:
        """Return what it is told of, as its owner reads it."""
        return [text for kind, text in KINDS.items() if kind in self.kinds]


class HookMessage(models.Model):
    """One message to one hook: written with what it tells of, sent after commit, tried some times.

    `kind` is empty for a test. `status` is the answer's, None where none came. The body is what is signed.
    """

    hook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="messages")
    number = models.UUIDField(unique=True)
    kind = enum_field(NoticeKind, blank=True)
    body = models.TextField()
    made_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(sent_at__isnull=True), name="hooks_to_send")
        ]

    def __str__(self) -> str:
        """Describe the message in a line."""
        return f"{self.kind or 'test'} to {self.hook}"
