"""The operators' door and what they may do behind it: nothing unseen."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import BillingEvent, Erasure, FactorDevice, Subscription, User
from accounts.tests.factories import confirm, show_factor
from tradehaven.domain.enums import AuditAction

PEOPLE = "admin:accounts_user_changelist"


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("op@example.org", "x")


@pytest.fixture
def desk(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    show_factor(client, operator)
    return client


def told(user: User) -> list[tuple[str, str]]:
    return list(user.audit_events.order_by("pk").values_list("action", "subject"))


def test_without_log_in_one_is_sent_to_the_houses_own(client: Client, db: None):
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/"


def test_people_who_are_not_staff_are_turned_away(alice_client: Client):
    assert alice_client.get(reverse("admin:login")).status_code == 403


def test_an_operator_without_a_factor_must_add_one(operator: User):
    client = Client()
    client.force_login(operator)
    answer = client.get(reverse("admin:index"), follow=True)
    assert reverse("mfa_activate_totp") in answer.redirect_chain[1][0]


def test_an_operator_with_a_factor_must_show_it(operator: User):
    FactorDevice.objects.create(user=operator, confirmed=True)
    client = Client()
    client.force_login(operator)
    answer = client.get(reverse(PEOPLE), follow=True)
    assert answer.redirect_chain[1][0].startswith(reverse("mfa_reauthenticate"))


def test_an_operator_who_has_shown_it_is_in(desk: Client):
    assert desk.get(reverse("admin:index")).status_code == 200
    assert desk.get(reverse("admin:login"), {"next": "https://evil.example"}).headers["Location"] == "/admin/"


def test_operators_change_their_password_where_everybody_does(desk: Client):
    answer = desk.get(reverse("admin:password_change"))
    assert answer.headers["Location"] == reverse("account_change_password")


def test_the_list_of_people_says_how_they_stand(desk: Client, alice: User, django_assert_max_num_queries):
    confirm(alice)
    for number in range(20):
        User.objects.create_user(f"p{number}@example.org", "x")
    with django_assert_max_num_queries(12):
        page = desk.get(reverse(PEOPLE)).content.decode()
    assert alice.email in page
    assert reverse("admin:accounts_user_support", args=[alice.pk]) in page


def test_no_hash_is_shown_and_no_password_set(desk: Client, alice: User):
    page = desk.get(reverse("admin:accounts_user_change", args=[alice.pk])).content.decode()
    assert "md5" not in page
    assert "password" not in page.lower().replace("change password", "").replace("password_change", "")
    url = reverse("admin:auth_user_password_change", args=[alice.pk])
    assert desk.get(url).status_code == 403
    assert (
        desk.post(url, {"password1": "Sneaky-horse-7-x", "password2": "Sneaky-horse-7-x"}).status_code == 403
    )


def test_a_change_is_told_to_its_owner(desk: Client, alice: User, operator: User):
    url = reverse("admin:accounts_user_change", args=[alice.pk])
    form = {"email": alice.email, "display_name": "Alison", "time_zone": alice.time_zone, "is_active": "on"}
    assert desk.post(url, form).status_code == 302
    event = alice.audit_events.get(action=AuditAction.OPERATOR_CHANGED)
    assert event.actor == operator
    assert "Display name" in event.subject
    assert LogEntry.objects.count() == 1


def test_a_new_person_is_told_that_an_operator_made_them(desk: Client):
    form = {
        "email": "made@example.org",
        "password1": "Correct-horse-7-battery",
        "password2": "Correct-horse-7-battery",
        "usable_password": "true",
    }
    assert desk.post(reverse("admin:accounts_user_add"), form).status_code == 302
    assert told(User.objects.get(email="made@example.org"))[0][0] == AuditAction.OPERATOR_ADDED


def test_looking_is_told_too(desk: Client, alice: User):
    page = desk.get(reverse("admin:accounts_user_support", args=[alice.pk])).content.decode()
    assert alice.email in page
    assert "Logins" in page
    assert told(alice) == [(AuditAction.OPERATOR_LOOKED, "the support view")]
    event = alice.audit_events.get()
    desk.get(reverse("admin:accounts_auditevent_change", args=[event.pk]))
    assert len(told(alice)) == 2


def test_the_support_view_is_for_operators_and_for_people_who_exist(
    desk: Client, alice_client: Client, alice: User
):
    assert desk.get(reverse("admin:accounts_user_support", args=[999_999])).status_code == 404
    assert alice_client.get(reverse("admin:accounts_user_support", args=[alice.pk])).status_code == 302


def test_sessions_are_ended_and_a_lost_factor_is_taken_away(desk: Client, alice: User, client: Client):
    confirm(alice)
    client.post(reverse("account_login"), {"login": alice.email, "password": "Correct-horse-7-battery"})
    FactorDevice.objects.create(user=alice, confirmed=True)
    for action in ("end_sessions", "take_factor"):
        form = {"action": action, "_selected_action": [alice.pk]}
        assert desk.post(reverse(PEOPLE), form).status_code == 302
    assert not UserSession.objects.exists()
    assert client.get("/").status_code == 302
    said = [subject for action, subject in told(alice) if action == AuditAction.OPERATOR_CHANGED]
    assert said == ["ended 1 sessions"]


def test_accounts_are_not_deleted_here(desk: Client, alice: User):
    assert (
        desk.post(reverse("admin:accounts_user_delete", args=[alice.pk]), {"post": "yes"}).status_code == 403
    )
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_libraries_own_pages_are_gone():
    shown = {f"{model._meta.app_label}.{model.__name__}" for model in admin.site._registry}
    assert not shown & {"mfa.Authenticator", "usersessions.UserSession", "account.EmailAddress", "auth.Group"}
    assert {"accounts.User", "accounts.AuditEvent", "accounts.Notice", "accounts.Deletion"} <= shown


@pytest.mark.parametrize("model", ["subscription", "billingevent", "erasure"])
def test_plans_and_proofs_can_be_looked_at_and_not_touched(desk: Client, alice: User, model: str):
    said_at = timezone.now()
    rows = {
        "subscription": lambda: Subscription.objects.create(owner=alice),
        "billingevent": lambda: BillingEvent.objects.create(
            owner=alice, event_id="evt_1", kind="x", applied=True, said_at=said_at
        ),
        "erasure": lambda: Erasure.objects.create(owner=alice, at=said_at, found={}, deleted={}, left={}),
    }
    row = rows[model]()
    assert desk.get(reverse(f"admin:accounts_{model}_changelist")).status_code == 200
    assert desk.get(reverse(f"admin:accounts_{model}_add")).status_code == 403
    page = reverse(f"admin:accounts_{model}_change", args=[row.pk])
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"plan": "enterprise"}).status_code == 403
