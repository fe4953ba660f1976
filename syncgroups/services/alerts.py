"""Acknowledging alerts: they stay in the log, and leave the cockpit."""

from django.db import transaction

from accounts.models import User
from syncgroups.models import Activity, AlertsSeen
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


@transaction.atomic
def acknowledge(user: User, upto: int) -> None:
    """Take note that a person has seen all alerts up to a line of the own log; never fewer than before."""
    newest = (
        Activity.objects.filter(owner=user, pk__lte=upto).order_by("-pk").values_list("pk", flat=True).first()
    )
    seen, _ = AlertsSeen.objects.select_for_update().get_or_create(owner=user)
    if newest is not None and newest > seen.line:
        seen.line = newest
        seen.save()
    publish(user.pk, [Topic.OVERVIEW])
