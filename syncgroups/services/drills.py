"""Fire drills: an owner breaks their own paper logins on purpose, to see what copying does then.

The exchange does what is asked; here it is written into the log, so that nobody takes a drill for
the real thing afterwards.
"""

from brokers.models import Account, Connection
from brokers.paper import remote
from brokers.paper.faults import Drill
from syncgroups.models import ActivityKind, Severity
from syncgroups.services.activity import note

WORDS = {
    Drill.OFFLINE: "sockets lost",
    Drill.PENALTY: "penalty ticket for the next order",
    Drill.REJECT: "next order rejected",
    Drill.PARTIAL: "one contract of the next order fills",
}


def switch_login(connection: Connection, drill: Drill, *, on: bool) -> str:
    """Switch a drill of a login; return what was done in words. Raise `Unavailable` without an exchange."""
    remote.switch(drill, connection.broker_user_id, on=on)
    return _noted(connection.owner_id, connection.name, drill, on=on)


def switch_account(account: Account, drill: Drill, *, on: bool) -> str:
    """Switch a drill of an account; return what was done in words. Raise `Unavailable` as above."""
    remote.switch(drill, account.broker_account_id, on=on)
    return _noted(account.connection.owner_id, account.name, drill, on=on, account=account)


def _noted(owner_id: int, name: str, drill: Drill, *, on: bool, account: Account | None = None) -> str:
    text = (
        f"Fire drill on {name}: {WORDS[drill]}" if on else f"Fire drill on {name} called off: {WORDS[drill]}"
    )
    severity = Severity.WARNING if on else Severity.GOOD
    note(owner_id, ActivityKind.LINK, text, severity=severity, account=account)
    return text
