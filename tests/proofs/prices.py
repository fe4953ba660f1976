"""Prices for proofs: recorded gold trades and S&P minute quotes where they are, and made-up ones everywhere.

The recordings are sample data of QuantConnect's LEAN (Apache License 2.0) and stay outside the repository.
"""

import csv
import gzip
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

MINUTE = 60_000


@dataclass(frozen=True)
class Price:
    """One quote in points: `ms` since 1970 in UTC."""

    ms: int
    bid: Decimal
    ask: Decimal


def gold() -> list[Price]:
    """Return a day of gold trades as quotes a tick apart: the trade was at one of the two."""
    day = _midnight("2013-10-07")
    tick = Decimal("0.1")
    prices = (
        (day + int(row["ms_since_midnight_utc"]), Decimal(row["price"]))
        for row in _rows("gcz3_trades_2013-10-07.csv.gz")
    )
    return [Price(ms, price, price + tick) for ms, price in prices]


def index() -> list[Price]:
    """Return five days of S&P quotes, each minute as its first, highest, lowest and last."""
    return list(_bars())


def _bars() -> Iterator[Price]:
    for row in _rows("esz3_minute_quotes_2013-10-07_to_11.csv.gz"):
        if not row["bid_open"] or not row["ask_open"]:
            continue
        ms = _midnight(row["date"]) + int(row["ms_since_midnight_utc"])
        for part, name in enumerate(("open", "high", "low", "close")):
            bid, ask = Decimal(row[f"bid_{name}"]), Decimal(row[f"ask_{name}"])
            yield Price(ms + part * 15_000, bid, max(ask, bid))


def made_up(seed: int, count: int = 1_500) -> list[Price]:
    """Return a walk of minutes over several days, with a jump now and then."""
    chance = random.Random(seed)
    tick, ticks, ms = Decimal("0.25"), 20_000, _midnight("2026-03-05")
    found = []
    for _ in range(count):
        ms += chance.randint(1, 6 * MINUTE)
        ticks += chance.choice((-2, -1, -1, 0, 1, 1, 2)) * (1 if chance.random() > 0.01 else 8)
        bid = ticks * tick
        found.append(Price(ms, bid, bid + tick * chance.randint(1, 2)))
    return found


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(_recorded(name), "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _recorded(name: str) -> Path:
    for folder in Path(__file__).resolve().parents:
        if (found := folder / "shared" / "data" / "market" / name).is_file():
            return found
    pytest.skip(f"no shared/data/market/{name} beside any folder above this test")


def _midnight(day: str) -> int:
    at = date.fromisoformat(day)
    return int(datetime(at.year, at.month, at.day, tzinfo=UTC).timestamp()) * 1_000
