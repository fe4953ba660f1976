"""What the product needs of whoever takes the money, as a protocol; `registry` says who that is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from accounts.core.plans import Plan
from accounts.core.subscriptions import Standing
from accounts.models import ProviderName, User
from tradehaven.domain.errors import TradeHavenError


class BillingUnavailable(TradeHavenError):
    """The payment provider did not answer, or said no; nothing has changed."""


class BadWebhook(TradeHavenError):
    """A message that does not come from the provider, or that makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a wish: the new standing at once, or the page on which the person goes on."""

    standing: Standing | None = None
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One message of a provider. `owner` and `standing` are None where it concerns no subscription."""

    event_id: str
    kind: str
    said_at: datetime
    owner: int | None = None
    standing: Standing | None = None


class Provider(Protocol):
    """Takes the money and says how a subscription stands. Each method raises `BillingUnavailable`."""

    name: ProviderName
    starts_with: Plan | None
    """The plan of a person who has never chosen one; None where plans cost money."""

    def choose(self, owner: User, known: Standing | None, plan: Plan, now: datetime) -> Answer:
        """Begin a plan, change it, or take up one that has ended."""

    def cancel(self, known: Standing, now: datetime) -> Answer:
        """End a subscription with its period."""

    def resume(self, known: Standing, now: datetime) -> Answer:
        """Let a subscription go on that was to end with its period."""

    def portal(self, known: Standing) -> str:
        """Return the provider's own page for cards and invoices, empty where there is none."""

    def read(self, payload: bytes, signature: str) -> News:
        """Return what a web hook says; raise `BadWebhook` when it is not the provider's."""
