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

KILL_WAIT = 15
"""Seconds that the processes have to leave: the engine drains within ten."""
_PDEATHSIG = 1


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


def run(processes: Mapping[str, str], environment: Mapping[str, str], folder: str) -> int:
    """Run the processes until one ends or a signal comes; return the exit code."""
    manager.KILL_WAIT = KILL_WAIT
    runner = manager.Manager()
    runner._process_ctor = _Process
    for name, command in processes.items():
        runner.add_process(name, command, env=dict(environment), cwd=folder)
    runner.loop()
    stopped_by_hand = runner.returncode in (-signal.SIGINT, -signal.SIGTERM, 130, 143)
    return 0 if stopped_by_hand else int(runner.returncode or 0)
