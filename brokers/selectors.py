"""Reads of logins and accounts. The functions that take a user are the only way from a page to a row."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import F, Prefetch, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from brokers.core.budget import CallLimits, Usage
from brokers.core.shards import shard_names, shard_of
from brokers.models import Account, Connection, ConnectionStatus, EngineStamp, Lease, Position
from tradehaven.domain.enums import Environment
from tradehaven.domain.ids import OwnerId, Symbol

T = TypeVar("T")
ENGINE_LATE = timedelta(seconds=10)
"""How long an engine may be silent and still count as there."""
REFRESH_AHEAD = timedelta(minutes=15)
"""How long before its end a token is renewed (CONN-04; protocol 3.3)."""


def connections_of(user: User) -> QuerySet[Connection]:
    """Return a person's logins with their accounts."""
    accounts = Prefetch("accounts", Account.objects.order_by("name"))
    return user.connections.prefetch_related(accounts).order_by("environment", "name", "pk")


def money_of(user: User) -> Environment | None:
    """Return the most real money that a person's logins hold: live before demo before paper, or None."""
    found = set(user.connections.values_list("environment", flat=True))
    order = (Environment.LIVE, Environment.DEMO, Environment.PAPER)
    return next((environment for environment in order if environment in found), None)


def connection_for(user: User, pk: int) -> Connection:
    """Return one of the user's own logins; a stranger's does not exist."""
    return _or_404(Connection.objects.filter(owner=user, pk=pk).first())


def accounts_of(user: User) -> QuerySet[Account]:
    """Return all accounts that a person has brought in."""
    return Account.objects.filter(connection__owner=user).select_related("connection")


def accounts_in_reach(user: User, *, real_money: bool) -> QuerySet[Account]:
    """Return the accounts that a key of a person reaches: all, or those without real money."""
    found = accounts_of(user)
    return found if real_money else found.exclude(connection__environment=Environment.LIVE)


def account_for(user: User, pk: int) -> Account:
    """Return one of the user's own accounts; a stranger's does not exist."""
    return _or_404(accounts_of(user).filter(pk=pk).first())


def accounts_in_use(owner_id: int, *, besides: int | None = None) -> int:
    """Return how many accounts a plan has to hold: the usable ones of connected logins, `besides` one."""
    found = Account.objects.filter(connection__owner_id=owner_id, active=True)
    found = found.exclude(connection_id=besides) if besides is not None else found
    return found.exclude(connection__status=ConnectionStatus.DISCONNECTED).count()


def due_for_refresh(now: datetime) -> QuerySet[Connection]:
    """Return the logins whose token ends soon; lost ones wait for a person."""
    return (
        Connection.objects.exclude(status=ConnectionStatus.DISCONNECTED)
        .filter(token_expires_at__lte=now + REFRESH_AHEAD)
        .order_by("token_expires_at")
    )


def is_silent(connection: Connection, now: datetime) -> bool:
    """Say whether the broker takes no calls of a login at a moment (UTC): then nobody asks it anything."""
    return connection.silent_until is not None and connection.silent_until > now


def call_limits(environment: Environment) -> CallLimits:
    """Return what one login of an environment may ask."""
    return CallLimits(**settings.CALL_LIMITS[environment])


def usage_of(connection: Connection, now: datetime) -> Usage:
    """Return what of a login's last known calls still counts at a moment (UTC)."""
    if connection.calls_at is None:
        return Usage()
    age = now - connection.calls_at
    return Usage(
        minute=connection.calls_minute if age < timedelta(minutes=1) else 0,
        hour=connection.calls_hour if age < timedelta(hours=1) else 0,
    )


def engine_beat_age() -> float | None:
    """Return the seconds since the engines' last sign of life, of the shard that is worst off.

    None when one of the shards is not led at all.
    """
    names = shard_names(settings.SHARDS)
    beats = list(Lease.objects.filter(shard__in=names).values_list("beat_at", flat=True))
    led = [beat for beat in beats if beat is not None]
    return (timezone.now() - min(led)).total_seconds() if len(led) == len(names) else None


def waiting_for_engine(owners: Iterable[int]) -> set[int]:
    """Return the owners whose engine does not go by the newest settings yet; one query."""
    behind = EngineStamp.objects.filter(owner_id__in=list(owners), version__gt=F("taken"))
    return set(behind.values_list("owner_id", flat=True))


def engine_heard_at(owner: OwnerId) -> datetime | None:
    """Return the last sign of life (UTC) of the engine that serves an owner; None when none ever did."""
    lease = Lease.objects.filter(shard=shard_of(owner, settings.SHARDS)).first()
    return lease.beat_at if lease is not None and lease.holder else None


def serves(owner: OwnerId, now: datetime) -> bool:
    """Say whether an engine is there for an owner at a moment (UTC)."""
    heard = engine_heard_at(owner)
    return heard is not None and now - heard <= ENGINE_LATE


def _or_404(row: T | None) -> T:
    if row is None:
        raise Http404
    return row


def held_symbols(environment: Environment) -> frozenset[Symbol]:
    """Return the contracts in which anybody holds a position, in one environment."""
    held = Position.objects.filter(account__connection__environment=environment).exclude(net=0)
    return frozenset(Symbol(symbol) for symbol in held.values_list("symbol", flat=True).distinct())


def usable_connection(environment: Environment) -> int | None:
    """Return a login of an environment through which prices may be had, or None."""
    may_ask = Q(silent_until=None) | Q(silent_until__lte=timezone.now())
    found = Connection.objects.filter(may_ask, environment=environment, status=ConnectionStatus.ACTIVE)
    return found.order_by("pk").values_list("pk", flat=True).first()
