"""How a subscription stands at a moment, and which news about it counts. Pure; times are UTC.

A provider's messages may come twice, late, or in another order than they were written. What counts is
decided here, by what they say of themselves; the rows only remember it.
"""

import calendar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from accounts.core.plans import NO_PLAN, TERMS, Plan, Terms

KEPT_FOR = timedelta(days=90)
"""How long everything stays after a plan has ended, so that reactivating restores all (ACC-07)."""


class SubscriptionStatus(StrEnum):
    """Where a subscription is on its way."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    ENDED = "ended"


class Stage(StrEnum):
    """What a subscription amounts to at a moment."""

    NONE = "none"
    LIVE = "live"
    ENDING = "ending"
    ENDED = "ended"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a provider says of a subscription. `said_at` is when it said so, None for our own words.

    `period_ends_at` None means that nobody has told yet. `reference` is the provider's name for it.
    """

    plan: Plan
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE
    cancels: bool = False
    period_ends_at: datetime | None = None
    ended_at: datetime | None = None
    erased_at: datetime | None = None
    customer: str = ""
    reference: str = ""
    said_at: datetime | None = None

    def over_at(self) -> datetime | None:
        """Return when it ended or is going to end; None while it goes on."""
        if self.ended_at is not None:
            return self.ended_at
        return self.period_ends_at if self.cancels else None

    def erased_on(self) -> datetime | None:
        """Return when the data that it kept is deleted for good; None while it goes on."""
        over = self.over_at()
        return over + KEPT_FOR if over is not None else None


def stage_of(standing: Standing | None, now: datetime) -> Stage:
    """Return what a subscription amounts to at a moment."""
    if standing is None:
        return Stage.NONE
    if standing.erased_at is not None:
        return Stage.ERASED
    over = standing.over_at()
    if standing.status is SubscriptionStatus.ENDED or (over is not None and over <= now):
        return Stage.ENDED
    return Stage.ENDING if standing.cancels else Stage.LIVE


def is_live(standing: Standing | None, now: datetime) -> bool:
    """Say whether orders are copied and logins may come in."""
    return stage_of(standing, now) in (Stage.LIVE, Stage.ENDING)


def terms_of(standing: Standing | None, now: datetime) -> Terms:
    """Return what a person may hold now."""
    return TERMS[standing.plan] if standing is not None and is_live(standing, now) else NO_PLAN


def counts(news: Standing, known: Standing | None) -> bool:
    """Say whether news is to be believed over what is known.

    The later word counts; of two in the same second the one that is nearer to the end. That an old
    subscription has ended says nothing about its successor.
    """
    if known is None:
        return True
    is_other = news.reference != known.reference
    if is_other and news.status is SubscriptionStatus.ENDED and known.status is not SubscriptionStatus.ENDED:
        return False
    if known.said_at is None or news.said_at is None:
        return True
    if news.said_at == known.said_at and not is_other:
        return _nearness(news) >= _nearness(known)
    return news.said_at >= known.said_at


def _nearness(standing: Standing) -> int:
    """Return how near its end a subscription is."""
    return 2 if standing.status is SubscriptionStatus.ENDED else int(standing.cancels)


def add_month(moment: datetime) -> datetime:
    """Return the same day of the next month, or its last day where it is shorter."""
    year, month = divmod(moment.year * 12 + moment.month, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def rolled(standing: Standing, now: datetime) -> Standing:
    """Return a subscription that goes on, in the period that holds `now`."""
    ends = standing.period_ends_at or add_month(now)
    while ends <= now:
        ends = add_month(ends)
    return replace(standing, period_ends_at=ends)
