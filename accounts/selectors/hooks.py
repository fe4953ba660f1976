"""Reads of web hooks."""

from django.db.models import Prefetch, QuerySet
from django.http import Http404

from accounts.models import HookMessage, User, Webhook

LATEST = 5


def hooks_of(user: User) -> QuerySet[Webhook]:
    """Return a person's hooks with their latest messages as `latest`."""
    latest = HookMessage.objects.order_by("-made_at")[:LATEST]
    return Webhook.objects.filter(owner=user).prefetch_related(
        Prefetch("messages", queryset=latest, to_attr="latest")
    )


def hook_for(user: User, pk: int) -> Webhook:
    """Return one of the user's own hooks; a stranger's does not exist."""
    found = Webhook.objects.filter(owner=user, pk=pk).first()
    if found is None:
        raise Http404
    return found
