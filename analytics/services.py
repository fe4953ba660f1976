"""What is sent out of the figures: the mail that sums a day up (ACC-03)."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from accounts import notify
from accounts.models import Notice, User
from analytics.selectors import realized_by_account
from analytics.selectors.cards import trading_day
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.enums import NoticeKind
from tradehaven.templatetags.figures import gain

CLOSED, ROLLS = time(16, 10), time(17)
"""Chicago's time between which the day's figures stand: after the close, before the next day begins."""


def due_for_summary(*, now: datetime) -> list[int]:
    """Return who wants the summary of the day that has just closed and has none yet; otherwise nobody."""
    local = now.astimezone(CHICAGO)
    if not CLOSED <= local.time() < ROLLS or trading_day(now) != local.date():
        return []
    told = Notice.objects.filter(kind=NoticeKind.DAILY_SUMMARY, made_at__gt=now - timedelta(hours=2))
    wanting = User.objects.filter(tell_daily_summary=True, is_active=True, delete_after__isnull=True)
    return list(wanting.exclude(pk__in=told.values("owner_id")).values_list("pk", flat=True))


def summarize(person: int, *, now: datetime) -> bool:
    """Mail a person what each account realized today; say whether there was something to tell."""
    user = User.objects.get(pk=person)
    rows = realized_by_account(user, now=now)
    if not any(traded for _, _, traded in rows):
        return False
    accounts = [{"name": name, "realized": gain(amount)} for name, amount, _ in rows]
    total = gain(sum((amount for _, amount, _ in rows), Decimal(0)))
    words = {"day": trading_day(now), "accounts": accounts, "total": total}
    return notify.tell(user, NoticeKind.DAILY_SUMMARY, **words) is not None
