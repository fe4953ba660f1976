"""The Celery app and the whole timetable."""

import os
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradehaven.settings.prod")
app = Celery("tradehaven")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "refresh-tokens": {"task": "syncgroups.tasks.refresh_tokens", "schedule": 60.0},
    "watch-links": {"task": "syncgroups.tasks.watch_links", "schedule": 15.0},
    "close-what-is-due": {"task": "syncgroups.tasks.close_what_is_due", "schedule": 20.0},
    "turn-plans": {"task": "syncgroups.tasks.turn_plans", "schedule": 60.0},
    "erase-ended": {"task": "syncgroups.tasks.erase_ended", "schedule": crontab(hour=21, minute=30)},
    "delete-due-accounts": {"task": "accounts.tasks.delete_due_accounts", "schedule": 3600.0},
    "send-daily-summaries": {"task": "analytics.tasks.send_daily_summaries", "schedule": 600.0},
    "tell-of-misses": {"task": "syncgroups.tasks.tell_of_misses", "schedule": 300.0},
    "look-at-service": {"task": "analytics.tasks.look_at_service", "schedule": 60.0},
    "sweep-notices": {"task": "accounts.tasks.sweep_notices", "schedule": 60.0},
    "sweep-hook-messages": {"task": "accounts.tasks.sweep_hook_messages", "schedule": 60.0},
}


@setup_logging.connect
def _log_like_all_others(**_options: Any) -> None:
    """Keep Celery from putting its own handlers, which mask nothing, in the place of ours."""
    dictConfig(settings.LOGGING)
