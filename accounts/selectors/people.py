"""Reads about a person. Each takes the person, and shows nothing of anybody else's."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.paginator import Page, Paginator
from django.http import Http404

from accounts.audit import KINDS
from accounts.core.devices import device
from accounts.models import AuditEvent, User
from tradehaven.domain.enums import AuditKind

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One place where a person is logged in. `address` is where it began; there is no guessing at towns."""

    pk: int
    device: str
    address: str
    since: datetime
    last_seen: datetime
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorState:
    """A person's second factor: since when (UTC, None without one), and how many recovery codes are left."""

    since: datetime | None
    codes_left: int


def sessions_of(user: User, *, current_key: str | None) -> list[SessionRow]:
    """Return where a person is logged in, this session first, then by last use; ended ones are dropped."""
    rows = [
        SessionRow(
            pk=session.pk,
            device=device(session.user_agent),
            address=session.ip,
            since=session.created_at,
            last_seen=session.last_seen_at,
            current=session.session_key == current_key,
        )
        for session in UserSession.objects.purge_and_list(user)
    ]
    return sorted(rows, key=lambda row: (row.current, row.last_seen), reverse=True)


def session_for(user: User, pk: int) -> UserSession:
    """Return one of the person's own sessions; a stranger's does not exist."""
    session = UserSession.objects.filter(user_id=user.pk, pk=pk).first()
    if session is None:
        raise Http404
    return session


def factor_of(user: User) -> FactorState:
    """Return how a person's second factor stands."""
    kept = {factor.type: factor for factor in Authenticator.objects.filter(user_id=user.pk)}
    app, codes = kept.get(Authenticator.Type.TOTP), kept.get(Authenticator.Type.RECOVERY_CODES)
    left = len(codes.wrap().get_unused_codes()) if codes else 0
    return FactorState(since=app.created_at if app else None, codes_left=left)


def audit_of(user: User, *, kind: AuditKind | None, page: str) -> "Page[AuditEvent]":
    """Return a page of the person's audit log, newest first; a page that does not exist shows the nearest."""
    events = AuditEvent.objects.filter(owner=user).select_related("actor")
    if kind is not None:
        events = events.filter(action__in=KINDS[kind])
    return Paginator(events, PAGE).get_page(page)


def person_of(address: str) -> User | None:
    """Return the person who logs in with an address, None if nobody does."""
    return User.objects.filter(email__iexact=address.strip()).first()
