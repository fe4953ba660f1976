"""The exchange's own record of requests received and events sent out, for checkers and support.

Append-only and bounded; secrets never enter it. It lives as long as the process.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from brokers.paper.codec import Json, instant, to_wire
from brokers.paper.records import Event, Frame

_KEEP = 100_000
_SECRET = frozenset(
    {"password", "sec", "client_secret", "code", "code_verifier", "refresh_token", "httpauth"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened; events are kept as they are and put into words only when asked for."""

    seq: int
    at: datetime
    user_id: int | None = None
    account_id: int | None = None
    what: Json | Event

    def shown(self) -> Json:
        """Return the entry as the operator sees it."""
        head: Json = {"seq": self.seq, "at": instant(self.at)}
        if not isinstance(self.what, Event):
            return {**head, "userId": self.user_id, **self.what}
        return {
            **head,
            "what": "event",
            "accountId": self.account_id,
            "entityType": self.what.kind.value,
            "eventType": self.what.event_type.value,
            "entity": to_wire(self.what.entity),
        }


class Logbook:
    """Numbered entries with times."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=_KEEP)
        self._numbers = count(1)

    def request(self, *, user_id: int | None, via: str, endpoint: str, query: Json, body: Json) -> None:
        """Note a request as it came, without secrets."""
        members = {**query, **body}
        shown = {name: value for name, value in members.items() if name.lower() not in _SECRET}
        what = {"what": "request", "via": via, "endpoint": endpoint, "params": shown}
        self._append(what, user_id=user_id)

    def reply(self, *, user_id: int, endpoint: str, payload: object) -> None:
        """Note what an accepted order request is answered."""
        self._append({"what": "reply", "endpoint": endpoint, "payload": payload}, user_id=user_id)

    def events(self, frame: Frame) -> None:
        """Note the events of one frame."""
        for event in frame:
            self._append(event, account_id=event.account_id)

    def since(self, number: int, *, account_id: int | None = None, user_id: int | None = None) -> list[Json]:
        """Return the entries after a number, of one account or user if asked."""
        return [
            entry.shown()
            for entry in self._entries
            if entry.seq > number
            and account_id in (None, entry.account_id)
            and user_id in (None, entry.user_id)
        ]

    def _append(
        self, what: Json | Event, *, user_id: int | None = None, account_id: int | None = None
    ) -> None:
        entry = Entry(
            seq=next(self._numbers), at=self._clock(), user_id=user_id, account_id=account_id, what=what
        )
        self._entries.append(entry)
