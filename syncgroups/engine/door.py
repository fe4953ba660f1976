"""This process's own door: whoever holds our key may shut gates here, without database and without Redis.

It listens on a socket in the data folder, or on an address for other machines. What may be said and how it is
signed stands in `tradehaven/control/direct.py`; what a press does, in `fleet.py`.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from tradehaven.control.direct import HELLO, LONGEST, SOCKETS, opened, signed
from tradehaven.control.messages import (
    Heard,
    KeyKnown,
    KeyShown,
    Press,
    decode_press,
    decode_shown,
    encode,
)

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds in which a visitor has to have spoken."""
MOST_VISITORS = 64
LONGEST_PATH = 100
"""Bytes of a socket's path; systems allow a little more, and say nothing helpful beyond."""


class DoorCannotOpen(Exception):
    """The door cannot be where it should be; the text says what to change."""


class Door:
    """Listens until closed; `on_press` answers each press, `on_key` each key that is shown."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self.on_press: Callable[[Press], Awaitable[Heard]] | None = None
        self.on_key: Callable[[KeyShown], KeyKnown] | None = None
        self._folder = folder
        self._address = address
        self._path: Path | None = None
        self._server: asyncio.Server | None = None
        self._visitors = 0

    async def open(self) -> None:
        """Begin to listen; raise `DoorCannotOpen` where nobody could be heard."""
        try:
            listening = self._tcp() if self._address else self._unix()
        except OSError as error:
            raise DoorCannotOpen(f"the engine's door cannot be opened: {error}") from error
        self._server = await asyncio.start_server(self._visit, sock=listening, limit=LONGEST)
        log.info("the engine's own door is at %s", self._address or self._path)

    async def close(self) -> None:
        """Stop listening."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _tcp(self) -> socket.socket:
        place = urlsplit(self._address)
        if place.scheme != "tcp" or place.port is None:
            raise DoorCannotOpen(f"ENGINE_DOOR is {self._address!r}; write tcp://0.0.0.0:7411")
        return socket.create_server((place.hostname or "", place.port), backlog=MOST_VISITORS)

    def _unix(self) -> socket.socket:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(self._folder)
        path = self._folder / f"{os.getpid()}-{secrets.token_hex(2)}.sock"
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise DoorCannotOpen(f"{self._folder} is too long a path for a socket; choose a shorter DATA_DIR")
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # It gets its name once it listens: one that does not is taken for a dead engine's, and swept away.
        beside = path.with_suffix(".new")
        listening.bind(str(beside))
        beside.chmod(0o600)
        listening.listen(MOST_VISITORS)
        beside.rename(path)
        self._path = path
        return listening

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._visitors += 1
        try:
            if self._visitors <= MOST_VISITORS:
                await self._converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, TimeoutError):
            log.warning("a visitor at the door said nothing that could be read")
        except Exception:  # the top of a visit: the next one must be heard
            log.exception("a press at the door could not be carried out")
        finally:
            self._visitors -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonce = secrets.token_hex(32).encode()
        writer.write(HELLO + b" " + nonce + b"\n")
        line = await asyncio.wait_for(reader.readuntil(b"\n"), PATIENCE)
        payload = opened(b"ask", nonce, line)
        word = await self._answer(payload) if payload is not None else None
        if word is None:
            log.warning("somebody without our key, or with nothing to say, was at the door")
            return
        writer.write(signed(b"answer", nonce + b" " + line[:64], encode(word)))
        await asyncio.wait_for(writer.drain(), PATIENCE)

    async def _answer(self, payload: bytes) -> Heard | KeyKnown | None:
        press = decode_press(payload)
        if press is not None:
            return await self.on_press(press) if self.on_press is not None else None
        key = decode_shown(payload)
        return self.on_key(key) if key is not None and self.on_key is not None else None


def _sweep(folder: Path) -> None:
    """Remove the sockets of engines that were killed: nobody listens there any more."""
    for path in folder.glob(SOCKETS):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.connect(str(path))
            except (ConnectionRefusedError, FileNotFoundError):
                path.unlink(missing_ok=True)
            except OSError:
                continue  # somebody is there and busy
