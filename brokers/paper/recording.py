"""Reads recorded trades from a file: rows `ms_since_midnight_utc,price,quantity`, plain or gzipped."""

import csv
import gzip
from decimal import Decimal

from brokers.paper.catalogue import Catalogue
from brokers.paper.floor import Recording
from brokers.paper.market import Print
from brokers.paper.options import Replay


def read_recording(replay: Replay, catalogue: Catalogue) -> Recording:
    """Return the trades of a file in ticks; raises ValueError when symbol or file are unusable."""
    listing = catalogue.find(replay.symbol)
    if listing is None:
        raise ValueError(f"{replay.symbol} is no contract")
    opener = gzip.open if replay.path.suffix == ".gz" else open
    with opener(replay.path, "rt", encoding="utf-8", newline="") as file:
        prints = [_print(row, listing.spec.tick) for row in csv.reader(file) if row and row[0].isdecimal()]
    if not prints:
        raise ValueError(f"{replay.path} holds no trades")
    return Recording(symbol=listing.name, prints=prints, speed=replay.speed)


def _print(row: list[str], tick: Decimal) -> Print:
    return Print(at=int(row[0]), price=round(Decimal(row[1]) / tick), size=int(row[2]))
