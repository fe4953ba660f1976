"""`make drill`: seeds by the thousand, one told in full (`REPLAY=seed`), or switches (`PRESSES=1000`)."""

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterable

from tests.drill import presses
from tests.drill.grammar import script_of
from tests.drill.laws import check
from tests.drill.script import Script
from tests.drill.shrink import described, shrunk
from tests.drill.story import story
from tests.drill.tally import Tally, hush, tally
from tests.drill.world import drill

CHUNK = 100
TOLD_IN_FULL = 3
"""Failing seeds that are shrunk and told at the end of a run."""


def main() -> int:
    """Take the arguments, drill, print."""
    parser = argparse.ArgumentParser(prog="make drill")
    parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS") or 2000))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 0))
    parser.add_argument("--replay", type=int, default=_number("REPLAY"))
    parser.add_argument("--presses", type=int, default=_number("PRESSES"))
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS") or 1))
    chosen = parser.parse_args()
    hush()
    if chosen.replay is not None:
        return _tell(chosen.replay)
    if chosen.presses is not None:
        return _press(range(chosen.seed, chosen.seed + chosen.presses), chosen.jobs)
    total = _run(range(chosen.seed, chosen.seed + chosen.runs), chosen.jobs)
    _say("", *total.lines())
    for seed in sorted(total.failed)[:TOLD_IN_FULL]:
        _tell(seed)
    return 1 if total.failed else 0


def _press(seeds: range, jobs: int) -> int:
    """Press the kill switch once for each seed, with orders on their way (F37); print what that broke."""
    flying: list[int] = []
    failed: dict[int, list[str]] = {}
    with multiprocessing.get_context("spawn").Pool(jobs, hush) as pool:
        for seed, count, found in pool.imap(presses.told, seeds, CHUNK // 10):
            flying.append(count)
            failed |= {seed: found} if found else {}
            sys.stderr.write(f"\r{len(flying):,} presses, {len(failed)} failed")
    ten = sum(count >= 10 for count in flying)
    _say("", f"presses   {len(flying):,}, {ten:,} of them with ten orders or more on their way", "")
    _say(*(f"seed {seed}: {text}" for seed, found in sorted(failed.items()) for text in found))
    return 1 if failed else 0


def _number(name: str) -> int | None:
    value = os.environ.get(name)
    return int(value) if value else None


def _run(seeds: Iterable[int], jobs: int) -> Tally:
    """Drill each seed with its faults, and every tenth without any as well."""
    asked = [signed for seed in seeds for signed in ((seed, -seed) if seed and seed % 10 == 0 else (seed,))]
    chunks = [asked[start : start + CHUNK] for start in range(0, len(asked), CHUNK)]
    total, began = Tally(), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(jobs, hush) as pool:
        for found in pool.imap(tally, chunks):
            _merge(total, found)
            _progress(total, found)
    total.seconds = time.monotonic() - began
    return total


def _merge(total: Tally, found: Tally) -> None:
    total.seeds += found.seeds
    total.entries += found.entries
    total.events += found.events
    total.requests += found.requests
    total.faults += found.faults
    total.crashes.update(found.crashes)
    total.failed.update(found.failed)


def _progress(total: Tally, found: Tally) -> None:
    """Say how far it is; a night's run says at once what it found."""
    for seed, broken in found.failed.items():
        sys.stderr.write(f"\rseed {seed} breaks {', '.join(sorted({one.law for one in broken}))}\n")
    sys.stderr.write(f"\r{total.seeds:,} drills, {len(total.failed)} failed")
    sys.stderr.flush()


def _tell(seed: int) -> int:
    """Tell one seed: what it breaks, the shortest script that breaks it too, and that one's history."""
    script = script_of(seed)
    broken = check(drill(script))
    if broken:
        laws = {violation.law for violation in broken}
        script = shrunk(script, lambda candidate: _breaks(candidate, laws))
    history = drill(script)
    _say("", f"seed {seed}, commit {_commit()}", *(f"{v.law}: {v.text}" for v in check(history)), "")
    _say(*described(script), "", *story(history))
    return 1 if broken else 0


def _breaks(script: Script, laws: set[str]) -> bool:
    return bool(laws & {violation.law for violation in check(drill(script))})


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return asked.stdout.strip() or "unknown"


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
