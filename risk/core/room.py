"""What may still be lost, and how many contracts that is with a stop: the gate before a loss, not after.

A stop that would land exactly on a limit breaks it, so the count stays below. Amounts are USD.
"""

from decimal import Decimal

from risk.core import drawdown
from risk.core.rules import Rules
from risk.core.standing import ZERO, Standing


def daily_left(rules: Rules, standing: Standing) -> Decimal | None:
    """Return what is left of the daily loss limit, all of it in profit; None without one."""
    rule = rules.daily_loss
    if rule is None:
        return None
    return rule.amount + min(ZERO, standing.money.equity - standing.day.reference)


def floor_left(rules: Rules, standing: Standing) -> Decimal | None:
    """Return what is left over the floor and its reserves; None without a floor."""
    if rules.drawdown is None or standing.floor is None:
        return None
    return drawdown.room(rules.drawdown, standing.floor, standing.money)


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
    over_floor = floor_left(rules, standing)
    if over_floor is not None and rules.drawdown is not None:
        reserve = tick_value * rules.drawdown.reserve_ticks
        found.append(fitting(over_floor - at_risk, each + reserve))
    today = daily_left(rules, standing)
    if today is not None:
        found.append(fitting(today - at_risk, each))
    return min(found, default=None)
