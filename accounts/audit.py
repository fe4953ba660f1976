"""Records who did what to whose account (ACC-06). Services and listeners call it; nothing else writes it."""

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.core.devices import device
from accounts.models import AuditEvent, User
from tradehaven.domain.enums import AuditAction, AuditKind

KINDS: dict[AuditKind, frozenset[AuditAction]] = {
    AuditKind.LOG_IN: frozenset(
        {
            AuditAction.SIGNED_UP,
            AuditAction.LOGGED_IN,
            AuditAction.LOG_IN_FAILED,
            AuditAction.LOGGED_OUT,
            AuditAction.SESSION_REVOKED,
        }
    ),
    AuditKind.SECURITY: frozenset(
        {
            AuditAction.PASSWORD_CHANGED,
            AuditAction.PASSWORD_RESET,
            AuditAction.ADDRESS_ADDED,
            AuditAction.ADDRESS_CONFIRMED,
            AuditAction.ADDRESS_CHANGED,
            AuditAction.ADDRESS_REMOVED,
            AuditAction.FACTOR_ADDED,
            AuditAction.FACTOR_REMOVED,
            AuditAction.FACTOR_FAILED,
            AuditAction.CODES_RENEWED,
            AuditAction.CODE_SPENT,
        }
    ),
    AuditKind.KEYS: frozenset(
        {
            AuditAction.KEY_MADE,
            AuditAction.KEY_CHANGED,
            AuditAction.KEY_REVOKED,
            AuditAction.KEY_USED,
            AuditAction.KEY_REFUSED,
            AuditAction.HOOK_MADE,
            AuditAction.HOOK_CHANGED,
            AuditAction.HOOK_REMOVED,
        }
    ),
    AuditKind.CONNECTIONS: frozenset(
        {
            AuditAction.CONNECTED,
            AuditAction.RECONNECTED,
            AuditAction.CONNECTION_LOST,
            AuditAction.CONNECTION_CHANGED,
            AuditAction.DISCONNECTED,
        }
    ),
    AuditKind.SETTINGS: frozenset(
        {
            AuditAction.ACCOUNT_CHANGED,
            AuditAction.GROUP_CHANGED,
            AuditAction.GATE_CHANGED,
            AuditAction.LIMITS_CHANGED,
            AuditAction.PROFILE_CHANGED,
            AuditAction.PLAN_CHANGED,
            AuditAction.PLAN_ENDED,
        }
    ),
    AuditKind.DATA: frozenset(
        {AuditAction.EXPORTED, AuditAction.DELETION_ASKED, AuditAction.DELETION_CANCELLED}
    ),
    AuditKind.OPERATORS: frozenset(
        {
            AuditAction.OPERATOR_LOOKED,
            AuditAction.OPERATOR_ADDED,
            AuditAction.OPERATOR_CHANGED,
            AuditAction.OPERATOR_DELETED,
        }
    ),
}


def record(
    *,
    owner: User,
    action: AuditAction,
    actor: User | None = None,
    subject: str = "",
    request: HttpRequest | None = None,
) -> AuditEvent:
    """Write one event into `owner`'s log, in the caller's transaction; `subject` in words, without secrets.

    `actor` is who did it; None for the system, for a stranger, and for a request of nobody who is logged in.
    """
    return AuditEvent.objects.create(
        owner=owner,
        actor=actor,
        action=action,
        subject=subject[:200],
        address=address_of(request),
        device=device(request.headers.get("User-Agent", "")) if request is not None else "",
    )


def address_of(request: HttpRequest | None) -> str | None:
    """Return where a request came from, past exactly the proxies that settings trust; None if unknown."""
    if request is None:
        return None
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:  # a proxy that told nothing usable
        return None
