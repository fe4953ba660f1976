"""Runs the Procfile's processes side by side, with the repairs that the runner library needs.

One dead process stops all: a copier that is half alive is worse than one that is seen to be down. A
launcher that is killed takes everything with it, the engine first of all.
"""

import ctypes
import signal
import sys
from collections.abc import Mapping
from typing import Any

from honcho import manager, process

from launcher.words import say

KILL_WAIT = 15
"""Seconds that the processes have to leave: the engine drains within ten."""
_PDEATHSIG = 1
_BY_HAND = (130, 143)
"""What the library reports after Ctrl-C and SIGTERM."""


def _die_with(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, number, 0, 0, 0)


class _Popen(process.Popen):  # type: ignore[misc]  # the library ships no types
    def __init__(self, command: str, **options: Any) -> None:
        # Without `exec` a shell would stand between us and the process, and take its signals.
        super().__init__(f"exec {command}", preexec_fn=lambda: _die_with(signal.SIGTERM), **options)


class _Process(process.Process):  # type: ignore[misc]
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._child_ctor = _Popen

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        _die_with(signal.SIGKILL)
        super().run(events, ignore_signals)


class _Manager(manager.Manager):  # type: ignore[misc]
    """The library's manager, which also knows who ended first, and survives a signal while it starts."""

    def __init__(self) -> None:
        super().__init__()
        self._process_ctor = _Process
        self._asked_early = False
        self.ended_first = ""

    def terminate(self) -> None:
        """Stop all; before the last process has told its number that can only be noted."""
        if not self._all_started():
            self._asked_early = True
            return
        if not self._terminating and self.returncode not in _BY_HAND:
            ended = (name for name, known in self._processes.items() if "returncode" in known)
            self.ended_first = next(ended, "")
        super().terminate()

    def _all_started(self) -> bool:
        started = bool(super()._all_started())
        if started and self._asked_early:
            self._asked_early = False
            self.terminate()
        return started


def run(processes: Mapping[str, str], environment: Mapping[str, str], folder: str) -> int:
    """Run the processes until one ends or a signal comes; return the exit code, 0 after Ctrl-C."""
    manager.KILL_WAIT = KILL_WAIT
    runner = _Manager()
    for name, command in processes.items():
        runner.add_process(name, command, env=dict(environment), cwd=folder)
    runner.loop()
    if not runner.ended_first:
        return 0
    code = runner.returncode
    say(f"{runner.ended_first} ended by itself (exit code {code}), so everything was stopped")
    return int(code) if code and code > 0 else 1
