"""The append-only file of intents: one write before the send, everything else behind.

A record is its length, a checksum and the payload. After `kill -9` all that was written is readable; a
record that was cut short by a lost machine ends the reading, and is no error (fault F08). The recorder's
process forces the file to the disk every few milliseconds, so that a power cut costs that much and the
engine never waits for a disk.
"""

import logging
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

_HEAD = struct.Struct("<II")
SEGMENT_LIMIT = 64 * 1024 * 1024
"""Bytes after which a new file is begun, so that what was recorded can be deleted file by file."""
KEEP = 16 * 1024 * 1024
"""Bytes that wait in memory while the disk takes nothing; what is older than that is given up."""


class JournalError(Exception):
    """An intent could not be written down: nothing may be sent."""


def frame(payload: bytes) -> bytes:
    """Return a record as it stands in the file."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


class Journal:
    """The writing end. One process writes a folder at a time: the lease sees to that."""

    def __init__(self, folder: Path, *, after: str = "") -> None:
        """Open a new file. It sorts behind `after`, the last one recorded: the disk may have been lost."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._behind: list[bytes] = []
        self._cut = False
        self.given_up = 0
        recorded = int(Path(after).stem) if after else 0
        self._number = max(_last_number(folder), recorded) + 1
        self._descriptor = self._open()
        self._size = 0

    def _open(self) -> int:
        path = self._folder / f"{self._number:08d}.log"
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600)

    def intend(self, payload: bytes) -> None:
        """Write one record now, after what waited; raise `JournalError` when it did not all get there.

        What waited goes on waiting then; the record itself is forgotten.
        """
        self._behind.append(frame(payload))
        try:
            self.flush()
        except JournalError:
            self._behind.pop()
            raise

    def note(self, payload: bytes) -> None:
        """Keep a record for the next write."""
        self._behind.append(frame(payload))

    def flush(self) -> None:
        """Write what waits; raise `JournalError` when it did not all get there: then the rest waits on."""
        if not self._behind:
            return
        data = b"".join(self._behind)
        try:
            if self._cut:
                self._roll()  # what follows a cut record would never be read
            written = self._write(data)
        except OSError as error:
            self._give_up_oldest(len(data))
            raise JournalError(f"the journal cannot be written: {error}") from error
        self._size += written
        self._cut = written != len(data) or self._size > SEGMENT_LIMIT
        if written == len(data):
            self._behind.clear()
            return
        while self._behind and len(self._behind[0]) <= written:
            written -= len(self._behind.pop(0))
        raise JournalError("the journal took only a part: the disk is full")

    def _write(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def _give_up_oldest(self, size: int) -> None:
        while size > KEEP and len(self._behind) > 1:
            size -= len(self._behind.pop(0))
            self.given_up += 1

    def _roll(self) -> None:
        before, self._number = self._descriptor, self._number + 1
        self._descriptor = self._open()
        os.close(before)
        self._size, self._cut = 0, False

    def close(self) -> None:
        """Write what waits and end; a disk that takes nothing keeps nobody from leaving."""
        try:
            self.flush()
        except JournalError:
            log.exception("%s records are lost with this process", len(self._behind))
        finally:
            os.close(self._descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in the journal: the end of what has been read."""

    segment: str = ""
    offset: int = 0


def read(folder: Path, after: Mark) -> Iterator[tuple[bytes, Mark]]:
    """Yield each whole record after a mark, with the mark that stands behind it."""
    for path in sorted(folder.glob("*.log")):
        if path.name < after.segment:
            continue
        offset = after.offset if path.name == after.segment else 0
        with path.open("rb") as file:
            file.seek(offset)
            while (payload := _next(file)) is not None:
                offset += _HEAD.size + len(payload)
                yield payload, Mark(segment=path.name, offset=offset)


def _next(file: BinaryIO) -> bytes | None:
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, checksum = _HEAD.unpack(head)
    payload = file.read(length)
    return payload if len(payload) == length and zlib.crc32(payload) == checksum else None


def _last_number(folder: Path) -> int:
    return max((int(path.stem) for path in folder.glob("*.log")), default=0)


def forget(folder: Path, before: str) -> None:
    """Delete whole files that have been recorded, all before the named one."""
    for path in folder.glob("*.log"):
        if path.name < before:
            path.unlink()


class Syncer:
    """Forces the newest file to the disk whenever it has grown."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._synced: tuple[str, int] = ("", 0)

    def step(self) -> bool:
        """Sync once if there is something new; say whether there was."""
        newest = max(self._folder.glob("*.log"), default=None)
        if newest is None:
            return False
        size = newest.stat().st_size
        if self._synced == (newest.name, size):
            return False
        descriptor = os.open(newest, os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        self._synced = (newest.name, size)
        return True
