"""Gates, rules, locks, and where accounts stand. Who turned or changed what is kept for good."""

from enum import StrEnum

from django.conf import settings
from django.db import models

from brokers.models import Account
from tradehaven.db import AppendOnly, enum_field
from tradehaven.domain.enums import RefusalReason, TradingState


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


class RuleScope(StrEnum):
    """Whom rules hold for: one account, each follower of a group, their sum, or the sum of everything."""

    ACCOUNT = "account"
    MEMBERS = "members"
    GROUP = "group"
    OWNER = "owner"


class RuleBook(models.Model):
    """Rules as they are in force, and those that somebody has loosened and that wait for the next day.

    `rules` and `later` are `risk.core.rules.Rules`; `later` holds from `later_at` on. `preset` names the rule
    set that they were taken from, with the version that this account has and keeps.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rule_books")
    scope = enum_field(RuleScope)
    rules = models.JSONField(default=dict)
    later = models.JSONField(null=True, blank=True)
    later_at = models.DateTimeField(null=True, blank=True)
    preset = models.CharField(max_length=80, blank=True)
    preset_version = models.CharField(max_length=40, blank=True)
    version = models.PositiveBigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=models.Q(scope="owner"), name="one_rule_book_over_everything"
            )
        ]

    def __str__(self) -> str:
        """Describe the rules in a line."""
        return f"rules {self.pk} of {self.scope}, version {self.version}"


class RuleChange(AppendOnly):
    """One change of rules: what holds at once, what from when on, by whom."""

    book = models.ForeignKey(RuleBook, on_delete=models.CASCADE, related_name="changes")
    version = models.PositiveBigIntegerField()
    rules = models.JSONField()
    later = models.JSONField(null=True)
    later_at = models.DateTimeField(null=True)
    preset = models.CharField(max_length=80, blank=True)
    preset_version = models.CharField(max_length=40, blank=True)
    text = models.CharField(max_length=1000, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Describe the change in a line."""
        return f"rules {self.book_id}, version {self.version}"


class AccountRisk(models.Model):
    """An account's gate and its rules."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="risk")
    gate = models.OneToOneField(Gate, on_delete=models.RESTRICT, related_name="account_risk")
    book = models.OneToOneField(RuleBook, on_delete=models.RESTRICT, related_name="account_risk")

    def __str__(self) -> str:
        """Name the account."""
        return f"limits of {self.account_id}"

    @property
    def max_position(self) -> int | None:
        """Return the most contracts of one instrument that somebody has asked for, in force or not yet."""
        rules = self.book.later if self.book.later is not None else self.book.rules
        found: int | None = rules.get("caps", {}).get("instrument")
        return found


class Lockout(AppendOnly):
    """An account was locked until then, by a rule or by a person (`by`). Whatever ends last holds."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="lockouts")
    reason = enum_field(RefusalReason)
    detail = models.CharField(max_length=300)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    flatten = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "since", "reason"], name="one_row_per_lockout")
        ]
        indexes = [models.Index(fields=["account", "-since"], name="lockouts_by_time")]

    def __str__(self) -> str:
        """Describe the lock in a line."""
        return f"{self.account_id} locked until {self.until or 'a person opens it'}: {self.reason}"


class AccountStanding(models.Model):
    """Where an account stands by its rules, a few seconds behind its engine; `body` is what that wrote."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="stands")
    body = models.JSONField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        """Name the account."""
        return f"standing of {self.account_id}"
