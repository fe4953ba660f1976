"""The rules of prop-trading accounts: drawdown floor, daily loss, target; values in, values out.

Amounts are USD. `rule_sets.csv` holds programs as they were last seen published; firms change them without
notice. What the exchange does about a breach stands in `supervision`.
"""

import csv
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from brokers.paper.entities import Evaluation
from brokers.paper.words import Standing

_FILE = Path(__file__).with_name("rule_sets.csv")


class Drawdown(StrEnum):
    """What the floor follows: equity at every moment, a day's last balance, each balance, or nothing."""

    INTRADAY = "intraday"
    END_OF_DAY = "end_of_day"
    CLOSED = "closed"
    STATIC = "static"


class DailyLoss(StrEnum):
    """What a day's loss limit does: trading rests until the next day, or the account fails."""

    PAUSE = "pause"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """One program at one size; `lock` is where the floor stops, above the start; None means no such rule."""

    name: str
    drawdown_type: Drawdown
    drawdown: Decimal
    lock: Decimal | None = None
    daily_loss: Decimal | None = None
    daily_kind: DailyLoss = DailyLoss.PAUSE
    target: Decimal | None = None
    max_contracts: int | None = None
    min_days: int = 0
    best_day: Decimal | None = None


@lru_cache(maxsize=1)
def rule_sets() -> dict[str, RuleSet]:
    """Return every program by name, such as `topstep_combine:50000`."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        found = [_rule_set(row) for row in csv.DictReader(file)]
    return {item.name: item for item in found}


def begin(rules: RuleSet, account_id: int, start: Decimal) -> Evaluation:
    """Return the standing of an account whose first balance is `start`."""
    return Evaluation(
        id=account_id,
        rule_set=rules.name,
        start=start,
        high=start,
        floor=start - rules.drawdown,
    )


def observe(
    rules: RuleSet, seen: Evaluation, *, balance: Decimal, open_profit: Decimal, day_net: Decimal
) -> Evaluation:
    """Return the standing after a fill or a mark; `day_net` is the day's realised profit after fees.

    The peak comes before the breach, and the drawdown before the daily limit: the stricter order.
    """
    if seen.standing not in (Standing.ACTIVE, Standing.DAY_LOCKED):
        return seen
    equity = balance + open_profit
    if rules.drawdown_type is Drawdown.INTRADAY:
        seen = _raised(rules, seen, equity)
    elif rules.drawdown_type is Drawdown.CLOSED:
        seen = _raised(rules, seen, balance)
    if equity <= seen.floor:
        return replace(seen, standing=Standing.FAILED, reason=f"Equity {equity} reached {seen.floor}")
    loss = -(day_net + open_profit)
    if rules.daily_loss is None or loss < rules.daily_loss or seen.standing is Standing.DAY_LOCKED:
        return seen
    ends = Standing.FAILED if rules.daily_kind is DailyLoss.HARD else Standing.DAY_LOCKED
    return replace(seen, standing=ends, reason=f"Loss of the day {loss} reached {rules.daily_loss}")


def passes(rules: RuleSet, seen: Evaluation, *, day_net: Decimal, traded: bool) -> bool:
    """Return whether a flat account has reached its target, with enough days and no day too good."""
    if rules.target is None or seen.standing is not Standing.ACTIVE:
        return False
    total = seen.net + day_net
    days = seen.days + int(traded)
    best = max(seen.best_day, day_net)
    even = rules.best_day is None or best <= rules.best_day * total
    return total >= rules.target and days >= rules.min_days and even


def end_day(
    rules: RuleSet, seen: Evaluation, *, balance: Decimal, day_net: Decimal, traded: bool
) -> Evaluation:
    """Return the standing with which the next day begins; failed and passed stay what they are."""
    if rules.drawdown_type is Drawdown.END_OF_DAY and seen.standing in (Standing.ACTIVE, Standing.DAY_LOCKED):
        seen = _raised(rules, seen, balance)
    locked = seen.standing is Standing.DAY_LOCKED
    return replace(
        seen,
        standing=Standing.ACTIVE if locked else seen.standing,
        reason=None if locked else seen.reason,
        best_day=max(seen.best_day, day_net),
        net=seen.net + day_net,
        days=seen.days + int(traded),
    )


def deposited(seen: Evaluation, amount: Decimal) -> Evaluation:
    """Return the standing after a deposit, which widens no limit, or a withdrawal, which moves none."""
    if amount <= 0:
        return seen
    return replace(seen, start=seen.start + amount, high=seen.high + amount, floor=seen.floor + amount)


def _raised(rules: RuleSet, seen: Evaluation, peak: Decimal) -> Evaluation:
    high = max(seen.high, peak)
    floor = high - rules.drawdown
    if rules.lock is not None:
        floor = min(floor, seen.start + rules.lock)
    return replace(seen, high=high, floor=max(seen.floor, floor))


def _rule_set(row: dict[str, str]) -> RuleSet:
    def money(name: str) -> Decimal | None:
        return Decimal(row[name]) if row[name] else None

    return RuleSet(
        name=f"{row['program']}:{row['size']}",
        drawdown_type=Drawdown(row["drawdown_type"]),
        drawdown=Decimal(row["drawdown"]),
        lock=money("lock"),
        daily_loss=money("daily_loss"),
        daily_kind=DailyLoss(row["daily_kind"] or DailyLoss.PAUSE),
        target=money("target"),
        max_contracts=int(row["max_contracts"]) if row["max_contracts"] else None,
        min_days=int(row["min_days"]),
        best_day=money("best_day"),
    )
