"""What workers do for people: deliver mails."""

from celery import shared_task
from django.utils import timezone

from accounts import notify


@shared_task(name=notify.TASK)
def deliver_notice(notice_id: int) -> None:
    notify.deliver(notice_id, now=timezone.now())


@shared_task
def sweep_notices() -> None:
    now = timezone.now()
    for notice_id in notify.due(now=now):
        notify.deliver(notice_id, now=now)
