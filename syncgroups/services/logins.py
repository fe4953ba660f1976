"""Logins as people and processes see them: what `brokers` does, with guards, log, audit and mail."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from accounts.notify import tell
from brokers.models import Account, Connection, TagKind
from brokers.services import connections, consents, tokens
from brokers.services.connections import Connected, Moved
from brokers.services.consents import ConsentFailed
from brokers.services.health import claim_alerts
from brokers.services.labels import label_account
from brokers.services.tokens import Refreshed
from risk.services.gates import ensure_account_risk, ensure_owner_gate
from syncgroups.models import ActivityKind, Severity
from syncgroups.services.activity import note
from tradehaven.domain.enums import AuditAction, NoticeKind
from tradehaven.domain.errors import BrokerError

log = logging.getLogger(__name__)


def finish_connect(owner: User, state: str, code: str) -> Connected:
    """Bring a login in, with a gate for each account; raise `ConsentFailed`, and then nothing is stored."""
    try:
        redeemed = consents.redeem(owner, state, code)
        with transaction.atomic():
            done = connections.store_login(owner, redeemed)
            ensure_owner_gate(owner.pk)
            for account in done.accounts:
                ensure_account_risk(account, owner.pk)
            _connected(owner, done)
    except ConsentFailed as error:
        said = f" ({error.said})" if error.said else ""
        text = f"Connecting a login failed: {error.advice.text}{said}"
        note(owner.pk, ActivityKind.LINK, text, severity=Severity.DANGER)
        raise
    return done


def _connected(owner: User, done: Connected) -> None:
    verb = "connected" if done.is_new else "reconnected"
    text = f"{done.connection} {verb} with {_count(len(done.accounts))}"
    note(owner.pk, ActivityKind.LINK, text, severity=Severity.GOOD)
    action = AuditAction.CONNECTED if done.is_new else AuditAction.RECONNECTED
    record(owner=owner, actor=owner, action=action, subject=str(done.connection))


def _count(number: int) -> str:
    return f"{number} account{'s' if number != 1 else ''}"


@transaction.atomic
def disconnect(connection: Connection, by: User) -> None:
    """Forget a login's tokens; everything else stays."""
    connections.disconnect(connection)
    text = f"{connection} disconnected by {by}"
    note(connection.owner_id, ActivityKind.LINK, text, severity=Severity.WARNING)
    record(owner=connection.owner, actor=by, action=AuditAction.DISCONNECTED, subject=str(connection))


def refresh_login(connection_id: int, *, refused: int | None = None) -> Refreshed:
    """Renew a login's token and look which accounts it has; who loses a login by it is told.

    `refused` is the version of a token that the broker turned down early.
    """
    outcome = tokens.refresh_token(connection_id, refused=refused)
    if outcome is Refreshed.LOST:
        _lost(Connection.objects.select_related("owner").get(pk=connection_id))
    elif outcome is Refreshed.RENEWED:
        try:
            look_again(connection_id)
        except BrokerError:  # the next renewal looks again; the token is what mattered
            log.warning("login %s: its accounts could not be read", connection_id, exc_info=True)
    return outcome


@transaction.atomic
def _lost(row: Connection) -> None:
    text = f"{row} lost its authorization and copies nothing until you reconnect it"
    note(row.owner_id, ActivityKind.LINK, text, severity=Severity.DANGER)
    record(owner=row.owner, action=AuditAction.CONNECTION_LOST, subject=str(row))
    tell(row.owner, NoticeKind.CONNECTION_LOST, connection=str(row), reason=row.status_reason.rstrip("."))


def look_again(connection_id: int) -> Moved:
    """Follow what accounts a login has now, and write down what has changed; raise `BrokerError`."""
    moved = connections.look_for_accounts(connection_id)
    row = Connection.objects.get(pk=connection_id)
    with transaction.atomic():
        for account in (*moved.came, *moved.beyond):
            ensure_account_risk(account, row.owner_id)
        for accounts, said, severity in (
            (moved.came, "came in", Severity.GOOD),
            (moved.went, "is not there any more and copies nothing", Severity.WARNING),
            (moved.beyond, "is beyond your plan and stays out", Severity.WARNING),
        ):
            _note_each(row, accounts, said, severity)
    return moved


def _note_each(row: Connection, accounts: tuple[Account, ...], said: str, severity: Severity) -> None:
    for account in accounts:
        text = f"{account} of {row} {said}"
        note(row.owner_id, ActivityKind.LINK, text, severity=severity, account=account)


@transaction.atomic
def label(account: Account, by: User, *, folder: str, tags: Mapping[TagKind, Iterable[str]]) -> None:
    """Give an account a folder and tags; raise `InvalidInput`."""
    label_account(account, folder=folder, tags=tags)
    record(
        owner=account.connection.owner,
        actor=by,
        action=AuditAction.ACCOUNT_CHANGED,
        subject=f"labels of {account}",
    )


def alert_down(now: datetime) -> int:
    """Write down and tell which logins have had no link for over a minute; return how many (CONN-06)."""
    with transaction.atomic():
        found = claim_alerts(now)
        for row in found:
            since = row.link_changed_at or row.created_at
            reason = row.link_reason or "the engine has not connected it"
            text = f"{row} has had no link for {int((now - since).total_seconds())} seconds: {reason}"
            note(row.owner_id, ActivityKind.LINK, text, severity=Severity.DANGER)
            tell(row.owner, NoticeKind.LINK_DOWN, connection=str(row), since=since, reason=row.link_reason)
    return len(found)
