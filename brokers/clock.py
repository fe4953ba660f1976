"""The process's clock: UTC that never steps back, because it is read from the monotonic clock.

Wall time is asked once, at the start. A clock that the machine corrects later would put an answer before
its question (fault F48).
"""

import time

from brokers.ports import Clock
from tradehaven.domain.ids import Nanos


def process_clock() -> Clock:
    """Return a clock anchored now."""
    offset = time.time_ns() - time.monotonic_ns()
    monotonic_ns = time.monotonic_ns
    return Clock(nanos=lambda: Nanos(monotonic_ns() + offset), monotonic=time.monotonic)
