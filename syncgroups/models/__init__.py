"""Groups, followers, and the lineage of every copy: what was decided, sent, answered and filled."""

import secrets
from enum import StrEnum

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from brokers.models import Account
from risk.models import Gate, RuleBook
from syncgroups.core.copies import CopyState
from syncgroups.core.differences import DriftKind
from syncgroups.core.plan import RestPolicy
from syncgroups.models.alerts import AlertsSeen as AlertsSeen
from syncgroups.models.commands import CommandKind as CommandKind
from syncgroups.models.commands import CopyCommand as CopyCommand
from syncgroups.models.journal import JournalMark as JournalMark
from syncgroups.models.manual import ManualCopy as ManualCopy
from syncgroups.models.manual import ManualShare as ManualShare
from tradehaven.db import AppendOnly, enum_field
from tradehaven.domain.enums import (
    Ask,
    DriftPolicy,
    OrderType,
    RefusalReason,
    RestRule,
    SessionHours,
    Side,
    SizingMode,
    SyncMode,
)


def new_public_id() -> str:
    """Return a group's name in addresses: hard to guess, and not a row number."""
    return f"sg_{secrets.token_hex(8)}"


class SyncGroup(models.Model):
    """One leader and its followers. `instruments` lists product roots; an empty list lets all through.

    `entry_slack` is in ticks and for Confirmed mode; the `rest_` fields are the plan's `RestPolicy`.
    `drift_cap` is the most contracts of one repair that nobody clicked, `drift_ticks` how far from the
    leader's price a missed entry may be caught up. `member_rules` hold for each follower beside its own,
    `total_rules` for their sum.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sync_groups")
    name = models.CharField(max_length=80)
    leader = models.OneToOneField(Account, on_delete=models.RESTRICT, related_name="led_group")
    gate = models.OneToOneField(Gate, on_delete=models.RESTRICT, related_name="sync_group")
    member_rules = models.OneToOneField(
        RuleBook, on_delete=models.RESTRICT, null=True, blank=True, related_name="members_of"
    )
    total_rules = models.OneToOneField(
        RuleBook, on_delete=models.RESTRICT, null=True, blank=True, related_name="total_of"
    )
    mode = enum_field(SyncMode, default=SyncMode.IMMEDIATE)
    instruments = models.JSONField(default=list, blank=True)
    hours = enum_field(SessionHours, default=SessionHours.ALL)
    drift_policy = enum_field(DriftPolicy, default=DriftPolicy.OBSERVE)
    drift_cap = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    drift_ticks = models.PositiveIntegerField(default=8)
    entry_slack = models.PositiveIntegerField(null=True, blank=True)
    rest_after = models.PositiveIntegerField(default=RestPolicy().after)
    rest_entries = enum_field(RestRule, default=RestPolicy().entries)
    rest_exits = enum_field(RestRule, default=RestPolicy().exits)
    rest_slack = models.PositiveIntegerField(default=RestPolicy().slack)
    active = models.BooleanField(default=False)
    active_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        """Return the group's name."""
        return self.name

    @property
    def rests(self) -> RestPolicy:
        """Return what becomes of a follower's order that still rests when its leader has filled."""
        return RestPolicy(
            after=self.rest_after,
            entries=RestRule(self.rest_entries),
            exits=RestRule(self.rest_exits),
            slack=self.rest_slack,
        )


class Follower(models.Model):
    """An account in a group and how its quantities come about. `max_contracts` caps what it may hold."""

    group = models.ForeignKey(SyncGroup, on_delete=models.CASCADE, related_name="followers")
    account = models.ForeignKey(Account, on_delete=models.RESTRICT, related_name="follows")
    sizing = enum_field(SizingMode, default=SizingMode.RATIO)
    ratio = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        default=1,
        validators=[MinValueValidator(0), MaxValueValidator(1000)],
    )
    fixed_qty = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    max_contracts = models.PositiveIntegerField(null=True, blank=True)
    reverse = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["group", "account"], name="an_account_follows_a_group_once")
        ]

    def __str__(self) -> str:
        """Name the account and the group."""
        return f"{self.account} in {self.group}"

    @property
    def size_in_words(self) -> str:
        """Describe the size that holds for all products."""
        match SizingMode(self.sizing):
            case SizingMode.FIXED:
                return f"{self.fixed_qty} fixed"
            case SizingMode.RATIO:
                return f"ratio {self.ratio.normalize():f}"
            case _:
                return "by balance"


