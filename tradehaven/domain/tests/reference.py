"""The reference vectors that the tests of the vocabulary run on, kept beside them as JSON."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "vectors"


def load(name: str) -> list[dict[str, Any]]:
    """Return the vectors of one file."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def trade_math(topic: str) -> list[dict[str, Any]]:
    """Return the trade-math vectors of one topic."""
    return [vector for vector in load("trade_math") if vector["topic"] == topic]
