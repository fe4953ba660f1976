"""What Celery does for logins and plans. Each task takes ids, calls one service, and may run twice."""

import logging
from random import SystemRandom

from celery import shared_task
from django.utils import timezone

from brokers.selectors import due_for_refresh
from syncgroups.services import closing, misses
from syncgroups.services.erasure import erase_due
from syncgroups.services.logins import alert_down, refresh_login
from syncgroups.services.plans import turn_periods

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
def watch_links() -> None:
    """Alert the owners of logins that have been without their link for over a minute."""
    alert_down(timezone.now())


@shared_task
def turn_plans() -> None:
    """Begin new periods, and end the plans that are over."""
    ended = turn_periods(timezone.now())
    if ended:
        log.info("%s plans have ended", len(ended))


@shared_task
def erase_ended() -> None:
    """Delete what was kept for ninety days after a plan's end."""
    erase_due(timezone.now())


@shared_task
def tell_of_misses() -> None:
    """Mail what was missed because something was down."""
    misses.tell_of_misses(now=timezone.now())


@shared_task
def close_what_is_due() -> None:
    """Ask the engines to close what should be flat by now."""
    asked = closing.close_what_is_due(timezone.now())
    if asked:
        log.warning("%s accounts were past their time to be flat", len(asked))
