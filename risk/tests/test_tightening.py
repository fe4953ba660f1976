"""What of a change holds at once, field by field, and how a change is told."""

from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.changes import Difference, Direction, differences, said
from risk.core.drawdown import begin, observed
from risk.core.rules import (
    NO_RULES,
    Breach,
    Caps,
    Collar,
    Consistency,
    DayLimit,
    Drawdown,
    Flat,
    GiveBack,
    Lockout,
    LockUntil,
    Naked,
    NewsWindow,
    Offset,
    Protection,
    Rate,
    Rules,
    Scaling,
    Tier,
    Trail,
    Unit,
    Window,
)
from risk.core.schedule import in_windows
from risk.core.standing import Money
from risk.core.tightening import strictest
from risk.tests.asking import EOD, START
from risk.tests.making import amounts, drawdowns, rules, windows
from risk.tests.times import ct
from tradehaven.domain.calendar import CHICAGO

D = Decimal
LIMIT = DayLimit(amount=D(1_000), breach=Breach.STOP, block_at=D("0.8"))
PLAN = Scaling(start=D(0), tiers=(Tier(profit=D(0), minis=D(2)), Tier(profit=D(1_000), minis=D(5))))
DAY = Window(start=time(8, 30), end=time(15))
MORNING = Window(start=time(9), end=time(11))
NIGHT = Window(start=time(22), end=time(2))
JOBS = NewsWindow(label="jobs", start=ct("2026-11-06T07:29"), end=ct("2026-11-06T07:31"))
OIL = replace(JOBS, label="oil")


def _ticks(value: int) -> Offset:
    return Offset(value=D(value))


