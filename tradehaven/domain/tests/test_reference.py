"""Our copies of the reference against the reference, where it is at hand."""

import csv
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tradehaven.domain.holidays import holiday
from tradehaven.domain.instruments import SessionTemplate, product, products
from tradehaven.domain.tests.reference import load


def _shared(name: str) -> Path:
    for folder in Path(__file__).resolve().parents:
        if (found := folder / "shared" / "reference" / name).is_file():
            return found
    pytest.skip(f"no shared/reference/{name} beside any folder above this test")


def _rows(name: str) -> list[dict[str, str]]:
    with _shared(name).open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def _same(ours: Sequence[dict[str, Any]], name: str) -> None:
    theirs = {vector["id"]: vector for vector in json.loads(_shared(name).read_text())["vectors"]}
    for vector in ours:
        assert vector == {key: theirs[vector["id"]][key] for key in vector}


def test_trade_math_vectors_equal_the_reference() -> None:
    _same(load("trade_math"), "trade-math-vectors.json")


def test_session_vectors_equal_the_reference_and_are_complete() -> None:
    _same(load("sessions"), "cme-session-vectors.json")
    assert len(load("sessions")) == 30


def test_products_equal_the_reference() -> None:
    rows = _rows("futures-contracts.csv")
    assert [row["symbol"] for row in rows] == [known.symbol for known in products()]
    for row in rows:
        known = product(row["symbol"])
        assert known.tick_size == Decimal(row["tick_size"])
        assert known.tick_value == Decimal(row["tick_value"])
        assert known.point_value == Decimal(row["point_value"])
        assert known.template == row["session_template"]
        assert known.sibling == (row["sibling_symbol"] or None)
        assert known.display(known.to_ticks(Decimal(row["example_decimal"]))) == row["example_display"]


def test_holidays_equal_the_reference() -> None:
    rows = _rows("cme-holidays.csv")
    for row in rows:
        known = holiday(SessionTemplate(row["group"]), date.fromisoformat(row["date"]))
        assert known is not None
        assert (known.halt.isoformat("minutes") if known.halt else "") == row["halt_ct"]
        assert (known.reopen.isoformat("minutes") if known.reopen else "") == row["reopen_ct"]
        assert known.own_trade_date == (row["own_trade_date"] != "no")
        assert known.name == row["holiday"]
        assert known.day.strftime("%a") == row["weekday"]
