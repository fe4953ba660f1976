"""Reads recorded trades from a file, plain or gzipped.

Rows are `ms_since_midnight_utc,price,quantity`, or, under a heading that says so, one-minute bars
`date,ms_since_midnight_utc,open,high,low,close,volume`.
"""

import csv
import gzip
from datetime import date
from decimal import Decimal

from brokers.paper.catalogue import Catalogue
from brokers.paper.floor import Recording
from brokers.paper.market import Print
from brokers.paper.options import Replay

_BARS = ["date", "ms_since_midnight_utc", "open", "high", "low", "close", "volume"]
_DAY_MS = 24 * 3600 * 1000
_QUARTER_MS = 15_000


def read_recording(replay: Replay, catalogue: Catalogue) -> Recording:
    """Return the trades of a file in ticks; raises ValueError when symbol or file are unusable."""
    listing = catalogue.find(replay.symbol)
    if listing is None:
        raise ValueError(f"{replay.symbol} is no contract")
    opener = gzip.open if replay.path.suffix == ".gz" else open
    with opener(replay.path, "rt", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    prints = _read(rows, listing.spec.tick)
    if not prints:
        raise ValueError(f"{replay.path} holds no trades")
    return Recording(symbol=listing.name, prints=prints, speed=replay.speed)


def _read(rows: list[list[str]], tick: Decimal) -> list[Print]:
    if rows and rows[0][: len(_BARS)] == _BARS:
        first = date.fromisoformat(rows[1][0]) if len(rows) > 1 else date.min
        return [item for row in rows[1:] for item in _bar(row, first, tick)]
    return [_print(row, tick) for row in rows if row[0].isdecimal()]


def _print(row: list[str], tick: Decimal) -> Print:
    return Print(at=int(row[0]), price=round(Decimal(row[1]) / tick), size=int(row[2]))


def _bar(row: list[str], first: date, tick: Decimal) -> list[Print]:
    """Return four trades for a minute: open, the extreme nearer to it, the other one, close."""
    start = (date.fromisoformat(row[0]) - first).days * _DAY_MS + int(row[1])
    opened, high, low, close = (round(Decimal(cell) / tick) for cell in row[2:6])
    turns = (low, high) if opened - low <= high - opened else (high, low)
    share, rest = divmod(int(Decimal(row[6])), 4)
    return [
        Print(at=start + index * _QUARTER_MS, price=price, size=share + (rest if index == 3 else 0))
        for index, price in enumerate((opened, *turns, close))
    ]
