"""The delays between attempts to connect: 1, 2, 4, 8 … 30 seconds, each with its own jitter (CONN-06)."""

from collections.abc import Iterator
from random import Random  # the type only: chance itself is handed in

FIRST = 1.0
LONGEST = 30.0
JITTER = 0.25
"""Share of a delay that chance may add, so that a thousand logins do not knock at the same instant."""


def delays(chance: Random) -> Iterator[float]:
    """Yield the seconds to wait before each further attempt, for ever; chance is an argument."""
    delay = FIRST
    while True:
        yield delay * (1 + chance.random() * JITTER)
        delay = min(delay * 2, LONGEST)
