"""What workers do here: the day's summary by mail, and a look at the service each minute."""

import requests
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from analytics import services
from analytics.core.uptime import Component
from analytics.selectors.uptime import engine_is_up


@shared_task
def send_daily_summaries() -> None:
    now = timezone.now()
    for person in services.due_for_summary(now=now):
        services.summarize(person, now=now)


@shared_task(soft_time_limit=30, time_limit=40)
def look_at_service() -> None:
    """Look at the engine's signs of life, and ask for a page as anybody would."""
    services.note_look(Component.ENGINE, good=engine_is_up(), now=timezone.now())
    services.note_look(Component.WEB, good=_pages_answer(), now=timezone.now())


def _pages_answer() -> bool:
    try:
        answer = requests.get(f"{settings.SITE_URL}/readyz", timeout=5, allow_redirects=False)
    except requests.RequestException:
        return False
    return answer.ok
