"""How an API key is written, read and recognised. Chance is handed in, so that this stays pure.

A key is `th_live_` or `th_paper_`, a public prefix by which its row is found, `_`, and 256 secret bits.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

PREFIX_BYTES = 6
SECRET_BYTES = 32
_KEY = re.compile(r"th_(live|paper)_([0-9a-f]{12})_([0-9a-f]{64})")


class KeyKind(StrEnum):
    """Which accounts a key reaches: all, or only those that hold no real money."""

    LIVE = "live"
    PAPER = "paper"


class Scope(StrEnum):
    """What a key may do. Each may also do what stands before it: opening a kill switch is the last."""

    READ = "read"
    TRADE = "trade"
    DISARM = "disarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyText:
    """A key as its holder sends it."""

    kind: KeyKind
    prefix: str
    text: str

    def __repr__(self) -> str:
        """Name the key without its secret, for logs and tracebacks."""
        return f"KeyText({shown(self.kind, self.prefix)})"


def compose(kind: KeyKind, prefix: bytes, secret: bytes) -> KeyText:
    """Write a key from random bytes: `PREFIX_BYTES` that may be seen and `SECRET_BYTES` that may not."""
    if len(prefix) != PREFIX_BYTES or len(secret) != SECRET_BYTES:
        raise ValueError(f"a key needs {PREFIX_BYTES} and {SECRET_BYTES} random bytes")
    return KeyText(kind=kind, prefix=prefix.hex(), text=f"th_{kind}_{prefix.hex()}_{secret.hex()}")


def parse(text: str) -> KeyText | None:
    """Read a key; None for anything that none of ours looks like."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    return KeyText(kind=KeyKind(found.group(1)), prefix=found.group(2), text=text)


def digest(key: KeyText) -> str:
    """Return what is stored of a key: its SHA-256 as hex.

    Slow hashes exist because people choose passwords that can be guessed. Nobody guesses 256 random bits,
    so one fast hash keeps the secret, and does not let strangers burn our time with made-up keys.
    """
    return hashlib.sha256(key.text.encode()).hexdigest()


def shown(kind: KeyKind, prefix: str) -> str:
    """Return a key as lists and logs name it, without its secret."""
    return f"th_{kind}_{prefix}_…"
