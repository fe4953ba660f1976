"""How lively a product's synthetic market is, and when: its volatility, its depth, its hours.

Pure: the instant is an argument. The walk itself stands in `market`.
"""

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from brokers.paper.catalogue import Spec
from tradehaven.domain.calendar import CHICAGO, MarketState, is_rth, market_state

# Yearly volatility by product group; rough long-run figures, only the order of magnitude matters.
_YEARLY = {
    "equity index": 0.17,
    "rates": 0.06,
    "fx": 0.08,
    "energy": 0.38,
    "metals": 0.20,
    "ags": 0.24,
    "crypto": 0.60,
}
_YEARLY_OTHER = 0.2
_SECONDS_A_YEAR = 252 * 23 * 3600
_LEAST_SIGMA = 0.05
_EDGE = timedelta(minutes=30)
_EDGE_PACE, _DAY_PACE, _NIGHT_PACE = 1.5, 1.0, 0.45
# A thin book goes with a nervous price: the best levels of notes are far deeper than those of crude.
_BOOK = 12.0
_DEEPEST = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """A market's nature: ticks moved in the square root of a second, book size, jumps in an hour."""

    sigma: float = 1.0
    book: float = 1.0
    jumps: float = 0.0


def temper(spec: Spec) -> Temper:
    """Return the nature of a product's market, from its group's volatility and its own tick."""
    ticks = spec.ticks(spec.start) or 1
    yearly = _YEARLY.get(spec.facts.group, _YEARLY_OTHER)
    sigma = max(_LEAST_SIGMA, abs(ticks) * yearly / math.sqrt(_SECONDS_A_YEAR))
    book = min(_DEEPEST, max(1.0, _BOOK / (12 * sigma)))
    return Temper(sigma=sigma, book=book, jumps=2.0)


def pace(spec: Spec, now: datetime) -> float:
    """Return how fast a product's market moves at an instant by Globex hours; 0 while it is halted."""
    if market_state(now, spec.template) is not MarketState.OPEN:
        return 0.0
    if not is_rth(now, spec.facts):
        return _NIGHT_PACE
    local = now.astimezone(CHICAGO)
    edges = (_from(local, spec.facts.rth_start), -_from(local, spec.facts.rth_end))
    return _EDGE_PACE if any(timedelta(0) <= edge < _EDGE for edge in edges) else _DAY_PACE


def _from(local: datetime, at: time) -> timedelta:
    return local - datetime.combine(local.date(), at, CHICAGO)
