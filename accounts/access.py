"""Who may do what, in one table. Pages, API, sockets and services all ask here."""

from allauth.account.models import EmailAddress

from accounts.models import User
from tradehaven.domain.errors import TradeHavenError


class NotAllowed(TradeHavenError):  # named like the rest of the tree
    """The person may not do this yet; the message says what would change that."""


def is_verified(user: User) -> bool:
    """Say whether the user has confirmed the address that they log in with (ACC-02)."""
    return bool(EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists())


def is_active(user: User) -> bool:
    """Say whether the account is still open, by its row and not by what was loaded earlier."""
    return User.objects.filter(pk=user.pk, is_active=True).exists()


def require_verified(user: User) -> None:
    """Raise `NotAllowed` for a person whose address is not confirmed."""
    if not is_verified(user):
        raise NotAllowed("Confirm your e-mail address first: open the link we sent you or ask for another.")
