"""The floor of an account, against the worked examples and against what must hold on any path."""

import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.drawdown import (
    anchored,
    begin,
    day_ended,
    failed,
    marked,
    missed,
    observed,
    room,
    withdrawn,
)
from risk.core.rules import Drawdown, Trail
from risk.core.standing import Floor, Money, Survival
from risk.tests.reference import load, shared

EXAMPLES = load("drawdown")
TRAILS = {
    "intraday_trailing": Trail.INTRADAY,
    "eod_trailing": Trail.END_OF_DAY,
    "closed_trailing": Trail.CLOSED,
    "static": Trail.STATIC,
}
START = Decimal(50_000)


def _usd(number: object) -> Decimal:
    return Decimal(str(number))


def _at(equity: Decimal | int, balance: Decimal | int | None = None, **more: Any) -> Money:
    balance = equity if balance is None else balance
    open_profit = Decimal(equity) - Decimal(balance)
    return Money(balance=Decimal(balance), low=open_profit, high=open_profit, **more)


def _rule(trail: Trail = Trail.INTRADAY, amount: int = 2_500, **more: Any) -> Drawdown:
    return Drawdown(trail=trail, amount=Decimal(amount), start=START, **more)


class _Account:
    """Plays the steps of an example: each trade is a peak, a low and a close after its fees."""

    def __init__(self, config: dict[str, Any]) -> None:
        lock = config["lock_level"]
        self.rule = Drawdown(
            trail=TRAILS[config["type"]],
            amount=_usd(config["amount"]),
            start=_usd(config["start"]),
            lock=None if lock is None else _usd(lock),
            touch=config["breach"] == "le",
        )
        self.balance = self.day_start = self.rule.start
        self.floor = begin(self.rule, self.balance)

    def play(self, step: dict[str, Any]) -> None:
        if step["op"] == "trade":
            self.balance -= _usd(step.get("fees", 0))
            for equity in (self.balance + _usd(step["peak"]), self.balance + _usd(step["low"])):
                self.floor = observed(self.rule, self.floor, _at(equity, self.balance))
            self.balance += _usd(step["close"])
            self.floor = observed(self.rule, self.floor, _at(self.balance))
        elif step["op"] == "eod":
            self.floor = day_ended(self.rule, self.floor, self.balance, self.balance - self.day_start)
            self.day_start = self.balance
        elif step["op"] == "withdraw":
            self.balance -= _usd(step["amount"])
            self.floor = withdrawn(self.rule, self.floor)

    def says(self, name: str) -> Any:
        if name == "locked":
            return self.rule.lock is not None and self.floor.floor >= self.rule.lock
        if name == "status":
            return self.floor.survival
        figures = {
            "balance": self.balance,
            "equity": self.balance,
            "floor": self.floor.floor,
            "hwm": self.floor.high,
            "buffer": room(self.rule, self.floor, _at(self.balance)),
            "day_start": self.day_start,
            "day_loss": self.day_start - self.balance,
            "failed_equity": self.floor.failed_at,
        }
        return figures[name]


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["id"] for example in EXAMPLES])
def test_the_worked_examples_of_floors_come_out(example: dict[str, Any]) -> None:
    account = _Account(example["config"])
    for step in example["steps"]:
        account.play(step)
        for name, wanted in step["expect"].items():
            # A pause of the day is no matter of the floor: the watch has it, and plays these steps too.
            if wanted == "day_locked":
                wanted = "active"
            told = account.says(name)
            assert told == (wanted if isinstance(wanted, bool | str) else _usd(wanted)), name


def test_the_examples_are_those_of_the_reference() -> None:
    theirs = json.loads(shared("reference/prop-firm-rules.json").read_text(encoding="utf-8"))
    for kind, name in (("drawdown", "worked_examples"), ("consistency", "consistency_examples")):
        known = {example["id"]: example for example in theirs[name]}
        assert len(known) == len(load(kind))
        for example in load(kind):
            assert example.items() <= known[example["id"]].items()


def test_a_rule_that_is_broken_only_beyond_its_floor_survives_the_touch() -> None:
    rule = _rule(Trail.STATIC, touch=False)
    floor = begin(rule, START)
    assert observed(rule, floor, _at(47_500)) is floor
    broken = observed(rule, floor, _at(Decimal("47499.99")))
    assert broken == floor.changed(survival=Survival.FAILED, failed_at=Decimal("47499.99"))


