"""Orders that people ask for besides the copying, and who was chosen for them."""

import secrets

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from brokers.models import Account
from tradehaven.db import enum_field
from tradehaven.domain.enums import OrderType, Side, TimeInForce
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec


def new_copy_id() -> str:
    """Return a manual copy's name in addresses: hard to guess, and not a row number."""
    return f"cp_{secrets.token_hex(8)}"


class ManualCopy(models.Model):
    """One order for chosen followers that their leader did not place (COPY-11). Prices and offsets are ticks.

    Prices are of the leader's contract, offsets of each follower's own. `key` is the asking program's own
    name for it: the same one twice is one copy.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_copy_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="manual_copies"
    )
    group = models.ForeignKey("SyncGroup", on_delete=models.SET_NULL, null=True, related_name="manual_copies")
    leader = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="manual_copies_led")
    symbol = models.CharField(max_length=32)
    side = enum_field(Side)
    qty = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    order_type = enum_field(OrderType)
    limit_ticks = models.BigIntegerField(null=True, blank=True)
    stop_ticks = models.BigIntegerField(null=True, blank=True)
    tif = enum_field(TimeInForce, default=TimeInForce.DAY)
    stop_loss = models.PositiveIntegerField(null=True, blank=True)
    take_profit = models.PositiveIntegerField(null=True, blank=True)
    key = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "manual copies"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "key"], condition=~models.Q(key=""), name="one_manual_copy_per_key"
            )
        ]
        indexes = [models.Index(fields=["owner", "-created_at"], name="manual_copies_by_time")]

    def __str__(self) -> str:
        """Describe the order in a line."""
        return f"{self.side} {self.qty} {self.symbol}"

    @property
    def spec(self) -> OrderSpec:
        """Return the order as the leader would have placed it."""
        return OrderSpec(
            order_type=OrderType(self.order_type),
            qty=self.qty,
            limit=None if self.limit_ticks is None else Ticks(self.limit_ticks),
            stop=None if self.stop_ticks is None else Ticks(self.stop_ticks),
            tif=TimeInForce(self.tif),
        )


class ManualShare(models.Model):
    """A follower that was chosen for a manual copy, and the signed contracts that it holds because of it."""

    copy = models.ForeignKey(ManualCopy, on_delete=models.CASCADE, related_name="shares")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="manual_shares")
    symbol = models.CharField(max_length=32, blank=True)
    net = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["copy", "account"], name="one_share_per_follower")]

    def __str__(self) -> str:
        """Describe the share in a line."""
        return f"{self.account_id}: {self.net:+d} {self.symbol}"
