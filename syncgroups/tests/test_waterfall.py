"""A copy's times drawn as a waterfall on an axis that all copies of an order share."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.waterfall import (
    NARROWEST,
    Phase,
    Times,
    axis_of,
    percentile,
    place,
    segments,
    span_text,
    steps,
)

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))


def after(micros: int) -> datetime:
    return START + timedelta(microseconds=micros)


def of(decided: int | None, written: int | None, acknowledged: int | None, filled: int | None) -> Times:
    ends = [
        after(micros) if micros is not None else None for micros in (decided, written, acknowledged, filled)
    ]
    return Times(received=START, decided=ends[0], written=ends[1], acknowledged=ends[2], filled=ends[3])


def test_each_phase_is_from_one_step_to_the_next():
    found = steps(of(310, 620, 48_000, 71_000))
    assert [(phase, took // timedelta(microseconds=1)) for phase, took, _ in found] == [
        (Phase.DECIDE, 310),
        (Phase.QUEUE, 310),
        (Phase.BROKER, 47_380),
        (Phase.MARKET, 23_000),
    ]
    assert found[-1][2] == timedelta(microseconds=71_000)


def test_a_step_of_unknown_time_is_part_of_the_next():
    found = steps(of(310, None, 48_000, None))
    assert [(phase, took // timedelta(microseconds=1)) for phase, took, _ in found] == [
        (Phase.DECIDE, 310),
        (Phase.BROKER, 47_690),
    ]


def test_an_answer_before_the_note_of_the_write_takes_no_time():
    assert steps(of(310, 620, 600, None))[-1][1] == timedelta(0)


def test_what_ended_without_a_fill_rested_until_then():
    times = Times(
        received=START, decided=after(10), written=after(20), acknowledged=after(30), ended=after(90)
    )
    bars = segments(times, axis_of([timedelta(microseconds=90)]))
    assert bars[-1].phase is Phase.MARKET
    assert not bars[-1].filled
    assert segments(of(10, 20, 30, 90), axis_of([timedelta(microseconds=90)]))[-1].filled


def test_the_axis_ends_at_the_first_mark_that_holds_everything():
    axis = axis_of([timedelta(milliseconds=71)])
    assert [mark.label for mark in axis.marks] == ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms"]
    assert [round(mark.at) for mark in axis.marks] == [0, 25, 50, 75, 100]


def test_a_plain_axis_is_divided_evenly():
    axis = axis_of([timedelta(milliseconds=80)], linear=True)
    assert [(mark.label, mark.at) for mark in axis.marks] == [
        ("20.0 ms", 25.0),
        ("40.0 ms", 50.0),
        ("60.0 ms", 75.0),
        ("80.0 ms", 100.0),
    ]
    assert place(timedelta(milliseconds=20), axis) == 25


def test_an_axis_of_nothing_and_of_months_still_draws():
    assert place(timedelta(0), axis_of([])) == 0
    assert place(timedelta(days=400), axis_of([timedelta(days=400)])) == 100


@given(st.tuples(*[st.none() | st.integers(0, 10**12)] * 4), st.booleans(), st.lists(SPANS, max_size=3))
def test_bars_stay_inside_and_never_vanish(
    times: tuple[int | None, ...], linear: bool, others: list[timedelta]
):
    decided, written, acknowledged, filled = times
    found = of(decided, written, acknowledged, filled)
    spans = [span for _, _, span in steps(found)]
    axis = axis_of([*spans, *others], linear=linear)
    bars = segments(found, axis)
    assert len(bars) == len(spans)
    for bar in bars:
        assert bar.width >= round(NARROWEST, 2)
        assert 0 <= bar.start <= 100 - NARROWEST + 0.01
        assert bar.start + bar.width <= 100.02 or bar.width <= NARROWEST + 0.01
        assert bar.took >= timedelta(0)


@given(SPANS, SPANS, SPANS)
def test_what_takes_longer_never_lies_further_left(one: timedelta, other: timedelta, third: timedelta):
    axis = axis_of([one, other, third])
    small, large = sorted([one, other])
    assert place(small, axis) <= place(large, axis)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0 µs"),
        (850, "850 µs"),
        (12_400, "12.4 ms"),
        (1_250_000, "1.25 s"),
        (125_000_000, "2 min 5 s"),
        (4_320_000_000, "1 h 12 min"),
    ],
)
def test_spans_are_written_as_people_say_them(micros: int, text: str):
    assert span_text(timedelta(microseconds=micros)) == text


def test_percentiles_are_values_that_occurred():
    values = [timedelta(microseconds=micros) for micros in range(1, 101)]
    assert percentile(values, 50) == timedelta(microseconds=50)
    assert percentile(values, 99) == timedelta(microseconds=99)
    assert percentile([], 50) is None
