"""From the leader's quantity to the follower's. The only place that turns a ratio into contracts.

Formulas and vectors: trade mathematics, section 5 (SIZE-01 to SIZE-24). Quantities are whole contracts,
positions are signed (long +, short -). Ratios are exact fractions, so 0.29 of 100 is 29.
"""

from decimal import Decimal
from fractions import Fraction

from syncgroups.core.plan import FollowerPlan
from tradehaven.domain.enums import SizingMode
from tradehaven.domain.values import Value


class Sized(Value, frozen=True, kw_only=True):
    """A follower's order: contracts that close what it holds, and contracts that open new exposure."""

    reduce: int
    enter: int

    @property
    def qty(self) -> int:
        """Return the whole order in contracts."""
        return self.reduce + self.enter


NOTHING = Sized(reduce=0, enter=0)


def scaled(qty: int, ratio: Fraction) -> int:
    """Return `qty` times `ratio`, cut toward zero: a follower never trades more than its share."""
    cut = abs(qty) * ratio.numerator // ratio.denominator
    return cut if qty >= 0 else -cut


def balance_ratio(follower: Decimal, leader: Decimal) -> Fraction | None:
    """Return follower's balance over leader's (USD), or None when the leader's says nothing (SIZE-10)."""
    if leader <= 0 or follower < 0:
        return None
    return Fraction(follower) / Fraction(leader)


def split(position: int, change: int) -> tuple[int, int]:
    """Return how many contracts of a signed change reduce the position, and how many are new exposure."""
    if position * change >= 0:
        return 0, abs(change)
    reducing = min(abs(position), abs(change))
    return reducing, abs(change) - reducing


def follower_order(
    *, plan: FollowerPlan, ratio: Fraction, own: int, leader: int, change: int, base: int = 0
) -> Sized:
    """Return the follower's order for a leader that goes from `leader` by the signed `change`.

    `own` is what the follower holds because of this group. `base` is what the leader's entry adds to:
    0 sizes the order by itself (Immediate), the leader's position before it makes the floor cumulative
    over fills (Confirmed). A reduction never opens, flips or exceeds `own` (SIZE-18 to SIZE-24).
    """
    reducing, entering = split(leader, change)
    after = 0 if entering else leader + change
    reduce = _reduction(plan, ratio, own, leader, after) if reducing else 0
    enter = _entry(plan, ratio, entering, base) if entering else 0
    if plan.max_contracts is not None:
        held = abs(own) if own * change > 0 else 0
        enter = min(enter, max(0, plan.max_contracts - held))
    return Sized(reduce=reduce, enter=enter)


def _reduction(plan: FollowerPlan, ratio: Fraction, own: int, leader: int, after: int) -> int:
    if own * leader <= 0:
        return 0  # it missed the entry, or holds the other side by hand: the leader's exit is not its exit
    if after == 0:
        return abs(own)
    if plan.sizing is SizingMode.FIXED:
        return min(abs(own), plan.fixed_qty)
    return max(0, abs(own) - abs(scaled(after, ratio)))


def _entry(plan: FollowerPlan, ratio: Fraction, entering: int, base: int) -> int:
    if plan.sizing is SizingMode.FIXED:
        return plan.fixed_qty
    return scaled(base + entering, ratio) - (scaled(base, ratio) if base else 0)
