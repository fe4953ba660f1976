"""The rows between a change and its mail. A lost nudge to the worker is found by the sweep a minute later."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.middleware import zone_of
from accounts.models import Notice, User
from accounts.notify import hooks
from accounts.notify.letters import letter
from tradehaven.domain.enums import NoticeKind

log = logging.getLogger(__name__)

TASK = "accounts.tasks.deliver_notice"
ATTEMPTS = 8
CHOICES: dict[NoticeKind, str] = {
    NoticeKind.CONNECTION_LOST: "tell_sync_failures",
    NoticeKind.LINK_DOWN: "tell_sync_failures",
    NoticeKind.COPY_MISSED: "tell_sync_failures",
    NoticeKind.GUARDRAIL: "tell_guardrails",
    NoticeKind.DAILY_SUMMARY: "tell_daily_summary",
}
"""Kinds that a person may refuse, and the column for it. The others concern the account and always go."""


def tell(user: User, kind: NoticeKind, **words: Any) -> Notice | None:
    """Write a mail to a person and send it after the commit; None if the person does not want this kind.

    The same words go to the person's web hooks, each of which says for itself what it wants.
    `words` fill the template `mail/notices/<kind>.txt`, which also knows `user` and `site` and is rendered in
    the person's time zone. They hold no secrets: the text is kept.
    """
    with timezone.override(zone_of(user)):
        said = render_to_string(
            f"mail/notices/{kind}.txt", {"user": user, "site": settings.SITE_URL, **words}
        )
    subject, _, text = said.strip().partition("\n")
    subject, text = subject.strip()[:200], text.strip()
    hooks.queue(user, kind, subject=subject, text=text)
    choice = CHOICES.get(kind)
    if choice is not None and not getattr(user, choice):
        return None
    notice = Notice.objects.create(owner=user, kind=kind, subject=subject, text=text)
    transaction.on_commit(lambda: _nudge(notice.pk), robust=True)
    return notice


def due(*, now: datetime) -> list[int]:
    """Return the notices that should have gone out by now, oldest first, a hundred at most."""
    waiting = Notice.objects.filter(sent_at__isnull=True, attempts__lt=ATTEMPTS, next_at__lte=now)
    return list(waiting.order_by("next_at").values_list("pk", flat=True)[:100])


def deliver(notice_id: int, *, now: datetime) -> bool:
    """Send one notice unless it was sent or another worker has it; say whether it went out."""
    # Claimed by moving its next time: who comes second finds nothing; what a dead worker held comes up again.
    claimed = Notice.objects.filter(
        pk=notice_id, sent_at__isnull=True, attempts__lt=ATTEMPTS, next_at__lte=now
    ).update(attempts=F("attempts") + 1, next_at=now + timedelta(minutes=2))
    if not claimed:
        return False
    notice = Notice.objects.select_related("owner").get(pk=notice_id)
    try:
        letter(subject=notice.subject, text=notice.text, to=notice.owner.email).send()
    except (OSError, SMTPException) as error:
        return _put_off(notice, error, now=now)
    Notice.objects.filter(pk=notice_id).update(sent_at=now, failure="")
    return True


def _put_off(notice: Notice, error: Exception, *, now: datetime) -> bool:
    wait = timedelta(minutes=2**notice.attempts)
    log.warning("notice %s was not sent, attempt %s: %s", notice.pk, notice.attempts, error)
    Notice.objects.filter(pk=notice.pk).update(failure=str(error)[:200], next_at=now + wait)
    return False


def _nudge(notice_id: int) -> None:
    # By name: tasks stand above this room. A broker that is down is the sweep's business.
    current_app.send_task(TASK, args=[notice_id], retry=False)
