"""The process's clocks: one that counts through everything, and UTC that never steps back.

Wall time is asked once, at the start, and then counted on with the monotonic clock. A clock that the machine
corrects later would put an answer before its question (fault F48).
"""

import time

from brokers.ports import Clock
from tradehaven.domain.ids import Nanos

_COUNTS_SLEEP = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def process_clock() -> Clock:
    """Return a clock anchored now."""
    offset = time.time_ns() - time.monotonic_ns()
    monotonic_ns = time.monotonic_ns
    return Clock(nanos=lambda: Nanos(monotonic_ns() + offset), monotonic=time.monotonic)


def seconds_of_life() -> float:
    """Return seconds that pass while the process is stopped, and while the machine is asleep.

    The monotonic clock stands still in a machine's sleep; the one that does not is used where there is one.
    """
    return time.clock_gettime(_COUNTS_SLEEP)
