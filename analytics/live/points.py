"""The equity curve as a chart reads it: one list for each column."""

from collections.abc import Mapping, Sequence

from analytics.core.equity import Point, thinned
from tradehaven.domain.money import cents, usd

MOST = 1200
"""Points on a chart: more than one for each of its pixels draws nothing new."""


def drawn(points: Sequence[Point], names: Mapping[int, str]) -> dict[str, object]:
    """Return times (UTC seconds), amounts (USD) and what each fill was, oldest first."""
    shown = thinned(points, MOST)
    return {
        "at": [point.fill.at.timestamp() for point in shown],
        "realized": [float(cents(usd(point.realized)).amount) for point in shown],
        "total": [float(cents(usd(point.total)).amount) for point in shown],
        "fills": [
            [
                names.get(point.fill.account, ""),
                point.fill.side,
                point.fill.qty,
                point.fill.symbol,
                point.price,
            ]
            for point in shown
        ],
        "count": len(points),
    }