class ProductRule(models.Model):
    """How a follower answers one product of its leader; an empty figure is the follower's own.

    `trades` is the root that it trades instead, at the true size of the two contracts.
    """

    follower = models.ForeignKey(Follower, on_delete=models.CASCADE, related_name="products")
    product = models.CharField(max_length=8)
    copied = models.BooleanField(default=True)
    trades = models.CharField(max_length=8, blank=True)
    sizing = enum_field(SizingMode, blank=True)
    ratio = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1000)],
    )
    fixed_qty = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    max_contracts = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["product"]
        constraints = [models.UniqueConstraint(fields=["follower", "product"], name="one_rule_per_product")]

    def __str__(self) -> str:
        """Describe the rule in a line."""
        return f"{self.product} as {self.trades or self.product} for {self.follower}"

    @property
    def size_in_words(self) -> str:
        """Describe the size where it differs from the follower's own."""
        mode = SizingMode(self.sizing or self.follower.sizing)
        if mode is SizingMode.FIXED and (self.sizing or self.fixed_qty):
            return f"{self.fixed_qty or self.follower.fixed_qty} fixed"
        if mode is SizingMode.RATIO and (self.sizing or self.ratio is not None):
            return f"ratio {(self.ratio if self.ratio is not None else self.follower.ratio).normalize():f}"
        return "by balance" if self.sizing else "as for all"


class CopiedOrder(models.Model):
    """Lineage of one follower's order (COPY-08). Times are UTC to the microsecond; prices are ticks.

    `body` is the engine's own record of the copy, from which the book is made again after a start;
    `weighed` are the figures that its size was decided on, as `core.decision.Weighed` names them.
    """

    key = models.CharField(max_length=64, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="copies")
    group = models.ForeignKey(SyncGroup, on_delete=models.SET_NULL, null=True, related_name="copies")
    leader = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="copies_led")
    leader_order_id = models.BigIntegerField()
    follower = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="copies_made")
    symbol = models.CharField(max_length=32)
    leads = models.CharField(max_length=32, blank=True)
    side = enum_field(Side)
    order_type = enum_field(OrderType)
    qty = models.PositiveIntegerField()
    limit_ticks = models.BigIntegerField(null=True, blank=True)
    stop_ticks = models.BigIntegerField(null=True, blank=True)
    state = enum_field(CopyState)
    outcome = models.CharField(max_length=300, blank=True)
    broker_order_id = models.BigIntegerField(null=True, blank=True)
    filled = models.PositiveIntegerField(default=0)
    body = models.JSONField()
    weighed = models.JSONField(null=True, blank=True)
    received_at = models.DateTimeField()
    decided_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    filled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["leader", "leader_order_id"], name="copies_of_an_order"),
            models.Index(fields=["owner", "-received_at"], name="copies_by_time"),
            models.Index(fields=["state"], name="copies_by_state"),
            models.Index(fields=["group", "-received_at"], name="copies_of_a_group"),
        ]

    def __str__(self) -> str:
        """Describe the copy in a line."""
        return f"{self.side} {self.qty} {self.symbol} for {self.follower_id} ({self.state})"


class Holding(models.Model):
    """What a follower holds because of a group: signed contracts of one symbol, for one of the leader's."""

    group = models.ForeignKey(SyncGroup, on_delete=models.CASCADE, related_name="holdings")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="holdings")
    symbol = models.CharField(max_length=32)
    leads = models.CharField(max_length=32, blank=True)
    net = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "account", "symbol", "leads"], name="one_holding_per_pair_of_contracts"
            )
        ]

    def __str__(self) -> str:
        """Describe the holding in a line."""
        return f"{self.net:+d} {self.symbol}"


