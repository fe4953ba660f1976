"""Reads the environment, typed, and fails loudly. Nothing else in the project looks at it.

Every variable may also come from a file: `NAME_FILE` holds the path, as container platforms hand secrets out.
"""

import base64
import binascii
import os
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

_env = environ.Env()


def text(name: str, default: str | None = None) -> str:
    """Return a variable; without a default its absence stops the start with the remedy."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error}") from error
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set; `make run` sets it for you, see docs/processes.md")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return a yes-or-no variable."""
    value = text(name, "yes" if default else "no").lower()
    if value in ("1", "yes", "true", "on"):
        return True
    if value in ("0", "no", "false", "off", ""):
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}")


def number(name: str, default: int, *, least: int | None = None) -> int:
    """Return a whole number, `least` or more where that is given."""
    value = text(name, str(default))
    try:
        found = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from None
    if least is not None and found < least:
        raise ImproperlyConfigured(f"{name} must be {least} or more, not {found}")
    return found


def one_of(name: str, default: str, known: tuple[str, ...]) -> str:
    """Return one of a few known words."""
    value = text(name, default).upper()
    if value not in known:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(known)}, not {value!r}")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return a list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def database(name: str) -> dict[str, object]:
    """Return a database from its URL; only PostgreSQL holds money (docs/adr/0001)."""
    url = text(name)
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(f"{name} must be a postgres:// address")
    return database_of(url)


def database_of(url: str) -> dict[str, object]:
    """Return a database's settings from its address."""
    return dict(_env.db_url_config(url))


def data_keys(name: str) -> dict[str, bytes]:
    """Return the key ring `id:base64,id:base64`, each key 32 bytes; the first one seals, all open."""
    ring: dict[str, bytes] = {}
    for entry in words(name):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not key_id.isalnum() or len(key) != 32:
            raise ImproperlyConfigured(f"{name}: write id:base64 of 32 random bytes, comma between keys")
        if key_id in ring:
            raise ImproperlyConfigured(f"{name} has the id {key_id!r} twice: a key keeps its id for ever")
        ring[key_id] = key
    if not ring:
        raise ImproperlyConfigured(f"{name} is empty: write at least one id:base64 of 32 random bytes")
    return ring
