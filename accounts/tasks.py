"""What workers do for people: deliver mails and web hooks, and delete accounts whose time has come."""

from celery import shared_task
from django.utils import timezone

from accounts import notify
from accounts.notify import hooks
from accounts.services import deletion


@shared_task(name=notify.TASK)
def deliver_notice(notice_id: int) -> None:
    notify.deliver(notice_id, now=timezone.now())


@shared_task
def sweep_notices() -> None:
    now = timezone.now()
    for notice_id in notify.due(now=now):
        notify.deliver(notice_id, now=now)


@shared_task(name=hooks.TASK)
def deliver_hook_message(message_id: int) -> None:
    hooks.deliver(message_id, now=timezone.now())


@shared_task
def sweep_hook_messages() -> None:
    now = timezone.now()
    for message_id in hooks.due(now=now):
        hooks.deliver(message_id, now=now)


@shared_task(soft_time_limit=1800, time_limit=1860)
def delete_due_accounts() -> None:
    now = timezone.now()
    for person in deletion.due(now=now):
        deletion.erase(person, now=now)
