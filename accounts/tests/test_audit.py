"""The audit log: what is written, and that it stays."""

import pytest
from django.test import RequestFactory, override_settings

from accounts import audit
from accounts.models import AuditEvent, User
from tradehaven.db import AppendOnlyError
from tradehaven.domain.enums import AuditAction, AuditKind


def test_an_event_tells_who_did_what_from_where(alice: User):
    request = RequestFactory(headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/144.0"}).get("/")
    audit.record(
        owner=alice, actor=alice, action=AuditAction.PROFILE_CHANGED, subject="time zone", request=request
    )
    event = AuditEvent.objects.get()
    assert (event.owner, event.actor, event.action) == (alice, alice, AuditAction.PROFILE_CHANGED)
    assert (event.address, event.device) == ("127.0.0.1", "Firefox on Linux")
    assert str(event) == "Profile changed: time zone"


def test_an_event_without_a_request_has_no_place(alice: User):
    event = audit.record(owner=alice, action=AuditAction.CONNECTION_LOST, subject="x" * 500)
    assert (event.address, event.device, event.actor, len(event.subject)) == (None, "", None, 200)
    assert str(AuditEvent(action=AuditAction.LOGGED_IN)) == "Logged in"


def test_the_address_is_the_visitors_and_not_the_one_a_visitor_claims(alice: User):
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.5"})
    assert audit.address_of(request) == "127.0.0.1"
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
        assert audit.address_of(request) == "203.0.113.5"
        assert audit.address_of(RequestFactory().get("/", headers={"X-Forwarded-For": "junk"})) is None


def test_events_are_neither_edited_nor_deleted(alice: User):
    event = audit.record(owner=alice, action=AuditAction.LOGGED_IN)
    event.subject = "something else"
    for attempt in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(subject="forged"),
    ):
        with pytest.raises(AppendOnlyError):
            attempt()
    assert AuditEvent.objects.get().subject == ""


def test_events_go_with_their_owner_and_outlive_an_actor(alice: User, bob: User):
    audit.record(owner=alice, actor=bob, action=AuditAction.OPERATOR_CHANGED)
    bob.delete()
    assert AuditEvent.objects.get().actor is None
    alice.delete()
    assert not AuditEvent.objects.exists()


def test_every_action_is_of_exactly_one_kind():
    named = [action for actions in audit.KINDS.values() for action in actions]
    assert sorted(named) == sorted(AuditAction)
    assert set(audit.KINDS) == set(AuditKind)
