"""What a follower's order was told after it had been placed: each change and cancel with its own times."""

from enum import StrEnum

from django.db import models

from tradehaven.db import enum_field


class CommandKind(StrEnum):
    """What was asked of an order that was there already."""

    CHANGE = "change"
    CANCEL = "cancel"


class CopyCommand(models.Model):
    """One change or cancel of a copy (COPY-08). Times are UTC; quantity in contracts, prices in ticks.

    A cancel has no figures. `outcome` is empty while all is well, else what spoke against it.
    """

    copy = models.ForeignKey(
        "CopiedOrder", to_field="key", on_delete=models.CASCADE, related_name="commands", db_column="copy_key"
    )
    client_order_id = models.CharField(max_length=80, unique=True)
    kind = enum_field(CommandKind)
    qty = models.PositiveIntegerField(null=True, blank=True)
    limit_ticks = models.BigIntegerField(null=True, blank=True)
    stop_ticks = models.BigIntegerField(null=True, blank=True)
    received_at = models.DateTimeField()
    decided_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        """Describe the command in a line."""
        return f"{self.kind} {self.client_order_id}"
