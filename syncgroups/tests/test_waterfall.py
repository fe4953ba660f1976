"""A copy's times drawn as a waterfall."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.waterfall import CELLS, percentile, waterfall

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def after(micros: int | None) -> datetime | None:
    return None if micros is None else START + timedelta(microseconds=micros)


def test_each_step_says_what_it_took_and_when_it_came():
    steps = waterfall([("a", after(0)), ("b", after(300)), ("c", after(1000))])
    assert [step.took for step in steps] == [timedelta(microseconds=n) for n in (0, 300, 700)]
    assert [step.after for step in steps] == [timedelta(microseconds=n) for n in (0, 300, 1000)]
    assert (steps[2].start, steps[2].width) == (12, 28)


def test_a_step_that_did_not_happen_leaves_a_gap_and_the_next_counts_from_the_last_known():
    steps = waterfall([("a", after(0)), ("b", None), ("c", after(500))])
    assert (steps[1].took, steps[1].width) == (None, 0)
    assert steps[2].took == timedelta(microseconds=500)


def test_nothing_known_draws_nothing():
    assert [step.width for step in waterfall([("a", None), ("b", None)])] == [0, 0]


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**9)), min_size=1, max_size=6))
def test_no_bar_leaves_the_drawing_and_every_step_that_happened_is_seen(times: list[int | None]):
    steps = waterfall([(str(place), after(micros)) for place, micros in enumerate(times)])
    for step in steps:
        assert step.start >= 0
        assert step.start + step.width <= CELLS
        assert (step.width >= 1) == (step.at is not None)


def test_a_percentile_is_a_value_that_was_measured():
    values = [timedelta(microseconds=n) for n in (5, 1, 3, 2, 4)]
    assert percentile(values, 50) == timedelta(microseconds=3)
    assert percentile(values, 99) == timedelta(microseconds=5)
    assert percentile([], 50) is None


@given(st.lists(st.integers(0, 10**6), min_size=1), st.integers(1, 100))
def test_at_least_so_many_of_a_hundred_do_not_exceed_a_percentile(micros: list[int], percent: int):
    values = [timedelta(microseconds=n) for n in micros]
    found = percentile(values, percent)
    assert found is not None
    assert sum(value <= found for value in values) * 100 >= len(values) * percent
