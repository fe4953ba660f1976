"""How near a limit is, sums of accounts, and the worked examples with a limit of the day."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from risk.core.bands import band_of, worse
from risk.core.days import begun, flowed
from risk.core.rules import (
    DayLimit,
    Drawdown,
    GiveBack,
    Rules,
    Trail,
)
from risk.core.standing import Band, Money, Standing, Survival
from risk.core.watch import observed, summed
from risk.tests.looking import EOD, LOSS, NOW, START, see, stands, worth
from risk.tests.reference import load


@pytest.mark.parametrize(
    ("left", "band"),
    [
        ("1000", Band.SAFE),
        ("550", Band.SAFE),
        ("500.01", Band.SAFE),
        ("500", Band.WARNING),
        ("300.01", Band.WARNING),
        ("300", Band.DANGER),
        ("100", Band.DANGER),
        ("99.99", Band.LOCKED),
        ("0", Band.LOCKED),
    ],
)
def test_bands_begin_at_50_and_70_and_above_90_percent(left: str, band: Band) -> None:
    assert band_of(Decimal(1_000), Decimal(left)) is band
    assert worse(band, Band.SAFE) is band
    assert worse(Band.SAFE, band) is band
    assert worse(Band.LOCKED, band) is Band.LOCKED


def test_the_band_is_that_of_the_nearest_limit() -> None:
    rules = replace(LOSS, drawdown=EOD, give_back=GiveBack(after=Decimal(500), amount=Decimal(400)))
    standing = stands(rules)
    assert see(rules, standing, -100).band is Band.SAFE
    assert see(rules, standing, -500).band is Band.WARNING
    assert see(rules, standing, -700).band is Band.DANGER
    assert see(rules, standing, "-900.01").band is Band.LOCKED
    assert see(rules, standing, 500, 300).band is Band.WARNING
    only = Rules(drawdown=EOD)
    assert see(only, stands(only), -1_400).band is Band.DANGER
    assert see(only, stands(), -5_000).band is Band.SAFE


def test_a_sum_of_accounts_obeys_the_same_rules_as_one() -> None:
    one = stands().changed(
        money=Money(
            balance=Decimal(49_800), low=Decimal(-200), high=Decimal(-150), contracts=2, tick=Decimal(25)
        ),
    )
    two = stands(reference=Decimal(20_000)).changed(
        money=Money(
            balance=Decimal(19_500), low=Decimal(-100), high=Decimal(-90), contracts=1, tick=Decimal(5)
        ),
    )
    whole = summed([one, two])
    assert whole == Money(
        balance=Decimal(-700), low=Decimal(-300), high=Decimal(-240), contracts=3, tick=Decimal(30)
    )
    shared = Standing(money=Money(balance=Decimal(0)), day=begun(Decimal(0), NOW))
    assert observed(LOSS, shared, whole, NOW).broken is not None
    paid = summed([one, flowed(two, Decimal(-500))])
    assert observed(LOSS, shared, paid, NOW).broken is None
    assert summed([]) == Money(balance=Decimal(0))


@pytest.mark.parametrize(
    "example", [e for e in load("drawdown") if "daily_loss" in e["config"]], ids=lambda e: e["id"]
)
def test_the_worked_examples_with_a_daily_limit_come_out(example: dict[str, Any]) -> None:
    config = example["config"]
    rules = Rules(
        drawdown=Drawdown(trail=Trail.END_OF_DAY, amount=Decimal(config["amount"]), start=START),
        daily_loss=DayLimit(amount=Decimal(config["daily_loss"])),
    )
    standing, balance, now = stands(rules), START, NOW
    for step in example["steps"]:
        if step["op"] == "eod":
            now = standing.day.ends
            standing = observed(rules, standing, Money(balance=balance), now).standing
        else:
            for open_profit in (step["peak"], step["low"]):
                standing = observed(rules, standing, worth(open_profit, balance), now).standing
            balance += Decimal(str(step["close"]))
            standing = observed(rules, standing, Money(balance=balance), now).standing
        status = step["expect"].get("status")
        assert standing.floor is not None
        if status == "failed":
            assert standing.floor.survival is Survival.FAILED
        elif status is not None:
            assert (standing.lock is not None) is (status == "day_locked")
        if "day_start" in step["expect"]:
            assert standing.day.reference == step["expect"]["day_start"]
        if "floor" in step["expect"]:
            assert standing.floor.floor == step["expect"]["floor"]
