"""Subscriptions, the providers' messages that were taken in, and proofs of what was deleted."""

from enum import StrEnum

from django.conf import settings
from django.db import models

from accounts.core.plans import Plan
from accounts.core.subscriptions import Standing, SubscriptionStatus
from tradehaven.db import AppendOnly, enum_field


class ProviderName(StrEnum):
    """Who takes the money."""

    LOCAL = "local"
    STRIPE = "stripe"


class Subscription(models.Model):
    """A person's plan as its provider last stated it; times are UTC."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscription"
    )
    provider = enum_field(ProviderName, default=ProviderName.LOCAL)
    plan = enum_field(Plan, default=Plan.STARTER)
    status = enum_field(SubscriptionStatus, default=SubscriptionStatus.ACTIVE)
    cancels = models.BooleanField(default=False)
    period_ends_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    customer = models.CharField(max_length=120, blank=True)
    reference = models.CharField(max_length=120, blank=True)
    said_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["customer"], name="subscription_by_customer"),
            models.Index(fields=["period_ends_at"], name="subscription_by_period"),
        ]

    def __str__(self) -> str:
        """Describe the subscription in a line."""
        return f"{self.plan} ({self.status})"

    @property
    def standing(self) -> Standing:
        """Return the row as the rules see it."""
        return Standing(
            plan=Plan(self.plan),
            status=SubscriptionStatus(self.status),
            cancels=self.cancels,
            period_ends_at=self.period_ends_at,
            ended_at=self.ended_at,
            erased_at=self.erased_at,
            customer=self.customer,
            reference=self.reference,
            said_at=self.said_at,
        )

    def take(self, standing: Standing) -> None:
        """Put the rules' answer into the row; saving is the caller's."""
        for name in STANDING_COLUMNS:
            setattr(self, name, getattr(standing, name))


STANDING_COLUMNS = (
    "plan",
    "status",
    "cancels",
    "period_ends_at",
    "ended_at",
    "erased_at",
    "customer",
    "reference",
    "said_at",
)


class BillingEvent(AppendOnly):
    """One message of a provider, by the provider's own id: the same one is taken in once."""

    event_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=80)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="billing_events"
    )
    applied = models.BooleanField()
    said_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Name the message."""
        return f"{self.kind} {self.event_id}"


class Erasure(AppendOnly):
    """Proof of a deletion: how many rows of each kind there were, went, and are left."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="erasures")
    at = models.DateTimeField()
    found = models.JSONField()
    deleted = models.JSONField()
    left = models.JSONField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        """Describe the deletion in a line."""
        return f"{sum(self.deleted.values())} rows deleted, {sum(self.left.values())} left"
