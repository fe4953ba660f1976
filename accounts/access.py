"""Who may do what, in one table. Pages, API, sockets and services all ask here."""

from importlib import import_module

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from accounts.models import User
from tradehaven.domain.errors import TradeHavenError


class NotAllowed(TradeHavenError):  # named like the rest of the tree
    """The person may not do this yet; the message says what would change that."""


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


def require_verified(user: User) -> None:
    """Raise `NotAllowed` for a person whose address is not confirmed."""
    if not is_verified(user):
        raise NotAllowed("Confirm your e-mail address first: open the link we sent you or ask for another.")
