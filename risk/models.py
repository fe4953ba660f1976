"""Gates and limits. A gate is opened and shut by people and rules; who did so is kept for good."""

from enum import StrEnum

from django.conf import settings
from django.db import models

from brokers.models import Account
from tradehaven.db import AppendOnly, enum_field
from tradehaven.domain.enums import TradingState


class GateKind(StrEnum):
    """What a gate stands over."""

    ACCOUNT = "account"
    GROUP = "group"
    OWNER = "owner"


class Gate(models.Model):
    """What is let through for an account, a group or everything of an owner. `version` only grows.

    Nobody opens it before `locked_until` (UTC), and nobody makes that earlier (RISK-05).
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="gates")
    kind = enum_field(GateKind)
    state = enum_field(TradingState, default=TradingState.ACTIVE)
    flatten = models.BooleanField(default=False)
    version = models.PositiveBigIntegerField(default=0)
    reason = models.CharField(max_length=200, blank=True)
    locked_until = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=models.Q(kind="owner"), name="one_gate_over_everything"
            ),
            models.CheckConstraint(
                condition=models.Q(locked_until=None) | ~models.Q(state="active"),
                name="a_locked_gate_is_not_open",
            ),
        ]

    def __str__(self) -> str:
        """Describe the gate in a line."""
        return f"{self.kind} gate {self.pk}: {self.state}"

    @property
    def is_halted(self) -> bool:
        """Say whether the kill switch is on."""
        return self.state == TradingState.HALTED


class GateChange(AppendOnly):
    """One turn of a gate: what, by whom, why; `press` names the click that did it, where one did."""

    gate = models.ForeignKey(Gate, on_delete=models.CASCADE, related_name="changes")
    state = enum_field(TradingState)
    flatten = models.BooleanField()
    version = models.PositiveBigIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    reason = models.CharField(max_length=200, blank=True)
    press = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["gate", "press"], condition=~models.Q(press=""), name="one_change_per_press_and_gate"
            )
        ]

    def __str__(self) -> str:
        """Describe the change in a line."""
        return f"gate {self.gate_id} -> {self.state} (version {self.version})"


class AccountRisk(models.Model):
    """An account's gate and its limits; `max_position` counts contracts of one instrument."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="risk")
    gate = models.OneToOneField(Gate, on_delete=models.RESTRICT, related_name="account_risk")
    max_position = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        """Name the account."""
        return f"limits of {self.account_id}"
