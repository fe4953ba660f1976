"""The rules of prop-trading accounts against worked examples, and what always holds."""

import json
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.entities import Evaluation
from brokers.paper.evaluation import (
    DailyLoss,
    Drawdown,
    RuleSet,
    begin,
    deposited,
    end_day,
    observe,
    passes,
    rule_sets,
)
from brokers.paper.words import Standing

SHARED = Path(os.environ.get("TRADEHAVEN_SHARED", Path(__file__).resolve().parents[4] / "shared"))
EXAMPLES = SHARED / "reference" / "prop-firm-rules.json"
TYPES = {
    "intraday_trailing": Drawdown.INTRADAY,
    "eod_trailing": Drawdown.END_OF_DAY,
    "static": Drawdown.STATIC,
}
CENTS = st.decimals(-3_000, 3_000, places=2)


def plain(kind: Drawdown = Drawdown.INTRADAY, **members: Any) -> RuleSet:
    return RuleSet(name="x:50000", drawdown_type=kind, drawdown=Decimal(2_000), **members)


class Walk:
    """An account that lives through a worked example."""

    def __init__(self, config: dict[str, Any]) -> None:
        start = Decimal(config["start"])
        lock = config["lock_level"]
        self.rules = RuleSet(
            name="example",
            drawdown_type=TYPES[config["type"]],
            drawdown=Decimal(config["amount"]),
            lock=None if lock is None else Decimal(lock) - start,
            daily_loss=Decimal(config["daily_loss"]) if "daily_loss" in config else None,
            daily_kind=DailyLoss(config.get("daily_kind", "pause")),
        )
        self.seen = begin(self.rules, 1, start)
        self.balance = start
        self.day = Decimal(0)

    def take(self, step: dict[str, Any]) -> None:
        match step["op"]:
            case "trade":
                self._trade(step)
            case "withdraw":
                self.balance -= step["amount"]
                self.seen = deposited(self.seen, Decimal(-step["amount"]))
            case "eod":
                self.seen = end_day(
                    self.rules, self.seen, balance=self.balance, day_net=self.day, traded=True
                )
                self.day = Decimal(0)

    def _trade(self, step: dict[str, Any]) -> None:
        fees = Decimal(step.get("fees", 0))
        self.balance -= fees
        self.day -= fees
        for mark in (step["peak"], step["low"]):
            self._look(Decimal(str(mark)))
        self.balance += Decimal(str(step["close"]))
        self.day += Decimal(str(step["close"]))
        self._look(Decimal(0))

    def _look(self, open_profit: Decimal) -> None:
        self.seen = observe(
            self.rules, self.seen, balance=self.balance, open_profit=open_profit, day_net=self.day
        )


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the shared reference is not beside the project")
def test_worked_examples_come_out_as_published() -> None:
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))["worked_examples"]
    assert len(examples) == 13
    for example in examples:
        walk = Walk(example["config"])
        for step in example["steps"]:
            walk.take(step)
            expected = step["expect"]
            where = (example["id"], step)
            if expected.get("status") not in (None, "failed") or "status" not in expected:
                assert expected.get("balance", walk.balance) == walk.balance, where
            assert expected.get("floor", walk.seen.floor) == walk.seen.floor, where
            assert expected.get("status", walk.seen.standing) == walk.seen.standing, where
            assert expected.get("hwm", walk.seen.high) == walk.seen.high, where
            if "failed_equity" in expected:
                assert f"Equity {expected['failed_equity']} " in f"{walk.seen.reason}".replace(".00 ", " ")


@given(st.lists(CENTS, max_size=30), st.sampled_from(list(Drawdown)), st.none() | st.integers(0, 500))
def test_floor_never_falls_and_failing_is_final(
    moves: list[Decimal], kind: Drawdown, lock: int | None
) -> None:
    rules = plain(kind, lock=None if lock is None else Decimal(lock))
    seen = begin(rules, 1, Decimal(50_000))
    for move in moves:
        after = observe(rules, seen, balance=Decimal(50_000), open_profit=move, day_net=Decimal(0))
        assert after.floor >= seen.floor >= Decimal(48_000)
        assert lock is None or after.floor <= 50_000 + lock
        assert (50_000 + move > after.floor) is (after.standing is not Standing.FAILED) or (
            seen.standing is Standing.FAILED
        )
        assert seen.standing is not Standing.FAILED or after == seen
        seen = after


@given(CENTS, CENTS)
def test_trailing_closed_balance_ignores_open_profit(balance: Decimal, open_profit: Decimal) -> None:
    rules = plain(Drawdown.CLOSED)
    seen = begin(rules, 1, Decimal(50_000))
    after = observe(rules, seen, balance=50_000 + balance, open_profit=open_profit, day_net=balance)
    assert after.high == max(Decimal(50_000), 50_000 + balance)


def test_hard_daily_limit_fails_and_a_soft_one_rests() -> None:
    for kind, standing in ((DailyLoss.HARD, Standing.FAILED), (DailyLoss.PAUSE, Standing.DAY_LOCKED)):
        rules = plain(daily_loss=Decimal(500), daily_kind=kind)
        seen = begin(rules, 1, Decimal(50_000))
        values = {"balance": Decimal(49_700), "day_net": Decimal(-300)}
        assert observe(rules, seen, open_profit=Decimal("-199.99"), **values).standing is Standing.ACTIVE
        assert observe(rules, seen, open_profit=Decimal(-200), **values).standing is standing


@pytest.mark.parametrize(
    ("net", "best", "days", "today", "good"),
    [
        (0, 0, 0, 3_000, False),
        (1_500, 1_500, 1, 1_500, True),
        (1_400, 1_400, 1, 1_599, False),
        (1_400, 1_400, 1, 1_700, False),
        (2_000, 1_000, 2, 999, False),
        (2_000, 1_000, 2, 1_000, True),
    ],
)
def test_target_passes_only_with_its_days_and_no_day_too_good(
    net: int, best: int, days: int, today: int, good: bool
) -> None:
    rules = plain(target=Decimal(3_000), min_days=2, best_day=Decimal("0.5"))
    seen = replace(begin(rules, 1, Decimal(50_000)), net=Decimal(net), best_day=Decimal(best), days=days)
    assert passes(rules, seen, day_net=Decimal(today), traded=True) is good
    assert not passes(plain(), seen, day_net=Decimal(today), traded=True)


def test_deposit_widens_no_limit_and_withdrawal_moves_none() -> None:
    seen = begin(plain(), 1, Decimal(50_000))
    more = deposited(seen, Decimal(1_000))
    assert [more.start, more.high, more.floor] == [51_000, 51_000, 49_000]
    assert deposited(seen, Decimal(-1_000)) == seen


def test_every_rule_set_of_the_file_is_usable() -> None:
    found = rule_sets()
    assert len(found) == 94
    for name, rules in found.items():
        seen: Evaluation = begin(rules, 1, Decimal(name.split(":")[1]))
        assert rules.drawdown > 0
        assert seen.floor < seen.start
        assert rules.daily_loss is None or rules.daily_loss > 0
