"""Stripe: signed messages in any order and number, and what is asked of its API."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.billing import selectors, services
from accounts.billing.provider import BillingUnavailable
from accounts.billing.registry import provider
from accounts.core.plans import Plan
from accounts.models import BillingEvent, ProviderName, Subscription, User
from accounts.tests.factories import confirm
from accounts.tests.stripe import PRICES, SECRET, Api, event, running_api, sign, subscription

HOOK = "/billing/webhook/"
CREATED, UPDATED = "customer.subscription.created", "customer.subscription.updated"
DELETED = "customer.subscription.deleted"
T0 = 1_790_000_000


@pytest.fixture(autouse=True)
def api(settings):
    settings.BILLING_PROVIDER = "stripe"
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    settings.STRIPE_PRICES = PRICES
    with running_api() as running:
        settings.STRIPE_API_URL = running.url
        yield running


@pytest.fixture
def owner(alice: User) -> User:
    confirm(alice)
    return alice


def deliver(payload: bytes, signature: str | None = None) -> int:
    header = sign(payload, int(timezone.now().timestamp())) if signature is None else signature
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(
        HOOK, payload, content_type="application/json", headers={"Stripe-Signature": header}
    )
    return answer.status_code


def said(owner: User, kind: str, created: int, number: str, **what: Any) -> int:
    return deliver(event(kind, subscription(owner.pk, **what), created=created, number=number))


def test_without_a_payment_there_is_no_plan(owner: User):
    assert selectors.terms_for(owner.pk, timezone.now()).accounts == 0


def test_a_signed_message_begins_a_plan(owner: User):
    assert said(owner, CREATED, T0, "evt_1") == 200
    row = Subscription.objects.get(owner=owner)
    assert (row.plan, row.status, row.provider) == ("professional", "active", ProviderName.STRIPE)
    assert (row.customer, row.reference) == ("cus_1", "sub_1")
    assert row.period_ends_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert selectors.terms_for(owner.pk, timezone.now()).accounts == 10


def test_a_period_is_also_read_where_older_versions_write_it(owner: User):
    body = subscription(owner.pk, current_period_end=1_801_000_000, period=None)
    deliver(event(CREATED, body, created=T0))
    assert Subscription.objects.get().period_ends_at == datetime.fromtimestamp(1_801_000_000, UTC)


def test_the_same_message_twice_is_one(owner: User):
    for _ in range(2):
        assert said(owner, CREATED, T0, "evt_1") == 200
    assert BillingEvent.objects.count() == 1


@pytest.mark.parametrize("wrong", ["other secret", "too old", "other body", "none", "nonsense"])
def test_a_message_that_is_not_stripes_changes_nothing(owner: User, wrong: str):
    payload, now = event(CREATED, subscription(owner.pk), created=T0), int(timezone.now().timestamp())
    signature = {
        "other secret": sign(payload, now, "whsec_other"),
        "too old": sign(payload, now - 3600),
        "other body": sign(payload + b" ", now),
        "none": "",
        "nonsense": "t=x,v1",
    }[wrong]
    assert deliver(payload, signature) == 400
    assert not Subscription.objects.exists()
    assert not BillingEvent.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"id":"evt","type":"customer.subscription.updated"}', b"\xff"]
)
def test_a_signed_message_that_makes_no_sense_is_refused(owner: User, body: bytes):
    assert deliver(body) == 400


def test_a_subscription_that_makes_no_sense_is_refused(owner: User):
    assert deliver(event(UPDATED, {"id": 7}, created=T0)) == 400


def test_a_late_message_does_not_undo_a_later_one(owner: User):
    said(owner, DELETED, T0 + 10, "evt_3", status="canceled", ended_at=T0 + 10)
    said(owner, UPDATED, T0 + 5, "evt_2", cancel_at_period_end=True)
    said(owner, CREATED, T0, "evt_1")
    row = Subscription.objects.get()
    assert row.status == "ended"
    assert row.ended_at == datetime.fromtimestamp(T0 + 10, UTC)
    assert [event.applied for event in BillingEvent.objects.order_by("event_id")] == [False, False, True]


def test_a_cancellation_ends_with_the_period(owner: User):
    said(owner, CREATED, T0, "evt_1")
    said(owner, UPDATED, T0 + 1, "evt_2", cancel_at_period_end=True, period=2_000_000_000)
    row = Subscription.objects.get()
    assert row.cancels
    assert selectors.has_plan(owner.pk, timezone.now())
    assert not selectors.has_plan(owner.pk, datetime.fromtimestamp(2_000_000_000, UTC))


def test_the_end_of_an_old_subscription_leaves_its_successor_alone(owner: User):
    said(owner, CREATED, T0, "evt_1", id="sub_2", price="price_ent")
    said(owner, DELETED, T0 + 9, "evt_2", status="canceled")
    assert Subscription.objects.get().plan == "enterprise"
    assert selectors.has_plan(owner.pk, timezone.now())


def test_a_first_payment_that_is_still_open_begins_nothing(owner: User):
    said(owner, CREATED, T0, "evt_1", status="incomplete")
    said(owner, CREATED, T0, "evt_2", price="price_of_something_else")
    deliver(event("invoice.paid", {"id": "in_1"}, created=T0, number="evt_3"))
    assert not Subscription.objects.exists()
    assert BillingEvent.objects.filter(applied=False).count() == 3


def test_a_payment_that_failed_leaves_the_plan_until_stripe_gives_up(owner: User):
    said(owner, CREATED, T0, "evt_1")
    said(owner, UPDATED, T0 + 1, "evt_2", status="past_due")
    assert selectors.has_plan(owner.pk, timezone.now())
    said(owner, UPDATED, T0 + 2, "evt_3", status="unpaid")
    assert not selectors.has_plan(owner.pk, timezone.now())
    said(owner, UPDATED, T0 + 3, "evt_4")
    assert selectors.has_plan(owner.pk, timezone.now())


def test_a_subscription_is_found_by_its_customer_where_no_owner_is_named(owner: User):
    said(owner, CREATED, T0, "evt_1")
    deliver(event(UPDATED, subscription(None, price="price_ent"), created=T0 + 1, number="evt_2"))
    assert Subscription.objects.get().plan == "enterprise"
    assert deliver(event(UPDATED, subscription(None, customer="cus_9"), created=T0, number="evt_3")) == 200


def test_a_message_about_nobody_here_is_kept_and_does_nothing(db: None):
    assert deliver(event(CREATED, subscription(987_654), created=T0)) == 200
    assert BillingEvent.objects.get().owner is None


def test_a_new_plan_is_paid_at_the_checkout(owner: User, api: Api):
    api.answer(
        "POST",
        "/v1/checkout/sessions",
        {"id": "cs_1", "object": "checkout.session", "url": "https://pay.test/1"},
    )
    assert services.choose_plan(owner, Plan.PROFESSIONAL, used=0, now=timezone.now()) == "https://pay.test/1"
    ((_, _, sent),) = api.asked
    assert sent["line_items[0][price]"] == "price_pro"
    assert sent["subscription_data[metadata][owner]"] == str(owner.pk)
    assert sent["customer_email"] == owner.email
    assert not Subscription.objects.exists()  # it begins with Stripe's word, not with a click


def test_a_running_plan_is_changed_in_its_place(owner: User, api: Api):
    said(owner, CREATED, T0, "evt_1")
    api.answer("GET", "/v1/subscriptions/sub_1", subscription(owner.pk))
    api.answer("POST", "/v1/subscriptions/sub_1", subscription(owner.pk, price="price_ent"))
    assert services.choose_plan(owner, Plan.ENTERPRISE, used=0, now=timezone.now()) == ""
    assert api.asked[-1][2]["items[0][id]"] == "si_1"
    assert api.asked[-1][2]["items[0][price]"] == "price_ent"
    assert Subscription.objects.get().plan == "enterprise"
    assert said(owner, UPDATED, T0 + 1, "evt_2", price="price_ent") == 200
    assert BillingEvent.objects.get(event_id="evt_2").applied


def test_cancelling_and_taking_it_back_ask_stripe(owner: User, api: Api):
    said(owner, CREATED, T0, "evt_1")
    path = "/v1/subscriptions/sub_1"
    api.answer("POST", path, subscription(owner.pk, cancel_at_period_end=True))
    services.cancel_plan(owner, now=timezone.now())
    assert api.asked[-1] == ("POST", path, {"cancel_at_period_end": "true"})
    assert Subscription.objects.get().cancels
    api.answer("POST", path, subscription(owner.pk))
    services.resume_plan(owner, now=timezone.now())
    assert api.asked[-1] == ("POST", path, {"cancel_at_period_end": "false"})
    assert not Subscription.objects.get().cancels


def test_stripe_saying_no_changes_nothing(owner: User, api: Api):
    said(owner, CREATED, T0, "evt_1")
    api.answer(
        "POST",
        "/v1/subscriptions/sub_1",
        {"error": {"message": "Your card was declined.", "type": "card_error"}},
        402,
    )
    with pytest.raises(BillingUnavailable, match=r"card was declined.*Nothing has changed"):
        services.cancel_plan(owner, now=timezone.now())
    assert not Subscription.objects.get().cancels
    assert provider().portal(Subscription.objects.get().standing.__class__(plan=Plan.STARTER)) == ""


def test_the_portal_is_stripes_own_page(owner: User, api: Api):
    said(owner, CREATED, T0, "evt_1")
    api.answer(
        "POST",
        "/v1/billing_portal/sessions",
        {"id": "bps", "object": "billing_portal.session", "url": "https://portal.test"},
    )
    assert provider().portal(Subscription.objects.get().standing) == "https://portal.test"


def test_a_missed_end_is_taken_as_said_after_six_hours(owner: User):
    said(owner, CREATED, T0, "evt_1")
    said(owner, UPDATED, T0 + 1, "evt_2", cancel_at_period_end=True, period=2_000_000_000)
    assert services.turn_periods(datetime.fromtimestamp(2_000_000_060, UTC)) == []
    assert services.turn_periods(datetime.fromtimestamp(2_000_000_000 + 6 * 3600, UTC)) == [owner.pk]


def test_a_period_that_goes_on_is_stripes_to_tell(owner: User):
    said(owner, CREATED, T0, "evt_1", period=T0 + 60)
    assert services.turn_periods(datetime.fromtimestamp(T0 + 90_000, UTC)) == []
    assert selectors.has_plan(owner.pk, timezone.now())


def test_where_nobody_is_billed_no_message_is_taken(owner: User, settings):
    settings.BILLING_PROVIDER = "local"
    assert said(owner, CREATED, T0, "evt_1") == 400


def test_the_hook_takes_posts_of_a_sane_size(db: None, client: Client):
    assert client.get(HOOK).status_code == 405
    assert client.post(HOOK, b"x" * 300_000, content_type="application/json").status_code == 413


def test_a_plan_from_before_stays_until_another_is_chosen_and_paid(owner: User, api: Api):
    Subscription.objects.create(owner=owner, plan=Plan.STARTER, provider=ProviderName.LOCAL)
    assert selectors.terms_for(owner.pk, timezone.now()).accounts == 3
    session = {"id": "cs_1", "object": "checkout.session", "url": "https://pay.test/1"}
    api.answer("POST", "/v1/checkout/sessions", session)
    assert services.choose_plan(owner, Plan.PROFESSIONAL, used=0, now=timezone.now()) == session["url"]
    said(owner, CREATED, T0, "evt_1")
    row = Subscription.objects.get()
    assert (row.provider, row.plan) == (ProviderName.STRIPE, "professional")
