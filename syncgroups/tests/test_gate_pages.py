"""The kill switch on the pages."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from risk.models import Gate, GateKind
from risk.services import gates as turning
from risk.services.gates import ensure_owner_gate
from syncgroups.models import Activity
from syncgroups.services import gates
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import AuditAction, TradingState

ALL = reverse("syncgroups:halt-all")


@pytest.fixture
def gate(alice: User) -> Gate:
    (account,) = accounts(alice, "ACC-A")
    return account.risk.gate


def test_one_post_kills_and_one_disarms(alice_client: Client, gate: Gate):
    alice_client.post(reverse("syncgroups:halt", args=[gate.pk]), {"reason": "news", "flatten": "on"})
    gate.refresh_from_db()
    assert (gate.is_halted, gate.flatten, gate.reason) == (True, True, "news")
    alice_client.post(reverse("syncgroups:disarm", args=[gate.pk]), {"intent": "DISARM"})
    gate.refresh_from_db()
    assert not gate.is_halted
    assert [line.severity for line in Activity.objects.order_by("pk")] == ["danger", "warning"]
    assert "account ACC-A" in Activity.objects.earliest("pk").text


def test_everything_is_killed_without_any_account(alice_client: Client, alice: User):
    assert alice_client.post(ALL).status_code == 302
    gate = Gate.objects.get(owner=alice)
    assert (gate.kind, gate.is_halted, gate.flatten) == (GateKind.OWNER, True, False)


def test_a_group_is_killed_by_name(alice_client: Client, alice: User):
    (account,) = accounts(alice, "A")
    group = GroupFactory.create(leader=account, name="Scalps")
    alice_client.post(reverse("syncgroups:halt", args=[group.gate_id]))
    assert Activity.objects.get().text.startswith("Kill switch on for group Scalps")
    assert Activity.objects.get().group == group


def test_the_question_is_a_page_or_a_partial(alice_client: Client, gate: Gate):
    url = reverse("syncgroups:halt", args=[gate.pk])
    assert "<!DOCTYPE html>" in alice_client.get(url).content.decode()
    partial = alice_client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<!DOCTYPE html>" not in partial
    assert "Stop and flatten" in partial
    gate.refresh_from_db()
    assert not gate.is_halted


def test_a_halted_gate_offers_flattening_and_disarming(alice_client: Client, gate: Gate):
    url = reverse("syncgroups:halt", args=[gate.pk])
    alice_client.post(url)
    page = alice_client.get(url).content.decode()
    assert "Stop and flatten" in page
    assert "Disarm" in page


def test_htmx_gets_a_toast(alice_client: Client, gate: Gate):
    answer = alice_client.post(reverse("syncgroups:halt", args=[gate.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert "ACC-A" in answer.headers["HX-Trigger"]


def test_a_reason_that_is_too_long_does_not_halt_half_way(alice_client: Client, gate: Gate):
    answer = alice_client.post(reverse("syncgroups:halt", args=[gate.pk]), {"reason": "x" * 500})
    assert answer.status_code == 302
    gate.refresh_from_db()
    assert gate.is_halted
    assert len(gate.reason) == 200


@pytest.mark.parametrize("name", ["syncgroups:halt", "syncgroups:disarm"])
def test_doors_of_a_gate(alice_client: Client, bob_client: Client, client: Client, gate: Gate, name: str):
    url = reverse(name, args=[gate.pk])
    assert bob_client.post(url).status_code == 404
    assert client.post(url).headers["Location"].startswith("/accounts/login/")
    assert alice_client.put(url).status_code == 405
    gate.refresh_from_db()
    assert not gate.is_halted


def test_a_stranger_kills_only_his_own_everything(alice_client: Client, bob_client: Client, alice: User):
    alice_client.get(ALL)
    bob_client.post(ALL)
    assert not Gate.objects.get(owner=alice).is_halted


def test_a_halt_is_told_by_mail_to_who_wants_that(alice: User, django_capture_on_commit_callbacks):
    for number, wanted in enumerate((True, False)):
        alice.tell_guardrails = wanted
        alice.save()
        gate = ensure_owner_gate(alice.pk)
        with django_capture_on_commit_callbacks(execute=True):
            gates.halt(gate=gate, by=alice, reason=f"number {number}", flatten=bool(number))
    notice = alice.notices.get()
    assert notice.subject == "Copying was stopped for everything"
    assert "number 0" in notice.text


def test_who_turned_what_is_in_the_owners_audit_log(alice_client: Client, alice: User):
    leader, follower = accounts(alice, "LEAD", "ONE")
    group = GroupFactory.create(leader=leader, active=True)
    FollowerFactory.create(group=group, account=follower)
    for name, key in (("halt", group.gate.pk), ("disarm", group.gate.pk), ("off", group.public_id)):
        alice_client.post(reverse(f"syncgroups:{name}", args=[key]), {"intent": "DISARM"})
    gates.set_max_position(account=leader, qty=3, by=alice)
    events = alice.audit_events.order_by("pk")
    assert [(event.action, event.actor) for event in events] == [
        (AuditAction.GATE_CHANGED, alice),
        (AuditAction.GATE_CHANGED, alice),
        (AuditAction.GROUP_CHANGED, alice),
        (AuditAction.LIMITS_CHANGED, alice),
    ]
    assert "switched off" in events[2].subject


@pytest.mark.parametrize("intent", ["", "yes", "ARM", "DISARM now"])
def test_a_click_alone_disarms_nothing(alice_client: Client, gate: Gate, alice: User, intent: str):
    gates.halt(gate=gate, by=alice, reason="", flatten=False)
    answer = alice_client.post(reverse("syncgroups:disarm", args=[gate.pk]), {"intent": intent})
    assert answer.status_code == 400
    assert "Type DISARM" in answer.content.decode()
    gate.refresh_from_db()
    assert gate.is_halted


def test_the_word_may_be_typed_as_people_type(alice_client: Client, gate: Gate, alice: User):
    gates.halt(gate=gate, by=alice, reason="", flatten=False)
    page = alice_client.get(reverse("syncgroups:disarm", args=[gate.pk])).content.decode()
    assert "Type DISARM" in page
    alice_client.post(reverse("syncgroups:disarm", args=[gate.pk]), {"intent": " disarm "})
    gate.refresh_from_db()
    assert not gate.is_halted


def test_a_lockout_says_until_when_and_offers_nothing(alice_client: Client, gate: Gate, alice: User):
    gates.halt(gate=gate, by=alice, reason="daily loss", flatten=False)
    turning.lock(gate=gate, until=timezone.now() + timedelta(hours=1))
    url = reverse("syncgroups:disarm", args=[gate.pk])
    page = alice_client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "cannot be shortened" in page
    assert "<form" not in page
    assert alice_client.post(url, {"intent": "DISARM"}).status_code == 403
    gate.refresh_from_db()
    assert gate.is_halted


def test_an_open_gate_has_nothing_to_disarm(alice_client: Client, gate: Gate):
    page = alice_client.get(reverse("syncgroups:disarm", args=[gate.pk])).content.decode()
    assert "is off" in page
    assert "id_intent" not in page


def test_a_halt_may_be_held_for_hours_that_nobody_makes_fewer(alice_client: Client, gate: Gate):
    halt, disarm = (reverse(f"syncgroups:{name}", args=[gate.pk]) for name in ("halt", "disarm"))
    answer = alice_client.post(halt, {"hours": "8"}, follow=True)
    assert "Nobody disarms it before" in answer.content.decode()
    gate.refresh_from_db()
    until = gate.locked_until
    assert until is not None
    alice_client.post(halt, {"hours": "1", "flatten": "on"})
    alice_client.post(disarm, {"intent": "DISARM"})
    gate.refresh_from_db()
    assert (gate.state, gate.flatten, gate.locked_until) == (TradingState.HALTED, True, until)


@pytest.mark.parametrize("hours", ["", "0", "73", "-1", "many", "1e3", "٣"])
def test_no_number_of_hours_keeps_a_halt_from_working(alice_client: Client, gate: Gate, hours: str):
    alice_client.post(reverse("syncgroups:halt", args=[gate.pk]), {"hours": hours})
    gate.refresh_from_db()
    assert (gate.state, gate.locked_until) == (TradingState.HALTED, None)
