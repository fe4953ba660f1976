"""How far each limit of an account is used: for pages, alerts and the API, never for a decision."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from risk.core import drawdown
from risk.core.bands import band_of, worse
from risk.core.lockouts import running
from risk.core.room import budgets, contracts_within, day_left, each_costs
from risk.core.rules import Rules
from risk.core.standing import ZERO, Band, Standing, Survival
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import Product

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One limit: `used` is its share from 0 to 1, `left` what remains of `amount` in USD, never below 0."""

    limit: RefusalReason
    amount: Decimal
    left: Decimal
    used: Decimal
    band: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All gauges of an account, the nearest limit's band, and when entries are allowed again."""

    gauges: tuple[Gauge, ...]
    band: Band
    unlocks: Nanos | None
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is left in one product: USD to the nearest loss limit, ticks against what is open, contracts."""

    usd: Decimal
    ticks: int
    contracts: int


def board(rules: Rules, standing: Standing, now: Nanos) -> Board:
    """Return how an account stands at an instant."""
    found = tuple(gauges_of(rules, standing))
    lock = running(standing.lock, now)
    shut = lock is not None or (standing.floor is not None and standing.floor.survival is Survival.FAILED)
    bands = (gauge.band for gauge in found if gauge.limit is not RefusalReason.DAILY_PROFIT)
    return Board(
        gauges=found,
        band=Band.LOCKED if shut else reduce(worse, bands, Band.SAFE),
        unlocks=lock.until if lock is not None else None,
        certain=standing.floor is None or (standing.floor.certain and not standing.floor.gaps),
    )


def reach(
    rules: Rules, standing: Standing, traded: Product, *, contracts: int, stop_ticks: int
) -> Reach | None:
    """Return what is left in a product: ticks that `contracts` may lose, contracts with a stop this far.

    None where no loss limit is set. With nothing open the ticks are those of one contract.
    """
    found = budgets(rules, standing, traded.tick_value)
    if not found:
        return None
    usd = max(ZERO, min(budget.left for budget in found))
    most = contracts_within(found, each_costs(rules, stop_ticks, traded.tick_value))
    return Reach(usd=usd, ticks=int(usd / (traded.tick_value * max(1, contracts))), contracts=most)


def gauges_of(rules: Rules, standing: Standing) -> Iterator[Gauge]:
    """Yield how far each limit is used, the target of the day last."""
    rule, floor, loss = rules.drawdown, standing.floor, rules.daily_loss
    if rule is not None and floor is not None:
        yield _of(RefusalReason.DRAWDOWN, rule.amount, drawdown.room(rule, floor, standing.money))
    if loss is not None:
        yield _of(RefusalReason.DAILY_LOSS, loss.amount, day_left(loss, standing))
    profit = standing.money.equity - standing.day.reference
    keep = rules.give_back
    if keep is not None and standing.day.best >= keep.after:
        yield _of(RefusalReason.GIVE_BACK, keep.amount, keep.amount - (standing.day.best - profit))
    if rules.daily_profit is not None:
        yield _of(RefusalReason.DAILY_PROFIT, rules.daily_profit.amount, rules.daily_profit.amount - profit)


def _of(limit: RefusalReason, amount: Decimal, left: Decimal) -> Gauge:
    used = min(_ONE, max(ZERO, _ONE - left / amount))
    return Gauge(limit=limit, amount=amount, left=max(ZERO, left), used=used, band=band_of(amount, left))
