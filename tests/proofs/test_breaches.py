"""The same days through the guardrails and through the formulas: the same thresholds at the same moments."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from risk.core.presets import presets
from risk.core.rules import Rules
from tests.proofs.account import Account
from tests.proofs.formulas import Checker, Terms
from tests.proofs.prices import Price, gold, index, made_up
from tradehaven.domain.contracts import product_of
from tradehaven.domain.ids import Symbol

GOLD, INDEX, MADE_UP = Symbol("GCZ3"), Symbol("ESZ3"), Symbol("ESH6")
HOUR = 3_600_000
FIRMS = ("apex_legacy_eval:50000", "topstep_combine:50000", "e2t_tcp:50000")
Wish = Callable[[int], int]


def _terms(rules: Rules, symbol: Symbol) -> Terms:
    traded, floor, loss = product_of(symbol), rules.drawdown, rules.daily_loss
    assert floor is not None
    return Terms(
        trail=str(floor.trail),
        start=Fraction(floor.start),
        drawdown=Fraction(floor.amount),
        lock=None if floor.lock is None else Fraction(floor.lock),
        daily=None if loss is None else Fraction(loss.amount),
        hard=loss is not None and loss.fatal,
        touch=floor.touch,
        reserve_ticks=floor.reserve_ticks,
        tick=Fraction(traded.tick_size),
        tick_value=Fraction(traded.tick_value),
        fee=Fraction(rules.fee),
    )


def _between(first: int, last: int, qty: int) -> Wish:
    """Hold `qty` contracts from the first hour (UTC) to the last one of each day."""
    return lambda ms: qty if first <= ms // HOUR % 24 < last else 0


def _now_and_then(seed: int) -> Wish:
    """Hold something else every hour, and nothing around the reset."""

    def wish(ms: int) -> int:
        hour = ms // HOUR
        quiet = hour % 24 in (20, 21, 22, 23)
        return 0 if quiet else random.Random(seed * 1_000_003 + hour).randint(-3, 3)

    return wish


def _both(name: str, symbol: Symbol, prices: list[Price], wish: Wish) -> list[tuple[int, str]]:
    rules = presets()[name].rules
    account = Account.opened(rules, symbol, prices[0].ms)
    checker = Checker(_terms(rules, symbol))
    for price in prices:
        account.look(price, wish(price.ms))
        checker.look(price.ms, Fraction(price.bid), Fraction(price.ask), wish(price.ms))
    assert account.told == checker.told
    standing = account.standing
    assert standing.floor is not None
    assert Fraction(standing.floor.floor) == checker.floor
    assert Fraction(standing.money.balance) == checker.cash or account.told
    return account.told


def _said(told: list[tuple[int, str]]) -> list[str]:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [f"{epoch + timedelta(milliseconds=ms):%m-%d %H:%M} {what}" for ms, what in told]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", [*FIRMS, "apex_legacy_pa:50000", "tradeday_static:100000"])
def test_made_up_days_break_the_same_limits_at_the_same_moments(name: str, seed: int) -> None:
    told = _both(name, MADE_UP, made_up(seed), _now_and_then(seed))
    assert told


# Minutes in UTC; the day ends at 22:00, which is 17:00 in Chicago.
GOLD_DAY = {
    ("apex_legacy_eval:50000", 3): [
        "10-07 12:34 warning",
        "10-07 13:50 danger",
        "10-07 13:51 locked",
        "10-07 15:47 drawdown",
        "10-07 22:00 day over, floor 52262.50",
        "10-07 22:00 warning",
        "10-07 22:00 danger",
        "10-07 22:00 locked",
    ],
    ("topstep_combine:50000", -1): [
        "10-07 11:46 warning",
        "10-07 12:20 danger",
        "10-07 13:42 locked",
        "10-07 13:42 daily_loss",
        "10-07 22:00 day over, floor 48000.00",
        "10-07 22:00 warning",
    ],
    ("e2t_tcp:50000", -1): [
        "10-07 11:47 warning",
        "10-07 12:29 danger",
        "10-07 13:42 locked",
        "10-07 13:42 daily_loss",
        "10-07 22:00 day over, floor 48000.00",
    ],
}
INDEX_WEEK = {
    "apex_legacy_eval:50000": [
        "10-07 14:31 warning",
        "10-07 22:00 day over, floor 47820.00",
        "10-08 22:00 day over, floor 49760.00",
        "10-09 17:17 warning",
        "10-09 18:33 danger",
        "10-09 22:00 day over, floor 50900.00",
        "10-10 13:00 warning",
        "10-10 13:40 danger",
        "10-10 14:41 locked",
        "10-10 15:39 drawdown",
        "10-10 22:00 day over, floor 50900.00",
        "10-10 22:00 warning",
        "10-10 22:00 danger",
        "10-10 22:00 locked",
        "10-11 13:00 drawdown",
    ],
    "topstep_combine:50000": [
        "10-07 14:09 warning",
        "10-07 14:20 danger",
        "10-07 18:02 locked",
        "10-07 22:00 day over, floor 48090.00",
        "10-08 22:00 day over, floor 50000.00",
        "10-09 22:00 day over, floor 50000.00",
        "10-10 13:35 warning",
        "10-10 13:41 danger",
        "10-10 14:04 locked",
        "10-10 14:37 daily_loss",
        "10-10 22:00 day over, floor 50000.00",
        "10-11 13:38 warning",
        "10-11 13:57 danger",
        "10-11 15:41 locked",
        "10-11 15:55 daily_loss",
    ],
    "e2t_tcp:50000": [
        "10-07 14:09 warning",
        "10-07 14:24 danger",
        "10-07 22:00 day over, floor 48090.00",
        "10-08 22:00 day over, floor 50000.00",
        "10-09 22:00 day over, floor 50000.00",
        "10-10 13:38 warning",
        "10-10 13:53 danger",
        "10-10 14:37 locked",
        "10-10 14:46 daily_loss",
        "10-10 22:00 day over, floor 50000.00",
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "qty"), GOLD_DAY)
def test_a_recorded_day_of_gold_breaks_each_limit_in_its_minute(name: str, qty: int) -> None:
    assert _said(_both(name, GOLD, gold(), _between(11, 20, qty))) == GOLD_DAY[name, qty]


@pytest.mark.slow
@pytest.mark.parametrize("name", INDEX_WEEK)
def test_a_recorded_week_of_the_index_breaks_each_limit_in_its_minute(name: str) -> None:
    assert _said(_both(name, INDEX, index(), _between(13, 20, -2))) == INDEX_WEEK[name]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "name"), list(enumerate(FIRMS)))
def test_recorded_prices_and_any_trading_agree(seed: int, name: str) -> None:
    assert _both(name, INDEX, index(), _now_and_then(seed))
