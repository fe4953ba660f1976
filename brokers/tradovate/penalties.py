"""Commands that the broker answered with a penalty ticket, until they may be repeated (protocol 4.3).

None of them was carried out. Each is repeated once, word for word with its ticket, unless it would open
something late by then.
"""

from dataclasses import dataclass

from brokers.tradovate.mapping import with_ticket
from tradehaven.domain.commands import Command, Lane
from tradehaven.domain.errors import RateLimited
from tradehaven.domain.ids import ClientOrderId

FRESH = 2.0
"""Seconds after which an order must not open anything any more (reliability anchors, F01, F24)."""


@dataclass(frozen=True, slots=True)
class Penalised:
    """A command that may be repeated with its ticket from `due` on (monotonic seconds)."""

    due: float
    command: Command
    body: bytes
    ticket: str

    @property
    def repeat(self) -> bytes:
        """Return the body to send."""
        return with_ticket(self.body, self.ticket)


class Penalties:
    """The penalised commands of one socket."""

    def __init__(self) -> None:
        self._waiting: list[Penalised] = []

    def keep(self, command: Command, body: bytes, error: RateLimited, *, asked_at: float, now: float) -> bool:
        """Keep a command for its repeat; False when there must be none. Times are monotonic seconds."""
        due = now + error.retry_after
        stale = command.lane is Lane.ENTRY and due - asked_at > FRESH
        if not error.ticket or error.captcha or stale:
            return False
        self._waiting.append(Penalised(due, command, body, error.ticket))
        return True

    def take_due(self, now: float) -> list[Penalised]:
        """Return the commands whose time has come, and forget them."""
        due = [item for item in self._waiting if item.due <= now]
        self._waiting = [item for item in self._waiting if item.due > now]
        return due

    def take_all(self) -> list[Penalised]:
        """Return every command, and forget them: the socket is gone."""
        left, self._waiting = self._waiting, []
        return left

    def client_ids(self) -> set[ClientOrderId]:
        """Return the ids of the commands that wait: no list of the broker's can have them yet."""
        return {item.command.client_order_id for item in self._waiting}
