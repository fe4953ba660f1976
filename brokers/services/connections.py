"""Logins come, are renewed and go (CONN-01 to 05). Tokens are sealed before they are stored.

Guards of the accounts and the activity log live higher up: pages and the engine call
`syncgroups.services.logins`, which adds both to what is done here.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.access import require_verified
from accounts.models import User
from brokers.models import Account, Connection, ConnectionStatus
from brokers.ports import Login
from brokers.selectors import REFRESH_AHEAD, is_silent
from brokers.services.budgets import obey
from brokers.services.stamps import touch
from brokers.tradovate import entities, oauth, rest
from brokers.vault import VaultError, seal, unseal
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import (
    BrokerError,
    CredentialsRejected,
    InvalidInput,
    RateLimited,
    RequestRejected,
)
from tradehaven.domain.ids import AccountId, ConnectionId
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish

log = logging.getLogger(__name__)

SCOPES = oauth.SCOPES
CONSENT_LIMIT = timedelta(minutes=10)
FLEETING_CODES = frozenset({"invalid_token"})
"""Refusals that often pass by themselves: tried again while the old token lives (protocol 3.6)."""


class ConsentFailed(InvalidInput):
    """The way through the broker's consent page did not end in a login; says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__("consent", message)


class Refreshed(StrEnum):
    """How an attempt to renew a token ended."""

    RENEWED = "renewed"
    NOT_DUE = "not_due"
    LATER = "later"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An environment on the settings page; it is not usable until the operator has registered a client."""

    environment: Environment
    usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A login that came in. `instead_of` names the login that was to be renewed when another came."""

    connection: Connection
    accounts: tuple[Account, ...]
    is_new: bool
    instead_of: str = ""


class _Consent(msgspec.Struct):
    owner: int
    environment: Environment
    verifier: str
    reconnects: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """What a code was worth: tokens, whose they are, and the accounts. Nothing is stored yet."""

    environment: Environment
    reconnects: int | None
    tokens: oauth.Tokens
    me: rest.Me
    accounts: tuple[entities.Account, ...]


def client_of(environment: Environment) -> oauth.Client:
    """Return our registration at an environment; raise `InvalidInput` where there is none."""
    place = settings.BROKERS[environment]
    if not place["client_id"]:
        raise InvalidInput("environment", f"No client id is configured for {environment}.")
    return oauth.Client(
        client_id=place["client_id"],
        client_secret=place["client_secret"],
        authorize_url=place["authorize_url"],
        token_url=place["token_url"],
        redirect_uri=settings.SITE_URL.rstrip("/") + reverse("syncgroups:connect-callback"),
    )


def places() -> list[Place]:
    """Return where a login may be connected, in the order of the page, and why one may not."""
    return [
        Place(environment=environment, usable=bool(settings.BROKERS[environment]["client_id"]))
        for environment in (Environment.PAPER, Environment.DEMO, Environment.LIVE)
    ]


# -- consent ------------------------------------------------------------------------------------------


def begin_connect(
    owner: User, environment: Environment, *, reconnects: Connection | None = None
) -> tuple[str, str]:
    """Return the consent page's address and the state to bind to the session; good once, for ten minutes."""
    require_verified(owner)
    if reconnects is not None and reconnects.silent_until and is_silent(reconnects, timezone.now()):
        until = f"{reconnects.silent_until:%H:%M} UTC"
        raise ConsentFailed(f"The broker takes no calls of {reconnects.name} until {until}. Reconnect then.")
    client = client_of(environment)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    consent = _Consent(owner.pk, environment, verifier, reconnects.pk if reconnects else None)
    sealed = seal(msgspec.json.encode(consent).decode(), subject=f"consent|{state}")
    cache.set(_consent_key(state), sealed, CONSENT_LIMIT.total_seconds())
    return oauth.authorize_url(client, state, oauth.challenge_of(verifier)), state


def drop_consent(state: str) -> None:
    """Forget a consent that was denied."""
    cache.delete(_consent_key(state))


def redeem(owner: User, state: str, code: str) -> Redeemed:
    """Ask the broker what a code is worth; raise `ConsentFailed` or `BrokerError`. Writes no row."""
    require_verified(owner)
    consent = _take_consent(owner, state)
    client = client_of(consent.environment)
    tokens = rest.converse(oauth.exchange(client, code, consent.verifier))
    base = settings.BROKERS[consent.environment]["rest_url"]
    me, accounts = rest.me(base, tokens.access), rest.accounts(base, tokens.access)
    if not accounts:
        raise ConsentFailed(
            f"The login {me.name} has no open account. Check that you authorized the right login and "
            "that API access is enabled for it, then connect again."
        )
    return Redeemed(
        environment=consent.environment,
        reconnects=consent.reconnects,
        tokens=tokens,
        me=me,
        accounts=tuple(accounts),
    )


def _take_consent(owner: User, state: str) -> _Consent:
    sealed = cache.get(_consent_key(state))
    # Deleting tells whether we were first: a state that is replayed at the same moment finds nothing.
    if not sealed or not cache.delete(_consent_key(state)):
        raise ConsentFailed("The authorization was used before or is older than ten minutes. Connect again.")
    consent = msgspec.json.decode(unseal(sealed, subject=f"consent|{state}"), type=_Consent)
    if consent.owner != owner.pk:
        raise ConsentFailed("The authorization was begun by somebody else. Connect again from your own page.")
    return consent


def _consent_key(state: str) -> str:
    return f"consent.{state}"


