"""Worked examples of drawdown and consistency rules, kept beside the tests; and where the originals lie."""

import json
from pathlib import Path
from typing import Any

import pytest

_FILE = Path(__file__).parent / "vectors" / "prop_firms.json"


def load(kind: str) -> list[dict[str, Any]]:
    """Return the examples of one kind: drawdown or consistency."""
    found: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))[kind]
    return found


def shared(name: str) -> Path:
    """Return a file of the folder that the reference pages come in; skip where there is none."""
    for folder in Path(__file__).resolve().parents:
        if (found := folder / "shared" / name).is_file():
            return found
    pytest.skip(f"no shared/{name} beside any folder above this test")