class Drift(models.Model):
    """A difference between what is held or works and what should: open until it is closed (COPY-12).

    `name` is the engine's own word for it; quantities are signed contracts. Of an open failed exit and of
    what another hand closed, the row is what the engine remembers after a crash.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drifts")
    name = models.CharField(max_length=120)
    kind = enum_field(DriftKind)
    group = models.ForeignKey(SyncGroup, on_delete=models.CASCADE, null=True, related_name="drifts")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="drifts")
    symbol = models.CharField(max_length=32)
    leads = models.CharField(max_length=32, blank=True)
    order_id = models.BigIntegerField(default=0)
    expected = models.IntegerField()
    actual = models.IntegerField()
    qty = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    detail = models.CharField(max_length=300)
    remedy = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField()
    ignored = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], condition=models.Q(closed_at=None), name="a_drift_is_open_once"
            )
        ]
        indexes = [models.Index(fields=["owner", "closed_at", "-since"], name="drifts_by_time")]

    def __str__(self) -> str:
        """Describe the difference in a line."""
        return f"{self.kind} {self.symbol}: {self.expected:+d} expected, {self.actual:+d} found"


class Quarantine(models.Model):
    """One contract of one follower that may not be entered for a group; exits pass."""

    group = models.ForeignKey(SyncGroup, on_delete=models.CASCADE, related_name="quarantines")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="quarantines")
    symbol = models.CharField(max_length=32)
    reason = models.CharField(max_length=300)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "account", "symbol"], name="one_quarantine_per_contract")
        ]

    def __str__(self) -> str:
        """Describe the quarantine in a line."""
        return f"{self.symbol} of {self.account} in {self.group}"


class Request(models.Model):
    """A click for the engine. It finds the row within a second, and a stale one does nothing any more."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="requests")
    ask = enum_field(Ask)
    subject = models.CharField(max_length=120)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["owner", "-at"], name="requests_by_time")]

    def __str__(self) -> str:
        """Describe the click in a line."""
        return f"{self.ask} {self.subject}"


class ActivityKind(StrEnum):
    """What happened, for the activity log and its filters."""

    LEADER_ORDER = "leader_order"
    COPY_SENT = "copy_sent"
    COPY_CHANGED = "copy_changed"
    COPY_CANCELLED = "copy_cancelled"
    COPY_FILLED = "copy_filled"
    COPY_REJECTED = "copy_rejected"
    COPY_REFUSED = "copy_refused"
    UNRESOLVED = "unresolved"
    MISSED = "missed"
    DRIFT = "drift"
    GATE = "gate"
    GUARDRAIL = "guardrail"
    FLAT = "flat"
    LINK = "link"
    GROUP = "group"


class Severity(StrEnum):
    """How loud an entry is."""

    INFO = "info"
    GOOD = "good"
    WARNING = "warning"
    DANGER = "danger"


class Activity(models.Model):
    """One line of the activity log (DASH-05).

    `thread` names the leader's order that the line belongs to, as `core.threads` writes it; "" for none.
    `weighed` are the figures of a refusal, as `core.decision.Weighed` names them.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="activity")
    at = models.DateTimeField()
    kind = enum_field(ActivityKind)
    severity = enum_field(Severity, default=Severity.INFO)
    reason = enum_field(RefusalReason, blank=True)
    weighed = models.JSONField(null=True, blank=True)
    account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    group = models.ForeignKey(SyncGroup, on_delete=models.SET_NULL, null=True, related_name="+")
    symbol = models.CharField(max_length=32, blank=True)
    key = models.CharField(max_length=64, blank=True, db_index=True)
    thread = models.CharField(max_length=64, blank=True, default="", db_default="")
    text = models.CharField(max_length=300)

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-at", "-id"], name="activity_by_time"),
            models.Index(
                fields=["owner", "thread", "-at", "-id"],
                name="activity_of_an_order",
                condition=~models.Q(thread=""),
            ),
            models.Index(fields=["owner", "kind", "-at", "-id"], name="activity_by_kind"),
            models.Index(fields=["owner", "account", "-at", "-id"], name="activity_by_account"),
        ]
        verbose_name_plural = "activity"

    def __str__(self) -> str:
        """Return the line itself."""
        return self.text


class AuditEntry(AppendOnly):
    """One sealed record of an owner's trail: the journal's own words, in their order (RISK-10, I17)."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="audit_trail")
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=32)
    body = models.TextField()
    seal = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "number"], name="one_record_per_number")]

    def __str__(self) -> str:
        """Describe the record in a line."""
        return f"{self.number} {self.kind}"
