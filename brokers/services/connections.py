"""Logins come, bring their accounts, and go (CONN-01, 02, 05). How their tokens live stands in `tokens`.

Guards of the accounts and the activity log live higher up: pages and the engine call
`syncgroups.services.logins`, which adds both to what is done here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from accounts.billing.selectors import terms_for
from accounts.core.plans import next_fitting
from accounts.models import User
from brokers.core.troubles import Trouble
from brokers.models import Account, AccountStanding, Connection, ConnectionStatus, EngineStamp
from brokers.selectors import accounts_in_use
from brokers.services.consents import ConsentFailed, Redeemed
from brokers.services.stamps import tell_pages, touch
from brokers.services.tokens import keep_tokens, subject_of
from brokers.tradovate import entities, rest
from brokers.vault import unseal
from tradehaven.domain.enums import Environment

USABLE = AccountStanding.TRADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A login that came in. `instead_of` names the login that was to be renewed when another came."""

    connection: Connection
    accounts: tuple[Account, ...]
    is_new: bool
    instead_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What has changed about a login's accounts since the broker was last asked."""

    came: tuple[Account, ...] = ()
    went: tuple[Account, ...] = ()
    beyond: tuple[Account, ...] = ()
    """New ones for which the plan has no room."""


@transaction.atomic
def store_login(owner: User, redeemed: Redeemed) -> Connected:
    """Make or renew the login's row and its accounts, or nothing; its other rows stay (CONN-05).

    Raises `ConsentFailed` where the login is somebody else's or the plan has no room for its accounts.
    """
    _alone(owner, redeemed)
    _check_untaken(owner, redeemed)
    connection, is_new = Connection.objects.select_for_update().get_or_create(
        owner=owner,
        environment=redeemed.environment,
        broker_user_id=redeemed.me.userId,
        defaults={"name": redeemed.me.name[:64] or str(redeemed.me.userId)},
    )
    _check_room(owner, connection, redeemed)
    connection.name = redeemed.me.name[:64] or connection.name
    connection.looked_at = timezone.now()
    keep_tokens(connection, redeemed.tokens)
    brought = tuple(_store_account(connection, said, _standing(said)) for said in redeemed.accounts)
    gone = connection.accounts.exclude(pk__in=[account.pk for account in brought])
    gone.update(active=False, standing=AccountStanding.GONE)
    touch(owner.pk)
    tell_pages(owner.pk)
    return Connected(
        connection=connection,
        accounts=brought,
        is_new=is_new,
        instead_of=_other_than_asked(connection, redeemed.reconnects),
    )


def _alone(owner: User, redeemed: Redeemed) -> None:
    """Let one connect at a time pass, of this owner and of this login: both have a bound."""
    EngineStamp.objects.get_or_create(owner=owner)
    EngineStamp.objects.select_for_update().get(owner=owner)
    with database.cursor() as cursor:
        name = f"login {redeemed.environment} {redeemed.me.userId}"
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", [name])


def _check_untaken(owner: User, redeemed: Redeemed) -> None:
    elsewhere = Connection.objects.filter(
        environment=redeemed.environment, broker_user_id=redeemed.me.userId
    ).exclude(owner=owner)
    # Two engines on one login would share its budget without knowing, and throw each other out.
    if elsewhere.exclude(status=ConnectionStatus.DISCONNECTED).exists():
        raise ConsentFailed(
            Trouble.TAKEN, environment=redeemed.environment, login=redeemed.me.name or redeemed.me.userId
        )


def _check_room(owner: User, connection: Connection, redeemed: Redeemed) -> None:
    terms = terms_for(owner.pk, timezone.now())
    more = sum(_standing(said) is USABLE for said in redeemed.accounts)
    used = accounts_in_use(owner.pk, besides=connection.pk)
    if not terms.has_room(used, more):
        raise ConsentFailed(
            Trouble.PLAN_FULL,
            environment=redeemed.environment,
            login=connection.name,
            more=more,
            plan=terms.name,
            limit=terms.accounts,
            used=used,
            fitting=next_fitting(used + more).name,
        )


def _other_than_asked(connection: Connection, asked: int | None) -> str:
    if asked is None or asked == connection.pk:
        return ""
    other = Connection.objects.filter(owner_id=connection.owner_id, pk=asked).first()
    return other.name if other else ""


# -- accounts -----------------------------------------------------------------------------------------


def look_for_accounts(connection_id: int) -> Moved:
    """Ask the broker which accounts a login has now, and follow; raise `BrokerError` (CONN-02)."""
    row = Connection.objects.get(pk=connection_id)
    if row.status == ConnectionStatus.DISCONNECTED or not row.access_token:
        return Moved()
    token = unseal(row.access_token, subject=subject_of(row, "access"))
    return follow_accounts(
        row, rest.accounts(settings.BROKERS[Environment(row.environment)]["rest_url"], token)
    )


@transaction.atomic
def follow_accounts(connection: Connection, said: Sequence[entities.Account]) -> Moved:
    """Bring a login's accounts in line with what the broker says; new ones as far as the plan has room."""
    EngineStamp.objects.select_for_update().filter(owner_id=connection.owner_id).first()
    before = {account.broker_account_id: account for account in connection.accounts.all()}
    terms = terms_for(connection.owner_id, timezone.now())
    came, beyond = [], []
    for one in said:
        known, standing = before.get(one.id), _standing(one)
        if known is not None and known.standing == standing:
            continue
        if standing is USABLE and not terms.has_room(accounts_in_use(connection.owner_id), 1):
            standing = AccountStanding.BEYOND_PLAN
        account = _store_account(connection, one, standing)
        if standing is USABLE:
            came.append(account)
        elif standing is AccountStanding.BEYOND_PLAN and (known is None or known.standing != standing):
            beyond.append(account)
    went = _mark_gone(before, {one.id for one in said})
    Connection.objects.filter(pk=connection.pk).update(looked_at=timezone.now())
    if came or went or beyond:
        touch(connection.owner_id)
        tell_pages(connection.owner_id)
    return Moved(came=tuple(came), went=went, beyond=tuple(beyond))


def _mark_gone(before: dict[int, Account], said: set[int]) -> tuple[Account, ...]:
    gone = [
        account
        for number, account in before.items()
        if number not in said and account.standing != AccountStanding.GONE
    ]
    pks = [account.pk for account in gone]
    Account.objects.filter(pk__in=pks).update(active=False, standing=AccountStanding.GONE)
    return tuple(gone)


def _standing(said: entities.Account) -> AccountStanding:
    if not said.active:
        return AccountStanding.CLOSED
    return AccountStanding.READ_ONLY if said.readonly else USABLE


def _store_account(connection: Connection, said: entities.Account, standing: AccountStanding) -> Account:
    account, _ = Account.objects.update_or_create(
        connection=connection,
        broker_account_id=said.id,
        defaults={"name": said.name[:64], "active": standing is USABLE, "standing": standing},
    )
    return account


# -- going --------------------------------------------------------------------------------------------


@transaction.atomic
def disconnect(connection: Connection, *, reason: str = "You disconnected this login.") -> None:
    """Forget a login's tokens. Accounts, groups, limits and history stay for a later reconnect (CONN-05)."""
    row = Connection.objects.select_for_update().get(pk=connection.pk)
    row.access_token = row.refresh_token = ""
    row.token_expires_at = row.renewing_since = None
    row.token_version += 1
    row.status, row.status_reason = ConnectionStatus.DISCONNECTED, reason
    row.save()
    touch(row.owner_id)
    tell_pages(row.owner_id)
