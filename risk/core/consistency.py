"""Consistency: how much of all profit the best day made. It is shown and never stops trading.

Daily nets are closed results in USD without flows; losing days shrink the total.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from risk.core.rules import Consistency
from risk.core.standing import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How the best day stands to the total: `ratio` is None without a profit, `more` is still needed in USD.

    With a rule that its own share breaks, one cent beyond `needed` is asked.
    """

    best: Decimal
    total: Decimal
    ratio: Decimal | None
    kept: bool
    needed: Decimal
    more: Decimal


def share(rule: Consistency, nets: Sequence[Decimal]) -> Share:
    """Return how the rule stands after these days. The first day is always all of itself."""
    best = max(ZERO, *nets) if nets else ZERO
    total = sum(nets, ZERO)
    allowed = rule.best_day * total
    kept = total > 0 and (best < allowed or (rule.touch and best == allowed))
    needed = best / rule.best_day
    return Share(
        best=best,
        total=total,
        ratio=best / total if total > 0 else None,
        kept=kept,
        needed=needed,
        more=max(ZERO, needed - total),
    )


def most_today(rule: Consistency, others: Sequence[Decimal]) -> Decimal | None:
    """Return the profit in USD that today may reach as the best day, None where any may.

    `others` are all days but today. Zero where they have made nothing yet; cut to the cent.
    """
    if rule.best_day >= 1:
        return None
    most = rule.best_day * sum(others, ZERO) / (1 - rule.best_day)
    return max(ZERO, (most * 100).to_integral_value(ROUND_FLOOR) / 100)
