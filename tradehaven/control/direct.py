"""The engines' own doors, from outside: found without a database, told without Redis (ADR 16).

A door greets with a number that it says once; who speaks signs its message together with that number, and
the door signs its answer. So nothing that was overheard can be said again, and nobody can answer for an
engine. What listens behind the door is `syncgroups/engine/door.py`.
"""

import hashlib
import hmac
import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings

from tradehaven.control.messages import (
    Heard,
    HeardState,
    KeyKnown,
    KeyShown,
    Press,
    decode_heard,
    decode_known,
    encode,
)

log = logging.getLogger(__name__)

HELLO = b"th-door-1"
LONGEST = 64 * 1024
"""Bytes of a line at most, on either side."""
PATIENCE = 2.0
"""Seconds for one door, from the first byte to the last: a frozen engine must not keep the others waiting."""
SOCKETS = "*.sock"
Word = TypeVar("Word")
_PURPOSE = b"tradehaven.control.direct.1"


class DoorError(Exception):
    """What was heard at a door is not what an engine of ours would say."""


def signature(side: bytes, *parts: bytes) -> bytes:
    """Return what proves that one of ours said this: `side` keeps a question from passing for an answer."""
    key = hmac.digest(settings.SECRET_KEY.encode(), _PURPOSE, hashlib.sha256)
    return hmac.new(key, b"\n".join((side, *parts)), hashlib.sha256).hexdigest().encode()


def signed(side: bytes, nonce: bytes, payload: bytes) -> bytes:
    """Return a payload as a line with its signature."""
    return signature(side, nonce, payload) + b" " + payload + b"\n"


def opened(side: bytes, nonce: bytes, line: bytes) -> bytes | None:
    """Return the payload of a signed line, or None if the signature is not ours or not for this nonce."""
    claimed, _, payload = line.rstrip(b"\n").partition(b" ")
    return payload if hmac.compare_digest(claimed, signature(side, nonce, payload)) else None


def doors() -> list[str]:
    """Return the addresses of all doors: sockets in the data folder, and those that a setting names."""
    return [*(f"unix:{path}" for path in sorted(_folder().glob(SOCKETS))), *settings.ENGINE_DOORS]


def tell(press: Press) -> tuple[Heard, ...]:
    """Tell every door at once, and return what each one said; doors without an engine say nothing."""
    found = list(_reached(doors()))
    if not found:
        return ()
    with ThreadPoolExecutor(len(found), thread_name_prefix="doors") as threads:
        heard = threads.map(lambda place: _tell_one(place, press), found)
        return tuple(word for word in heard if word is not None)


def whose(key: KeyShown) -> KeyKnown:
    """Ask the doors, one after another, whose key this is; the first that knows it answers."""
    for place in _reached(doors()):
        try:
            known = _visit(place, key, decode_known)
        except (ConnectionRefusedError, FileNotFoundError):
            continue  # a socket that a killed engine left behind
        if known is not None and known.owner is not None:
            return known
    return KeyKnown()


def _folder() -> Path:
    folder: Path = settings.DOORS_DIR
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where one door is; `address` is what its family of sockets connects to."""

    name: str
    family: int
    address: Any


def _reached(addresses: Iterable[str]) -> Iterator[_Place]:
    """Yield each door's place; one name may stand for several engines."""
    for address in addresses:
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            yield _Place(name=Path(path).stem, family=socket.AF_UNIX, address=path)
            continue
        place = urlsplit(address)
        try:
            found = socket.getaddrinfo(place.hostname, place.port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            log.warning("the door %s has no address: %s", address, error)
            yield _Place(name=address, family=socket.AF_INET, address=("", 0))
            continue
        for family, _, _, _, where in found:
            yield _Place(name=":".join(map(str, where[:2])), family=family, address=where)


def _tell_one(place: _Place, press: Press) -> Heard | None:
    try:
        heard = _visit(place, press, decode_heard)
    except (ConnectionRefusedError, FileNotFoundError):
        # A socket that a killed engine left behind is nobody; an address that was set up should be somebody.
        return None if place.family == socket.AF_UNIX else _silent(place.name)
    return heard or _silent(place.name)


def _visit(place: _Place, message: Press | KeyShown, decode: Callable[[bytes], Word | None]) -> Word | None:
    """Return what is said at a door, None for nothing that makes sense; raise where nobody is behind it."""
    try:
        with closing(socket.socket(place.family, socket.SOCK_STREAM)) as door:
            door.settimeout(PATIENCE)
            door.connect(place.address)
            return _converse(_Line(door), message, decode)
    except (ConnectionRefusedError, FileNotFoundError):
        raise
    except (OSError, DoorError) as error:
        log.warning("nothing was heard at the door of %s: %s", place.name, error)
        return None


def _silent(name: str) -> Heard:
    return Heard(engine=name, state=HeardState.SILENT)


def _converse(line: "_Line", message: Press | KeyShown, decode: Callable[[bytes], Word | None]) -> Word:
    hello, _, nonce = line.read().partition(b" ")
    if hello != HELLO or len(nonce) != 64:
        raise DoorError("this is no door of ours")
    question = signed(b"ask", nonce, encode(message))
    line.write(question)
    answer = opened(b"answer", nonce + b" " + question[:64], line.read())
    word = decode(answer) if answer is not None else None
    if word is None:
        raise DoorError("the answer is not signed by an engine of ours")
    return word


class _Line:
    """A socket, line by line, within one span of time."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._until = time.monotonic() + PATIENCE

    def read(self) -> bytes:
        """Return the next line without its end."""
        found = bytearray()
        while not found.endswith(b"\n"):
            self._limit()
            part = self._door.recv(LONGEST)
            found += part
            if not part or len(found) > LONGEST:
                raise DoorError("the line was cut, or never ended")
        return bytes(found[:-1])

    def write(self, line: bytes) -> None:
        """Send a line."""
        self._limit()
        self._door.sendall(line)

    def _limit(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise DoorError("it took too long")
        self._door.settimeout(left)
