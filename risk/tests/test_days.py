"""Limit days: one end each, 23 or 25 hours when the clocks change, and what an end clears."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core import rules
from risk.core.days import begin_of, begun, end_of, entered, flowed, reference_of, traded, turned
from risk.core.drawdown import begin, day_ended
from risk.core.instants import moment, nanos
from risk.core.rules import NO_RULES, Drawdown, Rules, Trail
from risk.core.standing import Day, Entry, Lock, Money, Standing
from risk.tests.times import at, ct
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.ids import Nanos, Symbol

HOUR = 3600 * 1_000_000_000
START = Decimal(50_000)
ES = Symbol("ESZ6")
EOD = Drawdown(trail=Trail.END_OF_DAY, amount=Decimal(2_000), start=START)
instants = st.integers(0, 718 * 86_400).map(
    lambda n: nanos(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n))
)


def _standing(balance: Decimal = START, ends: str = "2026-08-12T17:00") -> Standing:
    return Standing(money=Money(balance=balance), day=Day(reference=START, ends=at(ends)))


@given(st.integers(0, 2**62 // 1000 * 1000))
def test_instants_keep_their_microsecond_both_ways(now: int) -> None:
    assert nanos(moment(Nanos(now))) == now // 1000 * 1000


def test_an_instant_is_utc() -> None:
    assert moment(Nanos(1_700_000_000_123_456_789)) == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert nanos(datetime(2023, 11, 14, 16, 13, 20, 5, tzinfo=CHICAGO)) == 1_700_000_000_000_005_000


@pytest.mark.parametrize(
    ("now", "begins", "ends", "hours"),
    [
        ("2026-08-12T16:59:59", "2026-08-11T17:00", "2026-08-12T17:00", 24),
        ("2026-08-12T17:00", "2026-08-12T17:00", "2026-08-13T17:00", 24),
        ("2026-03-08T12:00", "2026-03-07T17:00", "2026-03-08T17:00", 23),
        ("2026-11-01T00:30", "2026-10-31T17:00", "2026-11-01T17:00", 25),
        ("2026-11-26T12:30", "2026-11-25T17:00", "2026-11-26T17:00", 24),
        ("2027-03-14T03:30", "2027-03-13T17:00", "2027-03-14T17:00", 23),
    ],
)
def test_a_limit_day_begins_and_ends_by_chicagos_clock(now: str, begins: str, ends: str, hours: int) -> None:
    assert begin_of(at(now)) == at(begins)
    assert end_of(at(now)) == at(ends)
    assert end_of(at(now)) - begin_of(at(now)) == hours * HOUR


def test_a_day_begins_where_its_owner_says() -> None:
    half_past_eight = time(8, 30)
    assert end_of(at("2026-08-12T08:29"), half_past_eight) == at("2026-08-12T08:30")
    assert begin_of(at("2026-08-12T08:30"), half_past_eight) == at("2026-08-12T08:30")
    day = begun(START, at("2026-08-12T09:00"), half_past_eight)
    assert day == Day(reference=START, ends=at("2026-08-13T08:30"))


@given(instants, st.sampled_from([time(17), time(0), time(8, 30), time(1, 30), time(2, 30), time(23, 59)]))
def test_each_day_has_one_end_where_the_next_begins(now: Nanos, reset_at: time) -> None:
    begins, ends = begin_of(now, reset_at), end_of(now, reset_at)
    assert begins <= now < ends
    assert 23 * HOUR <= ends - begins <= 25 * HOUR
    assert begin_of(ends, reset_at) == ends
    assert end_of(begins, reset_at) == ends
    assert end_of(Nanos(ends - 1), reset_at) == ends


def test_a_day_that_runs_turns_nothing() -> None:
    standing = _standing()
    assert turned(NO_RULES, standing, at("2026-08-12T16:59:59")) is standing


def test_an_end_counts_the_day_and_begins_the_next() -> None:
    now = at("2026-08-12T17:00")
    standing = _standing(Decimal(50_600))
    standing = standing.changed(
        floor=begin(EOD, START),
        day=standing.day.changed(best=Decimal(900), trades=4, losses=2),
        lock=Lock(reason=RefusalReason.DAILY_LOSS, detail="", since=Nanos(1), until=now),
    )
    floor = standing.floor
    assert floor is not None
    assert turned(Rules(drawdown=EOD), standing, now) == Standing(
        money=standing.money,
        day=Day(reference=Decimal(50_600), ends=at("2026-08-13T17:00")),
        floor=day_ended(EOD, floor, Decimal(50_600), Decimal(600)),
        lock=standing.lock,
    )
    assert turned(NO_RULES, standing, now).floor is floor


def test_days_that_nobody_saw_end_as_one_and_a_clock_that_steps_back_ends_none_again() -> None:
    standing = _standing(Decimal(50_100)).changed(floor=begin(EOD, START))
    rules = Rules(drawdown=EOD)
    later = turned(rules, standing, at("2026-08-20T09:00"))
    assert later.floor is not None
    assert later.floor.nets == (Decimal(100),)
    assert later.day.ends == at("2026-08-20T17:00")
    assert turned(rules, later, at("2026-08-12T17:00")) is later


@given(st.lists(instants, min_size=1, max_size=40))
def test_however_often_one_looks_each_limit_day_ends_once(looks: list[Nanos]) -> None:
    looks = sorted(looks)
    standing = _standing().changed(day=begun(START, looks[0]), floor=begin(EOD, START))
    for look in looks:
        standing = turned(Rules(drawdown=EOD), standing, look)
    assert standing.floor is not None
    assert len(standing.floor.nets) == len({end_of(look) for look in looks}) - 1


def test_an_account_whose_floor_is_not_known_yet_ends_its_day_all_the_same() -> None:
    ended = turned(Rules(drawdown=EOD), _standing(), at("2026-08-12T17:00"))
    assert ended.floor is None
    assert ended.day.ends == at("2026-08-13T17:00")


def test_a_position_held_over_the_end_begins_the_next_day_with_its_profit() -> None:
    held = Money(balance=START, low=Decimal(300), high=Decimal(320), contracts=1)
    assert reference_of(held) == Decimal(50_300)
    assert reference_of(held.changed(low=Decimal(-300))) == START
    assert reference_of(Money(balance=START, low=Decimal(300))) == START


def test_a_deposit_or_a_payout_is_no_result_of_the_day() -> None:
    assert flowed(_standing(), Decimal(500)).day.reference == Decimal(50_500)
    assert flowed(_standing(), Decimal(-500)).day.reference == Decimal(49_500)
    paid = flowed(_standing(), Decimal(-500)).changed(money=Money(balance=Decimal(49_700)))
    ended = turned(Rules(drawdown=EOD), paid.changed(floor=begin(EOD, START)), at("2026-08-12T17:00"))
    assert ended.floor is not None
    assert ended.floor.nets == (Decimal(200),)


def test_entries_are_counted_and_remembered_for_an_hour() -> None:
    def entry(when: int) -> Entry:
        return Entry(symbol=ES, side=Side.BUY, qty=1, at=Nanos(when))

    day = Day(reference=START, ends=Nanos(99 * HOUR))
    day = entered(entered(day, entry(0)), entry(1))
    assert (day.trades, day.entries) == (2, (entry(0), entry(1)))
    day = entered(day, entry(HOUR))
    assert (day.trades, day.entries) == (3, (entry(1), entry(HOUR)))
    day = entered(entered(day, entry(HOUR + 1)), entry(2 * HOUR))
    assert (day.trades, day.entries) == (5, (entry(HOUR + 1), entry(2 * HOUR)))


def test_losses_in_a_row_are_ended_by_a_gain_only() -> None:
    day = Day(reference=START, ends=Nanos(1))
    for net, losses in (("-1", 1), ("-0.01", 2), ("0", 2), ("-5", 3), ("0.01", 0), ("-1", 1)):
        day = traded(day, Decimal(net))
        assert day.losses == losses
    assert traded(day, Decimal(0)) is day


def test_a_day_ends_at_five_in_chicago_and_is_flat_before_four_unless_somebody_says_otherwise() -> None:
    usual = (rules.RESET_AT, rules.FLAT_AT)
    assert usual == (time(17), time(15, 55))


def test_chicagos_clock_is_read_over_the_change_of_clocks() -> None:
    assert ct("2026-03-08T17:00") == datetime(2026, 3, 8, 22, tzinfo=UTC)
    assert ct("2026-03-07T17:00") == datetime(2026, 3, 7, 23, tzinfo=UTC)
