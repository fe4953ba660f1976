"""Trouble that the operator orders for the next requests of a user, for tests of clients."""

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum

from brokers.paper.codec import Json
from brokers.paper.words import RejectReason


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
    """Answered 500, or another status, without being carried out."""
    REFUSE = "refuse"
    """Answered with a reject reason without being carried out."""


class Mischief(StrEnum):
    """What happens to a frame of events on its way to a user."""

    MISS = "miss"
    """It never arrives."""
    DUPLICATE = "duplicate"
    """It arrives twice."""
    REORDER = "reorder"
    """Its entity types arrive the other way round; the order within a type is kept, as the service does."""
    LATE = "late"
    """It arrives after a while, overtaken by frames behind it."""


class Drill(StrEnum):
    """What an owner can switch on and off for a login or an account of their own."""

    OFFLINE = "offline"
    """The login's sockets are cut, and cut again as soon as they authorise."""
    PENALTY = "penalty"
    """The login's next order is answered with a penalty ticket."""
    REJECT = "reject"
    """The account's next order is accepted and then rejected."""
    PARTIAL = "partial"
    """One contract of the account's next order trades, the rest waits."""

    @property
    def of_login(self) -> bool:
        """Say whether the drill meets a whole login rather than one account."""
        return self in (Drill.OFFLINE, Drill.PENALTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One piece of trouble; `endpoint` limits it to requests whose path contains that text."""

    trouble: Trouble
    endpoint: str = ""
    seconds: int = 15
    captcha: bool = False
    status: int = 500
    reason: RejectReason = RejectReason.UNKNOWN_REASON
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """Mischief for one frame of events."""

    mischief: Mischief
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowness:
    """How long requests wait, in seconds, before they are carried out; `endpoint` limits it as above."""

    seconds: float
    endpoint: str = ""


class Faults:
    """Trouble waiting for its requests, by user."""

    def __init__(self) -> None:
        self._planned: dict[int, deque[Planned]] = defaultdict(deque)
        self._mischief: dict[int, deque[Disturbance]] = defaultdict(deque)
        self._slow: dict[int, Slowness] = {}
        self._closed_doors = 0
        self.offline: set[int] = set()

    def armed(self, user_id: int, trouble: Trouble) -> bool:
        """Return whether a kind of trouble waits for the user's requests."""
        return any(planned.trouble is trouble for planned in self._planned[user_id])

    def disarm(self, user_id: int, trouble: Trouble) -> None:
        """Call a kind of trouble off."""
        left = [planned for planned in self._planned[user_id] if planned.trouble is not trouble]
        self._planned[user_id] = deque(left)

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

    def disturb(self, user_id: int, mischief: Mischief, times: int = 1, *, seconds: float = 0.0) -> None:
        """Order mischief for the user's next frames of events; `seconds` says how late a late one is.

        No times at all call off what still waits.
        """
        if times == 0:
            self._mischief[user_id].clear()
        self._mischief[user_id].extend([Disturbance(mischief=mischief, seconds=seconds)] * times)

    def mischief(self, user_id: int) -> Disturbance | None:
        """Return the mischief that the user's next frame meets, and use it up."""
        waiting = self._mischief[user_id]
        return waiting.popleft() if waiting else None

    def slow_down(self, user_id: int, slowness: Slowness) -> None:
        """Let the user's requests wait from now on; no seconds call it off."""
        self._slow[user_id] = slowness

    def wait_of(self, user_id: int, endpoint: str) -> float:
        """Return how long this request waits, in seconds."""
        slowness = self._slow.get(user_id)
        return slowness.seconds if slowness and slowness.endpoint.lower() in endpoint else 0.0

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
            return 200, {
                "p-ticket": "paper-ticket",
                "p-time": planned.seconds,
                "p-captcha": planned.captcha,
            }
        case Trouble.REFUSE:
            return 200, {"failureReason": planned.reason.value, "failureText": planned.text}
        case _:
            return planned.status, ""
