"""What a plan's change means for copying: the engine learns of it, and the log says so (ACC-07)."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from accounts.billing import selectors, services
from accounts.billing.signals import plan_changed
from accounts.core.subscriptions import KEPT_FOR
from accounts.models import User
from accounts.notify import tell
from brokers.services.stamps import touch
from syncgroups.models import ActivityKind, Severity, SyncGroup
from syncgroups.services.activity import note
from tradehaven.domain.enums import NoticeKind
from tradehaven.domain.errors import InvalidInput
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


def require_plan(owner: User) -> None:
    """Raise `InvalidInput` for a person whose plan does not run."""
    if not selectors.has_plan(owner.pk, timezone.now()):
        raise InvalidInput("plan", "Your plan has ended. Choose one under Plan and billing to copy again.")


def turn_periods(now: datetime) -> list[int]:
    """Begin new periods and end what is over; return the owners whose plans ended."""
    return services.turn_periods(now)


@receiver(plan_changed, dispatch_uid="syncgroups.follow_plan")
@transaction.atomic
def follow_plan(*, owner_id: int, was_live: bool, is_live: bool, **_: Any) -> None:
    """Stop copying with a plan's end; let it go on, from now, when one begins again."""
    if was_live and not is_live:
        text = "The plan has ended: nothing is copied. Logins, groups and history stay for 90 days"
        note(owner_id, ActivityKind.GROUP, text, severity=Severity.DANGER)
        until = timezone.now() + KEPT_FOR
        tell(User.objects.get(pk=owner_id), NoticeKind.PLAN_ENDED, until=until)
    elif is_live and not was_live:
        # What the leaders have working by now is not to be copied late.
        running = SyncGroup.objects.filter(owner_id=owner_id, active=True)
        running.update(active_since=timezone.now())
        note(owner_id, ActivityKind.GROUP, "A plan has begun: copying goes on", severity=Severity.GOOD)
    touch(owner_id)
    publish(owner_id, [Topic.OVERVIEW, Topic.ACCOUNTS, Topic.GROUPS])
