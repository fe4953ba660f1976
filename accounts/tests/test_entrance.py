"""Signing up, confirming, logging in, and what a stranger at the door can learn or spoil: nothing."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.core.cache import cache
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.access import is_verified
from accounts.models import User
from accounts.tests.factories import confirm
from tradehaven.domain.enums import AuditAction
from tradehaven.settings import base

GOOD = "Correct-horse-7-battery"


@pytest.fixture(autouse=True)
def no_memory_of_other_tests() -> None:
    cache.clear()


@pytest.fixture
def limits(settings: Any) -> None:
    """The real limits, which other tests do without."""
    settings.ACCOUNT_RATE_LIMITS = base.ACCOUNT_RATE_LIMITS


def sign_up(client: Client, email: str = "new@example.org", password: str = GOOD) -> Any:
    form = {"email": email, "password1": password, "password2": password}
    return client.post(reverse("account_signup"), form)


def log_in(client: Client, email: str, password: str = GOOD, **extra: Any) -> Any:
    return client.post(reverse("account_login"), {"login": email, "password": password}, **extra)


def link_in(mail: EmailMessage, path: str) -> str:
    found = re.search(rf"https?://[^/]+({path}\S+)", str(mail.body))
    assert found, mail.body
    return found.group(1)


def actions(user: User) -> list[str]:
    return list(user.audit_events.order_by("pk").values_list("action", flat=True))


def test_a_newcomer_signs_up_confirms_and_logs_in(client: Client, db: None, mailoutbox):
    assert sign_up(client).headers["Location"] == reverse("account_email_verification_sent")
    user = User.objects.get(email="new@example.org")
    assert client.get("/").headers["Location"].startswith("/accounts/login/")
    link = link_in(mailoutbox[0], "/accounts/confirm-email/")
    assert "is this" not in client.get(link).content.decode().lower()
    assert not is_verified(user), "looking at the page confirms nothing: mail scanners do that"
    client.post(link)
    assert is_verified(user)
    assert log_in(client, user.email).headers["Location"] == "/"
    assert actions(user) == [AuditAction.SIGNED_UP, AuditAction.ADDRESS_CONFIRMED, AuditAction.LOGGED_IN]


def test_mails_are_in_text_and_html(client: Client, db: None, mailoutbox):
    sign_up(client)
    letter = mailoutbox[0]
    assert isinstance(letter, EmailMultiAlternatives)
    assert letter.subject == "Confirm your address"
    page = str(letter.alternatives[0][0])
    link = link_in(letter, "/accounts/confirm-email/")
    assert f"{link}" in letter.body
    assert f'{link}"' in page


def test_a_link_works_for_a_day(client: Client, db: None, mailoutbox):
    with time_machine.travel(timezone.now() - timedelta(hours=24, minutes=1), tick=True):
        sign_up(client)
    answer = client.get(link_in(mailoutbox[0], "/accounts/confirm-email/"))
    assert "does not work any more" in answer.content.decode()
    with time_machine.travel(timezone.now() - timedelta(hours=23), tick=True):
        cache.clear()
        client.post(reverse("accounts:resend"), {"email": "new@example.org"})
    client.post(link_in(mailoutbox[1], "/accounts/confirm-email/"))
    assert is_verified(User.objects.get())


def test_the_link_is_sent_again_from_the_log_in_page(client: Client, db: None, mailoutbox):
    assert reverse("accounts:resend") in client.get(reverse("account_login")).content.decode()
    sign_up(client)
    cache.clear()
    client.post(reverse("accounts:resend"), {"email": "NEW@example.org"})
    assert [mail.to for mail in mailoutbox] == [["new@example.org"]] * 2


def test_asking_again_at_once_sends_nothing_more(client: Client, db: None, mailoutbox, limits):
    sign_up(client)
    client.post(reverse("accounts:resend"), {"email": "new@example.org"})
    assert len(mailoutbox) == 1


def test_asking_for_links_again_and_again_ends(client: Client, db: None, limits):
    answers = [client.post(reverse("accounts:resend"), {"email": "x@example.org"}) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429] * 2
    assert "Too many tries" in answers[-1].content.decode()


@pytest.mark.parametrize("email", ["", "nobody", "a@" + "b" * 300 + ".org"])
def test_an_address_that_is_none_is_sent_back(client: Client, db: None, email: str):
    answer = client.post(reverse("accounts:resend"), {"email": email})
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()


def test_who_signs_up_again_learns_nothing_and_the_owner_is_told(client: Client, alice: User, mailoutbox):
    confirm(alice)
    known, unknown = sign_up(client, alice.email), sign_up(Client(), "other@example.org")
    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )
    assert User.objects.filter(email=alice.email).count() == 1
    assert [mail.subject for mail in mailoutbox if mail.to == [alice.email]] == [
        "You have an account already"
    ]


@pytest.mark.parametrize("page", ["account_reset_password", "accounts:resend"])
def test_other_doors_answer_alike_for_known_and_unknown(client: Client, alice: User, page: str):
    confirm(alice)
    known = client.post(reverse(page), {"email": alice.email})
    unknown = client.post(reverse(page), {"email": "nobody@example.org"})
    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client, alice: User):
    confirm(alice)
    pages = [
        re.sub(r"[\w.]+@example.org|name=\"csrfmiddlewaretoken\" value=\"\w+\"|X-CSRFToken[^}]+", "", page)
        for page in (
            log_in(client, address, "Wrong-horse-7-battery").content.decode()
            for address in (alice.email, "nobody@example.org")
        )
    ]
    assert pages[0] == pages[1]
    assert actions(alice) == [AuditAction.LOG_IN_FAILED]


@pytest.mark.parametrize(
    "password",
    [
        "Short-7",
        "no-upper-case-7",
        "NO-LOWER-CASE-7",
        "No-digit-at-all",
        "NoSpecial77777",
        "Passw0rd!2024",
        "!!Qwertyuiop1",
        "Tr0ub4dor",
    ],
)
def test_weak_passwords_are_refused(client: Client, db: None, password: str):
    assert sign_up(client, password=password).status_code == 200
    assert not User.objects.exists()


def test_passwords_are_kept_by_bcrypt_at_cost_twelve(client: Client, db: None, settings: Any):
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    sign_up(client)
    assert User.objects.get().password.startswith("bcrypt_sha256$$2b$12$")
    assert BCryptSHA256PasswordHasher.rounds == 12


def test_guessing_locks_out_the_guesser_and_nobody_else(client: Client, alice: User, limits):
    confirm(alice)
    for _ in range(5):
        log_in(client, alice.email, "Wrong-horse-7-battery", REMOTE_ADDR="203.0.113.9")
    refused = log_in(client, alice.email, GOOD, REMOTE_ADDR="203.0.113.9")
    assert "Too many failed" in refused.content.decode()
    welcome = log_in(Client(), alice.email, GOOD, REMOTE_ADDR="198.51.100.4")
    assert welcome.headers["Location"] == "/"


def test_one_place_cannot_guess_at_many_addresses(client: Client, db: None, limits):
    answers = [log_in(client, f"p{n}@example.org", "Wrong-horse-7-battery") for n in range(11)]
    assert "Too many failed" not in answers[9].content.decode()
    assert "Too many failed" in answers[10].content.decode()


def test_a_forgotten_password_is_set_anew_and_old_sessions_end(
    client: Client, alice: User, alice_client: Client, mailoutbox
):
    confirm(alice)
    client.post(reverse("account_reset_password"), {"email": alice.email})
    page = client.get(link_in(mailoutbox[0], "/accounts/password/reset/"), follow=True)
    assert 'id="password-rules"' in page.content.decode()
    new = "Another-horse-8-battery"
    answer = client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert answer.headers["Location"] == reverse("account_reset_password_from_key_done")
    assert "login" in alice_client.get("/").headers["Location"]
    assert log_in(client, alice.email, new).headers["Location"] == "/"
    assert mailoutbox[1].subject == "Your password was reset"
    assert "127.0.0.1" in mailoutbox[1].body
    assert actions(alice) == [AuditAction.PASSWORD_RESET, AuditAction.LOGGED_IN]
    again = client.get(link_in(mailoutbox[0], "/accounts/password/reset/"), follow=True)
    assert "does not work any more" in again.content.decode()


def test_a_reset_for_an_unknown_address_says_so_by_mail(client: Client, db: None, mailoutbox):
    client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})
    assert [mail.subject for mail in mailoutbox] == ["There is no account for this address"]


def test_the_address_changes_when_the_new_one_is_confirmed(client: Client, alice: User, mailoutbox):
    confirm(alice)
    log_in(client, alice.email)
    client.post(reverse("account_email"), {"email": "alice@new.example.org", "action_add": ""})
    if not mailoutbox:  # the password is asked for in between
        client.post(reverse("account_reauthenticate"), {"password": GOOD, "next": reverse("account_email")})
    page = client.get(reverse("account_email")).content.decode()
    assert "waits for its link" in page
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    client.post(link_in(mailoutbox[0], "/accounts/confirm-email/"))
    alice.refresh_from_db()
    assert alice.email == "alice@new.example.org"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("alice@new.example.org", True)]
    assert "alice@example.org" in mailoutbox[1].to, "the old address is told"
    assert AuditAction.ADDRESS_CHANGED in actions(alice)


def test_a_changed_password_ends_every_session(client: Client, alice: User, alice_client: Client, mailoutbox):
    confirm(alice)
    log_in(client, alice.email)
    new = "Another-horse-8-battery"
    form = {"oldpassword": GOOD, "password1": new, "password2": new}
    client.post(reverse("account_change_password"), form)
    for browser in (client, alice_client):
        assert "login" in browser.get("/").headers["Location"]
    assert AuditAction.PASSWORD_CHANGED in actions(alice)
    assert mailoutbox[0].subject == "Your password was changed"


def test_a_closed_post_office_is_no_error_for_the_visitor(client: Client, db: None, settings: Any, caplog):
    settings.EMAIL_BACKEND = "accounts.tests.test_entrance.ClosedPostOffice"
    assert sign_up(client).headers["Location"] == reverse("account_email_verification_sent")
    assert "a mail was not sent" in caplog.text


class ClosedPostOffice(BaseEmailBackend):
    def send_messages(self, _messages: Any) -> int:
        raise ConnectionRefusedError("closed")


def test_an_operator_made_at_the_shell_needs_no_link(client: Client, db: None):
    operator = User.objects.create_superuser("op@example.org", GOOD)
    assert is_verified(operator)
    assert log_in(client, operator.email).status_code == 302


def test_the_rules_are_explained_while_one_types(client: Client, db: None):
    page = client.get(reverse("account_signup")).content.decode()
    assert "At least 12 characters" in page
    assert 'hx-params="password1"' in page
    url = reverse("accounts:password-rules")
    typed = client.post(url, {"password1": "Plumage-7"}).content.decode()
    assert typed.count('class="rule met"') == 5
    assert typed.count('class="rule unmet"') == 1
    assert client.post(url, {"password1": GOOD}).content.decode().count('class="rule met"') == 6
    assert "Plumage-7" not in typed
    assert client.get(url).status_code == 405
