"""Logins as people and processes see them: what `brokers` does, with guards and the activity log."""

from django.db import transaction

from accounts.models import User
from brokers.models import Connection
from brokers.services import connections
from brokers.services.connections import Connected, Refreshed
from risk.services.gates import ensure_account_risk, ensure_owner_gate
from syncgroups.models import ActivityKind, Severity
from syncgroups.services.activity import note
from tradehaven.domain.errors import BrokerError, InvalidInput


def finish_connect(owner: User, state: str, code: str) -> Connected:
    """Bring a login in, with a gate for each account; raise `ConsentFailed` or `BrokerError`."""
    try:
        redeemed = connections.redeem(owner, state, code)
    except (InvalidInput, BrokerError) as error:
        note(owner.pk, ActivityKind.LINK, f"Connecting a login failed: {error}", severity=Severity.DANGER)
        raise
    with transaction.atomic():
        done = connections.store_login(owner, redeemed)
        ensure_owner_gate(owner.pk)
        for account in done.accounts:
            ensure_account_risk(account, owner.pk)
        verb = "connected" if done.is_new else "reconnected"
        count = len(done.accounts)
        text = f"{done.connection} {verb} with {count} account{'s' if count != 1 else ''}"
        note(owner.pk, ActivityKind.LINK, text, severity=Severity.GOOD)
    return done


@transaction.atomic
def disconnect(connection: Connection, by: User) -> None:
    """Forget a login's tokens; everything else stays."""
    connections.disconnect(connection)
    note(
        connection.owner_id,
        ActivityKind.LINK,
        f"{connection} disconnected by {by}",
        severity=Severity.WARNING,
    )


def refresh_login(connection_id: int, *, refused: bool = False) -> Refreshed:
    """Renew a login's token, also one that was refused early; a login that is lost by it is written down."""
    outcome = connections.refresh_token(connection_id, refused=refused)
    if outcome is Refreshed.LOST:
        row = Connection.objects.get(pk=connection_id)
        text = f"{row} lost its authorization and copies nothing until you reconnect it"
        note(row.owner_id, ActivityKind.LINK, text, severity=Severity.DANGER)
    return outcome
