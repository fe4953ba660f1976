"""Secrets and ports of this machine's own installation, made once and readable by its owner alone."""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

from launcher.words import give_up


class State:
    """A small JSON file with mode 0600 in the data folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "launcher.json"
        self._values: dict[str, Any] = self._load()

    def _load(self) -> dict[str, Any]:
        if not self._file.exists():
            return {}
        try:
            return dict(json.loads(self._file.read_text()))
        except ValueError:
            # Made anew it would hold another key ring, and every sealed token would be lost.
            give_up(f"{self._file} cannot be read: restore it, or delete the whole folder to start anew")

    def text(self, name: str) -> str:
        """Return a random text, the same at every start."""
        return str(self._once(name, lambda: secrets.token_urlsafe(48)))

    def key_ring(self) -> str:
        """Return the key ring that seals tokens: one key of 32 random bytes."""
        return str(
            self._once("data_keys", lambda: f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}")
        )

    def password(self) -> str:
        """Return the demo owner's password: random, and within the product's own rule."""
        return str(
            self._once("demo_password", lambda: f"Paper-{secrets.token_hex(4)}-{secrets.randbelow(90) + 10}")
        )

    def port(self, name: str) -> int | None:
        """Return the port that a service used last time."""
        return self._values.get(f"{name}_port")

    def keep_port(self, name: str, port: int) -> None:
        """Remember a service's port."""
        self._values[f"{name}_port"] = port
        self._save()

    def _once(self, name: str, make: Any) -> Any:
        if name not in self._values:
            self._values[name] = make()
            self._save()
        return self._values[name]

    def _save(self) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._values, file)
        fresh.replace(self._file)  # whole or not at all: a run may be killed on this line
