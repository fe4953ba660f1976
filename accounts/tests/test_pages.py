"""The frame around people's pages, and a person's own settings."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.middleware import zone_of
from accounts.models import User
from tradehaven.domain.enums import AuditAction


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_signup",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
        "account_email_verification_sent",
        "account_inactive",
        "accounts:resend",
    ],
)
def test_pages_for_strangers_wear_the_frame(client: Client, db: None, name: str):
    page = client.get(reverse(name)).content.decode()
    assert 'class="top"' in page
    assert "style=" not in page


@pytest.mark.parametrize(
    "name",
    [
        "account_email",
        "account_change_password",
        "account_logout",
        "account_reauthenticate",
        "accounts:profile",
        "accounts:security",
        "accounts:audit",
        "accounts:data",
    ],
)
def test_pages_for_members_wear_the_frame(alice_client: Client, name: str):
    page = alice_client.get(reverse(name)).content.decode()
    assert 'class="top"' in page
    assert "style=" not in page
    assert "<script>" not in page


def test_the_profile_is_saved(alice_client: Client, alice: User):
    form = {"display_name": "Al", "time_zone": "Europe/Berlin", "tell_daily_summary": "on"}
    assert alice_client.post(reverse("accounts:profile"), form).status_code == 302
    alice.refresh_from_db()
    assert (alice.display_name, alice.time_zone) == ("Al", "Europe/Berlin")
    assert (alice.tell_sync_failures, alice.tell_guardrails, alice.tell_daily_summary) == (False, False, True)
    event = alice.audit_events.get(action=AuditAction.PROFILE_CHANGED)
    assert "time zone" in event.subject
    assert alice_client.post(reverse("accounts:profile"), form).status_code == 302
    assert alice.audit_events.filter(action=AuditAction.PROFILE_CHANGED).count() == 1, "nothing changed"


def test_a_zone_that_does_not_exist_is_refused(alice_client: Client, alice: User):
    answer = alice_client.post(reverse("accounts:profile"), {"time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    alice.refresh_from_db()
    assert alice.time_zone == "America/Chicago"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_zone_that_is_gone_reads_as_utc(name: str):
    assert zone_of(User(time_zone=name)).key == "UTC"


def test_doors_of_the_profile(client: Client, alice_client: Client):
    url = reverse("accounts:profile")
    assert client.get(url).headers["Location"].startswith("/accounts/login/")
    assert alice_client.delete(url).status_code == 405
