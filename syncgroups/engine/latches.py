"""Presses that have come by the door and are not known to be in the rows yet: in memory, and as files.

One file for each press, so that processes on one disk share them, and a second arrival is the same file. A
start reads them before it leads anybody. They go when the rows hold the press.
"""

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from tradehaven.control.messages import Press, decode_press, encode
from tradehaven.domain.events import HaltPressed
from tradehaven.domain.ids import Nanos, OwnerId, PressId

log = logging.getLogger(__name__)

FLATTEN_FRESH = 600 * 1_000_000_000
"""Nanoseconds for which a start still flattens what was asked for: what is older has been settled by hand."""


class Latches:
    """The presses of one process."""

    def __init__(self, folder: Path, now: Callable[[], Nanos]) -> None:
        self._folder = folder
        self._now = now
        self._known: dict[PressId, Press] = {}

    def load(self) -> None:
        """Take in what processes before this one, or beside it, have been told."""
        for path in sorted(self._folder.glob("*.press")):
            press = decode_press(path.read_bytes())
            if press is None or press.press != path.stem:
                log.error("%s is no press that can be read; somebody should look at it", path)
                continue
            is_fresh = self._now() - press.at < FLATTEN_FRESH
            self.add(msgspec.structs.replace(press, flatten=press.flatten and is_fresh))

    def add(self, press: Press) -> None:
        """Remember a press; one that is known stays as it was."""
        self._known.setdefault(press.press, press)

    def store(self, press: Press) -> bool:
        """Write a press to the disk; say whether it is there to stay. Blocks: not for the loop's thread."""
        path = self._path(press.press)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside = path.with_suffix(f".{os.getpid()}")
            with beside.open("wb") as file:
                file.write(encode(press))
                file.flush()
                os.fsync(file.fileno())
            beside.rename(path)
            _sync(self._folder)
        except OSError:
            log.exception("a press could not be written down: it holds as long as this process")
            return False
        return True

    def forget(self, settled: Iterable[PressId]) -> None:
        """Drop presses that the rows hold."""
        for name in settled:
            self._known.pop(name, None)
            self._path(name).unlink(missing_ok=True)

    def pending(self) -> tuple[Press, ...]:
        """Return what the rows do not hold yet, as far as is known."""
        return tuple(self._known.values())

    def holds(self, name: PressId) -> bool:
        """Say whether a press is not known to be in the rows."""
        return name in self._known

    def over(self, owner: OwnerId) -> list[HaltPressed]:
        """Return what an owner's mailbox has to know before anything is sent for it."""
        return [
            HaltPressed(press=press.press, gates=press.gates, flatten=press.flatten, at=self._now())
            for press in self._known.values()
            if press.owner == owner
        ]

    def _path(self, press: PressId) -> Path:
        return self._folder / f"{press}.press"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
