"""Everything that a person owns, as a ZIP of JSON files that is written while it is sent (ACC-09)."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from io import RawIOBase
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

from asgiref.sync import sync_to_async
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest

from accounts import audit
from accounts.exports import Part, parts
from accounts.models import User
from tradehaven.domain.enums import AuditAction

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_ROWS = 500
_ABOUT = """Everything that TradeHaven keeps about you, as of {at} (UTC).

One file for each kind of thing, each a list of objects in JSON. Times are in UTC, prices in USD or in ticks
of the contract. Tokens, passwords and keys are not among it: they are sealed or hashed, and of use to nobody.
"""


class _Outlet(RawIOBase):
    """A file that only grows: what the ZIP writes waits here for the next chunk."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        self._waiting += memoryview(data)
        return memoryview(data).nbytes

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def record_export(*, user: User, request: HttpRequest | None) -> None:
    """Write into the log that a person took everything along."""
    audit.record(owner=user, actor=user, action=AuditAction.EXPORTED, request=request)


def archive(person: int, *, now: datetime) -> Iterator[bytes]:
    """Return the ZIP in chunks; at no time is more than some hundred rows in memory."""
    outlet = _Outlet()
    with ZipFile(outlet, "w", ZIP_DEFLATED) as bundle:
        bundle.writestr("README.txt", _ABOUT.format(at=now.isoformat(timespec="seconds")))
        for part in parts():
            yield from _write(part, person, bundle, outlet)
    yield outlet.take()


async def stream(person: int, *, now: datetime) -> AsyncIterator[bytes]:
    """Return the ZIP's chunks to a server that runs a loop: each is made in a thread, one at a time."""
    chunks = archive(person, now=now)
    make = sync_to_async(lambda: next(chunks, None))
    while (chunk := await make()) is not None:
        yield chunk


def _write(part: Part, person: int, bundle: ZipFile, outlet: _Outlet) -> Iterator[bytes]:
    with bundle.open(f"{part.name}.json", "w") as file:
        before = b"["
        for number, row in enumerate(part.rows(person).iterator(chunk_size=_ROWS), start=1):
            file.write(before + b"\n" + json.dumps(row, cls=DjangoJSONEncoder).encode())
            before = b","
            if number % _ROWS == 0:
                yield outlet.take()
        file.write(b"[]\n" if before == b"[" else b"\n]\n")
    yield outlet.take()