# Of each pair the first is the stricter one: it holds at once, and its end waits.
STRICTER: list[tuple[str, Any, Any]] = [
    ("daily_loss", LIMIT, None),
    ("daily_loss", LIMIT, replace(LIMIT, amount=D(1_001))),
    ("daily_loss", replace(LIMIT, breach=Breach.FLATTEN), LIMIT),
    ("daily_loss", LIMIT, replace(LIMIT, block_at=D("0.9"))),
    ("daily_loss", replace(LIMIT, fatal=True), LIMIT),
    ("daily_loss", LIMIT, replace(LIMIT, lockout=Lockout(until=LockUntil.SESSION))),
    ("daily_profit", LIMIT, None),
    ("daily_profit", LIMIT, replace(LIMIT, amount=D(2_000))),
    ("give_back", GiveBack(after=D(5), amount=D(2)), None),
    ("give_back", GiveBack(after=D(5), amount=D(2)), GiveBack(after=D(6), amount=D(2))),
    ("give_back", GiveBack(after=D(5), amount=D(2)), GiveBack(after=D(5), amount=D(3))),
    ("give_back", GiveBack(after=D(5), amount=D(2)), GiveBack(after=D(5), amount=D(2), breach=Breach.STOP)),
    (
        "give_back",
        GiveBack(after=D(5), amount=D(2)),
        GiveBack(after=D(5), amount=D(2), lockout=Lockout(until=LockUntil.DURATION)),
    ),
    ("drawdown", EOD, None),
    ("drawdown", replace(EOD, trail=Trail.INTRADAY), replace(EOD, trail=Trail.CLOSED)),
    ("drawdown", replace(EOD, trail=Trail.CLOSED), EOD),
    ("drawdown", EOD, replace(EOD, trail=Trail.STATIC)),
    ("drawdown", EOD, replace(EOD, amount=D(2_500))),
    ("drawdown", replace(EOD, start=D(50_001)), EOD),
    ("drawdown", EOD, replace(EOD, lock=D(50_000))),
    ("drawdown", replace(EOD, lock=D(50_100)), replace(EOD, lock=D(50_000))),
    ("drawdown", EOD, replace(EOD, touch=False)),
    ("drawdown", replace(EOD, reserve=D(1)), EOD),
    ("drawdown", replace(EOD, reserve_ticks=1), EOD),
    ("drawdown", EOD, replace(EOD, breach=Breach.STOP)),
    ("drawdown", replace(EOD, block_at=D("0.8")), EOD),
    ("drawdown", replace(EOD, payout_locks=True), EOD),
    ("drawdown", replace(EOD, known=D(48_500)), EOD),
    ("caps", Caps(instrument=2), Caps()),
    ("caps", Caps(instrument=2), Caps(instrument=3)),
    ("caps", Caps(account=2), Caps(account=3)),
    ("caps", Caps(minis=D(2)), Caps(minis=D(3))),
    ("caps", Caps(order=2), Caps(order=3)),
    ("caps", Caps(products={"ES": 2}), Caps()),
    ("caps", Caps(products={"ES": 2, "NQ": 1}), Caps(products={"ES": 3})),
    ("caps", Caps(scaling=PLAN), Caps()),
    ("caps", Caps(scaling=replace(PLAN, tiers=PLAN.tiers[:1])), Caps(scaling=PLAN)),
    ("collar", Collar(), None),
    ("collar", Collar(), Collar(on=False)),
    ("collar", Collar(quote_age=5), Collar(quote_age=6)),
    ("collar", Collar(quote_age=5), Collar(quote_age=None)),
    ("collar", Collar(percent={"fx": D("0.5")}), Collar()),
    ("collar", Collar(), Collar(percent={"fx": D(5)})),
    ("collar", Collar(percent={"fx": D("0.5")}), Collar(percent={"fx": D(0)})),
    ("rate", Rate(entries=5, seconds=10), None),
    ("rate", Rate(entries=5, seconds=10), Rate(entries=6, seconds=10)),
    ("rate", Rate(entries=5, seconds=10), Rate(entries=5, seconds=9)),
    ("repeats", 5, None),
    ("repeats", 5, 4),
    ("trades_a_day", 5, None),
    ("trades_a_day", 5, 6),
    ("losses_in_row", 3, None),
    ("losses_in_row", 3, 4),
    ("streak_lockout", Lockout(), Lockout(until=LockUntil.SESSION)),
    ("streak_lockout", Lockout(until=LockUntil.SESSION), Lockout(until=LockUntil.DURATION, minutes=1_379)),
    ("streak_lockout", Lockout(until=LockUntil.DURATION, minutes=1_381), Lockout(until=LockUntil.SESSION)),
    ("streak_lockout", Lockout(until=LockUntil.DURATION, minutes=1_441), Lockout()),
    ("products", frozenset({"ES"}), frozenset()),
    ("products", frozenset({"ES"}), frozenset({"ES", "NQ"})),
    ("hours", (DAY,), ()),
    ("hours", (MORNING,), (DAY,)),
    ("hours", (NIGHT,), (NIGHT, DAY)),
    ("news", (JOBS,), ()),
    ("news", (JOBS, OIL), (JOBS,)),
    ("protection", Protection(stop=_ticks(8)), None),
    ("protection", Protection(stop=_ticks(8)), Protection(stop=_ticks(9))),
    ("protection", Protection(stop=_ticks(8), target=_ticks(9)), Protection(stop=_ticks(8))),
    ("protection", Protection(stop=_ticks(8), target=_ticks(9)), Protection(target=_ticks(9))),
    ("protection", Protection(stop=_ticks(8), naked=Naked.FLATTEN), Protection(stop=_ticks(8))),
    ("protection", Protection(stop=_ticks(8)), Protection(stop=_ticks(8), naked=Naked.ALERT)),
    ("flat", Flat(), None),
    ("flat", Flat(at=time(15)), Flat(at=time(15, 30))),
    ("flat", Flat(at=time(15)), Flat(at=None)),
    ("flat", Flat(at=time(20)), Flat(at=time(15))),
    ("flat", Flat(at=time(16)), Flat(at=time(17))),
    ("flat", Flat(at=time(17, 1)), Flat(at=time(17))),
    ("flat", Flat(firm_at=time(15, 10)), Flat(firm_at=time(15, 50))),
    ("flat", Flat(lead=10), Flat(lead=5)),
    ("worst_case", True, False),
    ("opposite", False, True),
    ("mixing", False, True),
    ("fee", D(3), D(2)),
]


def _id(value: object) -> str:
    """Return the same name in every process: sets print in the order of their hashes."""
    return ",".join(sorted(value)) if isinstance(value, frozenset) else str(value)[:40]


@pytest.mark.parametrize(("name", "strict", "loose"), STRICTER, ids=_id)
def test_the_stricter_of_two_values_holds_whichever_came_first(name: str, strict: Any, loose: Any) -> None:
    tight, wide = replace(NO_RULES, **{name: strict}), replace(NO_RULES, **{name: loose})
    for change in (strictest(tight, wide), strictest(wide, tight)):
        assert change == tight
    assert {one.direction for one in differences(wide, tight)} == {Direction.TIGHTER}
    assert {one.direction for one in differences(tight, wide)} == {Direction.LOOSER}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("reset_at", time(17), time(8)),
        ("streak_lockout", Lockout(), Lockout(until=LockUntil.DURATION, minutes=1_440)),
        ("streak_lockout", Lockout(until=LockUntil.DURATION, minutes=1_440), Lockout()),
        ("products", frozenset({"ES"}), frozenset({"NQ"})),
        ("hours", (MORNING,), (NIGHT,)),
        ("hours", (Window(start=time(8), end=time(10)),), (Window(start=time(9), end=time(11)),)),
        ("protection", Protection(stop=_ticks(8)), Protection(stop=Offset(value=D(1), unit=Unit.PERCENT))),
        ("protection", Protection(target=_ticks(8)), Protection(target=_ticks(7))),
    ],
)
def test_where_neither_is_stricter_the_old_one_stays_until_the_next_day(
    name: str, old: Any, new: Any
) -> None:
    before, after = replace(NO_RULES, **{name: old}), replace(NO_RULES, **{name: new})
    assert strictest(before, after) == before


