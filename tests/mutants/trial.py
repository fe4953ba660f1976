"""Tries mutants inside one test run: first every test as it is, then each mutant in a child of its own.

The first pass notes which test reaches which line and how long it takes. A mutant then meets the tests that
reach it, those of its module first, by turns those that reach most of it and the quickest, until one fails or
their seconds are used up.
"""

import ast
import gc
import importlib
import os
import selectors
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, zip_longest
from pathlib import Path

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.grafting import Living, forget, functions_of, graft
from tests.mutants.mutations import Mutant, mutants_of, mutated

SECONDS = 5.0
"""So long may the tests of one mutant take, as they took without it."""
QUICK = 0.1
"""Seconds beyond which a test waits until the quick ones have had their turn."""
PATIENCE = 20.0
"""Seconds beyond that after which a mutant counts as one that never ends."""


class Verdict(StrEnum):
    """What became of a mutant. What `raises` cannot even be put in place, or dies of itself."""

    KILLED = "killed"
    ENDLESS = "endless"
    RAISES = "raises"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant and its fate; `tests` is how many tests met it at most."""

    mutant: Mutant
    verdict: Verdict
    tests: int


@dataclass
class Trial:
    """The plugin: hand it to `pytest.main` with the modules to change."""

    modules: tuple[str, ...]
    jobs: int
    tell: Callable[[Tried], None]
    _seconds: dict[str, float] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._files = {name: str(Path(name.replace(".", "/") + ".py").absolute()) for name in self.modules}
        self._coverage = coverage.Coverage(
            data_file=None, include=list(self._files.values()), config_file=False
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note which lines a test reaches."""
        forget()
        self._coverage.switch_context(item.nodeid)
        began = time.process_time()  # a machine that is busy elsewhere makes no test a slow one
        result = yield
        self._seconds[item.nodeid] = time.process_time() - began
        self._coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which tests fail by themselves: they prove nothing."""
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Run the tests as they are, then the mutants."""
        self._coverage.start()
        result = yield
        self._coverage.stop()
        living = {name: functions_of(importlib.import_module(name)) for name in self.modules}
        gc.collect()
        gc.freeze()  # children write to no page of what is there already
        items = {item.nodeid: item for item in session.items if item.nodeid not in self._failed}
        self._try_all(items, living)
        return result

    def _try_all(self, items: dict[str, pytest.Item], living: dict[str, Living]) -> None:
        with selectors.DefaultSelector() as running:
            for work in self._works(items, living):
                while len(running.get_map()) >= self.jobs:
                    self._reap(running)
                running.register(work.result, selectors.EVENT_READ, work)
            while running.get_map():
                self._reap(running)

    def _works(self, items: dict[str, pytest.Item], living: dict[str, Living]) -> Iterator["_Work"]:
        data = self._coverage.get_data()
        for name, file in self._files.items():
            source = Path(file).read_text()
            reached = {line: set(tests) for line, tests in data.contexts_by_lineno(file).items()}
            everything = set().union(*reached.values()) if reached else set()
            reach = Counter(chain.from_iterable(reached.values()))
            for mutant in mutants_of(name, source):
                lines = range(mutant.first, mutant.last + 1)
                is_constant = mutant.function == "the module"
                # A module of values alone is reached by none: whoever reads them may know them.
                near = (
                    everything or set(items)
                    if is_constant
                    else set().union(*(reached.get(line, ()) for line in lines))
                )
                chosen = [items[test] for test in self._nearest(near & items.keys(), name, reach)]
                tree = mutated(source, mutant)
                yield _start(mutant, tree, living[name], chosen, self._expected(chosen))

    def _nearest(self, tests: set[str], module: str, reach: Counter[str]) -> Iterator[str]:
        """Yield tests for as many seconds as there are: quick ones first, the module's own before all others.

        By turns what reaches most of the module, for that is likely to be about it, and what is over soonest.
        """
        left, own = SECONDS, f"/test_{module.rpartition('.')[2]}"

        def rank(test: str) -> tuple[bool, bool]:
            return self._seconds[test] > QUICK, own not in test

        most = sorted(tests, key=lambda test: (*rank(test), -reach[test], test))
        soonest = sorted(tests, key=lambda test: (*rank(test), self._seconds[test], test))
        for test in dict.fromkeys(chain.from_iterable(zip(most, soonest, strict=True))):
            yield test  # one at least, however slow
            left -= self._seconds[test]
            if left < 0:
                return

    def _expected(self, items: list[pytest.Item]) -> float:
        return sum(self._seconds[item.nodeid] for item in items)

    def _reap(self, running: selectors.BaseSelector) -> None:
        for key, _ in running.select(timeout=0.5):
            running.unregister(key.fileobj)
            self.tell(key.data.end())
        for key in list(running.get_map().values()):
            if time.monotonic() > key.data.until:
                running.unregister(key.fileobj)
                self.tell(key.data.give_up())


@dataclass(frozen=True, slots=True)
class _Work:
    """A child that tries one mutant; it writes one letter into the pipe when it knows."""

    mutant: Mutant
    tests: int
    process: int
    result: int
    until: float

    def end(self) -> Tried:
        said = os.read(self.result, 1)
        return self._over({b"K": Verdict.KILLED, b"S": Verdict.SURVIVED}.get(said, Verdict.RAISES))

    def give_up(self) -> Tried:
        os.kill(self.process, signal.SIGKILL)
        return self._over(Verdict.ENDLESS)

    def _over(self, verdict: Verdict) -> Tried:
        os.close(self.result)
        os.waitpid(self.process, 0)
        return Tried(self.mutant, verdict, self.tests)


def _start(
    mutant: Mutant, tree: ast.Module, living: Living, items: list[pytest.Item], seconds: float
) -> _Work:
    readable, writable = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(readable)
        _child(mutant, tree, living, items, writable)
    os.close(writable)
    return _Work(mutant, len(items), process, readable, time.monotonic() + PATIENCE + 4 * seconds)


def _child(mutant: Mutant, tree: ast.Module, living: Living, items: list[pytest.Item], writable: int) -> None:
    """Try one mutant and leave without a word of the parent's; never returns."""
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stdout.fileno())
        os.dup2(silence, sys.stderr.fileno())
        graft(importlib.import_module(mutant.module), tree, living, mutant.first)
        forget()
        os.write(writable, b"K" if _fails(items) else b"S")
    finally:
        os._exit(0)


def _fails(items: list[pytest.Item]) -> bool:
    for item, following in zip_longest(items, items[1:]):
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
            return True
    return False
