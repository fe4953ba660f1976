"""Trouble that the operator orders for the next requests of a user, for tests of clients."""

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum

from brokers.paper.codec import Json


class Trouble(StrEnum):
    """What happens to a request."""

    SILENCE = "silence"
    """Carried out, but never answered."""
    LOSE = "lose"
    """Neither carried out nor answered."""
    LIMIT = "limit"
    """Answered 429 without being carried out."""
    DENY = "deny"
    """Answered 401 without being carried out."""
    PENALTY = "penalty"
    """Answered with a penalty ticket without being carried out."""
    FAIL = "fail"
    """Answered 500 without being carried out."""


class Mischief(StrEnum):
    """What happens to a frame of events on its way to a user."""

    MISS = "miss"
    """It never arrives."""
    DUPLICATE = "duplicate"
    """It arrives twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One piece of trouble; `endpoint` limits it to requests whose path contains that text."""

    trouble: Trouble
    endpoint: str = ""
    seconds: int = 15


class Faults:
    """Trouble waiting for its requests, by user."""

    def __init__(self) -> None:
        self._planned: dict[int, deque[Planned]] = defaultdict(deque)
        self._mischief: dict[int, deque[Mischief]] = defaultdict(deque)
        self._closed_doors = 0

    def plan(self, user_id: int, planned: Planned, times: int = 1) -> None:
        """Order trouble for the user's next requests."""
        self._planned[user_id].extend([planned] * times)

    def close_door(self, times: int) -> None:
        """Refuse the next socket handshakes, whoever comes; before log-in nobody has a name."""
        self._closed_doors = times

    def door_is_closed(self) -> bool:
        """Return whether this handshake is refused, and use the refusal up."""
        if self._closed_doors == 0:
            return False
        self._closed_doors -= 1
        return True

    def disturb(self, user_id: int, mischief: Mischief, times: int = 1) -> None:
        """Order mischief for the user's next frames of events."""
        self._mischief[user_id].extend([mischief] * times)

    def copies(self, user_id: int) -> int:
        """Return how often the user's next frame is to be sent, and use up mischief."""
        waiting = self._mischief[user_id]
        if not waiting:
            return 1
        return 0 if waiting.popleft() is Mischief.MISS else 2

    def strike(self, user_id: int, endpoint: str) -> Planned | None:
        """Return the trouble that this request meets, and use it up."""
        waiting = self._planned[user_id]
        for planned in waiting:
            if planned.endpoint.lower() in endpoint:
                waiting.remove(planned)
                return planned
        return None


def answer(planned: Planned) -> tuple[int, Json | str]:
    """Return status and payload of trouble that answers."""
    match planned.trouble:
        case Trouble.LIMIT:
            return 429, ""
        case Trouble.DENY:
            return 401, "Access is denied"
        case Trouble.PENALTY:
            return 200, {"p-ticket": "paper-ticket", "p-time": planned.seconds, "p-captcha": False}
        case _:
            return 500, ""