def test_an_observation_that_changes_nothing_makes_no_new_floor() -> None:
    rule = _rule()
    floor = begin(rule, START)
    assert observed(rule, floor, _at(START)) is floor
    assert observed(rule, floor, _at(49_000)) is floor


def test_a_peak_counts_at_kind_prices_and_a_breach_at_careful_ones() -> None:
    rule = _rule()
    money = Money(balance=START, low=Decimal(-100), high=Decimal(300))
    floor = observed(rule, begin(rule, START), money)
    assert (floor.high, floor.floor) == (Decimal(50_300), Decimal(47_800))
    wide = Money(balance=START, low=Decimal(-2_200), high=Decimal(300))
    assert observed(rule, begin(rule, START), wide).failed_at == Decimal(47_800)


def test_an_account_that_is_met_in_profit_has_the_lowest_floor_it_can_have_and_says_it_is_unsure() -> None:
    rule = _rule(lock=Decimal(50_100))
    met = begin(rule, Decimal(51_000))
    assert met == Floor(high=Decimal(51_000), floor=Decimal(48_500), certain=False)
    assert begin(rule, Decimal(49_000)) == Floor(high=START, floor=Decimal(47_500), certain=False)
    assert begin(rule, Decimal(90_000)).floor == Decimal(50_100)
    assert begin(rule, START) == Floor(high=START, floor=Decimal(47_500))
    assert begin(_rule(Trail.STATIC), Decimal(51_000)) == Floor(high=START, floor=Decimal(47_500))


def test_only_closed_profit_moves_a_floor_that_follows_closes() -> None:
    rule = _rule(Trail.CLOSED)
    floor = begin(rule, START)
    assert observed(rule, floor, _at(52_000, 50_000)) is floor
    after = observed(rule, floor, _at(50_100, 50_400))
    assert after == Floor(high=Decimal(50_400), floor=Decimal(47_900))
    assert observed(_rule(Trail.END_OF_DAY), floor, _at(50_400)) is floor
    assert observed(rule, floor, _at(47_900, 50_400)).failed_at == Decimal(47_900)


def test_a_day_that_ends_is_remembered_with_its_net_and_raises_only_a_floor_of_days() -> None:
    for trail, high in ((Trail.END_OF_DAY, 50_700), (Trail.INTRADAY, 50_000), (Trail.STATIC, 50_000)):
        rule = _rule(trail)
        ended = day_ended(rule, begin(rule, START), Decimal(50_700), Decimal(700))
        assert (ended.high, ended.nets) == (Decimal(high), (Decimal(700),))
        again = day_ended(rule, ended, Decimal(50_600), Decimal(-100))
        assert (again.high, again.nets) == (Decimal(high), (Decimal(700), Decimal(-100)))
    dead = failed(begin(rule, START), Decimal(1))
    assert day_ended(rule, dead, Decimal(60_000), Decimal(1)) is dead


def test_a_payout_leaves_the_floor_unless_the_firm_then_sets_it_to_its_lock() -> None:
    floor = begin(_rule(), START)
    assert withdrawn(_rule(lock=START), floor) is floor
    assert withdrawn(_rule(payout_locks=True), floor) is floor
    firm = _rule(lock=START, payout_locks=True)
    assert withdrawn(firm, floor) == floor.changed(floor=START)
    locked = withdrawn(firm, floor)
    assert withdrawn(firm, locked) is locked


def test_missed_prices_make_only_a_floor_unsure_that_follows_every_moment() -> None:
    floor = begin(_rule(), START)
    unsure = missed(_rule(), floor)
    assert unsure == floor.changed(gaps=True)
    assert missed(_rule(), unsure) is unsure
    assert missed(_rule(Trail.END_OF_DAY), floor) is floor


def test_the_brokers_own_floor_counts_where_it_is_higher_and_ends_the_doubt() -> None:
    unsure = missed(_rule(), begin(_rule(), START))
    assert anchored(_rule(), unsure, Decimal(47_000)) == Floor(high=START, floor=Decimal(47_500))
    assert anchored(_rule(), unsure, Decimal(48_200)) == Floor(high=Decimal(50_700), floor=Decimal(48_200))
    static = _rule(Trail.STATIC)
    assert anchored(static, unsure, Decimal(48_200)) == Floor(high=START, floor=Decimal(48_200))
    dead = failed(unsure, Decimal(1))
    assert anchored(_rule(), dead, Decimal(60_000)) is dead


