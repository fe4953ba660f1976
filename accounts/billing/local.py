"""The provider that works out of the box: nobody pays, everything else is as with one that costs money."""

from dataclasses import replace
from datetime import datetime

from accounts.billing.provider import Answer, BadWebhook, News
from accounts.core.plans import Plan
from accounts.core.subscriptions import Standing, add_month, is_live, rolled
from accounts.models import ProviderName, User


class LocalProvider:
    """Implements `Provider` with months that begin when a plan is chosen."""

    name = ProviderName.LOCAL
    starts_with: Plan | None = Plan.STARTER

    def choose(self, owner: User, known: Standing | None, plan: Plan, now: datetime) -> Answer:
        """Give the plan at once; a period that runs goes on."""
        if known is not None and is_live(known, now):
            return Answer(standing=rolled(replace(known, plan=plan, cancels=False), now))
        return Answer(standing=Standing(plan=plan, period_ends_at=add_month(now)))

    def cancel(self, known: Standing, now: datetime) -> Answer:
        """End with the period."""
        return Answer(standing=replace(rolled(known, now), cancels=True))

    def resume(self, known: Standing, now: datetime) -> Answer:
        """Go on."""
        return Answer(standing=replace(known, cancels=False))

    def portal(self, known: Standing) -> str:
        """Have no page of its own."""
        return ""

    def read(self, payload: bytes, signature: str) -> News:
        """Refuse: nobody sends messages for this provider."""
        raise BadWebhook("plans are not billed here: no provider sends messages to this address")
