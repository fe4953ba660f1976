"""Logins, accounts, and the orders, fills, positions and cash that the broker states for them."""

from enum import StrEnum

from django.conf import settings
from django.db import models

from tradehaven.db import enum_field, usd_field
from tradehaven.domain.enums import Environment, OrderStatus, OrderType, Side, TimeInForce, TradingState


class ConnectionStatus(StrEnum):
    """Whether a login may be used; how its socket stands is in `link_up`."""

    ACTIVE = "active"
    REFRESHING = "refreshing"
    DISCONNECTED = "disconnected"


class AccountStanding(StrEnum):
    """What an account is good for, and why not: `Account.active` says the same in one bit."""

    TRADABLE = "tradable"
    CLOSED = "closed"
    READ_ONLY = "read_only"
    GONE = "gone"
    BEYOND_PLAN = "beyond_plan"


class TagKind(StrEnum):
    """What a person's mark on an account is about (CONN-09)."""

    STRATEGY = "strategy"
    FIRM = "firm"
    STAGE = "stage"
    OTHER = "other"


class Connection(models.Model):
    """One login at a broker. Tokens are sealed to this row and readable by nothing but the vault.

    `renewing_since` is the claim of whoever asks for a new token now; the figures of health are the
    engine's, written behind; `looked_at` is when the broker was last asked which accounts there are.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="connections")
    environment = enum_field(Environment)
    broker_user_id = models.BigIntegerField()
    name = models.CharField(max_length=64)
    status = enum_field(ConnectionStatus, default=ConnectionStatus.ACTIVE)
    status_reason = models.CharField(max_length=200, blank=True)
    access_token = models.TextField(blank=True)
    refresh_token = models.TextField(blank=True)
    token_expires_at = models.DateTimeField(null=True, blank=True)
    token_version = models.PositiveIntegerField(default=0)
    renewing_since = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    link_up = models.BooleanField(default=False)
    link_changed_at = models.DateTimeField(null=True, blank=True)
    link_reason = models.CharField(max_length=200, blank=True)
    alerted_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    beat_p50 = models.DurationField(null=True, blank=True)
    beat_p99 = models.DurationField(null=True, blank=True)
    ack_p50 = models.DurationField(null=True, blank=True)
    ack_p99 = models.DurationField(null=True, blank=True)
    calls_minute = models.PositiveIntegerField(default=0)
    calls_hour = models.PositiveIntegerField(default=0)
    calls_at = models.DateTimeField(null=True, blank=True)
    silent_until = models.DateTimeField(null=True, blank=True)
    silent_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "environment", "broker_user_id"], name="one_row_per_login"
            )
        ]

    def __str__(self) -> str:
        """Name the login without anything secret."""
        return f"{self.name} ({self.environment})"


class Account(models.Model):
    """A trading account of a login. Amounts are the broker's own, in USD."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="accounts")
    broker_account_id = models.BigIntegerField()
    name = models.CharField(max_length=64)
    active = models.BooleanField(default=True)
    standing = enum_field(AccountStanding, default=AccountStanding.TRADABLE)
    folder = models.CharField(max_length=40, blank=True)
    cash = usd_field(null=True, blank=True)
    realized = usd_field(default=0)
    balance_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "broker_account_id"], name="one_row_per_broker_account"
            )
        ]

    def __str__(self) -> str:
        """Return the broker's name of the account."""
        return self.name


class StatedLimits(models.Model):
    """What the broker's own risk desk says of an account: `domain.events.LimitsReported` as a row, in USD."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="stated_limits")
    state = enum_field(TradingState, default=TradingState.ACTIVE)
    because = models.CharField(max_length=100, blank=True)
    high = usd_field(null=True)
    low = usd_field(null=True)
    drawdown = usd_field(null=True)
    stops_at = usd_field(null=True)
    by_day_end = models.BooleanField(default=False)
    daily_loss = usd_field(null=True)
    weekly_loss = usd_field(null=True)
    daily_profit = usd_field(null=True)
    weekly_profit = usd_field(null=True)
    locked_in = models.BooleanField(default=False)
    at = models.DateTimeField()

    def __str__(self) -> str:
        """Name the account."""
        return f"the broker's limits of {self.account_id}"


class AccountTag(models.Model):
    """One mark that a person put on an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tags")
    kind = enum_field(TagKind)
    text = models.CharField(max_length=32)

    class Meta:
        ordering = ["kind", "text"]
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "text"], name="one_tag_of_a_kind_and_text")
        ]

    def __str__(self) -> str:
        """Return the mark itself."""
        return self.text


