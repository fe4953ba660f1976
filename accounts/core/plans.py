"""The three plans and what each holds (ACC-07). Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Plan(StrEnum):
    """What a person has chosen."""

    STARTER = "starter"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan holds. `accounts` is how many may be connected at once, None without a bound."""

    plan: Plan
    name: str
    accounts: int | None
    suits: str

    @property
    def holds(self) -> str:
        """Describe the bound in words."""
        return "Unlimited accounts" if self.accounts is None else f"Up to {self.accounts} accounts"

    def has_room(self, used: int, more: int = 0) -> bool:
        """Say whether so many connected accounts, and so many more, fit."""
        return self.accounts is None or used + more <= self.accounts


TERMS = {
    Plan.STARTER: Terms(plan=Plan.STARTER, name="Starter", accounts=3, suits="A leader and two followers."),
    Plan.PROFESSIONAL: Terms(
        plan=Plan.PROFESSIONAL, name="Professional", accounts=10, suits="Several strategies or evaluations."
    ),
    Plan.ENTERPRISE: Terms(
        plan=Plan.ENTERPRISE, name="Enterprise", accounts=None, suits="Whole fleets of funded accounts."
    ),
}
NO_PLAN = Terms(plan=Plan.STARTER, name="No plan", accounts=0, suits="")
"""What a person holds who has never chosen a plan where plans cost money, or whose plan is over."""


def next_fitting(used: int) -> Terms:
    """Return the smallest plan that holds so many accounts."""
    return next(terms for terms in TERMS.values() if terms.has_room(used))
