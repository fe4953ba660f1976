"""What the billing page shows: the plan, how much of it is used, and what each choice would mean."""

from dataclasses import dataclass
from datetime import datetime

from accounts.billing.selectors import erasures_of, has_portal, standing_of
from accounts.core.plans import TERMS, Terms
from accounts.core.subscriptions import Stage, Standing, stage_of, terms_of
from accounts.models import Erasure, User
from brokers.selectors import accounts_in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A plan on the page; `fits` says whether what is connected has room in it."""

    terms: Terms
    is_current: bool
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """A person's plan at one moment (UTC)."""

    stage: Stage
    terms: Terms
    standing: Standing | None
    used: int
    choices: tuple[Choice, ...]
    has_portal: bool
    erased: Erasure | None

    @property
    def percent(self) -> int:
        """Return how full the plan is, for the bar; 0 where it has no bound."""
        return min(100, self.used * 100 // self.terms.accounts) if self.terms.accounts else 0

    @property
    def is_over(self) -> bool:
        """Say whether more is connected than the plan holds."""
        return not self.terms.has_room(self.used)


def billing_page(user: User, now: datetime) -> Billing:
    """Return all that the page shows."""
    standing, used = standing_of(user.pk), accounts_in_use(user.pk)
    stage = stage_of(standing, now)
    is_running = stage in (Stage.LIVE, Stage.ENDING)
    return Billing(
        stage=stage,
        terms=terms_of(standing, now),
        standing=standing,
        used=used,
        choices=tuple(
            Choice(
                terms=terms,
                is_current=is_running and standing is not None and standing.plan is terms.plan,
                fits=terms.has_room(used),
            )
            for terms in TERMS.values()
        ),
        has_portal=has_portal(user.pk),
        erased=erasures_of(user.pk).first(),
    )
