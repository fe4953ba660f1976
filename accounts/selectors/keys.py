"""Reads of API keys."""

import hmac
from datetime import datetime

from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.core.keys import digest, parse
from accounts.models import ApiKey, User


def keys_of(user: User) -> QuerySet[ApiKey]:
    """Return a person's keys, the newest first; revoked ones stay to be seen."""
    return ApiKey.objects.filter(owner=user)


def usable_keys_of(user: User, now: datetime) -> QuerySet[ApiKey]:
    """Return a person's keys that work at a moment (UTC)."""
    return keys_of(user).filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


def key_for(user: User, pk: int) -> ApiKey:
    """Return one of the user's own keys; a stranger's does not exist."""
    found = keys_of(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def key_of_text(text: str) -> ApiKey | None:
    """Return the key that a program sent, whether or not it still works; None for a text that is no key.

    One look-up by the unique prefix, then a comparison that takes as long for a near miss as for nonsense.
    """
    sent = parse(text)
    if sent is None:
        return None
    row = ApiKey.objects.select_related("owner").filter(prefix=sent.prefix).first()
    return row if row is not None and hmac.compare_digest(row.secret_hash, digest(sent)) else None


def key_by_text(text: str, now: datetime) -> ApiKey | None:
    """Return the key that a program sent, with its owner, if it works at a moment (UTC)."""
    row = key_of_text(text)
    if row is None or row.revoked_at is not None or not row.owner.is_active:
        return None
    return row if row.expires_at is None or row.expires_at > now else None
