"""Settings > Billing: what it says, what its buttons do, and what the end of a plan does to copying."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.billing import services
from accounts.core.plans import Plan
from accounts.models import Subscription, User
from accounts.tests.factories import confirm
from accounts.tests.stripe import PRICES, SECRET, running_api
from brokers.models import EngineStamp
from syncgroups.engine.plans import settings_of
from syncgroups.services import groups
from syncgroups.services.groups import GroupSettings
from syncgroups.tests.people import accounts
from tradehaven.domain.ids import OwnerId

PAGE = reverse("syncgroups:billing")
CANCEL, RESUME = reverse("syncgroups:plan-cancel"), reverse("syncgroups:plan-resume")
PORTAL = reverse("syncgroups:billing-portal")


def choose(plan: str) -> str:
    return reverse("syncgroups:plan-choose", args=[plan])


def shown(client: Client) -> str:
    return " ".join(client.get(PAGE).content.decode().split())


def test_the_page_shows_the_plan_and_what_is_used(alice: User, alice_client: Client):
    accounts(alice, "A", "B")
    page = shown(alice_client)
    assert "2 of 3" in page
    assert "Up to 10 accounts" in page
    assert "Unlimited accounts" in page


def test_only_usable_accounts_of_connected_logins_count(alice: User, alice_client: Client):
    accounts(alice, "A", "B", status="disconnected")
    (gone,) = accounts(alice, "C")
    type(gone).objects.filter(pk=gone.pk).update(active=False)
    assert "0 of 3" in shown(alice_client)


def test_a_plan_is_chosen_with_one_click(alice: User, alice_client: Client):
    confirm(alice)
    assert alice_client.post(choose("professional")).headers["Location"] == PAGE
    assert "Next period begins" in shown(alice_client)
    assert Subscription.objects.get(owner=alice).plan == "professional"


def test_a_plan_that_is_too_small_cannot_be_chosen(alice: User, alice_client: Client):
    confirm(alice)
    alice_client.post(choose("enterprise"))
    accounts(alice, *"ABCDE")
    assert "disconnect logins first" in shown(alice_client)
    answer = alice_client.post(choose("starter"))
    assert answer.status_code == 400
    assert "Disconnect logins first, or choose Professional" in answer.content.decode()


def test_cancelling_says_until_when_and_can_be_taken_back(alice: User, alice_client: Client):
    confirm(alice)
    alice_client.post(CANCEL)
    assert "Copying stops on" in shown(alice_client)
    alice_client.post(RESUME)
    assert "Copying stops on" not in shown(alice_client)


def test_after_the_end_the_page_says_until_when_all_is_kept(alice: User, alice_client: Client):
    confirm(alice)
    services.cancel_plan(alice, now=timezone.now() - timedelta(days=60))
    services.turn_periods(timezone.now())
    page = shown(alice_client)
    assert "Nothing is copied" in page
    over = Subscription.objects.get(owner=alice).ended_at
    assert over is not None
    assert f"{over + timedelta(days=90):%Y}" in page


def test_a_plans_end_stops_the_engine_and_reactivating_starts_it(alice: User):
    leader, follower = accounts(alice, "A", "B")
    group = groups.create_group(alice, leader=leader, settings=GroupSettings(name="G"), followers=[follower])
    groups.activate(group)
    assert settings_of(OwnerId(alice.pk)).plan.groups[0].active
    services.cancel_plan(alice, now=timezone.now() - timedelta(days=40))
    before = EngineStamp.objects.get(owner=alice).version
    services.turn_periods(timezone.now())
    assert EngineStamp.objects.get(owner=alice).version > before  # the engines look again
    assert not settings_of(OwnerId(alice.pk)).plan.groups[0].active
    services.choose_plan(alice, Plan.STARTER, used=2, now=timezone.now())
    assert settings_of(OwnerId(alice.pk)).plan.groups[0].active


def test_a_group_of_an_ended_plan_says_so(alice: User, alice_client: Client):
    leader, follower = accounts(alice, "A", "B")
    group = groups.create_group(alice, leader=leader, settings=GroupSettings(name="G"), followers=[follower])
    groups.activate(group)
    services.cancel_plan(alice, now=timezone.now() - timedelta(days=40))
    page = alice_client.get(reverse("syncgroups:detail", args=[group.public_id])).content.decode()
    assert "Plan ended" in page


def test_a_paid_plan_leads_to_the_checkout(alice: User, alice_client: Client, settings):
    confirm(alice)
    settings.BILLING_PROVIDER, settings.STRIPE_PRICES = "stripe", PRICES
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_1", SECRET
    with running_api() as api:
        settings.STRIPE_API_URL = api.url
        assert "Choose a plan to connect accounts" in shown(alice_client)
        session = {"id": "cs_1", "object": "checkout.session", "url": "https://pay.test/1"}
        api.answer("POST", "/v1/checkout/sessions", session)
        assert alice_client.post(choose("starter")).headers["Location"] == "https://pay.test/1"
        assert "begins as soon as the payment" in alice_client.get(f"{PAGE}?paid=yes").content.decode()
        assert alice_client.post(choose("professional")).status_code == 302
        api.answers.clear()
        assert alice_client.post(choose("professional")).status_code == 502


def test_without_a_providers_page_the_button_leads_back(alice_client: Client):
    assert alice_client.post(PORTAL).headers["Location"] == PAGE


@pytest.mark.parametrize("url", [CANCEL, RESUME, PORTAL, choose("starter")])
def test_doors_of_the_buttons(url: str, client: Client, alice_client: Client):
    assert client.post(url).headers["Location"].startswith("/accounts/login/")
    assert alice_client.get(url).status_code == 405


def test_doors_of_the_page(client: Client, alice_client: Client, bob: User):
    assert client.get(PAGE).status_code == 302
    assert alice_client.post(PAGE).status_code == 405
    assert alice_client.post(choose("gold")).status_code == 404
    assert alice_client.post(choose("professional")).status_code == 403  # not confirmed
    assert not Subscription.objects.exists()
