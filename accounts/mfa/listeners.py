"""Joins allauth's second factor to django-otp's verified session, and both to the audit log."""

from typing import Any

import django_otp
from allauth.account.signals import authentication_step_completed
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import audit
from accounts.access import note_factor
from accounts.models import FactorDevice, User
from tradehaven.domain.enums import AuditAction


@receiver(authentication_step_completed)
def on_step(request: HttpRequest, user: User, method: str, **_rest: Any) -> None:
    """Mark the session as verified: at once in the middle of one, with the log-in otherwise."""
    if method != "mfa":
        return
    device = FactorDevice.objects.get(user=user)
    if request.user.is_authenticated:
        django_otp.login(request, device)
    else:
        user.otp_device = device  # type: ignore[attr-defined]  # the library stores it when the log-in ends
    note_factor(request, user)


@receiver(signals.authenticator_added)
def on_added(request: HttpRequest, user: User, authenticator: Authenticator, **_rest: Any) -> None:
    """Confirm the device that the enrolment has made, and count its code as shown."""
    if authenticator.type != Authenticator.Type.TOTP:
        return
    device, _ = FactorDevice.objects.update_or_create(user=user, defaults={"confirmed": True})
    django_otp.login(request, device)
    note_factor(request, user)
    _say(request, user, AuditAction.FACTOR_ADDED)


@receiver(signals.authenticator_removed)
def on_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_rest: Any) -> None:
    """Drop the device, and with it the wish for codes that can no longer be given."""
    if authenticator.type != Authenticator.Type.TOTP:
        return
    FactorDevice.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(factor_for_live=False)
    _say(request, user, AuditAction.FACTOR_REMOVED)


@receiver(signals.authenticator_reset)
def on_reset(request: HttpRequest, user: User, **_rest: Any) -> None:
    """Record new recovery codes."""
    _say(request, user, AuditAction.CODES_RENEWED)


@receiver(signals.authenticator_used)
def on_used(request: HttpRequest, user: User, authenticator: Authenticator, **_rest: Any) -> None:
    """Record a spent recovery code: there are only ten."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        authenticator.refresh_from_db()  # the code was marked on another copy of the row
        left = len(authenticator.wrap().get_unused_codes())
        audit.record(
            owner=user,
            actor=user,
            action=AuditAction.CODE_SPENT,
            subject=f"recovery code, {left} left",
            request=request,
        )


@receiver(signals.authentication_failed)
def on_failed(request: HttpRequest, user: User, **_rest: Any) -> None:
    """Record a wrong code: whoever typed it knew the password."""
    audit.record(owner=user, action=AuditAction.FACTOR_FAILED, subject="wrong code", request=request)


def _say(request: HttpRequest, user: User, action: AuditAction) -> None:
    audit.record(owner=user, actor=user, action=action, request=request)