@transaction.atomic
def store_login(owner: User, redeemed: Redeemed) -> Connected:
    """Make or renew the login's row and its accounts; its other rows stay as they are (CONN-05)."""
    connection, is_new = Connection.objects.select_for_update().get_or_create(
        owner=owner,
        environment=redeemed.environment,
        broker_user_id=redeemed.me.userId,
        defaults={"name": redeemed.me.name[:64] or str(redeemed.me.userId)},
    )
    connection.name = redeemed.me.name[:64] or connection.name
    _keep_tokens(connection, redeemed.tokens)
    brought = tuple(_store_account(connection, account) for account in redeemed.accounts)
    gone = connection.accounts.exclude(pk__in=[account.pk for account in brought])
    gone.update(active=False)
    _tell(owner.pk)
    return Connected(
        connection=connection,
        accounts=brought,
        is_new=is_new,
        instead_of=_other_than_asked(connection, redeemed.reconnects),
    )


def _other_than_asked(connection: Connection, asked: int | None) -> str:
    if asked is None or asked == connection.pk:
        return ""
    other = Connection.objects.filter(owner_id=connection.owner_id, pk=asked).first()
    return other.name if other else ""


def _store_account(connection: Connection, said: entities.Account) -> Account:
    account, _ = Account.objects.update_or_create(
        connection=connection,
        broker_account_id=said.id,
        defaults={"name": said.name[:64], "active": said.active and not said.readonly},
    )
    return account


def _keep_tokens(connection: Connection, tokens: oauth.Tokens) -> None:
    connection.access_token = seal(tokens.access, subject=_subject(connection, "access"))
    if tokens.refresh:
        connection.refresh_token = seal(tokens.refresh, subject=_subject(connection, "refresh"))
    connection.token_expires_at = timezone.now() + timedelta(seconds=tokens.expires_in)
    connection.token_version += 1
    connection.status, connection.status_reason = ConnectionStatus.ACTIVE, ""
    connection.save()


def _subject(connection: Connection, kind: str) -> str:
    return f"connection|{connection.pk}|{kind}"


# -- going and staying --------------------------------------------------------------------------------


@transaction.atomic
def disconnect(connection: Connection, *, reason: str = "You disconnected this login.") -> None:
    """Forget a login's tokens. Accounts, groups, limits and history stay for a later reconnect (CONN-05)."""
    row = Connection.objects.select_for_update().get(pk=connection.pk)
    row.access_token = row.refresh_token = ""
    row.token_expires_at = None
    row.token_version += 1
    row.status, row.status_reason = ConnectionStatus.DISCONNECTED, reason
    row.save()
    _tell(row.owner_id)


def refresh_token(connection_id: int, *, refused: bool = False) -> Refreshed:
    """Renew a login's token unless it still lives long; several processes may call this at once.

    `refused` says that the broker does not take the token although its time is not over. The row stays
    locked while the broker is asked: a refresh token works once, so two must not race. A login that has
    to keep silent is left alone.
    """
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        ends = row.token_expires_at
        lives = ends is not None and ends > timezone.now() + REFRESH_AHEAD
        if row.status == ConnectionStatus.DISCONNECTED or (lives and not refused):
            return Refreshed.NOT_DUE
        if is_silent(row, timezone.now()):
            return Refreshed.LATER
        try:
            _keep_tokens(row, _ask_for_tokens(row))
        except (BrokerError, VaultError) as error:
            if isinstance(error, RateLimited):
                obey(row, error)
            return _refresh_failed(row, error)
        _tell(row.owner_id)
        return Refreshed.RENEWED


def _ask_for_tokens(row: Connection) -> oauth.Tokens:
    environment = Environment(row.environment)
    if row.refresh_token:
        token = unseal(row.refresh_token, subject=_subject(row, "refresh"))
        return rest.converse(oauth.refresh(client_of(environment), token))
    token = unseal(row.access_token, subject=_subject(row, "access"))
    return rest.renew(settings.BROKERS[environment]["rest_url"], token, timezone.now())


def _refresh_failed(row: Connection, error: BrokerError | VaultError) -> Refreshed:
    expired = row.token_expires_at is None or row.token_expires_at <= timezone.now()
    refused = isinstance(error, RequestRejected | CredentialsRejected | VaultError)
    fleeting = isinstance(error, RequestRejected) and error.code in FLEETING_CODES and not expired
    lost = refused and not fleeting
    row.status = ConnectionStatus.DISCONNECTED if lost else ConnectionStatus.REFRESHING
    row.status_reason = f"The token could not be renewed: {error}"[:200]
    row.save(update_fields=["status", "status_reason"])
    _tell(row.owner_id)
    log.warning("renewing the token of login %s failed (%s)", row.pk, row.status)
    return Refreshed.LOST if lost else Refreshed.LATER


def login_for_engine(connection_id: int) -> Login | None:
    """Return what a gateway needs, with the open token, or None for a login that must not be used."""
    row = Connection.objects.prefetch_related("accounts").get(pk=connection_id)
    if row.status == ConnectionStatus.DISCONNECTED or not row.access_token:
        return None
    return Login(
        connection=ConnectionId(row.pk),
        socket_url=settings.BROKERS[Environment(row.environment)]["socket_url"],
        token=unseal(row.access_token, subject=_subject(row, "access")),
        user_id=row.broker_user_id,
        accounts={account.broker_account_id: AccountId(account.pk) for account in row.accounts.all()},
    )


def _tell(owner_id: int) -> None:
    touch(owner_id)
    publish(owner_id, [Topic.OVERVIEW, Topic.ACCOUNTS, Topic.GROUPS])
