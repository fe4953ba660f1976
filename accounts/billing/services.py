"""A person's plan begins, changes, ends and comes back here; a provider's messages are taken in.

Every change holds the row of the subscription, so that a message and a click cannot cross.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from accounts.access import require_verified
from accounts.audit import record
from accounts.billing import selectors
from accounts.billing.provider import Answer, News, Provider
from accounts.billing.registry import provider
from accounts.billing.signals import plan_changed
from accounts.core.plans import TERMS, Plan, next_fitting
from accounts.core.subscriptions import (
    Stage,
    Standing,
    SubscriptionStatus,
    counts,
    is_live,
    rolled,
    stage_of,
)
from accounts.models import BillingEvent, Erasure, ProviderName, Subscription, User
from tradehaven.domain.enums import AuditAction
from tradehaven.domain.errors import InvalidInput

log = logging.getLogger(__name__)

MESSAGE_LATE = timedelta(hours=6)
"""How long after a period's end a provider's own message is waited for, before the end is taken as said."""


@transaction.atomic
def choose_plan(owner: User, plan: Plan, *, used: int, now: datetime) -> str:
    """Begin, change or take up a plan; return the page on which to pay, empty where it is done.

    `used` is how many accounts are connected. Raises `InvalidInput` where they do not fit, and
    `BillingUnavailable`.
    """
    require_verified(owner)
    if not TERMS[plan].has_room(used):
        raise InvalidInput(
            "plan",
            f"{TERMS[plan].name} holds {TERMS[plan].accounts} accounts and {used} are connected. "
            f"Disconnect logins first, or choose {next_fitting(used).name}.",
        )
    row = _locked(owner)
    known = row.standing if row is not None else None
    # A subscription that a provider knows by name is changed there; anything else goes to today's provider.
    runs = known is not None and bool(known.reference) and is_live(known, now)
    through = provider(ProviderName(row.provider)) if row is not None and runs else provider()
    url = _settle(owner, row, through, through.choose(owner, known, plan, now), now)
    said = f"{TERMS[plan].name} chosen" if not url else f"checkout begun for {TERMS[plan].name}"
    record(owner=owner, actor=owner, action=AuditAction.PLAN_CHANGED, subject=said)
    return url


@transaction.atomic
def cancel_plan(owner: User, *, now: datetime) -> None:
    """End a plan with its period; raise `InvalidInput` where none runs."""
    row, standing = _running(owner, now)
    if standing.cancels:
        return
    through = provider(ProviderName(row.provider)) if row is not None else provider()
    _settle(owner, row, through, through.cancel(standing, now), now)
    said = f"{TERMS[standing.plan].name} ends with its period"
    record(owner=owner, actor=owner, action=AuditAction.PLAN_CHANGED, subject=said)


@transaction.atomic
def resume_plan(owner: User, *, now: datetime) -> None:
    """Take a cancellation back before its day; raise `InvalidInput` after it."""
    row, standing = _running(owner, now)
    if not standing.cancels:
        return
    through = provider(ProviderName(row.provider)) if row is not None else provider()
    _settle(owner, row, through, through.resume(standing, now), now)
    said = f"{TERMS[standing.plan].name} goes on"
    record(owner=owner, actor=owner, action=AuditAction.PLAN_CHANGED, subject=said)


def _running(owner: User, now: datetime) -> tuple[Subscription | None, Standing]:
    row = _locked(owner)
    standing = row.standing if row is not None else selectors.standing_of(owner.pk)
    if standing is None or not is_live(standing, now):
        raise InvalidInput("plan", "No plan is running. Choose one to begin again.")
    return row, standing


def _locked(owner: User) -> Subscription | None:
    # The person's own row is what two first choices at once have in common.
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    return Subscription.objects.select_for_update().filter(owner=owner).first()


def _settle(owner: User, row: Subscription | None, through: Provider, answer: Answer, now: datetime) -> str:
    if answer.standing is not None:
        _store(owner.pk, row, through.name, answer.standing, now)
    return answer.url


def _store(
    owner_id: int, row: Subscription | None, name: ProviderName, standing: Standing, now: datetime
) -> None:
    """Write a standing down and tell who enforces it."""
    before = row.standing if row is not None else selectors.standing_of(owner_id)
    row = row or Subscription(owner_id=owner_id)
    row.provider = name
    row.take(standing)
    row.save()
    plan_changed.send(
        sender=Subscription,
        owner_id=owner_id,
        was_live=is_live(before, now),
        is_live=is_live(standing, now),
    )


# -- messages -----------------------------------------------------------------------------------------


def take_message(payload: bytes, signature: str, now: datetime) -> bool:
    """Take in a provider's web hook; return whether it changed anything. Raise `BadWebhook`.

    The same message twice is one, whichever process gets it.
    """
    through = provider()
    news = through.read(payload, signature)
    with transaction.atomic():
        owner = User.objects.select_for_update(no_key=True).filter(pk=_owner_of(news)).first()
        if BillingEvent.objects.filter(event_id=news.event_id).exists():
            return False
        applied = (
            owner is not None
            and news.standing is not None
            and _believe(owner, through.name, news.standing, now)
        )
        # Two that carry the same message at once about nobody meet here: one of them is told to try again.
        BillingEvent.objects.create(
            event_id=news.event_id, kind=news.kind[:80], owner=owner, applied=applied, said_at=news.said_at
        )
    log.info("billing message %s (%s): applied %s", news.event_id, news.kind, applied)
    return applied


def _owner_of(news: News) -> int:
    """Return whom a message is about, 0 for nobody: named at the checkout, or known as a customer."""
    if news.owner is not None or news.standing is None:
        return news.owner or 0
    found = Subscription.objects.filter(customer=news.standing.customer).exclude(customer="")
    return found.values_list("owner_id", flat=True).first() or 0


def _believe(owner: User, name: ProviderName, news: Standing, now: datetime) -> bool:
    row = Subscription.objects.select_for_update().filter(owner=owner).first()
    known = row.standing if row is not None else None
    if not counts(news, known):
        return False
    if known is not None and known.erased_at is not None and not is_live(news, now):
        news = replace(news, erased_at=known.erased_at)  # what is gone is gone: nothing is deleted twice
    _store(owner.pk, row, name, news, now)
    said = f"{name}: {TERMS[news.plan].name} is {news.status.replace('_', ' ')}"
    record(owner=owner, action=AuditAction.PLAN_CHANGED, subject=said)
    return True


# -- the end ------------------------------------------------------------------------------------------


def turn_periods(now: datetime) -> list[int]:
    """Begin the next period of plans that go on and end the others; return the owners of the ended."""
    ended = []
    for pk in list(selectors.over_at(now).values_list("pk", flat=True)):
        with transaction.atomic():
            row = Subscription.objects.select_for_update().get(pk=pk)
            owner = _turn(row, now)
        if owner is not None:
            ended.append(owner)
    return ended


def _turn(row: Subscription, now: datetime) -> int | None:
    standing, name = row.standing, ProviderName(row.provider)
    if standing.status is SubscriptionStatus.ENDED or standing.period_ends_at is None:
        return None
    if not standing.cancels:
        if name is ProviderName.LOCAL:
            _store(row.owner_id, row, name, rolled(standing, now), now)
        return None
    if name is not ProviderName.LOCAL and standing.period_ends_at + MESSAGE_LATE > now:
        return None
    over = replace(standing, status=SubscriptionStatus.ENDED, cancels=False, ended_at=standing.period_ends_at)
    record(owner=row.owner, action=AuditAction.PLAN_ENDED, subject=TERMS[over.plan].name)
    # Until this moment the row said that it runs: who enforces plans hears of the end now.
    row.take(over)
    row.save()
    plan_changed.send(sender=Subscription, owner_id=row.owner_id, was_live=True, is_live=False)
    return row.owner_id


@transaction.atomic
def record_erasure(
    owner_id: int,
    *,
    found: Mapping[str, int],
    deleted: Mapping[str, int],
    left: Mapping[str, int],
    now: datetime,
) -> Erasure:
    """Keep the proof of a deletion, and never delete this subscription's data again."""
    Subscription.objects.filter(owner_id=owner_id).update(erased_at=now)
    return Erasure.objects.create(
        owner_id=owner_id, at=now, found=dict(found), deleted=dict(deleted), left=dict(left)
    )


def still_due(owner_id: int, now: datetime) -> bool:
    """Hold a person's subscription and say whether its data is still to be deleted: it may have come back."""
    row = Subscription.objects.select_for_update().filter(owner_id=owner_id).first()
    if row is None or stage_of(row.standing, now) is not Stage.ENDED:
        return False
    due = row.standing.erased_on()
    return due is not None and due <= now
