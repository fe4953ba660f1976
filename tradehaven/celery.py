"""The Celery app and the whole timetable."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradehaven.settings.prod")
app = Celery("tradehaven")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "refresh-tokens": {"task": "syncgroups.tasks.refresh_tokens", "schedule": 60.0},
}
