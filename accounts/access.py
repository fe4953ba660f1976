"""Who may do what, in one table. Pages, API, sockets and services all ask here."""

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import FactorDevice, User
from tradehaven.domain.errors import TradeHavenError

FRESH = timedelta(minutes=15)
"""How long a code counts for actions with live money (ACC-04)."""
_MARK = "factor_shown"


class NotAllowed(TradeHavenError):  # named like the rest of the tree
    """The person may not do this yet; the message says what would change that."""


class FactorNeeded(NotAllowed):
    """The person asked for a code before actions with live money, and the last one is too old."""


def is_verified(user: User) -> bool:
    """Say whether the user has confirmed the address that they log in with (ACC-02)."""
    return bool(EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists())


def is_logged_in(user: User, session_key: str | None) -> bool:
    """Say whether a session still stands for a user, by the rows and not by what was loaded earlier.

    It does not once it was ended, has expired, the password was changed or the person was blocked.
    """
    if not session_key:
        return False
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return get_user(request) == user


def may_still_see(scope: Mapping[str, Any], user: User | None) -> bool:
    """Say whether whoever opened a socket is still logged in; `scope` is the socket's."""
    session = scope.get("session")
    return user is not None and session is not None and is_logged_in(user, session.session_key)


def logged_in_among(sessions: Mapping[str, int]) -> set[str]:
    """Return which sessions (key -> user) still stand, as `is_logged_in` says, in two reads for all."""
    rows = Session.objects.filter(session_key__in=sessions, expire_date__gt=timezone.now())
    users = User.objects.in_bulk(set(sessions.values()))
    found = set()
    for row in rows:
        data, user = row.get_decoded(), users.get(sessions[row.session_key])
        if user is not None and user.is_active and data.get(SESSION_KEY) == str(user.pk):
            hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
            if any(constant_time_compare(data.get(HASH_SESSION_KEY, ""), one) for one in hashes):
                found.add(row.session_key)
    return found


def require_verified(user: User) -> None:
    """Raise `NotAllowed` for a person whose address is not confirmed."""
    if not is_verified(user):
        raise NotAllowed("Confirm your e-mail address first: open the link we sent you or ask for another.")


def has_factor(user: User) -> bool:
    """Say whether the person has enrolled a second factor."""
    return bool(FactorDevice.objects.filter(user_id=user.pk, confirmed=True).exists())


def note_factor(request: HttpRequest, user: User) -> None:
    """Remember in this session that the person has just shown the second factor."""
    request.session[_MARK] = {"user": user.pk, "at": timezone.now().timestamp()}


def is_factor_fresh(request: HttpRequest) -> bool:
    """Say whether this session has shown the second factor of its user within the last 15 minutes."""
    mark: dict[str, float] = getattr(request, "session", {}).get(_MARK, {})
    age = timezone.now().timestamp() - mark.get("at", 0)
    return mark.get("user") == request.user.pk and 0 <= age <= FRESH.total_seconds()


def require_fresh_factor(request: HttpRequest) -> None:
    """Raise `FactorNeeded` before an action with live money, if its owner wants a code for those (ACC-04).

    For connecting a live login, switching on a group with live accounts and letting live orders through a
    gate again. Never for stopping anything. A request with an API key has no session and cannot show a code.
    """
    user = request.user
    if not isinstance(user, User) or not user.factor_for_live or is_factor_fresh(request):
        return
    raise FactorNeeded(
        "This moves live money, and you asked to be asked: enter a code of your second factor."
    )


def require_code(request: HttpRequest) -> None:
    """Raise `FactorNeeded` before what cannot be undone, if the person has a factor and did not show it."""
    if isinstance(request.user, User) and has_factor(request.user) and not is_factor_fresh(request):
        raise FactorNeeded("Enter a code of your second factor first.")
