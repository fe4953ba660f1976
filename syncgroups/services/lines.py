"""Lines of the activity log as the recorder writes them: gathered while a batch is read, written at once."""

from dataclasses import dataclass, field
from typing import Any

from brokers.models import Account
from brokers.services.facts import moment
from syncgroups.core.threads import thread_of_key
from syncgroups.models import Activity, ActivityKind, Severity, SyncGroup
from tradehaven.domain.ids import AccountId, GroupId, Nanos, OwnerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Account and group names of the rows that a batch touches, read once, and the lines that it adds."""

    accounts: dict[int, str]
    groups: frozenset[int]
    lines: list[Activity] = field(default_factory=list)

    def account(self, account: AccountId) -> str:
        """Return an account's name, or its number when it is gone."""
        return self.accounts.get(account, str(account))

    def group(self, group: GroupId | None) -> int | None:
        """Return a group's row, or None when it is gone."""
        return group if group in self.groups else None


def names_of(owner: OwnerId) -> Names:
    """Return the names that an owner's records need."""
    accounts = Account.objects.filter(connection__owner_id=owner).values_list("pk", "name")
    groups = SyncGroup.objects.filter(owner_id=owner).values_list("pk", flat=True)
    return Names(accounts=dict(accounts), groups=frozenset(groups))


def log(
    owner: OwnerId,
    kind: ActivityKind,
    at: Nanos,
    text: str,
    names: Names,
    *,
    severity: Severity = Severity.INFO,
    reason: str = "",
    weighed: dict[str, Any] | None = None,
    account: AccountId | None = None,
    group: GroupId | None = None,
    key: str = "",
    symbol: str = "",
    thread: str = "",
) -> None:
    """Add one line to the activity log; `write_lines` writes what came together.

    The leader's order that it belongs to follows from the key, where `thread` does not name it.
    """
    line = Activity(
        owner_id=owner,
        kind=kind,
        at=moment(at),
        text=text[:300],
        severity=severity,
        reason=reason,
        weighed=weighed,
        account_id=account if account in names.accounts else None,
        group_id=names.group(group),
        key=key,
        symbol=symbol,
        thread=thread or thread_of_key(key),
    )
    names.lines.append(line)


def write_lines(names: Names) -> None:
    """Write the lines of a batch, in the order in which they came."""
    Activity.objects.bulk_create(names.lines)
    names.lines.clear()
