"""The broker's frames as they really came, one JSON line each; `samples/frames.jsonl` holds them."""

import json
from pathlib import Path

FILE = Path(__file__).parent.parent / "samples" / "frames.jsonl"
SAMPLES: dict[str, bytes] = {
    line["name"]: line["raw"].encode() for line in map(json.loads, FILE.read_text().splitlines())
}


def sequence(case: str) -> list[bytes]:
    """Return the frames of one recorded case, in the order in which they came."""
    return [raw for name, raw in sorted(SAMPLES.items()) if name.startswith(f"seq.{case}.")]
