"""Ends sessions. A page that is open in an ended one is turned away with its next request."""

from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from accounts import audit
from accounts.core.devices import device
from accounts.models import User
from tradehaven.domain.enums import AuditAction


def note_session(request: HttpRequest) -> None:
    """Make sure that the session of this request is among the person's sessions."""
    if not UserSession.objects.filter(session_key=request.session.session_key).exists():
        UserSession.objects.create_from_request(request)


def revoke(*, user: User, session: UserSession, request: HttpRequest | None) -> str:
    """End one session; return what it ran on."""
    session.end()
    place = f"{device(session.user_agent)}, {session.ip}"
    audit.record(owner=user, actor=user, action=AuditAction.SESSION_REVOKED, subject=place, request=request)
    return place


def revoke_all(*, user: User, but: str | None, request: HttpRequest | None, by: User | None = None) -> int:
    """End all sessions of a person except the one with key `but`; return how many. `by` is an operator."""
    others = list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=but or ""))
    for session in others:
        session.end()
    if others:
        subject = f"{len(others)} session{'s' if len(others) > 1 else ''}"
        audit.record(
            owner=user,
            actor=by or user,
            action=AuditAction.SESSION_REVOKED,
            subject=subject,
            request=request,
        )
    return len(others)
