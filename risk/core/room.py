"""What may still be lost, and how many contracts that is with a stop: the gate before a loss, not after.

A stop that would land exactly on a limit breaks it, so the count stays below. Amounts are USD.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from risk.core import drawdown
from risk.core.rules import DayLimit, Rules
from risk.core.standing import ZERO, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one limit still lets be lost, and what each further contract has to keep of it, in USD."""

    left: Decimal
    reserve: Decimal = ZERO


def day_left(rule: DayLimit, standing: Standing) -> Decimal:
    """Return what is left of a daily loss limit, all of it in profit."""
    return rule.amount + min(ZERO, standing.money.equity - standing.day.reference)


def budgets(rules: Rules, standing: Standing, tick_value: Decimal) -> tuple[Budget, ...]:
    """Return what each loss limit still lets be lost in a product of this tick value; none without limits."""
    found: list[Budget] = []
    rule, floor = rules.drawdown, standing.floor
    if rule is not None and floor is not None:
        left = drawdown.room(rule, floor, standing.money)
        found.append(Budget(left=left, reserve=tick_value * rule.reserve_ticks))
    if rules.daily_loss is not None:
        found.append(Budget(left=day_left(rules.daily_loss, standing)))
    return tuple(found)


def fitting(left: Decimal, each: Decimal) -> int:
    """Return how many contracts may lose `each` USD so that less than `left` is lost."""
    if left <= 0:
        return 0
    whole, rest = divmod(left, each)
    return int(whole) - (0 if rest else 1)


def contracts_within(found: Iterable[Budget], each: Decimal, at_risk: Decimal = ZERO) -> int:
    """Return the contracts that may lose `each` USD beside `at_risk` without reaching any of some limits."""
    return min(fitting(budget.left - at_risk, each + budget.reserve) for budget in found)


def each_costs(rules: Rules, stop_ticks: int, tick_value: Decimal) -> Decimal:
    """Return what one contract loses at a stop this far away, its fees on both sides included."""
    return tick_value * stop_ticks + rules.fee * 2


def most_contracts(
    rules: Rules,
    standing: Standing,
    *,
    stop_ticks: int,
    tick_value: Decimal,
    at_risk: Decimal = ZERO,
) -> int | None:
    """Return the contracts that may still be bought with a stop this far away; None without a loss limit.

    `at_risk` is what everything that is held or works would lose at its own stops.
    """
    found = budgets(rules, standing, tick_value)
    each = each_costs(rules, stop_ticks, tick_value)
    return contracts_within(found, each, at_risk) if found else None
