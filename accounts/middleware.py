"""What happens around every request of a person: the reader's time zone, and the time they were last seen."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User


def zone_of(user: User) -> ZoneInfo:
    """Return a person's time zone; a name that is not known any more reads as UTC."""
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


class TimeZoneMiddleware:
    """Activates the user's zone for the length of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the reader's zone."""
        if not isinstance(request.user, User):
            return self.get_response(request)
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)


class LastSeenMiddleware:
    """Keeps the time at which each session was last used, to the minute."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Move the session's time on if a minute has passed."""
        if isinstance(request.user, User) and request.session.session_key:
            now = timezone.now()
            # One statement that mostly finds no row to change: a session in use costs a write a minute.
            UserSession.objects.filter(
                session_key=request.session.session_key, last_seen_at__lt=now - timedelta(minutes=1)
            ).update(last_seen_at=now)
        return self.get_response(request)
