"""Tokens are sealed into their row, renewed before they end, and opened for a gateway (CONN-03, CONN-04).

A refresh token works once, so one process at a time may use it: who asks has claimed the row by a guarded
update. No row is locked while the broker is asked, and the answer is stored before anybody uses it.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from brokers.core.quotas import Operation
from brokers.models import Connection, ConnectionStatus
from brokers.ports import Login
from brokers.selectors import REFRESH_AHEAD, is_silent, usable_connection
from brokers.services import quotas
from brokers.services.budgets import obey
from brokers.services.consents import ConsentFailed, client_of
from brokers.services.stamps import tell_pages, touch
from brokers.tradovate import oauth, rest
from brokers.vault import VaultError, seal, unseal
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import BrokerError, CredentialsRejected, RateLimited, RequestRejected
from tradehaven.domain.ids import AccountId, ConnectionId

log = logging.getLogger(__name__)

FLEETING_CODES = frozenset({"invalid_token"})
"""Refusals that often pass by themselves: tried again while the old token lives (protocol 3.6)."""
CLAIM_LIMIT = timedelta(seconds=60)
"""After so long whoever claimed a renewal is taken to be dead; the longest answer takes a quarter of it."""


class Refreshed(StrEnum):
    """How an attempt to renew a token ended."""

    RENEWED = "renewed"
    NOT_DUE = "not_due"
    UNDER_WAY = "under_way"
    LATER = "later"
    LOST = "lost"


def keep_tokens(row: Connection, tokens: oauth.Tokens) -> None:
    """Seal tokens into a row that the caller holds, and save it."""
    row.access_token = seal(tokens.access, subject=subject_of(row, "access"))
    if tokens.refresh:
        row.refresh_token = seal(tokens.refresh, subject=subject_of(row, "refresh"))
    row.token_expires_at = timezone.now() + timedelta(seconds=tokens.expires_in)
    row.token_version += 1
    row.status, row.status_reason = ConnectionStatus.ACTIVE, ""
    row.renewing_since = None
    row.save()


def subject_of(connection: Connection, kind: str) -> str:
    """Return what a sealed token is bound to: its row and its kind."""
    return f"connection|{connection.pk}|{kind}"


def refresh_token(connection_id: int, *, refused: int | None = None) -> Refreshed:
    """Renew a login's token unless it still lives long; several processes may call this at once.

    `refused` is the version of a token that the broker did not take although its time was not over. A login
    that has to keep silent is left alone.
    """
    row = Connection.objects.get(pk=connection_id)
    now = timezone.now()
    if row.status == ConnectionStatus.DISCONNECTED or not _is_due(row, refused, now):
        return Refreshed.NOT_DUE
    if is_silent(row, now):
        return Refreshed.LATER
    if not _claim(row, now):
        return Refreshed.UNDER_WAY
    try:
        tokens = _ask_for_tokens(row)
    except (BrokerError, VaultError, ConsentFailed) as error:
        if isinstance(error, RateLimited):
            obey(row, error)
        return _settle(row, now, error)
    return _settle(row, now, tokens)


def _is_due(row: Connection, refused: int | None, now: datetime) -> bool:
    if refused is not None and refused == row.token_version:
        return True
    return row.token_expires_at is None or row.token_expires_at <= now + REFRESH_AHEAD


def _claim(row: Connection, now: datetime) -> bool:
    """Take the right to renew this very token; False when somebody has it or was faster."""
    free = Q(renewing_since=None) | Q(renewing_since__lte=now - CLAIM_LIMIT)
    rows = Connection.objects.filter(free, pk=row.pk, token_version=row.token_version)
    return bool(rows.exclude(status=ConnectionStatus.DISCONNECTED).update(renewing_since=now))


def _ask_for_tokens(row: Connection) -> oauth.Tokens:
    environment = Environment(row.environment)
    if row.refresh_token:
        token = unseal(row.refresh_token, subject=subject_of(row, "refresh"))
        return rest.converse(oauth.refresh(client_of(environment), token))
    token = unseal(row.access_token, subject=subject_of(row, "access"))
    base, now = settings.BROKERS[environment]["rest_url"], timezone.now()
    frees = quotas.take(base, Operation.RENEW, now)
    if frees is not None:  # a ticket is what concerns one endpoint and not the login
        wait = (frees - now).total_seconds()
        raise RateLimited("our address has used up its renewals", retry_after=wait, ticket="own")
    return rest.renew(base, token, now)


def _settle(
    seen: Connection, claimed: datetime, came: oauth.Tokens | BrokerError | VaultError | ConsentFailed
) -> Refreshed:
    """Write down what came, unless the row has moved on: somebody reconnected, or let the login go."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=seen.pk)
        if row.token_version != seen.token_version or row.renewing_since != claimed:
            return Refreshed.NOT_DUE
        if not isinstance(came, oauth.Tokens):
            return _failed(row, came)
        keep_tokens(row, came)
        touch(row.owner_id)
        tell_pages(row.owner_id)
        return Refreshed.RENEWED


def _failed(row: Connection, error: BrokerError | VaultError | ConsentFailed) -> Refreshed:
    expired = row.token_expires_at is None or row.token_expires_at <= timezone.now()
    refused = isinstance(error, RequestRejected | CredentialsRejected | VaultError)
    fleeting = isinstance(error, RequestRejected) and error.code in FLEETING_CODES and not expired
    lost = refused and not fleeting
    row.status = ConnectionStatus.DISCONNECTED if lost else ConnectionStatus.REFRESHING
    row.status_reason = f"The token could not be renewed: {error}"[:200]
    row.renewing_since = None
    row.save(update_fields=["status", "status_reason", "renewing_since"])
    touch(row.owner_id)
    tell_pages(row.owner_id)
    log.warning("renewing the token of login %s failed (%s)", row.pk, row.status)
    return Refreshed.LOST if lost else Refreshed.LATER


def market_login(environment: Environment) -> Login | None:
    """Return a login through which prices of an environment may be had, at its market-data address."""
    connection = usable_connection(environment)
    login = login_for_engine(connection) if connection is not None else None
    url = settings.BROKERS[environment]["market_url"]
    return replace(login, socket_url=url) if login is not None else None


def login_for_engine(connection_id: int) -> Login | None:
    """Return what a gateway needs, with the open token, or None for a login that must not be used."""
    row = Connection.objects.prefetch_related("accounts").get(pk=connection_id)
    if row.status == ConnectionStatus.DISCONNECTED or not row.access_token:
        return None
    return Login(
        connection=ConnectionId(row.pk),
        socket_url=settings.BROKERS[Environment(row.environment)]["socket_url"],
        token=unseal(row.access_token, subject=subject_of(row, "access")),
        version=row.token_version,
        user_id=row.broker_user_id,
        accounts={account.broker_account_id: AccountId(account.pk) for account in row.accounts.all()},
    )
