"""One login's budget: no window is ever exceeded, and what is urgent always finds its reserve."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.core.budget import SHARES, CallLimits, Usage, ceiling, outlook
from brokers.core.governor import FAST, HOUR, MINUTE, PROBE_EVERY, REMEMBERED, SECOND, Governor, Wait, Why
from tradehaven.domain.commands import Lane
from tradehaven.domain.ids import Nanos, OrderId

START = Nanos(1_795_017_600 * SECOND)
REAL = CallLimits()
STOP = OrderId(7)
LANES = st.sampled_from(list(Lane))


def at(seconds: float) -> Nanos:
    return Nanos(START + int(seconds * SECOND))


def spend(governor: Governor, lane: Lane, calls: int, seconds: float = 0) -> int:
    """Ask so many times at a moment and return how many calls may go."""
    return sum(governor.admit(lane, at(seconds)) is None for _ in range(calls))


def refused(governor: Governor, lane: Lane, seconds: float = 0, order: OrderId | None = None) -> Wait:
    wait = governor.admit(lane, at(seconds), order)
    assert wait is not None
    return wait


@pytest.mark.parametrize(
    ("lane", "most"),
    [
        (Lane.FLATTEN_CANCEL, 80),
        (Lane.PROTECTIVE, 72),
        (Lane.ENTRY, 60),
        (Lane.CHANGE, 48),
        (Lane.QUERY, 100),
    ],
)
def test_each_lane_stops_at_its_share_of_the_minute_and_queries_count_in_the_hour(
    lane: Lane, most: int
) -> None:
    assert spend(Governor(REAL), lane, 100) == most


@pytest.mark.parametrize(
    ("lane", "most"),
    [
        (Lane.FLATTEN_CANCEL, 5000),
        (Lane.PROTECTIVE, 4500),
        (Lane.ENTRY, 3750),
        (Lane.CHANGE, 3000),
        (Lane.QUERY, 2500),
    ],
)
def test_each_lane_has_its_share_of_the_hour(lane: Lane, most: int) -> None:
    assert ceiling(REAL.per_hour, lane) == most


def test_a_window_is_counted_a_second_longer_than_the_brokers() -> None:
    governor = Governor(CallLimits(per_minute=1, per_hour=2))
    assert spend(governor, Lane.FLATTEN_CANCEL, 2) == 1
    assert refused(governor, Lane.FLATTEN_CANCEL, 1).until == at(61)
    assert spend(governor, Lane.FLATTEN_CANCEL, 2, seconds=61) == 1
    assert refused(governor, Lane.FLATTEN_CANCEL, 200).until == at(3601)


def test_entries_leave_the_exits_of_twenty_followers() -> None:
    governor = Governor(REAL)
    assert spend(governor, Lane.ENTRY, 200) == 60
    assert spend(governor, Lane.PROTECTIVE, 200) == 12
    assert spend(governor, Lane.FLATTEN_CANCEL, 200) == 8


def test_a_call_finds_room_again_exactly_when_it_was_told() -> None:
    governor = Governor(REAL)
    spend(governor, Lane.ENTRY, 59)
    spend(governor, Lane.ENTRY, 1, seconds=10)
    wait = refused(governor, Lane.ENTRY, 20)
    assert (wait.why, wait.until) == (Why.MINUTE, START + MINUTE)
    assert governor.admit(Lane.ENTRY, Nanos(wait.until - 1)) is not None
    assert governor.admit(Lane.ENTRY, wait.until) is None
    assert "60 of the login's 80 calls in a minute are used; 20 are kept" in wait.text
    spend(governor, Lane.FLATTEN_CANCEL, 80, seconds=20)
    assert "kept" not in refused(governor, Lane.FLATTEN_CANCEL, 20).text


def test_the_hour_counts_questions_as_well() -> None:
    governor = Governor(CallLimits(per_minute=80, per_hour=100))
    assert spend(governor, Lane.QUERY, 60) == 50
    assert spend(governor, Lane.ENTRY, 60) == 25
    wait = refused(governor, Lane.ENTRY)
    assert (wait.why, wait.until) == (Why.HOUR, START + HOUR)
    assert governor.usage(at(0)) == Usage(minute=25, hour=75)
    assert governor.usage(at(62)) == Usage(minute=0, hour=75)


def test_a_call_that_did_not_leave_is_not_counted() -> None:
    governor = Governor(REAL)
    for lane, order in ((Lane.ENTRY, None), (Lane.QUERY, None), (Lane.CHANGE, STOP)):
        assert governor.admit(lane, at(0), order) is None
        governor.give_back(lane, order)
    assert governor.usage(at(0)) == Usage()
    assert governor.admit(Lane.CHANGE, at(0), STOP) is None


# -- changes ------------------------------------------------------------------------------------------


def test_the_first_change_of_an_order_goes_at_once_and_the_next_keeps_a_distance() -> None:
    governor = Governor(REAL)
    assert governor.admit(Lane.CHANGE, at(0), STOP) is None
    wait = refused(governor, Lane.CHANGE, 0.1, STOP)
    assert (wait.why, wait.until) == (Why.PACE, at(0.25))
    assert governor.admit(Lane.CHANGE, at(0.1), OrderId(8)) is None
    assert governor.admit(Lane.CHANGE, wait.until, STOP) is None


@pytest.mark.parametrize(("used", "pace"), [(0, 0.25), (10, 0.25), (11, 1), (47, 1), (60, 1)])
def test_changes_keep_more_distance_the_less_is_left(used: int, pace: float) -> None:
    governor = Governor(REAL)
    assert governor.admit(Lane.CHANGE, at(0), STOP) is None
    spend(governor, Lane.FLATTEN_CANCEL, used)
    assert refused(governor, Lane.CHANGE, 0.1, STOP).until == at(pace)


@pytest.mark.parametrize(("used", "pace"), [(98, 0.25), (99, 1)])
def test_a_quarter_of_what_changes_may_use_makes_them_slow(used: int, pace: float) -> None:
    governor = Governor(CallLimits(per_minute=665))  # of which changes may use 399
    assert governor.admit(Lane.CHANGE, at(0), STOP) is None
    spend(governor, Lane.FLATTEN_CANCEL, used)
    assert refused(governor, Lane.CHANGE, 0.1, STOP).until == at(pace)


def test_what_protects_keeps_no_distance() -> None:
    governor = Governor(REAL)
    assert [governor.admit(Lane.PROTECTIVE, at(0), STOP) for _ in range(5)] == [None] * 5


def test_orders_that_were_changed_long_ago_are_forgotten() -> None:
    governor = Governor(CallLimits(per_minute=100_000, per_hour=100_000))
    for number in range(REMEMBERED):
        assert governor.admit(Lane.CHANGE, at(0), OrderId(number)) is None
    assert governor.admit(Lane.CHANGE, at(60), OrderId(REMEMBERED)) is None
    assert len(governor._changed) == 1


# -- silence ------------------------------------------------------------------------------------------


def test_in_silence_nothing_goes_but_an_exit_now_and_then() -> None:
    governor = Governor(REAL)
    assert governor.silence(at(3600), at(0))
    for lane in (Lane.ENTRY, Lane.CHANGE, Lane.QUERY):
        wait = refused(governor, lane, 10)
        assert (wait.why, wait.until) == (Why.SILENCE, at(3600))
        assert "until 17:00:00 UTC" in wait.text
    assert refused(governor, Lane.CHANGE, 10, STOP).why is Why.SILENCE
    assert refused(governor, Lane.PROTECTIVE, 1).until == at(5)
    assert governor.admit(Lane.PROTECTIVE, at(5)) is None
    assert refused(governor, Lane.FLATTEN_CANCEL, 6).until == at(10)
    assert governor.admit(Lane.FLATTEN_CANCEL, at(10)) is None
    assert governor.admit(Lane.ENTRY, at(3600)) is None


def test_an_exit_that_was_answered_in_silence_opens_the_way_for_the_others() -> None:
    governor = Governor(REAL)
    governor.silence(at(3600), at(0))
    governor.heard()  # an answer to what was sent before says nothing
    assert refused(governor, Lane.PROTECTIVE, 1)
    assert governor.admit(Lane.PROTECTIVE, at(5)) is None
    governor.heard()
    assert spend(governor, Lane.PROTECTIVE, 10, seconds=6) == 10
    assert refused(governor, Lane.ENTRY, 6)
    assert not governor.silence(at(3600), at(7))
    assert refused(governor, Lane.PROTECTIVE, 8).until == at(12)


def test_a_silence_only_grows_and_is_news_when_it_does() -> None:
    governor = Governor(REAL)
    assert governor.silence(at(60), at(0))
    assert not governor.silence(at(60.5), at(0.5))
    assert not governor.silence(at(5), at(1))
    assert governor.silent_until == at(60.5)
    assert refused(governor, Lane.PROTECTIVE, 2).until == at(6)
    assert governor.admit(Lane.PROTECTIVE, at(58)) is None
    assert refused(governor, Lane.PROTECTIVE, 59).until == at(60.5)


# -- across engines -----------------------------------------------------------------------------------


def test_what_the_engine_before_used_still_counts() -> None:
    governor = Governor(REAL)
    governor.remember(Usage(minute=55, hour=900), at(0))
    assert spend(governor, Lane.ENTRY, 20, seconds=30) == 5
    assert governor.usage(at(30)) == Usage(minute=60, hour=905)
    assert governor.usage(at(62)) == Usage(minute=5, hour=905)


@pytest.mark.parametrize(
    ("usage", "followers", "left"),
    [
        (Usage(), 20, 3),
        (Usage(minute=41), 20, 0),
        (Usage(minute=75, hour=75), 1, 0),
        (Usage(hour=3740), 3, 3),
    ],
)
def test_the_outlook_counts_whole_orders_of_the_leader(usage: Usage, followers: int, left: int) -> None:
    found = outlook(usage, REAL, followers)
    assert (found.orders_left, found.kept_for_exits) == (left, 20)
    assert outlook(usage, REAL, 0).orders_left is None


# -- properties ---------------------------------------------------------------------------------------

ASKS = st.lists(st.tuples(LANES, st.integers(0, 20_000), st.integers(0, 5)), max_size=300)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 40), st.integers(1, 120), ASKS)
def test_no_window_is_ever_exceeded_whoever_asks_in_whatever_order(
    per_minute: int, per_hour: int, asks: list[tuple[Lane, int, int]]
) -> None:
    governor, now = Governor(CallLimits(per_minute=per_minute, per_hour=per_hour)), at(0)
    sent: list[tuple[Lane, Nanos]] = []
    for lane, milliseconds, order in asks:
        now = Nanos(now + milliseconds * 1_000_000)
        wait = governor.admit(lane, now, OrderId(order))
        if wait is None:
            sent.append((lane, now))
            last_hour = [one for one, when in sent if when > now - 3600 * SECOND]
            last_minute = [o for o, when in sent if when > now - 60 * SECOND and o is not Lane.QUERY]
            assert len(last_hour) <= ceiling(per_hour, lane)
            assert lane is Lane.QUERY or len(last_minute) <= ceiling(per_minute, lane)
        else:
            assert wait.until > now


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(1, 120), ASKS)
def test_whether_there_is_room_is_known_without_asking_for_it(
    per_minute: int, per_hour: int, asks: list[tuple[Lane, int, int]]
) -> None:
    limits = CallLimits(per_minute=per_minute, per_hour=per_hour)
    asked, other = Governor(limits), Governor(limits)
    now = at(0)
    for lane, milliseconds, _ in asks:
        now = Nanos(now + milliseconds * 1_000_000)
        room = asked.has_room(lane, now)
        wait = asked.admit(lane, now)
        assert room is (wait is None)
        assert wait == other.admit(lane, now)  # who was never asked for room counts the same


def test_in_silence_there_is_no_room_until_its_end() -> None:
    governor = Governor(REAL)
    governor.silence(at(10), at(0))
    assert [governor.has_room(Lane.FLATTEN_CANCEL, at(second)) for second in (0, 9.999, 10)] == [
        False,
        False,
        True,
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([Lane.ENTRY, Lane.CHANGE, Lane.QUERY]), st.integers(0, 5000)), max_size=200
    )
)
def test_making_flat_never_waits_behind_what_is_less_urgent(asks: list[tuple[Lane, int]]) -> None:
    governor, now = Governor(REAL), at(0)
    for lane, milliseconds in asks:
        now = Nanos(now + milliseconds * 1_000_000)
        governor.admit(lane, now)
    assert all(governor.admit(Lane.FLATTEN_CANCEL, now) is None for _ in range(20))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=2, max_size=60))
def test_changes_of_one_order_are_never_nearer_than_the_shortest_pace(steps: list[int]) -> None:
    governor, now, sent = Governor(REAL), at(0), []
    for milliseconds in steps:
        now = Nanos(now + milliseconds * 1_000_000)
        if governor.admit(Lane.CHANGE, now, STOP) is None:
            sent.append(now)
    assert all(later - earlier >= FAST for earlier, later in pairwise(sent))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 9000), max_size=60))
def test_exits_in_silence_keep_their_distance(steps: list[int]) -> None:
    governor, now, sent = Governor(REAL), at(0), [at(0)]
    governor.silence(at(3600), now)
    for milliseconds in steps:
        now = Nanos(now + milliseconds * 1_000_000)
        if governor.admit(Lane.FLATTEN_CANCEL, now) is None:
            sent.append(now)
    assert all(later - earlier >= PROBE_EVERY for earlier, later in pairwise(sent))


def test_shares_shrink_with_urgency() -> None:
    assert list(SHARES) == list(Lane)
    assert list(SHARES.values()) == sorted(SHARES.values(), reverse=True)
    assert ceiling(1, Lane.QUERY) == 1


def test_a_new_budget_knows_of_no_silence_and_has_no_exit_on_trial() -> None:
    governor = Governor(REAL)
    assert governor.silent_until == 0
    governor.heard()
    governor.silence(at(60), at(0))
    assert refused(governor, Lane.PROTECTIVE).until == at(0) + PROBE_EVERY


def test_only_a_call_that_was_tried_in_silence_opens_the_way_for_exits() -> None:
    governor = Governor(REAL)
    assert spend(governor, Lane.ENTRY, 1) == 1
    governor.silence(at(60), at(0))
    governor.heard()  # that was the answer to a call from before
    assert refused(governor, Lane.PROTECTIVE, 1).why is Why.SILENCE
    assert spend(governor, Lane.PROTECTIVE, 3, seconds=6) == 1
    governor.heard()
    assert spend(governor, Lane.PROTECTIVE, 3, seconds=7) == 3
    governor.silence(at(120), at(8))
    governor.heard()
    assert refused(governor, Lane.PROTECTIVE, 9).why is Why.SILENCE


def test_the_same_silence_told_again_is_no_news() -> None:
    governor = Governor(REAL)
    assert governor.silence(at(60), at(0))
    assert not governor.silence(Nanos(at(60) + SECOND), at(0))
    assert governor.silence(Nanos(at(60) + 2 * SECOND + 1), at(0))


def test_an_order_that_is_not_changed_but_cancelled_keeps_no_distance() -> None:
    governor = Governor(REAL)
    assert governor.admit(Lane.CHANGE, at(0), STOP) is None
    assert governor.admit(Lane.PROTECTIVE, at(0.01), STOP) is None
    assert refused(governor, Lane.CHANGE, 0.02, STOP).until == at(0.25)
    assert governor.admit(Lane.PROTECTIVE, at(0.02), OrderId(8)) is None
    assert governor.admit(Lane.CHANGE, at(0.03), OrderId(8)) is None
    assert governor.admit(Lane.CHANGE, at(0.02), None) is None


def test_a_call_that_did_not_leave_is_given_back_with_its_orders_distance() -> None:
    governor = Governor(REAL)
    assert governor.admit(Lane.CHANGE, at(0), STOP) is None
    governor.give_back(Lane.CHANGE, STOP)
    assert governor.usage(at(0)) == Usage()
    assert governor.admit(Lane.CHANGE, at(0), STOP) is None
    assert governor.admit(Lane.QUERY, at(0)) is None
    governor.give_back(Lane.QUERY)
    assert governor.usage(at(0)) == Usage(minute=1, hour=1)


def test_queries_do_not_wait_for_the_minute_of_orders() -> None:
    governor = Governor(CallLimits(per_minute=4, per_hour=100))
    assert spend(governor, Lane.FLATTEN_CANCEL, 4) == 4
    assert spend(governor, Lane.QUERY, 10) == 10


def test_distances_of_a_second_ago_are_forgotten_only_when_there_are_many() -> None:
    governor = Governor(CallLimits(per_minute=100_000, per_hour=1_000_000))
    for number in range(REMEMBERED):
        assert governor.admit(Lane.CHANGE, at(0), OrderId(number)) is None
    spend(governor, Lane.FLATTEN_CANCEL, 20_000)  # crowded: a second between two changes
    assert governor.admit(Lane.CHANGE, at(0.9), OrderId(REMEMBERED)) is None
    assert refused(governor, Lane.CHANGE, 0.91, OrderId(0)).why is Why.PACE
    assert governor.admit(Lane.CHANGE, at(2), OrderId(REMEMBERED + 1)) is None
    assert governor.admit(Lane.CHANGE, at(2), OrderId(0)) is None
