"""What plans hold, how subscriptions go on, and which news about them is believed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.core.plans import NO_PLAN, TERMS, Plan, next_fitting
from accounts.core.subscriptions import (
    KEPT_FOR,
    Stage,
    Standing,
    SubscriptionStatus,
    add_month,
    counts,
    is_live,
    rolled,
    stage_of,
    terms_of,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RUNS = Standing(plan=Plan.PROFESSIONAL, period_ends_at=NOW + DAY)
MOMENTS = st.timedeltas(timedelta(days=-2000), timedelta(days=2000)).map(lambda span: NOW + span)


@pytest.mark.parametrize(
    ("plan", "held", "too_many"),
    [(Plan.STARTER, 3, 4), (Plan.PROFESSIONAL, 10, 11), (Plan.ENTERPRISE, 500, None)],
)
def test_a_plan_holds_its_number_of_accounts(plan: Plan, held: int, too_many: int | None):
    assert TERMS[plan].has_room(held)
    assert TERMS[plan].has_room(held - 1, 1)
    assert too_many is None or not TERMS[plan].has_room(too_many)
    assert NO_PLAN.has_room(0)
    assert not NO_PLAN.has_room(0, 1)


def test_a_plan_says_what_it_holds():
    assert TERMS[Plan.STARTER].holds == "Up to 3 accounts"
    assert TERMS[Plan.ENTERPRISE].holds == "Unlimited accounts"


@pytest.mark.parametrize(
    ("used", "name"), [(0, "Starter"), (3, "Starter"), (4, "Professional"), (11, "Enterprise")]
)
def test_the_smallest_plan_that_holds_them_is_offered(used: int, name: str):
    assert next_fitting(used).name == name


@pytest.mark.parametrize(
    ("standing", "stage"),
    [
        (None, Stage.NONE),
        (RUNS, Stage.LIVE),
        (replace(RUNS, period_ends_at=None), Stage.LIVE),
        (replace(RUNS, period_ends_at=NOW - DAY), Stage.LIVE),
        (replace(RUNS, status=SubscriptionStatus.PAST_DUE), Stage.LIVE),
        (replace(RUNS, cancels=True), Stage.ENDING),
        (replace(RUNS, cancels=True, period_ends_at=NOW), Stage.ENDED),
        (replace(RUNS, status=SubscriptionStatus.ENDED), Stage.ENDED),
        (replace(RUNS, status=SubscriptionStatus.ENDED, erased_at=NOW), Stage.ERASED),
    ],
)
def test_what_a_subscription_amounts_to(standing: Standing | None, stage: Stage):
    assert stage_of(standing, NOW) is stage
    assert is_live(standing, NOW) is (stage in (Stage.LIVE, Stage.ENDING))
    assert terms_of(standing, NOW) == (TERMS[Plan.PROFESSIONAL] if is_live(standing, NOW) else NO_PLAN)


def test_data_is_kept_for_ninety_days_after_the_end():
    assert RUNS.erased_on() is None
    assert replace(RUNS, cancels=True).erased_on() == NOW + DAY + KEPT_FOR
    assert replace(RUNS, ended_at=NOW).erased_on() == NOW + timedelta(days=90)


SAID = replace(RUNS, reference="sub_1", said_at=NOW)
ENDED = replace(SAID, status=SubscriptionStatus.ENDED)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("news", "known", "believed"),
    [
        (SAID, None, True),
        (SAID, RUNS, True),
        (replace(SAID, said_at=None), SAID, True),
        (replace(SAID, said_at=NOW + SECOND), SAID, True),
        (replace(SAID, said_at=NOW - SECOND), SAID, False),
        (ENDED, SAID, True),
        (SAID, ENDED, False),
        (replace(SAID, cancels=True), SAID, True),
        (SAID, replace(SAID, cancels=True), False),
        (replace(SAID, said_at=NOW + SECOND), ENDED, True),
        (replace(ENDED, reference="sub_0", said_at=NOW + SECOND), SAID, False),
        (replace(ENDED, reference="sub_0"), RUNS, False),
        (replace(SAID, reference="sub_2"), ENDED, True),
        (replace(SAID, reference="sub_2", said_at=NOW - SECOND), SAID, False),
    ],
)
def test_which_news_is_believed(news: Standing, known: Standing | None, believed: bool):
    assert counts(news, known) is believed


@given(st.permutations(range(6)))
def test_messages_in_any_order_end_the_same(order: list[int]):
    said = [replace(SAID, said_at=NOW + index * SECOND, cancels=index == 4) for index in range(5)]
    said.append(replace(ENDED, said_at=NOW + 5 * SECOND))
    known: Standing | None = None
    for index in order:
        if counts(said[index], known):
            known = said[index]
    assert known == said[5]


@pytest.mark.parametrize(
    ("day", "next_day"),
    [("2026-01-31", "2026-02-28"), ("2028-01-31", "2028-02-29"), ("2026-12-15", "2027-01-15")],
)
def test_a_month_ends_on_the_same_day_or_the_last(day: str, next_day: str):
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    assert add_month(at) == datetime.fromisoformat(next_day).replace(tzinfo=UTC)


@given(MOMENTS, MOMENTS)
def test_a_rolled_period_holds_the_moment(ends: datetime, now: datetime):
    after = rolled(replace(RUNS, period_ends_at=ends), now).period_ends_at
    assert after is not None
    assert after > now
    assert after == ends or after - now <= timedelta(days=31)


def test_a_subscription_without_period_gets_one():
    assert rolled(replace(RUNS, period_ends_at=None), NOW).period_ends_at == add_month(NOW)
