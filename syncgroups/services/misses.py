"""Tells people by mail that orders were not copied because something was down: once an hour at most."""

from datetime import datetime, timedelta

from django.db.models import Count, Max

from accounts import notify
from accounts.models import Notice, User
from syncgroups.models import Activity
from tradehaven.domain.enums import NoticeKind, RefusalReason

DOWN = (
    RefusalReason.FOLLOWER_OFFLINE,
    RefusalReason.ENGINE_OFFLINE,
    RefusalReason.UNRESOLVED,
    RefusalReason.JOURNAL_FAILED,
    RefusalReason.LEASE_LOST,
)
"""Reasons that are nobody's setting: the person wants to hear of these and of no refusal that was wished."""
PAUSE = timedelta(hours=1)


def tell_of_misses(*, now: datetime) -> int:
    """Mail everybody who wants it what was missed within the hour and not told yet; return how many mails."""
    told = Notice.objects.filter(kind=NoticeKind.COPY_MISSED, made_at__gt=now - PAUSE).values("owner_id")
    missed = Activity.objects.filter(reason__in=DOWN, at__gt=now - PAUSE, at__lte=now).exclude(owner__in=told)
    wanted = missed.filter(owner__tell_sync_failures=True).values("owner_id")
    found = list(wanted.annotate(count=Count("pk"), latest=Max("pk")).order_by("owner_id"))
    for row in found:
        latest = Activity.objects.get(pk=row["latest"])
        words = {"count": row["count"], "latest": latest.text, "at": latest.at}
        notify.tell(User.objects.get(pk=row["owner_id"]), NoticeKind.COPY_MISSED, **words)
    return len(found)
