"""The window in which calls are counted."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.core.plans import Plan
from accounts.core.rates import RATES, WINDOW, seconds_to_wait


def test_every_plan_has_its_rates_and_a_larger_one_more() -> None:
    assert list(RATES) == list(Plan)
    keys, owners = [rates.key for rates in RATES.values()], [rates.owner for rates in RATES.values()]
    assert keys == sorted(set(keys))
    assert owners == sorted(set(owners))


@pytest.mark.parametrize(
    ("before", "now", "passed", "waits"),
    [
        (0, 10, 0.0, 0.0),
        (10, 1, 0.0, 6.0),  # a full minute behind: a tenth of it must age
        (10, 5, 30.0, 0.0),
        (10, 6, 30.0, 6.0),
        (0, 20, 30.0, 60.0),  # the rest of this minute, and half of the next
    ],
)
def test_the_last_minute_counts_by_what_is_left_of_it(before: int, now: int, passed: float, waits: float):
    assert seconds_to_wait(before=before, now=now, passed=passed, limit=10) == pytest.approx(waits)


counts = st.integers(0, 1000)


@given(counts, counts, st.floats(0, WINDOW - 0.001), st.integers(1, 500))
def test_after_waiting_a_call_fits(before: int, now: int, passed: float, limit: int) -> None:
    waits = seconds_to_wait(before=before, now=now, passed=passed, limit=limit)
    assume(waits)
    later = passed + waits + 1e-6
    if later < WINDOW:
        assert seconds_to_wait(before=before, now=now, passed=later, limit=limit) == 0
    else:
        fits = seconds_to_wait(before=now, now=0, passed=min(later - WINDOW, WINDOW), limit=limit)
        assert fits == pytest.approx(0, abs=1e-3)
