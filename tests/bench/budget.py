"""What the budget costs and saves: the time of one admission, and the calls of a stop that is dragged.

`python -m tests.bench.budget` prints both. The drag runs through the real book, mailbox, links and governors
on a clock that stands still, so its figures are exact.
"""

import sys
import tempfile
import time
from pathlib import Path

from brokers.core.budget import CallLimits
from brokers.core.governor import Governor
from syncgroups.tests.budget_room import Room
from tradehaven.domain.commands import ChangeOrder, Lane
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import Nanos

ROUNDS = 200_000
STEPS, FOLLOWERS = 50, 20


def admission() -> float:
    """Return the nanoseconds of one call that is let through, with a window that slides all the time."""
    governor, now = Governor(CallLimits(per_minute=10_000, per_hour=500_000)), 0
    began = time.process_time_ns()  # of the processor: what else runs on the machine does not count
    for _ in range(ROUNDS):
        now += 10_000_000
        governor.admit(Lane.ENTRY, Nanos(now))
    return (time.process_time_ns() - began) / ROUNDS


def drag(seconds: float, *, one_login: bool) -> tuple[int, float]:
    """Return the calls of a drag, and the seconds from its end to the last follower's latest price."""
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder), followers=FOLLOWERS, one_login=one_login)
        room.world.market(Side.BUY, 1)
        room.world.settle()
        stop = room.world.trade(Side.SELL, 1, OrderType.STOP, stop=19_900)
        room.world.settle()
        room.wait(62)
        for step in range(1, STEPS + 1):
            room.world.change(stop, stop=19_900 + step)
            room.world.settle()
            dropped = room.world.now
            room.wait(seconds / STEPS)
        room.wait(120)
        changes = [(at, command) for at, command in room.calls if isinstance(command, ChangeOrder)]
        return len(changes), max(at - dropped for at, _ in changes) / 1e9


def main() -> None:
    """Measure and print."""
    out = sys.stdout.write
    out(f"one admission: {min(admission() for _ in range(3)):.0f} ns\n")
    for one_login in (True, False):
        for seconds in (1, 4):
            calls, late = drag(seconds, one_login=one_login)
            where = "one login" if one_login else f"{FOLLOWERS} logins"
            out(f"{STEPS} steps in {seconds} s, {FOLLOWERS} followers, {where}: {calls} calls")
            out(f" of {STEPS * FOLLOWERS}, the last version {late:.2f} s after the last step\n")


if __name__ == "__main__":
    main()
