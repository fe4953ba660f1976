"""What platforms are told."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from brokers.models import Lease
from brokers.tests.factories import LeaseFactory
from tradehaven import health


def test_a_living_process_says_so_without_touching_anything(client: Client, django_assert_num_queries):
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_with_a_fresh_engine(client: Client):
    LeaseFactory.create()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["engine"] == "ok"
    assert answer.json()["checks"]["engine_beat_age"] < 5


@pytest.mark.django_db
@pytest.mark.parametrize("beat", [None, timezone.now() - timedelta(minutes=5)])
def test_a_late_engine_is_named_and_does_not_take_pages_down(client: Client, beat: object):
    LeaseFactory.create(beat_at=beat)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["engine"]) == (200, "late")


@pytest.mark.django_db
def test_every_shard_must_be_led(client: Client, settings: Any):
    settings.SHARDS = 2
    LeaseFactory.create(shard="1-of-2")
    assert client.get("/readyz").json()["checks"]["engine"] == "late"
    second = LeaseFactory.create(shard="2-of-2")
    LeaseFactory.create(shard="main", beat_at=timezone.now() - timedelta(hours=1))  # of another division
    assert client.get("/readyz").json()["checks"]["engine"] == "ok"
    Lease.objects.filter(pk=second.pk).update(beat_at=timezone.now() - timedelta(minutes=1))
    assert client.get("/readyz").json()["checks"]["engine"] == "late"


def test_without_database_it_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch):
    def down() -> float:
        raise DatabaseError("gone")

    monkeypatch.setattr(health, "engine_beat_age", down)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "down")


@pytest.mark.django_db
def test_without_cache_it_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch):
    def down(*_: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(cache, "set", down)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["cache"]) == (503, "down")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_only_reading_is_allowed(client: Client, path: str):
    assert client.post(path).status_code == 405
