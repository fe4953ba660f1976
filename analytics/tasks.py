"""What workers do with figures: the day's summary by mail."""

from celery import shared_task
from django.utils import timezone

from analytics import services


@shared_task
def send_daily_summaries() -> None:
    now = timezone.now()
    for person in services.due_for_summary(now=now):
        services.summarize(person, now=now)
