"""What may still be lost, and how many contracts that is with a stop: the gate before a loss, not after.

A stop that would land exactly on a limit breaks it, so the count stays below. Amounts are USD.
"""

from decimal import Decimal

from risk.core import drawdown
from risk.core.rules import DayLimit, Rules
from risk.core.standing import ZERO, Standing


def day_left(rule: DayLimit, standing: Standing) -> Decimal:
    """Return what is left of a daily loss limit, all of it in profit."""
    return rule.amount + min(ZERO, standing.money.equity - standing.day.reference)


def nearest(rules: Rules, standing: Standing) -> Decimal | None:
    """Return what is left to the nearest loss limit, reserves kept; None without one."""
    found: list[Decimal] = []
    rule, floor = rules.drawdown, standing.floor
    if rule is not None and floor is not None:
        found.append(drawdown.room(rule, floor, standing.money))
    if rules.daily_loss is not None:
        found.append(day_left(rules.daily_loss, standing))
    return min(found, default=None)


def fitting(left: Decimal, each: Decimal) -> int:
    """Return how many contracts may lose `each` USD so that less than `left` is lost."""
    if left <= 0:
        return 0
    whole, rest = divmod(left, each)
    return int(whole) - (0 if rest else 1)


def most_contracts(
    rules: Rules,
    standing: Standing,
    *,
    stop_ticks: int,
    tick_value: Decimal,
    at_risk: Decimal = ZERO,
) -> int | None:
    """Return the contracts that may still be bought with a stop this far away; None without a loss limit.

    `at_risk` is what everything that is held or works would lose at its own stops. A contract costs its
    fees on both sides, and at the floor its reserve of ticks.
    """
    each = tick_value * stop_ticks + rules.fee * 2
    found: list[int] = []
    rule, floor = rules.drawdown, standing.floor
    if rule is not None and floor is not None:
        left = drawdown.room(rule, floor, standing.money)
        found.append(fitting(left - at_risk, each + tick_value * rule.reserve_ticks))
    if rules.daily_loss is not None:
        found.append(fitting(day_left(rules.daily_loss, standing) - at_risk, each))
    return min(found, default=None)
