"""Messages to web hooks: written with what they tell of, sent after commit, tried again, given up at last."""

import json
import logging
import uuid
from datetime import datetime

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.core.hooks import ATTEMPTS, OFF_AFTER, next_try, signature
from accounts.models import HookMessage, User, Webhook
from accounts.notify.posting import Undelivered, post
from tradehaven.domain.enums import NoticeKind
from tradehaven.sealing import VaultError, unseal

log = logging.getLogger(__name__)

TASK = "accounts.tasks.deliver_hook_message"
AGENT = "TradeHaven-Webhook/1"


def subject_of(hook_id: int) -> str:
    """Return what a hook's secret is bound to when it is sealed."""
    return f"webhook|{hook_id}|secret"


def queue(user: User, kind: NoticeKind, *, subject: str, text: str) -> None:
    """Write a message to each of a person's hooks that wants this kind."""
    for hook in Webhook.objects.filter(owner=user, active=True):
        if kind in hook.kinds:
            write(hook, kind, subject=subject, text=text)


def write(hook: Webhook, kind: NoticeKind | None, *, subject: str, text: str) -> HookMessage:
    """Write one message, None being a test, and send it after the commit. It holds no secrets: it is kept."""
    number, now = uuid.uuid4(), timezone.now()
    body = {
        "id": str(number),
        "kind": kind or "test",
        "at": now.isoformat(),
        "subject": subject,
        "text": text,
        "site": settings.SITE_URL,
    }
    message = HookMessage.objects.create(
        hook=hook, number=number, kind=kind or "", body=json.dumps(body), made_at=now, next_at=now
    )
    transaction.on_commit(
        lambda: current_app.send_task(TASK, args=[message.pk], retry=False), robust=True
    )  # by name: tasks stand above this room, and a lost nudge is the sweep's business
    return message


def due(*, now: datetime) -> list[int]:
    """Return the messages that should have gone out by now (UTC), oldest first, a hundred at most."""
    return list(_waiting(now).order_by("next_at").values_list("pk", flat=True)[:100])


def deliver(message_id: int, *, now: datetime) -> bool:
    """Send one message unless it was sent or another worker has it; say whether it arrived."""
    # Claimed by moving its next time: who comes second finds nothing; what a dead worker held comes up again.
    waiting = _waiting(now).filter(pk=message_id)
    if not waiting.update(attempts=F("attempts") + 1, next_at=next_try(2, now)):
        return False
    message = HookMessage.objects.select_related("hook").get(pk=message_id)
    try:
        status = post(message.hook.url, message.body.encode(), _headers(message, now))
    except Undelivered as error:
        _failed(message, error, now)
        return False
    HookMessage.objects.filter(pk=message_id).update(sent_at=now, status=status, failure="")
    Webhook.objects.filter(pk=message.hook_id).update(failures=0)
    return True


def _headers(message: HookMessage, now: datetime) -> dict[str, str]:
    """Return what goes with a message; a secret that does not open must not hold up others' messages."""
    try:
        secret = unseal(message.hook.secret, subject=subject_of(message.hook_id))
    except VaultError as error:
        raise Undelivered("its secret does not open here: remove the hook and make it anew") from error
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "X-TradeHaven-Kind": message.kind or "test",
        "X-TradeHaven-Message": str(message.number),
        "X-TradeHaven-Signature": signature(secret, now, message.body.encode()),
    }


def _waiting(now: datetime) -> QuerySet[HookMessage]:
    return HookMessage.objects.filter(
        sent_at__isnull=True, attempts__lt=ATTEMPTS, next_at__lte=now, hook__active=True
    )


def _failed(message: HookMessage, error: Undelivered, now: datetime) -> None:
    log.info("message %s to a web hook did not arrive, attempt %s", message.number, message.attempts)
    again = next_try(message.attempts, now)
    HookMessage.objects.filter(pk=message.pk).update(
        failure=str(error)[:200], status=error.status, next_at=again
    )
    if message.attempts < ATTEMPTS:
        return
    Webhook.objects.filter(pk=message.hook_id).update(failures=F("failures") + 1)
    Webhook.objects.filter(pk=message.hook_id, active=True, failures__gte=OFF_AFTER).update(
        active=False, off_because=f"{OFF_AFTER} messages in a row did not arrive, the last one: {error}"[:200]
    )
