"""Stripe behind the `Provider` protocol: checkout, changes, and signed messages about subscriptions.

What a message says is read by types of our own, from the body whose signature was checked. Both ways of
writing the end of a period are known: of the subscription (API versions before 2025) and of its items.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import stripe
from django.conf import settings
from django.urls import reverse

from accounts.billing.provider import Answer, BadWebhook, BillingUnavailable, News
from accounts.core.plans import Plan
from accounts.core.subscriptions import Standing, SubscriptionStatus, is_live
from accounts.models import ProviderName, User

TOLERANCE = 300
"""Seconds that a signature stays good: Stripe's own default against replays."""
STATUSES = {
    "active": SubscriptionStatus.ACTIVE,
    "trialing": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.ENDED,
    "paused": SubscriptionStatus.ENDED,
    "canceled": SubscriptionStatus.ENDED,
    "incomplete_expired": SubscriptionStatus.ENDED,
}
"""`incomplete` is left out: the first payment is still open, so nothing has begun."""


class _Price(msgspec.Struct):
    id: str


class _Item(msgspec.Struct):
    id: str
    price: _Price
    current_period_end: int | None = None


class _Items(msgspec.Struct):
    data: list[_Item] = []


class _Subscription(msgspec.Struct):
    id: str
    status: str
    customer: str
    items: _Items
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    current_period_end: int | None = None
    ended_at: int | None = None
    metadata: dict[str, str] = {}


class _Data(msgspec.Struct):
    object: msgspec.Raw


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: _Data


_events = msgspec.json.Decoder(_Event)
_subscriptions = msgspec.json.Decoder(_Subscription)


class StripeProvider:
    """Implements `Provider`. The person pays on Stripe's pages; no card ever passes through here."""

    name = ProviderName.STRIPE
    starts_with: Plan | None = None

    def __init__(
        self, client: stripe.StripeClient, *, prices: Mapping[Plan, str], secret: str, site: str
    ) -> None:
        self._client = client
        self._prices = prices
        self._plans = {price: plan for plan, price in prices.items() if price}
        self._secret = secret
        self._page = site.rstrip("/") + reverse("syncgroups:billing")

    @classmethod
    def from_settings(cls) -> "StripeProvider":
        """Return the provider that the environment describes."""
        client = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses={"api": settings.STRIPE_API_URL},
            max_network_retries=2,
        )
        prices = {plan: settings.STRIPE_PRICES[plan] for plan in Plan}
        return cls(client, prices=prices, secret=settings.STRIPE_WEBHOOK_SECRET, site=settings.SITE_URL)

    def choose(self, owner: User, known: Standing | None, plan: Plan, now: datetime) -> Answer:
        """Change the running subscription, or send the person to the checkout for a new one."""
        if known is not None and known.reference and is_live(known, now):
            return self._change(known, plan)
        customer: dict[str, Any] = (
            {"customer": known.customer} if known and known.customer else {"customer_email": owner.email}
        )
        params = {
            **customer,
            "mode": "subscription",
            "line_items": [{"price": self._prices[plan], "quantity": 1}],
            "client_reference_id": str(owner.pk),
            "subscription_data": {"metadata": {"owner": str(owner.pk)}},
            "success_url": f"{self._page}?paid=yes",
            "cancel_url": self._page,
        }
        try:
            session = self._client.v1.checkout.sessions.create(params)  # type: ignore[arg-type]
        except stripe.StripeError as error:
            raise _unavailable(error) from None
        return Answer(url=session.url or self._page)

    def _change(self, known: Standing, plan: Plan) -> Answer:
        try:
            running = self._client.v1.subscriptions.retrieve(known.reference)
            item = _plain(running).items.data[0].id
            change: Any = {
                "items": [{"id": item, "price": self._prices[plan]}],
                "cancel_at_period_end": False,
                "proration_behavior": "create_prorations",
            }
            return self._answer(known, self._client.v1.subscriptions.update(known.reference, change))
        except stripe.StripeError as error:
            raise _unavailable(error) from None

    def cancel(self, known: Standing, now: datetime) -> Answer:
        """End with the paid period."""
        return self._update(known, {"cancel_at_period_end": True})

    def resume(self, known: Standing, now: datetime) -> Answer:
        """Take the end back."""
        return self._update(known, {"cancel_at_period_end": False})

    def _update(self, known: Standing, change: Any) -> Answer:
        try:
            return self._answer(known, self._client.v1.subscriptions.update(known.reference, change))
        except stripe.StripeError as error:
            raise _unavailable(error) from None

    def _answer(self, known: Standing, said: stripe.Subscription) -> Answer:
        # Dated as the last message was: the one that follows from this change must be believed.
        return Answer(standing=self.standing_of(_plain(said), known.said_at))

    def portal(self, known: Standing) -> str:
        """Return Stripe's page for cards and invoices."""
        if not known.customer:
            return ""
        try:
            session = self._client.v1.billing_portal.sessions.create(
                {"customer": known.customer, "return_url": self._page}
            )
        except stripe.StripeError as error:
            raise _unavailable(error) from None
        return session.url

    def read(self, payload: bytes, signature: str) -> News:
        """Return what a web hook says, once its signature is known to be Stripe's."""
        try:
            stripe.WebhookSignature.verify_header(payload, signature, self._secret, TOLERANCE)
            event = _events.decode(payload)
        except stripe.SignatureVerificationError:
            raise BadWebhook("the signature is not Stripe's, or is too old") from None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise BadWebhook("the message is not readable") from None
        said_at = _moment(event.created)
        if not event.type.startswith("customer.subscription."):
            return News(event_id=event.id, kind=event.type, said_at=said_at)
        try:
            said = _subscriptions.decode(event.data.object)
        except msgspec.MsgspecError:
            raise BadWebhook(f"the subscription in {event.type} is not readable") from None
        owner = said.metadata.get("owner", "")
        return News(
            event_id=event.id,
            kind=event.type,
            said_at=said_at,
            owner=int(owner) if owner.isascii() and owner.isdigit() else None,
            standing=self.standing_of(said, said_at),
        )

    def standing_of(self, said: _Subscription, said_at: datetime | None) -> Standing | None:
        """Return a subscription in our words; None for a price or a status that is not ours."""
        item = next(iter(said.items.data), None)
        plan = self._plans.get(item.price.id) if item is not None else None
        status = STATUSES.get(said.status)
        if plan is None or status is None or item is None:
            return None
        ends = said.cancel_at or item.current_period_end or said.current_period_end
        has_ended = status is SubscriptionStatus.ENDED
        return Standing(
            plan=plan,
            status=status,
            cancels=(said.cancel_at_period_end or said.cancel_at is not None) and not has_ended,
            period_ends_at=_moment(ends) if ends else None,
            ended_at=(_moment(said.ended_at) if said.ended_at else said_at) if has_ended else None,
            customer=said.customer,
            reference=said.id,
            said_at=said_at,
        )


def _plain(said: stripe.Subscription) -> _Subscription:
    try:
        return msgspec.convert(said.to_dict(), _Subscription)
    except msgspec.MsgspecError:
        raise BillingUnavailable("The payment provider's answer is not readable. Try again later.") from None


def _unavailable(error: stripe.StripeError) -> BillingUnavailable:
    # The library's error may carry the request; only Stripe's sentence for people is kept.
    said = error.user_message or "The payment provider does not answer."
    return BillingUnavailable(f"{said} Nothing has changed; try again in a minute.")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