def test_a_floor_that_is_stated_is_certain_whatever_was_not_known_before() -> None:
    met = begin(_rule(), Decimal(51_000))
    assert not met.certain
    assert anchored(_rule(), met, Decimal(1)) == met.changed(certain=True)


def test_a_high_that_the_broker_has_said_ends_what_gaps_left_in_doubt_though_it_is_no_higher() -> None:
    floor = begin(_rule(), START)
    unsure = missed(_rule(), floor)
    assert marked(_rule(), unsure, START) == floor
    assert marked(_rule(), floor, START) is floor
    assert marked(_rule(), floor, Decimal(50_001)).floor == Decimal(47_501)


def test_room_keeps_dollars_always_and_ticks_while_contracts_are_open() -> None:
    rule = _rule(reserve=Decimal(100), reserve_ticks=4)
    floor = begin(rule, START)
    assert room(rule, floor, _at(50_000)) == Decimal(2_400)
    held = _at(50_000, contracts=3, tick=Decimal("37.50"))
    assert room(rule, floor, held) == Decimal(2_250)


cents = st.integers(-400_000, 400_000).map(lambda n: Decimal(n) / 100)
paths = st.lists(
    st.tuples(cents, cents, st.sampled_from(["mark", "close", "day", "pay"])), min_size=1, max_size=30
)
rules = st.builds(
    _rule,
    trail=st.sampled_from(Trail),
    amount=st.integers(500, 5_000),
    lock=st.none() | st.integers(48_000, 54_000).map(Decimal),
    touch=st.booleans(),
)


def _walk(rule: Drawdown, path: list[tuple[Decimal, Decimal, str]]) -> list[tuple[Floor, Decimal]]:
    balance, floor = START, begin(rule, START)
    seen = [(floor, balance)]
    for open_profit, net, kind in path:
        equity = balance
        if kind == "mark":
            equity = balance + open_profit
            floor = observed(rule, floor, _at(equity, balance))
        elif kind == "close":
            equity = balance = balance + net
            floor = observed(rule, floor, _at(balance))
        elif kind == "day":
            floor = observed(rule, day_ended(rule, floor, balance, net), _at(balance))
        else:
            assert withdrawn(rule, floor) is floor
            floor = observed(rule, floor, _at(balance))
        seen.append((floor, equity))
    return seen


@given(rules, paths)
def test_a_floor_never_falls_nor_passes_its_lock_and_failed_is_final(
    rule: Drawdown, path: list[tuple[Decimal, Decimal, str]]
) -> None:
    seen = _walk(rule, path)
    least = START - rule.amount
    for (before, _), (after, equity) in pairwise(seen):
        assert after.floor >= before.floor >= least
        assert rule.lock is None or after.floor <= max(rule.lock, least)
        if before.survival is Survival.FAILED:
            assert after == before
        elif after.survival is Survival.ACTIVE:
            assert equity > after.floor or (equity == after.floor and not rule.touch)


@given(rules, paths)
def test_a_floor_of_every_moment_leaves_no_more_room_than_one_of_days(
    rule: Drawdown, path: list[tuple[Decimal, Decimal, str]]
) -> None:
    moments = _walk(replace(rule, trail=Trail.INTRADAY), path)
    days = _walk(replace(rule, trail=Trail.END_OF_DAY), path)
    for (strict, _), (mild, _) in zip(moments, days, strict=True):
        if strict.survival is Survival.ACTIVE:
            assert strict.floor >= mild.floor


@given(rules, paths, st.integers(1, 5))
def test_more_prices_on_the_way_never_lower_a_floor(
    rule: Drawdown, path: list[tuple[Decimal, Decimal, str]], parts: int
) -> None:
    fine: list[tuple[Decimal, Decimal, str]] = []
    last = Decimal(0)
    for open_profit, net, kind in path:
        if kind == "mark":
            fine += [(last + (open_profit - last) * n / parts, net, kind) for n in range(1, parts)]
            last = open_profit
        else:
            last = Decimal(0)
        fine.append((open_profit, net, kind))
    coarse_end, fine_end = _walk(rule, path)[-1][0], _walk(rule, fine)[-1][0]
    if fine_end.survival is Survival.ACTIVE:
        assert fine_end.floor >= coarse_end.floor
