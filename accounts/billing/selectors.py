"""Reads of plans: what a person holds now, whose plan is over, and what the billing page shows."""

from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.billing.registry import provider
from accounts.core.plans import Terms
from accounts.core.subscriptions import (
    KEPT_FOR,
    Standing,
    SubscriptionStatus,
    is_live,
    terms_of,
)
from accounts.models import Erasure, ProviderName, Subscription


def standing_of(owner_id: int) -> Standing | None:
    """Return a person's subscription; who never chose has what the provider starts with, or None."""
    row = Subscription.objects.filter(owner_id=owner_id).first()
    if row is not None:
        return row.standing
    start = provider().starts_with
    return Standing(plan=start) if start is not None else None


def terms_for(owner_id: int, now: datetime) -> Terms:
    """Return what a person may hold at a moment (UTC)."""
    return terms_of(standing_of(owner_id), now)


def has_plan(owner_id: int, now: datetime) -> bool:
    """Say whether a person's plan runs at a moment (UTC): without it nothing is copied."""
    return is_live(standing_of(owner_id), now)


def over_at(now: datetime) -> QuerySet[Subscription]:
    """Return the subscriptions whose period is over although their rows say that they run."""
    running = Subscription.objects.exclude(status=SubscriptionStatus.ENDED)
    return running.filter(period_ends_at__lte=now).filter(Q(provider=ProviderName.LOCAL) | Q(cancels=True))


def due_for_erasure(now: datetime) -> list[int]:
    """Return the owners whose plan ended so long ago that their data is deleted now."""
    ended = Subscription.objects.filter(
        status=SubscriptionStatus.ENDED, erased_at=None, ended_at__lte=now - KEPT_FOR
    )
    return list(ended.order_by("ended_at").values_list("owner_id", flat=True))


def erasures_of(owner_id: int) -> QuerySet[Erasure]:
    """Return the proofs of what was deleted of a person, newest first."""
    return Erasure.objects.filter(owner_id=owner_id)


def has_portal(owner_id: int) -> bool:
    """Say whether the provider has a page of its own for a person's cards and invoices."""
    paid = Subscription.objects.filter(owner_id=owner_id, provider=ProviderName.STRIPE)
    return paid.exclude(customer="").exists()


def portal_of(owner_id: int) -> str:
    """Return the address of that page, empty where there is none; raise `BillingUnavailable`."""
    row = Subscription.objects.filter(owner_id=owner_id).first()
    return provider(ProviderName(row.provider)).portal(row.standing) if row is not None else ""
