"""Making, using and revoking API keys (ACC-05)."""

import secrets
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.access import require_verified
from accounts.core.keys import PREFIX_BYTES, SECRET_BYTES, KeyKind, KeyText, Scope, compose, digest
from accounts.models import ApiKey, User
from accounts.selectors.keys import key_of_text, usable_keys_of
from tradehaven.domain.enums import AuditAction
from tradehaven.domain.errors import InvalidInput

MOST_KEYS = 25
USE_NOTED_EVERY = timedelta(minutes=1)
"""How often a key's last use is written: a program may call many times a second."""
REFUSAL_NOTED_EVERY = 3600
"""Seconds for which a key that is over is not recorded again: its program may go on calling for weeks."""


@transaction.atomic
def make_key(
    *,
    owner: User,
    name: str,
    kind: KeyKind,
    scope: Scope,
    expires_at: datetime | None,
    request: HttpRequest | None = None,
) -> tuple[ApiKey, KeyText]:
    """Make a key; its text is returned this once and never again. Raise `InvalidInput` naming the field."""
    require_verified(owner)
    # One at a time for each person, so that neither the number nor a name is passed by two clicks at once.
    User.objects.select_for_update().get(pk=owner.pk)
    now = timezone.now()
    if usable_keys_of(owner, now).count() >= MOST_KEYS:
        raise InvalidInput("name", f"You have {MOST_KEYS} keys in use; revoke one that is not needed.")
    if ApiKey.objects.filter(owner=owner, name=name, revoked_at=None).exists():
        raise InvalidInput("name", "A key in use has this name; choose another, or revoke that one first.")
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("expires", "This is in the past; choose a day to come.")
    text = compose(kind, secrets.token_bytes(PREFIX_BYTES), secrets.token_bytes(SECRET_BYTES))
    row = ApiKey.objects.create(
        owner=owner,
        name=name,
        kind=kind,
        scope=scope,
        prefix=text.prefix,
        secret_hash=digest(text),
        expires_at=expires_at,
    )
    audit.record(
        owner=owner, actor=owner, action=AuditAction.KEY_MADE, subject=f"{row}, may {scope}", request=request
    )
    return row, text


@transaction.atomic
def revoke_key(*, key: ApiKey, actor: User | None = None, request: HttpRequest | None = None) -> None:
    """End a key at once; ending it twice changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(
            owner=key.owner, actor=actor, action=AuditAction.KEY_REVOKED, subject=str(key), request=request
        )


@transaction.atomic
def note_use(*, key: ApiKey, request: HttpRequest, now: datetime) -> bool:
    """Write when and from where a key was used (UTC), at most once a minute; say whether this call did.

    The first use of a day and the first from another address are also recorded for the owner (ACC-06).
    """
    before = now - USE_NOTED_EVERY
    if key.used_at is not None and key.used_at > before:
        return False
    address = audit.address_of(request)
    due = ApiKey.objects.filter(Q(used_at=None) | Q(used_at__lte=before), pk=key.pk)
    if not due.update(used_at=now, used_from=address):
        return False
    if key.used_at is None or key.used_at.date() != now.date() or key.used_from != address:
        audit.record(owner=key.owner, action=AuditAction.KEY_USED, subject=str(key), request=request)
    return True


def note_refusal(*, text: str, request: HttpRequest) -> None:
    """Record that somebody tried a key that is over, at most once an hour; made-up keys leave no trace."""
    key = key_of_text(text)
    if key is not None and cache.add(f"key-refused:{key.pk}", "yes", REFUSAL_NOTED_EVERY):
        audit.record(owner=key.owner, action=AuditAction.KEY_REFUSED, subject=str(key), request=request)
