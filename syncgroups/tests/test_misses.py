"""Missed orders are told by mail: only what was down, once an hour, to who wants it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Notice, User
from syncgroups.services.misses import DOWN, PAUSE, tell_of_misses
from syncgroups.tasks import tell_of_misses as task
from syncgroups.tests.factories import ActivityFactory
from tradehaven.domain.enums import NoticeKind, RefusalReason


def miss(owner: User, reason: RefusalReason = RefusalReason.FOLLOWER_OFFLINE, minutes: float = 1) -> None:
    at = timezone.now() - timedelta(minutes=minutes)
    ActivityFactory.create(owner=owner, reason=reason, at=at, text=f"ONE: buy 2 ESZ6, {minutes} minutes ago")


def test_misses_are_gathered_into_one_mail_with_the_latest(alice: User, bob: User):
    for minutes in (30, 20, 10):
        miss(alice, minutes=minutes)
    miss(bob)
    task()
    notice = alice.notices.get()
    assert notice.kind == NoticeKind.COPY_MISSED
    assert notice.subject == "3 orders were not copied"
    assert "10 minutes ago" in notice.text
    assert bob.notices.get().subject == "1 order was not copied"


def test_nobody_hears_of_it_more_than_once_an_hour(alice: User):
    now = timezone.now()
    miss(alice)
    assert tell_of_misses(now=now) == 1
    miss(alice)
    assert tell_of_misses(now=now) == 0
    Notice.objects.update(made_at=now - PAUSE - timedelta(minutes=1))
    assert tell_of_misses(now=now + timedelta(minutes=1)) == 1


@pytest.mark.parametrize("reason", sorted(set(RefusalReason) - set(DOWN)))
def test_what_the_person_wished_is_not_told(alice: User, reason: RefusalReason):
    miss(alice, reason)
    assert tell_of_misses(now=timezone.now()) == 0


def test_old_misses_and_people_who_do_not_care_stay_quiet(alice: User, bob: User):
    miss(alice, minutes=61)
    User.objects.filter(pk=bob.pk).update(tell_sync_failures=False)
    miss(bob)
    assert tell_of_misses(now=timezone.now()) == 0
