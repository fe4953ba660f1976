"""Hears what allauth does for people and writes it into their audit log (ACC-06)."""

from typing import Any

from allauth.account import signals
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import audit
from accounts.models import User
from accounts.services import deletion
from tradehaven.domain.enums import AuditAction


@receiver(signals.user_signed_up)
def on_signed_up(request: HttpRequest, user: User, **_rest: Any) -> None:
    """Begin the log."""
    audit.record(owner=user, actor=user, action=AuditAction.SIGNED_UP, request=request)


@receiver(signals.user_logged_in)
def on_logged_in(request: HttpRequest, user: User, **_rest: Any) -> None:
    """Record the log-in, which also calls a deletion off."""
    audit.record(owner=user, actor=user, action=AuditAction.LOGGED_IN, request=request)
    if deletion.cancel(user=user, request=request):
        messages.success(request, "Welcome back: your account will not be deleted.")


@receiver(user_login_failed)
def on_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_rest: Any) -> None:
    """Record a wrong password with the person whose address was tried; unknown addresses leave no trace."""
    tried = str(credentials.get("email", ""))
    owner = User.objects.filter(email__iexact=tried).first() if tried else None
    if owner is not None:
        audit.record(owner=owner, action=AuditAction.LOG_IN_FAILED, subject="wrong password", request=request)


@receiver(user_logged_out)
def on_logged_out(request: HttpRequest, user: User | None, **_rest: Any) -> None:
    """Record the end of a session by its own hand."""
    if user is not None and user.pk is not None:
        audit.record(owner=user, actor=user, action=AuditAction.LOGGED_OUT, request=request)


@receiver([signals.password_changed, signals.password_set])
def on_password_changed(request: HttpRequest, user: User, **_rest: Any) -> None:
    """Record a new password."""
    audit.record(owner=user, actor=user, action=AuditAction.PASSWORD_CHANGED, request=request)


@receiver(signals.password_reset)
def on_password_reset(request: HttpRequest, user: User, **_rest: Any) -> None:
    """Record a password that was set through a mailed link."""
    audit.record(owner=user, actor=user, action=AuditAction.PASSWORD_RESET, request=request)


@receiver(signals.email_confirmed)
def on_confirmed(request: HttpRequest, email_address: EmailAddress, **_rest: Any) -> None:
    """Record that the person reads this address."""
    _record(request, email_address.user, AuditAction.ADDRESS_CONFIRMED, email_address.email)


@receiver(signals.email_added)
def on_added(request: HttpRequest, user: User, email_address: EmailAddress, **_rest: Any) -> None:
    """Record the wish for another address."""
    _record(request, user, AuditAction.ADDRESS_ADDED, email_address.email)


@receiver(signals.email_removed)
def on_removed(request: HttpRequest, user: User, email_address: EmailAddress, **_rest: Any) -> None:
    """Record an address that is gone."""
    _record(request, user, AuditAction.ADDRESS_REMOVED, email_address.email)


@receiver(signals.email_changed)
def on_changed(
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **_rest: Any,
) -> None:
    """Record the new address to log in with; a first one is a confirmation, and recorded as that."""
    if from_email_address is not None:
        subject = f"{from_email_address.email} to {to_email_address.email}"
        _record(request, user, AuditAction.ADDRESS_CHANGED, subject)


def _record(request: HttpRequest, user: User, action: AuditAction, subject: str) -> None:
    # A mailed link may be opened where nobody is logged in: then nobody is known to have acted.
    actor = user if request.user.is_authenticated else None
    audit.record(owner=user, actor=actor, action=action, subject=subject, request=request)
