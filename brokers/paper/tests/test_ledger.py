"""Pairs, realised and open profit against the reference vectors, and properties over any fills."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.ledger import Holding, Lot, apply_fill, commission, required_margin
from brokers.paper.words import Action

SIDES = {"B": Action.BUY, "S": Action.SELL}


def vectors(topic: str) -> list[Any]:
    name = Path("reference") / "trade-math-vectors.json"
    roots = [Path(os.environ["TRADEHAVEN_SHARED"])] if "TRADEHAVEN_SHARED" in os.environ else []
    roots += [parent / "shared" for parent in Path(__file__).resolve().parents]
    found = next((root / name for root in roots if (root / name).exists()), None)
    if found is None:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{name} is not here"))]
    rows = json.loads(found.read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(row, id=row["id"]) for row in rows if row["topic"] == topic]


@pytest.mark.parametrize("vector", vectors("realized_fifo"))
def test_realised_profit_equals_the_reference(vector: Any) -> None:
    holding = Holding()
    earned = []
    for number, fill in enumerate(vector["inputs"]["fills"]):
        holding, pairs = apply_fill(
            holding,
            fill_id=number,
            action=SIDES[fill["side"]],
            qty=fill["qty"],
            price=Decimal(fill["price"]),
            point_value=Decimal(vector["inputs"]["point_value"]),
        )
        earned.append(sum((pair.realized for pair in pairs), Decimal(0)))
    expected = vector["expected"]
    assert earned == [Decimal(item) for item in expected["realized_by_fill"]]
    assert sum(earned) == Decimal(expected["realized"])
    assert holding.net == expected["position"]


@pytest.mark.parametrize("vector", vectors("unrealized"))
def test_open_profit_equals_the_reference(vector: Any) -> None:
    given_ = vector["inputs"]
    lot = Lot(fill_id=1, qty=given_["position"], price=Decimal(given_["average"]))
    open_profit = Holding(lots=(lot,)).unrealized(Decimal(given_["mark"]), Decimal(given_["point_value"]))
    assert open_profit == Decimal(vector["expected"]["unrealized"])


@pytest.mark.parametrize("vector", vectors("commission"))
def test_commission_equals_the_reference(vector: Any) -> None:
    per_side = Decimal(vector["inputs"]["per_side"])
    total = sum(commission(per_side, qty) for qty in vector["inputs"]["sides"])
    assert total == Decimal(vector["expected"]["commission"])


def test_pair_names_the_buying_and_the_selling_fill() -> None:
    bought = Holding(lots=(Lot(fill_id=1, qty=2, price=Decimal(10)),))
    _, (long,) = apply_fill(
        bought, fill_id=2, action=Action.SELL, qty=1, price=Decimal(11), point_value=Decimal(5)
    )
    assert (long.buy_fill_id, long.sell_fill_id, long.realized) == (1, 2, Decimal(5))
    sold = Holding(lots=(Lot(fill_id=3, qty=-2, price=Decimal(10)),))
    _, (short,) = apply_fill(
        sold, fill_id=4, action=Action.BUY, qty=1, price=Decimal(11), point_value=Decimal(5)
    )
    assert (short.buy_fill_id, short.sell_fill_id, short.realized) == (4, 3, Decimal(-5))


def test_flat_holding_has_no_average() -> None:
    assert Holding().average is None
    assert Holding(lots=(Lot(fill_id=1, qty=-4, price=Decimal(7)),)).average == 7


@pytest.mark.parametrize(
    ("net", "buying", "selling", "contracts"),
    [(0, 0, 0, 0), (2, 0, 0, 2), (2, 1, 0, 3), (2, 0, 2, 2), (2, 0, 5, 3), (-2, 3, 1, 3)],
)
def test_margin_covers_the_worse_side(net: int, buying: int, selling: int, contracts: int) -> None:
    assert required_margin(net, buying, selling, Decimal(50)) == contracts * 50


FILLS = st.lists(st.tuples(st.sampled_from(Action), st.integers(1, 9), st.integers(-400, 400)), max_size=30)


@given(FILLS, st.integers(-400, 400))
def test_realised_and_open_profit_add_up_to_the_cash_of_the_fills(rows: list[Any], mark: int) -> None:
    tick, point_value = Decimal("0.25"), Decimal(50)
    holding, realized, cash = Holding(), Decimal(0), Decimal(0)
    for number, (action, qty, price) in enumerate(rows):
        holding, pairs = apply_fill(
            holding,
            fill_id=number,
            action=action,
            qty=qty,
            price=price * tick,
            point_value=point_value,
        )
        realized += sum((pair.realized for pair in pairs), Decimal(0))
        cash -= action.sign * qty * price * tick * point_value
        assert len({lot.qty > 0 for lot in holding.lots}) <= 1
    assert holding.net == sum(action.sign * qty for action, qty, _ in rows)
    total = realized + holding.unrealized(mark * tick, point_value)
    assert total == cash + holding.net * mark * tick * point_value


@given(FILLS)
def test_splitting_a_fill_changes_no_total(rows: list[Any]) -> None:
    def run(parts: list[Any]) -> tuple[Decimal, int]:
        holding, realized = Holding(), Decimal(0)
        for number, (action, qty, price) in enumerate(parts):
            holding, pairs = apply_fill(
                holding,
                fill_id=number,
                action=action,
                qty=qty,
                price=Decimal(price),
                point_value=Decimal(5),
            )
            realized += sum((pair.realized for pair in pairs), Decimal(0))
        return realized, holding.net

    ones = [(action, 1, price) for action, qty, price in rows for _ in range(qty)]
    assert run(rows) == run(ones)
