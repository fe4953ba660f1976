"""`make bench`: the engine beside its floor and beside what open copiers do, as ratios of one run."""

import argparse
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.bench.broker import serve
from tests.bench.subjects import SUBJECTS

FOLLOWERS = (1, 5, 20, 100, 200)
WARM_UP = 20
PRIORITY = -15
SURE = "engine awake"
BESIDE = (
    ("tests.bench.kill", "--rounds", "30", "the kill switch: last cancel written, acknowledged"),
    ("tests.bench.watch", "watching accounts: a price and what it costs"),
)
"""Benches of other things, run after the engine's own, each with the goals that it prints itself."""
GOALS = (
    ("engine 99th at 20 followers under 1 ms", lambda t, who: t[20, who].inside(0.99) < 1_000_000),
    ("wire median within 13 floors at 20", lambda t, who: t[20, who].wire() <= 13 * t[20, "floor"].wire()),
    (
        "20 times faster than sequential REST at 20",
        lambda t, who: t[20, "sequential REST"].wire() >= 20 * t[20, who].wire(),
    ),
    ("wire median within 9 floors at 100", lambda t, who: t[100, who].wire() <= 9 * t[100, "floor"].wire()),
)


@dataclass
class Times:
    """Nanoseconds of one subject: from push to last arrival, and inside its own process."""

    on_wire: list[int]
    within: list[int]
    extra: dict[str, Any]

    def wire(self, share: float = 0.5) -> float:
        """Return a percentile of the way over the wire."""
        return _percentile(self.on_wire, share)

    def inside(self, share: float = 0.5) -> float:
        """Return a percentile of the time inside the process."""
        return _percentile(self.within, share)


def _percentile(values: list[int], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def measure(name: str, followers: int, events: int) -> Times:
    """Run one subject against a fresh broker."""
    context = multiprocessing.get_context("spawn")
    broker_here, broker_there = context.Pipe()
    subject_here, subject_there = context.Pipe()
    total = events + WARM_UP
    broker = context.Process(target=serve, args=(broker_there, followers, total), daemon=True)
    broker.start()
    ports = broker_here.recv()
    subject = context.Process(
        target=SUBJECTS[name], args=(subject_there, ports, followers, total), daemon=True
    )
    subject.start()
    if not subject_here.poll(60) or subject_here.recv() != "ready":
        raise RuntimeError(f"{name} did not come up")
    broker_here.send("go")
    wire = broker_here.recv()
    found = subject_here.recv()
    broker_here.send("bye")
    for process in (subject, broker):
        process.join(5)
        process.kill()
    return Times(on_wire=wire[WARM_UP:], within=found.pop("inside")[WARM_UP:], extra=found)


def run(rounds: int, events: int) -> dict[tuple[int, str], Times]:
    """Let the subjects take turns, round after round, and put their times together."""
    table: dict[tuple[int, str], Times] = {}
    for _ in range(rounds):
        for followers in FOLLOWERS:
            for name in SUBJECTS:
                count = max(10, min(events, 2000 // followers)) if name == "sequential REST" else events
                found = measure(name, followers, count)
                known = table.setdefault((followers, name), Times([], [], found.extra))
                known.on_wire += found.on_wire
                known.within += found.within
                sys.stderr.write(".")
                sys.stderr.flush()
    return table


def report(table: dict[tuple[int, str], Times]) -> bool:
    """Print the table and the goals; return whether every goal was reached."""
    out = sys.stdout.write
    out("\nmicroseconds: median / 99th; ratios of wire medians\n\n")
    out(f"{'followers':>9}  {'subject':<16} {'inside':>17} {'wire':>17} {'x floor':>8} {'REST x':>8}\n")
    for (followers, name), times in table.items():
        floor_wire = table[followers, "floor"].wire()
        rest = table[followers, "sequential REST"].wire()
        inside = f"{times.inside() / 1000:.0f} / {times.inside(0.99) / 1000:.0f}"
        wire = f"{times.wire() / 1000:.0f} / {times.wire(0.99) / 1000:.0f}"
        out(f"{followers:>9}  {name:<16} {inside:>17} {wire:>17}")
        out(f" {times.wire() / floor_wire:>8.1f} {rest / times.wire():>8.1f}\n")
    memory = statistics.median(
        times.extra["memory_kb"] for (n, name), times in table.items() if name == "engine" and n >= 100
    )
    out(f"\nengine memory for each connected login: {memory:.0f} KB\n\n")
    reached = [(f"{who}: {text}", goal(table, who)) for who in ("engine", SURE) for text, goal in GOALS]
    for text, good in reached:
        out(f"{'reached' if good else 'MISSED '}  {text}\n")
    return all(good for _, good in reached)


def main() -> int:
    """Take the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--json", help="also write the medians to this file")
    chosen = parser.parse_args()
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)  # all alike; an engine asks for it too
    table = run(chosen.rounds, chosen.events)
    good = report(table)
    if chosen.json:
        rows = {
            f"{n} {name}": [t.inside(), t.inside(0.99), t.wire(), t.wire(0.99)]
            for (n, name), t in table.items()
        }
        with open(chosen.json, "w") as file:
            json.dump(rows, file, indent=1)
    for name in BESIDE:
        sys.stdout.write(f"\n{name[-1]}\n\n")
        sys.stdout.flush()
        good = subprocess.run([sys.executable, "-m", *name[:-1]], check=False).returncode == 0 and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
