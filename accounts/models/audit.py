"""What happened to a person's account, for that person to read. `accounts.audit.record` alone writes it."""

from typing import NoReturn

from django.db import models

from accounts.models.people import User
from tradehaven.db import AppendOnly, AppendOnlyError, enum_field
from tradehaven.domain.enums import AuditAction


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    """Reads as usual; refuses to edit or delete in bulk. Only the end of the account takes its rows along."""

    def update(self, **_values: object) -> NoReturn:
        """Refuse: records are not edited."""
        raise AppendOnlyError("audit events are records and cannot be changed")

    def delete(self) -> NoReturn:
        """Refuse: records go with their owner, by the cascade of that deletion."""
        raise AppendOnlyError("audit events are records and cannot be deleted")


class AuditEvent(AppendOnly):
    """One thing that was done with `owner`'s account, by `actor`: the owner, an operator or nobody known.

    `subject` says in words what it was done to; `address` and `device` say from where. None holds a secret.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="audit_events")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    action = enum_field(AuditAction)
    subject = models.CharField(max_length=200, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-at"], name="audit_of_owner")]
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        """Describe the event in a line."""
        words = self.get_action_display()
        return f"{words}: {self.subject}" if self.subject else str(words)
