"""An account that prices are shown to, for tests of the watch: it stands somewhere, is worth something."""

from decimal import Decimal
from typing import Any

from risk.core.days import begun
from risk.core.drawdown import begin
from risk.core.rules import (
    NO_RULES,
    DayLimit,
    Drawdown,
    Rules,
    Trail,
)
from risk.core.standing import Band, Money, Standing
from risk.core.watch import Observed, observed
from risk.tests.times import at
from tradehaven.domain.ids import Nanos

START = Decimal(50_000)
NOW = at("2026-08-12T10:00")
EVENING = at("2026-08-12T17:00")
MINUTE = 60 * 1_000_000_000
LOSS = Rules(daily_loss=DayLimit(amount=Decimal(1_000)))
EOD = Drawdown(trail=Trail.END_OF_DAY, amount=Decimal(2_000), start=START)


def stands(rules: Rules = NO_RULES, **day: Any) -> Standing:
    floor = begin(rules.drawdown, START) if rules.drawdown is not None else None
    return Standing(
        money=Money(balance=START), day=begun(START, NOW, rules.reset_at).changed(**day), floor=floor
    )


def worth(profit: object, balance: Decimal = START, **more: Any) -> Money:
    open_profit = Decimal(str(profit))
    return Money(balance=balance, low=open_profit, high=open_profit, **more)


def see(rules: Rules, standing: Standing, *profits: object, now: Nanos = NOW) -> Observed:
    seen = Observed(standing=standing, broken=None, band=Band.SAFE)
    for profit in profits:
        seen = observed(rules, seen.standing, worth(profit), now)
    return seen
