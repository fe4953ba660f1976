"""Making, finding, using and revoking keys."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.http import Http404
from django.test import RequestFactory
from django.utils import timezone

from accounts.access import NotAllowed
from accounts.core.keys import KeyKind, Scope
from accounts.models import ApiKey, User
from accounts.selectors.keys import key_by_text, key_for
from accounts.services import keys
from accounts.tests.factories import confirm
from accounts.tests.keys import key_of
from tradehaven.domain.enums import AuditAction
from tradehaven.domain.errors import InvalidInput

pytestmark = pytest.mark.django_db


def test_a_key_is_found_by_its_text_and_kept_as_a_hash(alice: User):
    row, text = key_of(alice)
    assert key_by_text(text, timezone.now()) == row
    assert text.startswith("th_live_")
    stored = str(ApiKey.objects.filter(pk=row.pk).values().get())
    assert text not in stored
    assert text.rpartition("_")[2] not in stored


def test_a_key_is_found_with_one_look_up(alice: User, django_assert_num_queries):
    _, text = key_of(alice)
    with django_assert_num_queries(1):
        found = key_by_text(text, timezone.now())
        assert found is not None
        assert found.owner == alice
    with django_assert_num_queries(0):
        assert key_by_text("th_live_abc123def456", timezone.now()) is None


def test_another_secret_under_a_known_prefix_is_no_key(alice: User):
    _, text = key_of(alice)
    forged = text[:-64] + "0" * 64
    assert key_by_text(forged, timezone.now()) is None
    assert key_by_text(text.replace("th_live", "th_paper"), timezone.now()) is None


def test_a_key_ends_with_its_revocation_its_time_or_its_owner(alice: User):
    now = timezone.now()
    row, text = key_of(alice, expires_at=now + timedelta(days=1))
    assert key_by_text(text, now) == row
    assert key_by_text(text, now + timedelta(days=1)) is None
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert key_by_text(text, now) is None
    User.objects.filter(pk=alice.pk).update(is_active=True)
    keys.revoke_key(key=row)
    assert key_by_text(text, now) is None


def test_revoking_twice_keeps_the_first_time(alice: User):
    row, _ = key_of(alice)
    keys.revoke_key(key=row)
    first = ApiKey.objects.get(pk=row.pk).revoked_at
    keys.revoke_key(key=row)
    assert ApiKey.objects.get(pk=row.pk).revoked_at == first


def test_last_use_is_written_once_a_minute(alice: User, rf: RequestFactory):
    row, _ = key_of(alice)
    now, request = timezone.now(), rf.get("/")
    assert keys.note_use(key=row, request=request, now=now)
    assert not keys.note_use(key=row, request=request, now=now), "another process wrote it meanwhile"
    row.refresh_from_db()
    assert (row.used_at, row.used_from) == (now, "127.0.0.1")
    assert not keys.note_use(key=row, request=request, now=now + timedelta(seconds=59))
    assert keys.note_use(key=row, request=request, now=now + timedelta(seconds=60))


def recorded(owner: User, action: AuditAction) -> int:
    return owner.audit_events.filter(action=action).count()


def test_the_first_use_of_a_day_and_of_an_address_is_recorded(alice: User, rf: RequestFactory):
    row, _ = key_of(alice)
    noon = timezone.now().replace(hour=12)
    uses = [("192.0.2.1", 0), ("192.0.2.1", 2), ("192.0.2.2", 4), ("192.0.2.2", 24 * 60)]
    for (address, minutes), events in zip(uses, (1, 1, 2, 3), strict=True):
        request = rf.get("/", REMOTE_ADDR=address)
        assert keys.note_use(key=row, request=request, now=noon + timedelta(minutes=minutes))
        row.refresh_from_db()
        assert recorded(alice, AuditAction.KEY_USED) == events


def test_a_key_that_is_over_is_recorded_when_it_is_tried(alice: User, rf: RequestFactory):
    cache.clear()
    row, text = key_of(alice)
    keys.revoke_key(key=row, actor=alice)
    for tried in (text, text, text[:-64] + "0" * 64, "th_live_abc123def456"):
        keys.note_refusal(text=tried, request=rf.get("/"))
    assert recorded(alice, AuditAction.KEY_REFUSED) == 1
    assert recorded(alice, AuditAction.KEY_MADE) == recorded(alice, AuditAction.KEY_REVOKED) == 1
    secret = text.rpartition("_")[2]
    assert not any(secret in event.subject for event in alice.audit_events.all())


def make(owner: User, name: str = "robot", expires_at=None) -> None:
    keys.make_key(owner=owner, name=name, kind=KeyKind.LIVE, scope=Scope.READ, expires_at=expires_at)


def test_names_in_use_are_one_of_a_kind(alice: User):
    row, _ = key_of(alice)
    with pytest.raises(InvalidInput, match="has this name"):
        make(alice)
    keys.revoke_key(key=row)
    make(alice)
    assert alice.api_keys.count() == 2


def test_a_person_has_so_many_keys_and_no_more(alice: User, monkeypatch):
    monkeypatch.setattr(keys, "MOST_KEYS", 2)
    confirm(alice)
    make(alice, "one")
    make(alice, "two")
    with pytest.raises(InvalidInput, match="2 keys in use"):
        make(alice, "three")


def test_a_key_that_is_over_before_it_begins_is_refused(alice: User):
    confirm(alice)
    with pytest.raises(InvalidInput) as raised:
        make(alice, expires_at=timezone.now())
    assert raised.value.field == "expires"


def test_who_has_not_confirmed_the_address_gets_no_key(alice: User):
    with pytest.raises(NotAllowed):
        make(alice)


def test_a_strangers_key_does_not_exist(alice: User, bob: User):
    row, _ = key_of(alice)
    assert key_for(alice, row.pk) == row
    with pytest.raises(Http404):
        key_for(bob, row.pk)
