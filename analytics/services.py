"""What is written and sent here: the mail that sums a day up (ACC-03), looks at the service (DASH-09)."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from accounts import notify
from accounts.models import Notice, User
from analytics.core.uptime import Component
from analytics.models import Outage, UptimeDay
from analytics.selectors import realized_by_account
from analytics.selectors.cards import trading_day
from tradehaven.domain.calendar import CHICAGO, MarketState, market_state
from tradehaven.domain.enums import NoticeKind
from tradehaven.domain.instruments import SessionTemplate
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


@transaction.atomic
def note_look(component: Component, *, good: bool, now: datetime) -> None:
    """Count one look at a component (UTC); the first bad one begins an outage, the next good one ends it."""
    trading = is_trading_week(now)
    row, _ = UptimeDay.objects.get_or_create(component=component, day=now.date())
    UptimeDay.objects.filter(pk=row.pk).update(
        looks=F("looks") + 1,
        good=F("good") + int(good),
        trading_looks=F("trading_looks") + int(trading),
        trading_good=F("trading_good") + int(trading and good),
    )
    if good:
        Outage.objects.filter(component=component, ended_at=None).update(ended_at=now)
    else:
        Outage.objects.get_or_create(
            component=component, ended_at=None, defaults={"began_at": now, "trading": trading}
        )


def is_trading_week(now: datetime) -> bool:
    """Say whether CME's week is open: Sunday 17:00 to Friday 16:00 in Chicago, holidays aside."""
    return market_state(now, SessionTemplate.EQUITY) is not MarketState.CLOSED
