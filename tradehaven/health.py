"""What platforms ask: is the process alive, and is it able to serve."""

import logging

from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from brokers.selectors import engine_beat_age

log = logging.getLogger(__name__)

ENGINE_LATE = 10.0
"""Seconds without a sign of life after which an engine is reported as late."""
_KEY = "readyz"


@require_safe
@never_cache
def livez(_request: HttpRequest) -> JsonResponse:
    """Answer without touching anything."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Report database, cache and engine; 503 while pages cannot be served, whatever the engine does."""
    database, beat = _database()
    cached = _cache()
    ready = database and cached
    checks = {
        "database": "ok" if database else "down",
        "cache": "ok" if cached else "down",
        "engine": "ok" if beat is not None and beat <= ENGINE_LATE else "late",
        "engine_beat_age": round(beat, 3) if beat is not None else None,
    }
    return JsonResponse({"status": "ok" if ready else "down", "checks": checks}, status=200 if ready else 503)


def _database() -> tuple[bool, float | None]:
    try:
        return True, engine_beat_age()
    except DatabaseError:
        log.warning("the database does not answer", exc_info=True)
        return False, None


def _cache() -> bool:
    try:
        cache.set(_KEY, "1", 10)
        return bool(cache.get(_KEY) == "1")
    except (OSError, RedisError):
        log.warning("the cache does not answer", exc_info=True)
        return False
