"""Keeps each key, and each person's keys together, within the calls a minute of the plan."""

import logging
import math
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.audit import address_of
from accounts.billing.selectors import terms_for
from accounts.core.rates import RATES, REFUSALS, WINDOW, seconds_to_wait

if TYPE_CHECKING:
    from rest_framework.views import APIView

log = logging.getLogger(__name__)


class KeyThrottle(BaseThrottle):
    """Counts calls in two windows, by the key and by its owner."""

    waiting = 0.0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count this call and say whether it fits."""
        owner = request.user.pk
        if request.auth is None or owner is None:
            return True
        rates = RATES[terms_for(owner, timezone.now()).plan]
        counted = ((f"key-{request.auth.pk}", rates.key), (f"owner-{owner}", rates.owner))
        self.waiting = max(_count(name, limit) for name, limit in counted)
        return not self.waiting

    def wait(self) -> float:
        """Return the seconds until a call fits again."""
        return math.ceil(self.waiting)


def wait_after_refusal(request: HttpRequest) -> float:
    """Count a refused key by the address it came from, and return how many seconds it must wait."""
    return math.ceil(_count(f"address-{address_of(request) or 'unknown'}", REFUSALS))


def _count(name: str, limit: int) -> float:
    """Count a call and return the seconds that it came too early."""
    now = timezone.now().timestamp()
    window, passed = divmod(now, WINDOW)
    current, last = (f"calls:{name}:{int(number)}" for number in (window, window - 1))
    try:
        cache.add(current, 0, 2 * WINDOW)
        counted, before = cache.incr(current), cache.get(last, 0)
    except (OSError, RedisError, ValueError):
        # Without counters everybody is let through: the limit is for fairness; orders are guarded elsewhere.
        log.warning("calls are not counted: the cache is down", exc_info=True)
        return 0.0
    return seconds_to_wait(before=before, now=counted, passed=passed, limit=limit)
