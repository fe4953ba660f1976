"""The seal that ties each record to the one before it, so that no record can be changed or taken out unseen.

A seal is SHA-256 over the seal before, the record's number and its body. Whoever keeps the newest seal
elsewhere can prove later that nothing before it was rewritten.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

START = "0" * 64
"""The seal before the first record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A record as it stands in the chain; numbers start at 1 and have no gap."""

    number: int
    body: str
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Where a chain is broken, and what is wrong there."""

    number: int
    why: str


def seal(before: str, number: int, body: str) -> str:
    """Return the seal of a record, 64 hexadecimal digits."""
    return hashlib.sha256(f"{before}\n{number}\n{body}".encode()).hexdigest()


def first_break(records: Iterable[Sealed], *, number: int = 0, before: str = START) -> Break | None:
    """Return the first place where a chain does not hold, or None; it may start behind a known record."""
    for record in records:
        number += 1
        if record.number != number:
            return Break(number=number, why=f"record {number} is missing, {record.number} comes next")
        before = seal(before, number, record.body)
        if before != record.seal:
            return Break(number=number, why="its body or a seal before it was changed")
    return None
