"""The way out to a broker's consent page and back (CONN-01). Nothing is stored here but the state.

A state is good once, for ten minutes, in the session that began it. What it stands for lies sealed in the
cache: the address bar of a browser never holds anything that could be used twice.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.access import require_verified
from accounts.models import User
from brokers.core.quotas import Operation
from brokers.core.troubles import ADVICE, Advice, Trouble, trouble_of
from brokers.models import Connection
from brokers.selectors import is_silent
from brokers.services import quotas
from brokers.tradovate import entities, oauth, rest
from brokers.vault import seal, unseal
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import BrokerError, CredentialsRejected, InvalidInput, RateLimited

log = logging.getLogger(__name__)

SCOPES = oauth.SCOPES
CONSENT_LIMIT = timedelta(minutes=10)
SKEW_LIMIT = timedelta(minutes=2)
"""How far our clock may be from the broker's before tokens and sessions would be judged wrongly."""


class ConsentFailed(InvalidInput):
    """The way through the broker's consent page did not end in a login; `advice` says what to do."""

    def __init__(
        self, trouble: Trouble, *, environment: Environment | None = None, said: str = "", **facts: object
    ) -> None:
        self.trouble = trouble
        self.environment = environment
        self.said = said
        self.advice: Advice = ADVICE[trouble].filled(environment=environment or "", **facts)
        super().__init__("consent", " ".join((self.advice.text, *self.advice.steps)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An environment on the settings page; without a client `missing` names the setting for it."""

    environment: Environment
    missing: str

    @property
    def usable(self) -> bool:
        """Say whether logins may be connected there."""
        return not self.missing


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
    """Return our registration at an environment; raise `ConsentFailed` where there is none."""
    place = settings.BROKERS[environment]
    if not place["client_id"]:
        raise ConsentFailed(Trouble.NOT_SET_UP, environment=environment, setting=place["client_setting"])
    return oauth.Client(
        client_id=place["client_id"],
        client_secret=place["client_secret"],
        authorize_url=place["authorize_url"],
        token_url=place["token_url"],
        redirect_uri=return_address(),
    )


def return_address() -> str:
    """Return where brokers send people back to: part of the registration there."""
    return settings.SITE_URL.rstrip("/") + reverse("syncgroups:connect-callback")


def places() -> list[Place]:
    """Return where a login may be connected, in the order of the page, and what is missing where not."""
    found = []
    for environment in (Environment.PAPER, Environment.DEMO, Environment.LIVE):
        place = settings.BROKERS[environment]
        missing = "" if place["client_id"] else place["client_setting"]
        found.append(Place(environment=environment, missing=missing))
    return found


def begin_connect(
    owner: User, environment: Environment, *, reconnects: Connection | None = None
) -> tuple[str, str]:
    """Return the consent page's address and the state to bind to the session; good once, for ten minutes."""
    require_verified(owner)
    if reconnects is not None and reconnects.silent_until and is_silent(reconnects, timezone.now()):
        raise _silent(environment, reconnects.name, reconnects.silent_until)
    client = client_of(environment)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    consent = _Consent(owner.pk, environment, verifier, reconnects.pk if reconnects else None)
    sealed = seal(msgspec.json.encode(consent).decode(), subject=f"consent|{state}")
    try:
        cache.set(_key(state), sealed, CONSENT_LIMIT.total_seconds())
    except (RedisError, OSError) as error:
        raise _ours(environment, error) from None
    return oauth.authorize_url(client, state, oauth.challenge_of(verifier)), state


def drop_consent(owner: User, state: str, trouble: Trouble, said: str) -> ConsentFailed:
    """Forget a consent that the broker sent back without a code; return what to say about it."""
    consent = _take_consent(owner, state)
    return _failed(consent.environment, trouble, said=said)


def redeem(owner: User, state: str, code: str) -> Redeemed:
    """Ask the broker what a code is worth; raise `ConsentFailed`. Writes no login."""
    require_verified(owner)
    consent = _take_consent(owner, state)
    try:
        return _ask(consent, code)
    except RateLimited as error:
        until = timezone.now() + timedelta(seconds=error.retry_after)
        raise _silent(consent.environment, "this login", until) from None
    except BrokerError as error:
        raise _failed(consent.environment, trouble_of(error), said=str(error)) from None


def _ask(consent: _Consent, code: str) -> Redeemed:
    environment = consent.environment
    base = settings.BROKERS[environment]["rest_url"]
    tokens = rest.converse(oauth.exchange(client_of(environment), code, consent.verifier))
    _check_clock(environment, tokens.said_at, timezone.now())
    me = _whose(environment, base, tokens.access)
    accounts = rest.accounts(base, tokens.access)
    if not accounts:
        raise ConsentFailed(Trouble.NO_ACCOUNTS, environment=environment, login=me.name or me.userId)
    return Redeemed(
        environment=environment,
        reconnects=consent.reconnects,
        tokens=tokens,
        me=me,
        accounts=tuple(accounts),
    )


def _whose(environment: Environment, base: str, token: str) -> rest.Me:
    """Ask whose a token is, unless too many such questions from our address have failed."""
    frees = quotas.room(base, Operation.ME, timezone.now())
    if frees is not None:
        raise _silent(environment, "this login", frees)
    try:
        return rest.me(base, token)
    except CredentialsRejected:
        quotas.count_failure(base, Operation.ME, timezone.now())
        raise


def _check_clock(environment: Environment, said_at: datetime | None, now: datetime) -> None:
    skew = abs(now - said_at) if said_at is not None else timedelta(0)
    if skew > SKEW_LIMIT:
        minutes = round(skew.total_seconds() / 60)
        raise ConsentFailed(Trouble.CLOCK, environment=environment, skew=f"{minutes} minutes")


def _failed(environment: Environment, trouble: Trouble, *, said: str) -> ConsentFailed:
    return ConsentFailed(
        trouble,
        environment=environment,
        said=said,
        setting=settings.BROKERS[environment]["client_setting"],
        address=return_address(),
    )


def _silent(environment: Environment, login: str, until: datetime) -> ConsentFailed:
    local = timezone.localtime(until)
    return ConsentFailed(
        Trouble.SILENT, environment=environment, login=login, until=f"{local:%H:%M} {local:%Z}"
    )


def _take_consent(owner: User, state: str) -> _Consent:
    try:
        sealed = cache.get(_key(state))
        # Deleting tells whether we were first: a state that is replayed at the same moment finds nothing.
        is_first = bool(sealed) and cache.delete(_key(state))
    except (RedisError, OSError) as error:
        raise _ours(None, error) from None
    if not is_first:
        raise ConsentFailed(Trouble.STATE_OVER)
    consent = msgspec.json.decode(unseal(sealed, subject=f"consent|{state}"), type=_Consent)
    if consent.owner != owner.pk:
        raise ConsentFailed(Trouble.OTHER_PERSON)
    return consent


def _ours(environment: Environment | None, error: Exception) -> ConsentFailed:
    log.warning("the cache does not answer: %s", error)
    return ConsentFailed(Trouble.OURS, environment=environment)


def _key(state: str) -> str:
    return f"consent.{state}"
