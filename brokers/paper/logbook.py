"""The exchange's own record of requests received and events sent out, for checkers and support.

Append-only and bounded; secrets never enter it. It lives as long as the process.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from itertools import count

from brokers.paper.codec import Json, instant, to_wire
from brokers.paper.records import Frame

_KEEP = 200_000
_SECRET = frozenset(
    {"password", "sec", "client_secret", "code", "code_verifier", "refresh_token", "httpauth"}
)


class Logbook:
    """Numbered entries with times."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._entries: deque[Json] = deque(maxlen=_KEEP)
        self._numbers = count(1)

    def request(self, *, user_id: int | None, via: str, endpoint: str, query: Json, body: Json) -> None:
        """Note a request as it came, without secrets."""
        members = {**query, **body}
        shown = {name: value for name, value in members.items() if name.lower() not in _SECRET}
        self._append(
            {"what": "request", "userId": user_id, "via": via, "endpoint": endpoint, "params": shown}
        )

    def reply(self, *, user_id: int, endpoint: str, payload: object) -> None:
        """Note what an accepted order request is answered."""
        self._append({"what": "reply", "userId": user_id, "endpoint": endpoint, "payload": payload})

    def events(self, frame: Frame) -> None:
        """Note the events of one frame."""
        for event in frame:
            self._append(
                {
                    "what": "event",
                    "accountId": event.account_id,
                    "entityType": event.kind.value,
                    "eventType": event.event_type.value,
                    "entity": to_wire(event.entity),
                }
            )

    def since(self, number: int, *, account_id: int | None = None, user_id: int | None = None) -> list[Json]:
        """Return the entries after a number, of one account or user if asked."""
        return [
            entry
            for entry in self._entries
            if entry["seq"] > number
            and account_id in (None, entry.get("accountId"))
            and user_id in (None, entry.get("userId"))
        ]

    def _append(self, entry: Json) -> None:
        self._entries.append({"seq": next(self._numbers), "at": instant(self._clock()), **entry})
