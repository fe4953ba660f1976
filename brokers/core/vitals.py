"""How a login's link feels: round trips of heartbeats and of order acknowledgements (CONN-10). Pure.

The gateway drops a number in and goes on; sorting is left to whoever asks, some seconds apart.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from tradehaven.domain.ids import Nanos

DROPS_AN_HOUR = 3
"""More than so many drops of a link in an hour are worth a warning (CONN-06)."""
KEPT = 200
"""Samples of each kind: half an hour of heartbeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Medians and 99th percentiles in seconds, None without samples; `heard_at` in UTC nanoseconds."""

    heard_at: Nanos
    beat_p50: float | None = None
    beat_p99: float | None = None
    ack_p50: float | None = None
    ack_p99: float | None = None


class Vitals:
    """The newest samples of one login, kept across its sockets."""

    __slots__ = ("_acks", "_beats", "heard_at")

    def __init__(self) -> None:
        self.heard_at = Nanos(0)
        self._beats: deque[float] = deque(maxlen=KEPT)
        self._acks: deque[float] = deque(maxlen=KEPT)

    def beat(self, seconds: float) -> None:
        """Note how long a heartbeat took there and back."""
        self._beats.append(seconds)

    def ack(self, seconds: float) -> None:
        """Note how long an order waited for its answer."""
        self._acks.append(seconds)

    def figures(self) -> Figures:
        """Return what the samples amount to."""
        return Figures(
            heard_at=self.heard_at,
            beat_p50=nearest_rank(self._beats, 50),
            beat_p99=nearest_rank(self._beats, 99),
            ack_p50=nearest_rank(self._acks, 50),
            ack_p99=nearest_rank(self._acks, 99),
        )


def nearest_rank(values: Collection[float], percent: int) -> float | None:
    """Return the value that `percent` of a hundred do not exceed, None without values."""
    if not values:
        return None
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank, 1) - 1]
