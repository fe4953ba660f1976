"""What Celery does for logins. Each task takes ids, calls one service, and may run twice."""

import logging
from random import SystemRandom

from celery import shared_task
from django.utils import timezone

from brokers.selectors import due_for_refresh
from syncgroups.services import misses
from syncgroups.services.logins import refresh_login

log = logging.getLogger(__name__)

SPREAD_SECONDS = 45
_chance = SystemRandom()


@shared_task
def refresh_tokens() -> None:
    """Ask for new tokens for every login that needs one, spread over the minute."""
    for pk in due_for_refresh(timezone.now()).values_list("pk", flat=True):
        refresh_token.apply_async(args=(pk,), countdown=_chance.uniform(0, SPREAD_SECONDS))


@shared_task
def refresh_token(connection_id: int) -> None:
    """Renew one login's token."""
    outcome = refresh_login(connection_id)
    log.info("token of login %s: %s", connection_id, outcome)


@shared_task
def tell_of_misses() -> None:
    """Mail what was missed because something was down."""
    misses.tell_of_misses(now=timezone.now())
