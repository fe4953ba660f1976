"""The timetable of Celery."""

from tradehaven.celery import app


def test_the_timetable_names_tasks_that_exist():
    app.loader.import_default_modules()
    assert app.conf.beat_schedule
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