def test_scaling_plans_that_look_at_other_money_wait_and_others_meet_step_by_step() -> None:
    other = replace(PLAN, live=True, tiers=(Tier(profit=D(0), minis=D(1)),))
    assert strictest(Rules(caps=Caps(scaling=PLAN)), Rules(caps=Caps(scaling=other))).caps.scaling == PLAN
    moved = replace(PLAN, start=D(1))
    assert strictest(Rules(caps=Caps(scaling=PLAN)), Rules(caps=Caps(scaling=moved))).caps.scaling == PLAN
    crossing = replace(PLAN, tiers=(Tier(profit=D(500), minis=D(3)), Tier(profit=D(2_000), minis=D(4))))
    met = strictest(Rules(caps=Caps(scaling=PLAN)), Rules(caps=Caps(scaling=crossing))).caps.scaling
    assert met is not None
    assert [int(tier.profit) for tier in met.tiers] == [0, 500, 1_000, 2_000]
    assert [int(tier.minis) for tier in met.tiers] == [2, 2, 3, 4]
    assert not met.live
    lively = strictest(
        Rules(caps=Caps(scaling=replace(PLAN, live=True))),
        Rules(caps=Caps(scaling=replace(crossing, live=True))),
    )
    assert lively.caps.scaling == replace(met, live=True)


def test_a_stop_that_is_no_nearer_leaves_the_old_one_and_a_wider_unit_changes_nothing() -> None:
    old = Rules(protection=Protection(stop=_ticks(8)))
    same = Rules(protection=Protection(stop=Offset(value=D("8.0"))))
    assert strictest(old, same).protection == old.protection


def test_a_floor_that_is_stated_anew_counts_at_once() -> None:
    old, new = (Rules(drawdown=replace(EOD, known=D(floor))) for floor in (48_500, 48_200))
    assert strictest(old, new) == new


def test_what_is_only_shown_changes_at_once() -> None:
    new = Rules(consistency=Consistency(best_day=D("0.5")))
    assert strictest(NO_RULES, new) == new
    assert strictest(new, NO_RULES) == NO_RULES


def test_collars_without_a_switch_keep_the_one_that_is_on() -> None:
    off = Collar(on=False, percent={"fx": D(9)})
    assert strictest(Rules(collar=off), Rules(collar=Collar(quote_age=2))).collar == Collar(quote_age=2)
    assert strictest(Rules(collar=off), Rules(collar=off)).collar == off
    narrow = Collar(on=False, quote_age=1, percent={"fx": D("0.1")})
    assert strictest(Rules(collar=narrow), Rules(collar=Collar())).collar == Collar()
    assert strictest(Rules(collar=Collar()), Rules(collar=narrow)).collar == Collar()
    both = strictest(Rules(collar=Collar(percent={"fx": D(0)})), Rules(collar=Collar(percent={"ags": D(9)})))
    assert both.collar == Collar(percent={"fx": D(1), "ags": D(3)})


@given(rules)
def test_rules_are_as_strict_as_themselves(some: Rules) -> None:
    assert strictest(some, some) == some


@given(rules, rules)
def test_a_change_only_ever_tightens_at_once_and_adds_nothing_of_its_own(old: Rules, new: Rules) -> None:
    held = strictest(old, new)
    for one in differences(old, held):
        assert one.direction is not Direction.LOOSER, one
    assert strictest(held, new).daily_loss == held.daily_loss
    assert strictest(held, old).caps == held.caps


@given(drawdowns, drawdowns, st.lists(amounts(-500_000, 500_000), min_size=1, max_size=10))
def test_no_floor_is_lower_after_a_change(old: Drawdown, new: Drawdown, path: list[Decimal]) -> None:
    old, new = replace(old, start=START), replace(new, start=START)
    held = strictest(Rules(drawdown=old), Rules(drawdown=new)).drawdown
    assert held is not None
    before, after = begin(old, START), begin(held, START)
    assert after.floor >= before.floor
    for profit in path:
        money = Money(balance=START, low=profit, high=profit)
        before, after = observed(old, before, money), observed(held, after, money)
        if after.failed_at is not None:
            return
        assert after.floor >= before.floor


