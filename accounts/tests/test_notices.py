"""Mails: who gets which, in both forms, once, and again when the post office was closed."""

from datetime import UTC, datetime, timedelta
from smtplib import SMTPServerDisconnected
from unittest.mock import Mock, patch

import pytest
from celery import current_app
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.utils import timezone

from accounts import notify
from accounts.models import Notice, User
from accounts.notify import outbox
from accounts.tasks import deliver_notice, sweep_notices
from tradehaven.domain.enums import NoticeKind

WORDS = {
    "connection": "Demo login",
    "reason": "refused",
    "count": 2,
    "latest": "ONE: buy 2 ESZ6 skipped",
    "at": datetime(2026, 1, 2, 15, 0, tzinfo=UTC),
    "text": "It was offline.",
    "subject": "everything",
    "due": datetime(2026, 1, 16, 15, 0, tzinfo=UTC),
    "day": datetime(2026, 1, 2, tzinfo=UTC).date(),
    "total": "+120.00",
    "accounts": [{"name": "ONE", "realized": "+120.00"}],
}


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The worker's queue."""
    queue = Mock()
    monkeypatch.setattr(current_app, "send_task", queue, raising=False)
    return queue


def page_of(letter: EmailMessage) -> str:
    assert isinstance(letter, EmailMultiAlternatives)
    return str(letter.alternatives[0][0])


def told(user: User, kind: NoticeKind = NoticeKind.CONNECTION_LOST) -> Notice:
    notice = notify.tell(user, kind, **WORDS)
    assert notice is not None
    return notice


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_words_in_both_forms(alice: User, kind: NoticeKind):
    alice.tell_daily_summary = True
    notice = told(alice, kind)
    assert notify.deliver(notice.pk, now=timezone.now())
    letter = mail.outbox[0]
    assert letter.to == [alice.email]
    assert letter.subject
    assert "\n" not in letter.subject
    assert "Hello Alice" in letter.body
    assert "{" not in letter.body
    page = page_of(letter)
    assert "Hello Alice" in page
    assert f'<a href="{settings.SITE_URL}' in page


def test_times_in_a_mail_are_the_readers(alice: User):
    assert "9:00 CST" in told(alice, NoticeKind.DELETION_ASKED).text
    alice.time_zone = "Europe/Berlin"
    assert "16:00 CET" in told(alice, NoticeKind.DELETION_ASKED).text


@pytest.mark.parametrize(("kind", "column"), outbox.CHOICES.items())
def test_what_a_person_does_not_want_is_not_written(alice: User, kind: NoticeKind, column: str):
    setattr(alice, column, False)
    assert notify.tell(alice, kind, **WORDS) is None
    assert not Notice.objects.exists()


def test_what_concerns_the_account_itself_cannot_be_refused(alice: User):
    alice.tell_sync_failures = alice.tell_guardrails = alice.tell_daily_summary = False
    assert told(alice, NoticeKind.DELETION_ASKED)


def test_a_hostile_name_stays_text(alice: User):
    alice.display_name = "<script>alert(1)</script>"
    notice = told(alice)
    notify.deliver(notice.pk, now=timezone.now())
    assert "<script>" in mail.outbox[0].body
    assert "<script>" not in page_of(mail.outbox[0])


def test_the_worker_hears_of_it_after_the_commit(alice: User, post: Mock, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        notice = told(alice)
    assert not post.called
    callbacks[0]()
    post.assert_called_once_with("accounts.tasks.deliver_notice", args=[notice.pk], retry=False)


def test_a_mail_goes_out_once(alice: User, post: Mock):
    notice = told(alice)
    for _ in range(3):
        deliver_notice(notice.pk)
    sweep_notices()
    assert len(mail.outbox) == 1
    notice.refresh_from_db()
    assert notice.sent_at is not None
    assert str(notice) == "Demo login is disconnected, copying is paused to Alice"


def test_a_mail_whose_nudge_was_lost_is_swept_up(alice: User):
    told(alice)
    sweep_notices()
    assert len(mail.outbox) == 1


def test_a_mail_that_was_refused_waits_longer_each_time_and_is_given_up(alice: User):
    notice, now = told(alice), timezone.now()
    waits = []
    with patch.object(outbox, "letter", side_effect=SMTPServerDisconnected("gone")):
        while notify.due(now=now):
            assert not notify.deliver(notice.pk, now=now)
            assert notify.due(now=now + timedelta(minutes=1)) == []
            notice.refresh_from_db()
            waits.append((notice.next_at - now).total_seconds() / 60)
            now = notice.next_at
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256]
    assert (notice.attempts, notice.failure) == (outbox.ATTEMPTS, "gone")
    assert not notify.deliver(notice.pk, now=now)


def test_two_workers_do_not_send_the_same_mail(alice: User):
    notice, now = told(alice), timezone.now()
    sent = []

    def slow(**words: str) -> Mock:
        sent.append(notify.deliver(notice.pk, now=now))  # the second, while the first is sending
        return Mock()

    with patch.object(outbox, "letter", side_effect=slow):
        assert notify.deliver(notice.pk, now=now)
    assert sent == [False]
