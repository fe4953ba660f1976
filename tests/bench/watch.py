"""What one price costs an engine that watches many accounts, beside the bare arithmetic of their money.

    python -m tests.bench.watch

One price moves every account; the figures are for one account and one price, so they should not grow.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from time import perf_counter

from risk.core.ledger import Ledger, money_of, stake_of
from risk.core.rules import DayLimit, Drawdown, Rules, Trail
from syncgroups.core.decide import decide
from syncgroups.core.folding import fold
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, follower, group_of, plan_of
from tradehaven.domain.enums import Environment
from tradehaven.domain.events import PositionReported, PriceMoved
from tradehaven.domain.money import Ticks

ACCOUNTS = (10, 100, 1_000, 5_000)
LOOKS = 20_000
"""Accounts times prices of one measurement."""
RULES = Rules(
    daily_loss=DayLimit(amount=Decimal(10_000_000)),
    drawdown=Drawdown(trail=Trail.INTRADAY, amount=Decimal(10_000_000), start=Decimal(50_000)),
)


def world_of(accounts: int) -> Desk:
    """Return an owner whose followers all hold one contract and have a daily loss and a floor."""
    plan = plan_of(group_of(*(follower(2 + number) for number in range(accounts))))
    watched = {name: replace(known, rules=RULES) for name, known in plan.accounts.items()}
    desk = Desk(replace(plan, accounts=watched))
    for name, known in watched.items():
        desk.book.links.add(known.connection)
        held = PositionReported(account=name, symbol=ES, net=1, price=Decimal(5000), at=desk.at())
        desk.book.risk.keep(
            name, Ledger(cash=Decimal(50_000), profit=Decimal(0), stakes={ES: stake_of(held)})
        )
    return desk


def watching(desk: Desk, prices: int) -> float:
    """Return the seconds that the engine's core takes for so many prices."""
    quotes = [
        PriceMoved(
            environment=Environment.PAPER,
            symbol=ES,
            bid=Ticks(20_000 + number % 7),
            ask=Ticks(20_001 + number % 7),
            last=None,
            at=desk.at(),
        )
        for number in range(prices)
    ]

    def seen() -> None:
        for quote in quotes:
            if fold(desk.book, quote):
                desk.book.apply(decide(desk.plan, desk.book, quote))

    return _timed(seen)


def reckoning(desk: Desk, prices: int) -> float:
    """Return the seconds that valuing the same positions alone takes: the floor."""
    ledgers = list(desk.book.risk.ledgers.values())
    marks = desk.book.risk.marks[Environment.PAPER]

    def reckoned() -> None:
        for _ in range(prices):
            for ledger in ledgers:
                money_of(ledger, marks, RULES.fee)

    return _timed(reckoned)


def _timed(work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    began = perf_counter()
    work()
    gc.enable()
    return perf_counter() - began


def main() -> None:
    """Print a line for each number of accounts."""
    for accounts in ACCOUNTS:
        desk, prices = world_of(accounts), max(4, LOOKS // accounts)
        watching(desk, 2)
        took, floor = watching(desk, prices), reckoning(desk, prices)
        looks = prices * (accounts + 1)
        sys.stdout.write(
            f"{accounts:>5} accounts: {took / looks * 1e6:5.1f} us for an account and a price, "
            f"{looks / took:9,.0f} a second, {took / floor:4.1f} times the arithmetic alone\n"
        )


if __name__ == "__main__":
    main()