@given(st.lists(windows, max_size=3), st.lists(windows, max_size=3), st.integers(0, 1_439))
def test_no_hour_opens_at_once(old: list[Window], new: list[Window], minute: int) -> None:
    held = strictest(Rules(hours=tuple(old)), Rules(hours=tuple(new)))
    when = datetime(2026, 6, 1, minute // 60, minute % 60, tzinfo=CHICAGO)
    assert in_windows(old, when) or not in_windows(held.hours, when)


def test_differences_are_told_field_by_field_with_their_direction() -> None:
    old = Rules(daily_loss=LIMIT, caps=Caps(instrument=5), mixing=True, consistency=None)
    new = Rules(
        daily_loss=replace(LIMIT, amount=D("1500.50"), breach=Breach.FLATTEN),
        caps=Caps(instrument=3, products={"ES": 2}),
        mixing=False,
        reset_at=time(16),
        consistency=Consistency(best_day=D("0.3")),
    )
    assert differences(old, new) == (
        Difference(
            field="daily_loss.amount",
            text="daily loss, amount: 1,000 -> 1,500.50",
            direction=Direction.LOOSER,
        ),
        Difference(
            field="daily_loss.breach",
            text="daily loss, breach: stop -> flatten",
            direction=Direction.TIGHTER,
        ),
        Difference(field="reset_at", text="reset at: 17:00 -> 16:00", direction=Direction.OTHER),
        Difference(
            field="consistency",
            text="consistency: none -> best day 0.3, touch yes",
            direction=Direction.OTHER,
        ),
        Difference(field="caps.instrument", text="caps, instrument: 5 -> 3", direction=Direction.TIGHTER),
        Difference(field="caps.products", text="caps, products: none -> ES 2", direction=Direction.TIGHTER),
        Difference(field="mixing", text="mixing: yes -> no", direction=Direction.TIGHTER),
    )
    assert differences(old, old) == ()


def test_directions_are_words_that_pages_and_programs_read() -> None:
    assert [*Direction] == ["tighter", "looser", "other"]


def test_a_change_that_is_partly_tighter_is_neither() -> None:
    old, new = Rules(rate=Rate(entries=5, seconds=10)), Rules(rate=Rate(entries=4, seconds=5))
    assert differences(old, new) == (
        Difference(field="rate", text="rate: 5 in 10 s -> 4 in 5 s", direction=Direction.OTHER),
    )
    gone = differences(
        Rules(consistency=Consistency(best_day=D("0.3"))), Rules(consistency=Consistency(best_day=D("0.5")))
    )
    assert gone == (
        Difference(
            field="consistency.best_day",
            text="consistency, best day: 0.3 -> 0.5",
            direction=Direction.OTHER,
        ),
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "yes"),
        (False, "no"),
        (3, "3"),
        (D("1234.50"), "1,234.50"),
        (D("1E+3"), "1,000"),
        (time(8, 30), "08:30"),
        (time(8, 30, 5), "08:30:05"),
        (Lockout(), "to the reset"),
        (Lockout(until=LockUntil.DURATION, minutes=30), "30 minutes"),
        (_ticks(8), "8 ticks"),
        (Offset(value=D("0.5"), unit=Unit.PERCENT), "0.5 %"),
        (Offset(value=D(100), unit=Unit.USD), "100 USD"),
        (PLAN, "2 from 0, 5 from 1,000 over 0"),
        (replace(PLAN, live=True), "2 from 0, 5 from 1,000 over 0 of live equity"),
        ((DAY, NIGHT), "08:30 to 15:00, 22:00 to 02:00"),
        ((), "none"),
        (JOBS, "jobs at 2026-11-06 13:29"),
        (frozenset({"NQ", "ES", "YM", "GC", "CL", "ZN", "6E"}), "6E, CL, ES, GC, NQ, YM, ZN"),
        (frozenset(), "all"),
        ({"NQ": 1, "ES": 2}, "ES 2, NQ 1"),
        ({}, "none"),
        (Breach.STOP, "stop"),
        (Flat(firm_at=time(15, 10)), "at 15:55, firm at 15:10, lead 5"),
        (Flat(at=None), "lead 5"),
    ],
)
def test_values_are_told_as_people_read_them(value: object, text: str) -> None:
    assert said(value) == text


def test_instants_of_news_are_told_in_utc() -> None:
    assert JOBS.start == datetime(2026, 11, 6, 13, 29, tzinfo=UTC)
