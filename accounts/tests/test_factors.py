"""The second factor: enrolled, asked for, spent once, slowed down, and in the way of live money."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.access import has_factor
from accounts.models import FactorDevice, User
from accounts.services.factors import remove_factor, reseal
from accounts.tests.factories import confirm, show_factor
from tradehaven.domain.enums import AuditAction

# Mails and the joining of the two libraries come after the commit, so there must be one.
pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "Correct-horse-7-battery"


class Phone:
    """An authenticator app: knows the secret and the time."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, steps: int = 0) -> str:
        now = int(timezone.now().timestamp())
        return str(format_hotp_value(hotp_value(self.secret, now // 30 + steps)))


@pytest.fixture
def clock() -> Iterator[Any]:
    cache.clear()
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def browser(client: Client, alice: User, clock: Any) -> Client:
    """Alice's browser, logged in by password, which was just asked for again."""
    confirm(alice)
    log_in(client)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.fixture
def phone(browser: Client, clock: Any) -> Phone:
    """Alice's phone, enrolled; thirty seconds have passed since."""
    page = browser.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'<code class="secret">(\w+)</code>', page)
    assert found
    phone = Phone(found.group(1))
    answer = browser.post(reverse("mfa_activate_totp"), {"code": phone.code()})
    assert answer.headers["Location"] == reverse("mfa_view_recovery_codes")
    clock.shift(timedelta(seconds=30))
    return phone


def log_in(browser: Client, password: str = PASSWORD) -> Any:
    return browser.post(reverse("account_login"), {"login": "alice@example.org", "password": password})


def enter(browser: Client, code: str) -> Any:
    return browser.post(reverse("mfa_authenticate"), {"code": code})


def actions(user: User) -> list[str]:
    return list(user.audit_events.order_by("pk").values_list("action", flat=True))


def codes_of(browser: Client) -> list[str]:
    return re.findall(r"<code>(\d+)</code>", browser.get(reverse("mfa_view_recovery_codes")).content.decode())


def test_enrolment_shows_a_picture_and_the_secret_and_turns_it_on(
    browser: Client, phone: Phone, alice: User, mailoutbox
):
    assert has_factor(alice)
    assert AuditAction.FACTOR_ADDED in actions(alice)
    assert "A second factor was added" in [mail.subject for mail in mailoutbox]
    page = browser.get(reverse("accounts:security")).content.decode()
    assert "On since" in page
    assert "10 recovery codes are left" in " ".join(page.split())


def test_the_picture_is_no_inline_script_or_style(browser: Client):
    page = browser.get(reverse("mfa_activate_totp")).content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    assert "style=" not in page


def test_enrolment_asks_for_the_password_first(alice_client: Client):
    answer = alice_client.get(reverse("mfa_activate_totp"))
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))


def test_a_wrong_first_code_turns_nothing_on(browser: Client, alice: User):
    browser.get(reverse("mfa_activate_totp"))
    answer = browser.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "Incorrect code" in answer.content.decode()
    assert not has_factor(alice)


def test_the_secrets_do_not_lie_open(phone: Phone, alice: User):
    for factor in Authenticator.objects.filter(user=alice):
        sealed = factor.data.get("secret") or factor.data["seed"]
        assert sealed.startswith("v1.")
        assert phone.secret not in str(factor.data)


def test_secrets_are_sealed_anew_with_the_active_key(phone: Phone, alice: User, settings: Any, clock: Any):
    settings.DATA_KEYS = {"fresh": bytes(range(32)), **settings.DATA_KEYS}
    settings.ACTIVE_DATA_KEY = "fresh"
    assert reseal() == 2
    kept = [factor.data.get("secret") or factor.data["seed"] for factor in Authenticator.objects.all()]
    assert all(text.startswith("v1.fresh.") for text in kept)
    again = Client()
    log_in(again)
    assert enter(again, phone.code()).headers["Location"] == "/"


def test_logging_in_asks_for_the_code(phone: Phone, alice: User):
    again = Client()
    assert log_in(again).headers["Location"] == reverse("mfa_authenticate")
    assert "login" in again.get("/").headers["Location"], "the password alone opens nothing"
    assert "Second factor" in again.get(reverse("mfa_authenticate")).content.decode()
    assert enter(again, phone.code()).headers["Location"] == "/"
    assert again.get("/").status_code == 200


def test_the_code_of_the_enrolment_is_spent(browser: Client, phone: Phone):
    again = Client()
    log_in(again)
    assert "used already" in enter(again, phone.code(steps=-1)).content.decode()


def test_a_spent_code_is_refused_also_after_the_cache_is_gone(phone: Phone, clock: Any):
    code = phone.code()
    first, second = Client(), Client()
    log_in(first)
    assert enter(first, code).status_code == 302
    cache.clear()
    clock.shift(timedelta(seconds=31))
    log_in(second)
    assert "used already" in enter(second, code).content.decode()
    clock.shift(timedelta(seconds=2))
    assert enter(second, phone.code()).status_code == 302


def test_an_older_code_is_refused_after_a_newer_one(phone: Phone, clock: Any):
    clock.shift(timedelta(seconds=60))
    older, newer = phone.code(steps=-1), phone.code()
    first, second = Client(), Client()
    log_in(first)
    enter(first, newer)
    log_in(second)
    assert enter(second, older).status_code == 200


