"""How much of all profit the best day may be, against the worked examples."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.consistency import Share, most_today, share
from risk.core.rules import Consistency
from risk.tests.reference import load

EXAMPLES = load("consistency")
HALF = Consistency(best_day=Decimal("0.5"))


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["id"] for example in EXAMPLES])
def test_the_worked_examples_of_consistency_come_out(example: dict[str, Any]) -> None:
    rule = Consistency(best_day=Decimal(example["best_day_pct"]), touch=example["operator"] == "le")
    found = share(rule, [Decimal(net) for net in example["daily_net"]])
    names = {"ok": "kept", "total_needed": "needed", "more_needed": "more"}
    for name, wanted in example["expect"].items():
        told = getattr(found, names.get(name, name))
        if wanted is None or isinstance(wanted, bool):
            assert told is wanted
        else:
            assert abs(told - Decimal(wanted)) <= Decimal("0.005"), name


def test_without_a_day_nothing_is_kept_and_nothing_needed() -> None:
    zero = Decimal(0)
    assert share(HALF, []) == Share(best=zero, total=zero, ratio=None, kept=False, needed=zero, more=zero)


def test_the_smallest_profit_is_one() -> None:
    quarter = Decimal("0.25")
    found = share(HALF, [quarter, quarter])
    assert (found.kept, found.ratio) == (True, Decimal("0.5"))
    assert share(HALF, [quarter, -quarter]).ratio is None
    assert not share(Consistency(best_day=Decimal(1)), []).kept


def test_a_losing_best_day_counts_as_nothing() -> None:
    found = share(HALF, [Decimal(-5), Decimal(-7)])
    assert (found.best, found.total, found.kept) == (Decimal(0), Decimal(-12), False)
    assert found.more == Decimal(12)


def test_today_may_be_as_good_as_the_share_of_the_other_days_allows() -> None:
    assert most_today(HALF, [Decimal(700), Decimal(-100)]) == Decimal(600)
    assert most_today(Consistency(best_day=Decimal("0.2")), [Decimal(400)]) == Decimal(100)
    assert most_today(Consistency(best_day=Decimal("0.4")), [Decimal(100)]) == Decimal("66.66")
    assert most_today(HALF, [Decimal(-700)]) == 0
    assert most_today(HALF, []) == 0
    assert most_today(Consistency(best_day=Decimal(1)), []) is None


usd = st.integers(-100_000, 100_000).map(Decimal)


@given(st.lists(usd, min_size=1, max_size=12), st.sampled_from(["0.2", "0.25", "0.4", "0.5", "0.8"]))
def test_a_best_day_up_to_todays_most_keeps_the_rule_and_a_cent_more_breaks_it(
    others: list[Decimal], best_day: str
) -> None:
    rule = Consistency(best_day=Decimal(best_day))
    most = most_today(rule, others)
    assert most is not None
    if most > max(others) and most > 0:
        assert share(rule, [*others, most]).kept
        assert not share(rule, [*others, most + Decimal("0.01")]).kept