class LinkDrop(models.Model):
    """One loss of a login's socket; `warned` where this one made too many in an hour (CONN-06)."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="drops")
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    warned = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "at"], name="one_drop_at_a_moment")]

    def __str__(self) -> str:
        """Describe the loss in a line."""
        return f"{self.connection_id} at {self.at}: {self.reason}"


class EndpointCall(models.Model):
    """A call that a broker counts by our address and not by the login (protocol 4.1)."""

    host = models.CharField(max_length=120)
    operation = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["host", "operation", "at"], name="calls_of_an_endpoint")]

    def __str__(self) -> str:
        """Describe the call in a line."""
        return f"{self.operation} at {self.at}"


class Order(models.Model):
    """An order as the broker last stated it. Prices are ticks of its contract."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="orders")
    broker_order_id = models.BigIntegerField()
    client_order_id = models.CharField(max_length=64, blank=True)
    symbol = models.CharField(max_length=32)
    side = enum_field(Side)
    order_type = enum_field(OrderType)
    qty = models.PositiveIntegerField()
    limit_ticks = models.BigIntegerField(null=True, blank=True)
    stop_ticks = models.BigIntegerField(null=True, blank=True)
    tif = enum_field(TimeInForce)
    status = enum_field(OrderStatus)
    reason = models.CharField(max_length=300, blank=True)
    first_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "broker_order_id"], name="one_row_per_broker_order")
        ]
        indexes = [models.Index(fields=["account", "status"], name="order_by_status")]

    def __str__(self) -> str:
        """Describe the order in a line."""
        return f"{self.side} {self.qty} {self.symbol} {self.order_type} ({self.status})"


class Fill(models.Model):
    """One execution. `ticks` is exact; `price` is the same in points, for people and sums."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="fills")
    broker_fill_id = models.BigIntegerField()
    broker_order_id = models.BigIntegerField()
    symbol = models.CharField(max_length=32)
    side = enum_field(Side)
    qty = models.PositiveIntegerField()
    ticks = models.BigIntegerField()
    price = models.DecimalField(max_digits=20, decimal_places=9)
    traded_at = models.DateTimeField()
    trade_date = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "broker_fill_id"], name="one_row_per_broker_fill")
        ]
        indexes = [
            models.Index(fields=["account", "-traded_at"], name="fill_by_time"),
            models.Index(fields=["account", "broker_order_id"], name="fills_of_an_order"),
        ]

    def __str__(self) -> str:
        """Describe the fill in a line."""
        return f"{self.side} {self.qty} {self.symbol} @ {self.price}"


class Position(models.Model):
    """The broker's net position in one contract: signed contracts, average price in points."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="positions")
    symbol = models.CharField(max_length=32)
    net = models.IntegerField()
    price = models.DecimalField(max_digits=24, decimal_places=9, null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["symbol"]
        constraints = [
            models.UniqueConstraint(fields=["account", "symbol"], name="one_position_per_contract")
        ]

    def __str__(self) -> str:
        """Describe the position in a line."""
        return f"{self.net:+d} {self.symbol}"


class Quote(models.Model):
    """The latest price of a contract in one environment, in ticks; written behind by the market process."""

    environment = enum_field(Environment)
    symbol = models.CharField(max_length=32)
    bid = models.BigIntegerField(null=True)
    ask = models.BigIntegerField(null=True)
    last = models.BigIntegerField(null=True)
    quoted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "symbol"], name="one_quote_per_contract")
        ]

    def __str__(self) -> str:
        """Describe the quote in a line."""
        return f"{self.symbol} {self.bid}/{self.ask}"


class Lease(models.Model):
    """Which process leads a shard. `epoch` grows with every holder of any shard; `beats` while it lives.

    `seconds` is the holder's term: for so long the row must stand still before another one may take it.
    """

    shard = models.CharField(max_length=32, primary_key=True)
    holder = models.CharField(max_length=100, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    beats = models.PositiveBigIntegerField(default=0, db_default=0)
    seconds = models.PositiveSmallIntegerField(default=0, db_default=0)
    taken_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Name shard and holder."""
        return f"{self.shard}: {self.holder or 'free'}"


class EngineProcess(models.Model):
    """An engine's process that lives, whether it leads or waits: the shards are divided among these."""

    holder = models.CharField(max_length=100, primary_key=True)
    shards = models.PositiveSmallIntegerField()
    beats = models.PositiveBigIntegerField(default=0)
    beat_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Name the process."""
        return self.holder


class EngineStamp(models.Model):
    """Grows whenever an owner's settings, gates or logins change: what the engines poll each second.

    `taken` is the version that the owner's engine goes by.
    """

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="engine_stamp"
    )
    version = models.PositiveBigIntegerField(default=0, db_index=True)
    taken = models.PositiveBigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        """Describe the stamp in a line."""
        return f"settings of {self.owner_id}, version {self.version}"
