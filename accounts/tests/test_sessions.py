"""Where a person is logged in, and how that ends."""

from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.tests.factories import confirm
from tradehaven.domain.enums import AuditAction, AuditKind

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1"


def browser(user: User, agent: str, address: str) -> Client:
    cache.clear()
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    form = {"login": user.email, "password": "Correct-horse-7-battery"}
    assert client.post(reverse("account_login"), form).headers["Location"] == "/"
    return client


@pytest.fixture
def desk(alice: User) -> Client:
    confirm(alice)
    return browser(alice, FIREFOX, "198.51.100.4")


@pytest.fixture
def phone(alice: User) -> Client:
    confirm(alice)
    return browser(alice, IPHONE, "203.0.113.7")


def page_of(client: Client) -> str:
    return " ".join(client.get(reverse("accounts:security")).content.decode().split())


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_every_session_is_listed_with_device_place_and_time(desk: Client, phone: Client):
    page = page_of(desk)
    assert "Firefox on Linux" in page
    assert "198.51.100.4" in page
    assert "Safari on iPhone" in page
    assert "203.0.113.7" in page
    assert page.count("This session") == 1


def test_one_session_is_ended_by_one_click(desk: Client, phone: Client, alice: User):
    pk = UserSession.objects.get(ip="203.0.113.7").pk
    assert desk.post(reverse("accounts:revoke", args=[pk])).status_code == 302
    assert not is_in(phone)
    assert is_in(desk)
    event = alice.audit_events.get(action=AuditAction.SESSION_REVOKED)
    assert event.subject == "Safari on iPhone, 203.0.113.7"
    assert "203.0.113.7 · since" not in page_of(desk)


def test_all_others_are_ended_at_once(desk: Client, phone: Client, alice: User):
    third = browser(alice, FIREFOX, "192.0.2.9")
    desk.post(reverse("accounts:revoke-others"))
    assert [is_in(client) for client in (desk, phone, third)] == [True, False, False]
    assert alice.audit_events.get(action=AuditAction.SESSION_REVOKED).subject == "2 sessions"
    desk.post(reverse("accounts:revoke-others"))
    assert alice.audit_events.filter(action=AuditAction.SESSION_REVOKED).count() == 1


def test_a_strangers_session_does_not_exist(desk: Client, phone: Client, bob_client: Client):
    for session in UserSession.objects.all():
        assert bob_client.post(reverse("accounts:revoke", args=[session.pk])).status_code == 404
    assert is_in(desk)
    bob_client.post(reverse("accounts:revoke-others"))
    assert is_in(phone)


def test_last_use_is_kept_to_the_minute(desk: Client, django_assert_num_queries):
    began = UserSession.objects.get().last_seen_at
    desk.get(reverse("accounts:profile"))
    assert UserSession.objects.get().last_seen_at == began
    later = timezone.now() + timedelta(minutes=5)
    with time_machine.travel(later, tick=False):
        desk.get(reverse("accounts:profile"))
    assert UserSession.objects.get().last_seen_at == later


def test_a_session_from_before_the_list_joins_it(alice_client: Client):
    assert not UserSession.objects.exists()
    assert "This session" in page_of(alice_client)


def test_the_audit_log_shows_its_owner_what_happened(desk: Client, alice: User, bob: User):
    audit.record(owner=alice, actor=bob, action=AuditAction.CONNECTED, subject="<b>Demo</b>")
    audit.record(owner=bob, actor=bob, action=AuditAction.CONNECTED, subject="Bob's own")
    page = " ".join(desk.get(reverse("accounts:audit")).content.decode().split())
    assert "Logged in" in page
    assert "Firefox on Linux" in page
    assert "&lt;b&gt;Demo&lt;/b&gt;" in page
    assert "Somebody else" in page
    assert "Bob" not in page


def test_the_audit_log_is_filtered_by_kind(alice_client: Client, alice: User):
    audit.record(owner=alice, actor=alice, action=AuditAction.CONNECTED, subject="Demo")
    audit.record(owner=alice, actor=alice, action=AuditAction.EXPORTED)
    url = reverse("accounts:audit")
    page = alice_client.get(url, {"kind": AuditKind.CONNECTIONS}).content.decode()
    assert "Connected" in page
    assert "Exported" not in page
    part = alice_client.get(url, {"kind": AuditKind.KEYS}, headers={"HX-Request": "true"}).content.decode()
    assert "Nothing of this kind" in part
    assert "<html" not in part
    assert alice_client.get(url, {"kind": "nonsense"}).status_code == 400


def test_the_audit_log_is_paged(alice_client: Client, alice: User, django_assert_max_num_queries):
    for number in range(120):
        audit.record(
            owner=alice, actor=alice, action=AuditAction.GROUP_CHANGED, subject=f"number {number:03}"
        )
    url = reverse("accounts:audit")
    with django_assert_max_num_queries(7):
        first = alice_client.get(url).content.decode()
    assert "number 119" in first
    assert "number 069" not in first
    assert "Page 1 of 3" in first
    assert "number 000" in alice_client.get(url, {"page": "3"}).content.decode()
    for odd in ("0", "999", "x", "-1"):
        assert alice_client.get(url, {"page": odd}).status_code == 200


def test_the_log_obeys_the_readers_zone(alice_client: Client, alice: User):
    with time_machine.travel("2026-01-02T15:00:00Z", tick=False):
        audit.record(owner=alice, actor=alice, action=AuditAction.CONNECTED)
    assert "2 Jan 2026, 09:00:00" in alice_client.get(reverse("accounts:audit")).content.decode()
    User.objects.update(time_zone="Asia/Tokyo")
    assert "3 Jan 2026, 00:00:00" in alice_client.get(reverse("accounts:audit")).content.decode()