def test_clocks_may_differ_by_one_step_and_no_more(phone: Phone, clock: Any):
    clock.shift(timedelta(seconds=90))
    again = Client()
    log_in(again)
    assert enter(again, phone.code(steps=2)).status_code == 200
    clock.shift(timedelta(seconds=2))
    assert enter(again, phone.code(steps=1)).status_code == 302


def test_wrong_codes_are_slowed_down_in_the_database(phone: Phone, alice: User, clock: Any):
    again = Client()
    log_in(again)
    for wait in (0, 1, 2, 4):
        clock.shift(timedelta(seconds=wait))
        assert "wrong or was used" in enter(again, "000000").content.decode()
    cache.clear()  # a restarted cache forgets nothing that matters
    page = enter(again, phone.code()).content.decode()
    assert "Try again in 8 seconds" in page
    clock.shift(timedelta(seconds=9))
    assert enter(again, phone.code()).status_code == 302
    assert actions(alice).count(AuditAction.FACTOR_FAILED) == 4


def test_recovery_codes_are_shown_once_and_work_once(browser: Client, phone: Phone, alice: User):
    codes = codes_of(browser)
    assert len(codes) == len(set(codes)) == 10
    assert codes_of(browser) == []
    first, second = Client(), Client()
    log_in(first)
    assert enter(first, codes[0]).headers["Location"] == "/"
    log_in(second)
    assert enter(second, codes[0]).status_code == 200
    event = alice.audit_events.get(action=AuditAction.CODE_SPENT)
    assert event.subject == "recovery code, 9 left"


def test_new_recovery_codes_end_the_old_ones(browser: Client, phone: Phone, clock: Any, alice: User):
    old = codes_of(browser)
    browser.post(reverse("mfa_generate_recovery_codes"))
    new = codes_of(browser)
    assert len(new) == 10
    assert not set(old) & set(new)
    again = Client()
    log_in(again)
    assert enter(again, old[3]).status_code == 200
    assert AuditAction.CODES_RENEWED in actions(alice)


def test_removal_needs_a_code(browser: Client, phone: Phone, alice: User, mailoutbox):
    url = reverse("mfa_deactivate_totp")
    assert 'class="error"' not in browser.get(url).content.decode()
    for wrong in ({}, {"code": ""}, {"code": "000000"}):
        browser.post(url, wrong)
        assert has_factor(alice)
    FactorDevice.objects.update(throttling_failure_count=0)
    assert browser.post(url, {"code": phone.code()}).headers["Location"] == reverse("mfa_index")
    assert not has_factor(alice)
    assert not Authenticator.objects.exists()
    assert AuditAction.FACTOR_REMOVED in actions(alice)
    assert log_in(Client()).headers["Location"] == "/"


def test_operators_keep_their_factor(browser: Client, phone: Phone, alice: User):
    User.objects.update(is_staff=True)
    page = browser.post(reverse("mfa_deactivate_totp"), {"code": phone.code()}).content.decode()
    assert "Operators keep" in page
    assert has_factor(alice)


def test_support_takes_a_lost_factor_away(phone: Phone, alice: User):
    User.objects.update(factor_for_live=True)
    assert remove_factor(user=alice)
    assert not remove_factor(user=alice)
    alice.refresh_from_db()
    assert not alice.factor_for_live
    assert log_in(Client()).headers["Location"] == "/"


def test_a_session_is_verified_only_by_its_own_owner(alice: User, bob: User, bob_client: Client):
    show_factor(bob_client, alice)
    bob.factor_for_live = True
    bob.save()
    answer = bob_client.post(reverse("accounts:live-money-off"))
    assert reverse("mfa_reauthenticate") in answer.headers["Location"]


def test_who_has_no_factor_cannot_ask_for_codes(alice_client: Client, alice: User):
    assert alice_client.post(reverse("accounts:live-money-on")).status_code == 403
    alice.refresh_from_db()
    assert not alice.factor_for_live


def test_the_wish_for_codes_is_taken_back_only_with_a_code(
    browser: Client, phone: Phone, alice: User, clock: Any
):
    browser.post(reverse("accounts:live-money-on"))
    alice.refresh_from_db()
    assert alice.factor_for_live
    clock.shift(timedelta(minutes=16))
    answer = browser.post(reverse("accounts:live-money-off"))
    assert answer.headers["Location"].startswith(reverse("mfa_reauthenticate"))
    alice.refresh_from_db()
    assert alice.factor_for_live
    target = re.sub(r".*next=", "", answer.headers["Location"]).replace("%2F", "/")
    browser.post(reverse("mfa_reauthenticate"), {"code": phone.code(), "next": target})
    alice.refresh_from_db()
    assert not alice.factor_for_live, "what was asked for is done after the code, without another click"


@pytest.mark.parametrize(
    "name", ["accounts:live-money-on", "accounts:live-money-off", "accounts:revoke-others"]
)
def test_doors_of_the_switches(client: Client, alice_client: Client, name: str):
    assert client.post(reverse(name)).headers["Location"].startswith("/accounts/login/")
    assert alice_client.get(reverse(name)).status_code == 405
