"""`make mutants`: every small mistake in the heart, against the tests that reach it.

`MODULES="syncgroups.core.place risk.core.guard"` chooses modules, `TESTS` the tests that they meet.
"""

import argparse
import os
import sys
from collections import Counter

import hypothesis
import pytest

from tests.mutants.equivalents import Known
from tests.mutants.heart import HEART, tests_of
from tests.mutants.trial import Trial, Tried, Verdict

EXAMPLES = 25
"""Of each property: enough beside the examples, and the same ones each time."""


def main() -> int:
    """Take the modules, try, print; fail where a mutant is left."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("modules", nargs="*", default=(os.environ.get("MODULES") or "").split())
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS") or os.cpu_count() or 1))
    parser.add_argument("--tests", nargs="*", default=(os.environ.get("TESTS") or "").split())
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradehaven.settings.test")
    hypothesis.settings.register_profile(
        "mutants", max_examples=EXAMPLES, database=None, deadline=None, derandomize=True
    )
    hypothesis.settings.load_profile("mutants")
    modules = tuple(chosen.modules) or HEART
    report = Report(Known())
    trial = Trial(modules, chosen.jobs, report.take)
    quiet = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:faulthandler"]
    pure = ["-m", "not django_db and not slow and not journey and not browser"]
    code = pytest.main([*quiet, *pure, *(chosen.tests or tests_of(modules))], plugins=[trial])
    report.end(modules)
    return int(code) or len(report.left)


class Report:
    """Counts what was tried, and keeps what is left."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._counts: dict[str, Counter[str]] = {}
        self.left: list[Tried] = []

    def take(self, tried: Tried) -> None:
        """Count one mutant; one that is left is told at once."""
        counts = self._counts.setdefault(tried.mutant.module, Counter())
        counts["tried"] += 1
        if tried.verdict is not Verdict.SURVIVED:
            counts[tried.verdict] += 1
        elif self._known.excuses(tried.mutant):
            counts["equivalent"] += 1
        else:
            counts["left"] += 1
            self.left.append(tried)
            _say(f"left  {tried.mutant}  ({tried.tests} tests)")

    def end(self, modules: tuple[str, ...]) -> None:
        """Print the table."""
        kinds = (
            "tried",
            *(verdict for verdict in Verdict if verdict is not Verdict.SURVIVED),
            "equivalent",
            "left",
        )
        total: Counter[str] = Counter()
        _say("", f"{'module':36}" + "".join(f"{kind:>12}" for kind in kinds))
        for module, counts in self._counts.items():
            _say(f"{module:36}" + "".join(f"{counts[kind]:>12,}" for kind in kinds))
            total += counts
        _say(f"{'all':36}" + "".join(f"{total[kind]:>12,}" for kind in kinds), "")
        for row in self._known.unmet(modules):
            _say("listed as equivalent, and met by no mutant that survived: " + "  ".join(row))


def _say(*lines: str) -> None:
    sys.__stdout__.write("".join(f"{line}\n" for line in lines))  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


if __name__ == "__main__":
    sys.exit(main())
