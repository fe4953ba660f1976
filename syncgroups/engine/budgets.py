"""The governors of all logins: made once for the engine's life, however often links come and go."""

from brokers.core.budget import Usage
from brokers.core.governor import Governor
from syncgroups.engine.plans import BudgetRow
from tradehaven.domain.ids import ConnectionId, Nanos


class Budgets:
    """One governor for each login as the broker counts them; a login that two people connected has one."""

    def __init__(self) -> None:
        self._governors: dict[tuple[str, int], Governor] = {}
        self._logins: dict[ConnectionId, tuple[str, int]] = {}
        self._told: dict[ConnectionId, Usage] = {}

    def governor(self, connection: ConnectionId, row: BudgetRow, now: Nanos) -> Governor:
        """Return a login's governor; a new one takes over what the rows know of its past."""
        self._logins[connection] = row.login
        governor = self._governors.get(row.login)
        if governor is None:
            governor = self._governors[row.login] = Governor(row.limits)
            governor.remember(row.usage, row.used_at)
        if row.silent_until > max(now, governor.silent_until):
            governor.silence(row.silent_until, now)
        return governor

    def fresh(self, now: Nanos) -> dict[ConnectionId, Usage]:
        """Return the figures that pages do not have yet, of logins that are or were in use."""
        found = {
            connection: usage
            for connection, login in self._logins.items()
            if (usage := self._governors[login].usage(now)) != self._told.get(connection) or usage.minute
        }
        self._told.update(found)
        return found
