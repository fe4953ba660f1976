"""Bars out of trades: each unit, merging, and the agreement of history with what grew live."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.candles import Bar, Rule, Series, Tape, Traded, Unit, within
from brokers.paper.session import trade_date

START = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
TRADES = st.lists(
    st.tuples(st.integers(-30, 30), st.integers(1, 9), st.integers(0, 40_000)), min_size=1, max_size=60
)


def traded(price: int, size: int, at: datetime) -> Traded:
    return Traded(id=0, at=at, price=price, size=size, bid=price - 1, offer=price, bid_size=5, offer_size=7)


def tape(trades: list[tuple[int, int, int]]) -> Tape:
    found, at = Tape(trade_date), START
    for move, size, millis in trades:
        at += timedelta(milliseconds=millis)
        found.add(traded(1000 + move, size, at))
    return found


@given(TRADES, st.sampled_from(list(Unit)), st.integers(1, 20))
def test_bars_are_sound_whatever_cuts_them(trades: list[tuple[int, int, int]], unit: Unit, size: int) -> None:
    bars = list(tape(trades).history(Rule(unit=unit, size=size)).bars)
    assert [bar.at for bar in bars] == sorted({bar.at for bar in bars})
    for bar in bars:
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert sum(bar.volume for bar in bars) == sum(size for _, size, _ in trades)
    assert sum(bar.bid_volume + bar.offer_volume for bar in bars) == sum(bar.volume for bar in bars)


@given(TRADES, st.sampled_from(list(Unit)), st.integers(1, 9), st.integers(0, 60))
def test_history_and_live_trades_build_the_same_chart(
    trades: list[tuple[int, int, int]], unit: Unit, size: int, cut: int
) -> None:
    rule = Rule(unit=unit, size=size)
    early, at = Tape(trade_date), START
    series = early.history(rule)
    for index, (move, volume, millis) in enumerate(trades):
        at += timedelta(milliseconds=millis)
        _, piece = early.add(traded(1000 + move, volume, at))
        series.add(piece)
        if index == cut:
            series = early.history(rule)
    assert list(series.bars) == list(tape(trades).history(rule).bars)


@pytest.mark.parametrize(
    ("unit", "size", "closes"),
    [
        (Unit.MINUTES, 1, [1001, 1004, 998]),
        (Unit.MINUTES, 2, [1004, 998]),
        (Unit.DAYS, 1, [998]),
        (Unit.TRADES, 2, [1001, 998]),
        (Unit.VOLUME, 4, [1001, 998]),
        (Unit.RANGE, 4, [1004, 998]),
        (Unit.RENKO, 3, [1000, 1003, 1000]),
    ],
)
def test_each_unit_cuts_where_it_says(unit: Unit, size: int, closes: list[int]) -> None:
    kept = tape([(0, 2, 0), (1, 2, 10_000), (4, 2, 60_000), (-2, 2, 60_000)])
    assert [bar.close for bar in kept.history(Rule(unit=unit, size=size)).bars] == closes


def test_up_and_down_follow_the_last_change_of_price() -> None:
    bars = tape([(0, 1, 0), (1, 2, 1), (1, 3, 1), (0, 4, 1), (0, 5, 1)]).minutes.bars
    assert (bars[0].up_volume, bars[0].down_volume) == (6, 9)
    assert (bars[0].up_ticks, bars[0].down_ticks) == (3, 2)


def test_volumes_by_price_begin_anew_with_the_trading_day() -> None:
    kept = tape([(0, 2, 0), (0, 3, 5), (2, 1, 5)])
    assert (kept.base, kept.volumes) == (1000, {1000: 5, 1002: 1})
    kept.add(traded(990, 4, START + timedelta(days=1)))
    assert (kept.base, kept.volumes, kept.day) == (990, {990: 4}, date(2026, 11, 19))


def test_window_takes_the_newest_up_to_its_end() -> None:
    bars = [
        Bar(at=START + timedelta(minutes=item), day=START.date(), open=1, high=1, low=1, close=1)
        for item in range(5)
    ]

    def chosen(
        until: datetime | None = None, since: datetime | None = None, count: int | None = None
    ) -> list[int]:
        found = within(bars, until=until, since=since, count=count, most=4)
        return [int((bar.at - START) / timedelta(minutes=1)) for bar in found]

    assert chosen() == [1, 2, 3, 4]
    assert chosen(until=START + timedelta(minutes=3), count=2) == [2, 3]
    assert chosen(since=START + timedelta(minutes=3)) == [3, 4]
    assert chosen(count=0) == []


def test_series_forgets_its_oldest_bars() -> None:
    series = Series(Rule(unit=Unit.MINUTES, size=1), kept=2)
    for item in range(4):
        at = START + timedelta(minutes=item)
        series.add(Bar(at=at, day=at.date(), open=item, high=item, low=item, close=item))
    assert [bar.close for bar in series.bars] == [2, 3]
