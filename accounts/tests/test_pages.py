"""Signing up, logging in, and a person's own settings."""

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.access import is_verified
from accounts.middleware import zone_of
from accounts.models import User

GOOD = "Correct-horse-7-battery"


@pytest.fixture(autouse=True)
def no_memory_of_other_tests() -> None:
    cache.clear()


def sign_up(client: Client, email: str = "new@example.org", password: str = GOOD):
    form = {"email": email, "password1": password, "password2": password}
    return client.post(reverse("account_signup"), form)


def test_a_newcomer_signs_up_looks_around_and_confirms(client: Client, db: None, mailoutbox):
    assert sign_up(client).status_code == 302
    user = User.objects.get(email="new@example.org")
    assert not is_verified(user)
    assert "Confirm your e-mail address" in client.get("/").content.decode()
    link = re.search(r"https?://[^/]+(/accounts/confirm-email/\S+)", mailoutbox[0].body)
    assert link
    client.post(link.group(1))
    assert is_verified(user)


def test_another_link_is_sent_on_request(client: Client, db: None, mailoutbox):
    sign_up(client)
    cache.clear()  # three minutes pass, after which another mail may be sent
    client.post(reverse("account_email"), {"email": "new@example.org", "action_send": ""})
    assert [mail.to for mail in mailoutbox] == [["new@example.org"]] * 2


@pytest.mark.parametrize(
    "password", ["Short-7", "no-upper-case-7", "NO-LOWER-CASE-7", "No-digit-at-all", "NoSpecial77777"]
)
def test_weak_passwords_are_refused(client: Client, db: None, password: str):
    assert sign_up(client, password=password).status_code == 200
    assert not User.objects.exists()


def test_logging_in_leads_to_the_live_page(client: Client, alice: User):
    form = {"login": alice.email, "password": GOOD}
    answer = client.post(reverse("account_login"), form)
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password"])
def test_pages_for_strangers_wear_the_frame(client: Client, db: None, name: str):
    page = client.get(reverse(name)).content.decode()
    assert 'class="top"' in page
    assert "style=" not in page


@pytest.mark.parametrize("name", ["account_email", "account_change_password", "account_logout"])
def test_pages_for_members_wear_the_frame(alice_client: Client, name: str):
    assert 'class="top"' in alice_client.get(reverse(name)).content.decode()


def test_the_profile_is_saved(alice_client: Client, alice: User):
    form = {"display_name": "Al", "time_zone": "Europe/Berlin"}
    assert alice_client.post(reverse("accounts:profile"), form).status_code == 302
    alice.refresh_from_db()
    assert (alice.display_name, alice.time_zone) == ("Al", "Europe/Berlin")


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
