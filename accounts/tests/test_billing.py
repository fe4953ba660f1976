"""Plans through the local provider: chosen, changed, cancelled, ended, taken up again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.access import NotAllowed
from accounts.billing import selectors, services
from accounts.billing.signals import plan_changed
from accounts.core.plans import Plan
from accounts.core.subscriptions import SubscriptionStatus
from accounts.models import Erasure, ProviderName, Subscription, User
from accounts.tests.factories import confirm
from tradehaven.domain.errors import InvalidInput

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONTH = timedelta(days=31)


@pytest.fixture
def owner(alice: User) -> User:
    confirm(alice)
    return alice


@pytest.fixture
def heard():
    found: list[tuple[int, bool, bool]] = []

    def hear(owner_id: int, was_live: bool, is_live: bool, **_: Any) -> None:
        found.append((owner_id, was_live, is_live))

    plan_changed.connect(hear)
    yield found
    plan_changed.disconnect(hear)


def ended(owner: User) -> Subscription:
    services.choose_plan(owner, Plan.PROFESSIONAL, used=0, now=NOW)
    services.cancel_plan(owner, now=NOW)
    assert services.turn_periods(NOW + MONTH) == [owner.pk]
    return Subscription.objects.get(owner=owner)


def test_everybody_begins_on_starter(owner: User):
    assert selectors.terms_for(owner.pk, NOW).accounts == 3
    assert selectors.has_plan(owner.pk, NOW)
    assert not Subscription.objects.exists()


def test_a_chosen_plan_counts_at_once(owner: User):
    assert services.choose_plan(owner, Plan.PROFESSIONAL, used=2, now=NOW) == ""
    assert selectors.terms_for(owner.pk, NOW).accounts == 10
    row = Subscription.objects.get()
    assert row.provider == ProviderName.LOCAL
    assert row.period_ends_at == datetime(2026, 12, 21, 12, tzinfo=UTC)


def test_a_change_keeps_the_period(owner: User):
    services.choose_plan(owner, Plan.ENTERPRISE, used=0, now=NOW)
    services.choose_plan(owner, Plan.STARTER, used=3, now=NOW + timedelta(days=9))
    row = Subscription.objects.get()
    assert (row.plan, row.period_ends_at) == (Plan.STARTER, datetime(2026, 12, 21, 12, tzinfo=UTC))


def test_a_plan_that_is_too_small_is_refused_with_what_helps(owner: User):
    services.choose_plan(owner, Plan.PROFESSIONAL, used=5, now=NOW)
    with pytest.raises(InvalidInput, match=r"holds 3 accounts and 5 are connected.*Professional"):
        services.choose_plan(owner, Plan.STARTER, used=5, now=NOW)
    assert selectors.terms_for(owner.pk, NOW).accounts == 10


def test_who_is_not_confirmed_cannot_choose(bob: User):
    with pytest.raises(NotAllowed):
        services.choose_plan(bob, Plan.STARTER, used=0, now=NOW)


def test_a_cancelled_plan_runs_to_the_end_of_its_period(owner: User, heard: list[Any]):
    services.choose_plan(owner, Plan.PROFESSIONAL, used=0, now=NOW)
    services.cancel_plan(owner, now=NOW)
    services.cancel_plan(owner, now=NOW)
    assert selectors.has_plan(owner.pk, NOW + timedelta(days=29))
    assert not selectors.has_plan(owner.pk, NOW + MONTH)  # also before anybody has noticed
    assert services.turn_periods(NOW + timedelta(days=29)) == []
    assert services.turn_periods(NOW + MONTH) == [owner.pk]
    assert services.turn_periods(NOW + MONTH) == []
    row = Subscription.objects.get()
    assert row.status == SubscriptionStatus.ENDED
    assert row.ended_at == datetime(2026, 12, 21, 12, tzinfo=UTC)
    assert heard[-1] == (owner.pk, True, False)


def test_starter_can_be_cancelled_too(owner: User):
    services.cancel_plan(owner, now=NOW)
    assert services.turn_periods(NOW + MONTH) == [owner.pk]


def test_a_cancellation_can_be_taken_back(owner: User):
    services.choose_plan(owner, Plan.PROFESSIONAL, used=0, now=NOW)
    services.resume_plan(owner, now=NOW)
    services.cancel_plan(owner, now=NOW)
    services.resume_plan(owner, now=NOW + timedelta(days=3))
    assert services.turn_periods(NOW + MONTH) == []
    row = Subscription.objects.get()
    assert row.period_ends_at == datetime(2027, 1, 21, 12, tzinfo=UTC)
    assert row.status == SubscriptionStatus.ACTIVE


def test_choosing_a_plan_takes_a_cancellation_back(owner: User):
    services.cancel_plan(owner, now=NOW)
    services.choose_plan(owner, Plan.PROFESSIONAL, used=0, now=NOW)
    assert not Subscription.objects.get().cancels


def test_after_the_end_a_plan_begins_anew(owner: User, heard: list[Any]):
    ended(owner)
    later = NOW + timedelta(days=60)
    for change in (services.cancel_plan, services.resume_plan):
        with pytest.raises(InvalidInput, match="No plan is running"):
            change(owner, now=later)
    services.choose_plan(owner, Plan.STARTER, used=0, now=later)
    assert selectors.has_plan(owner.pk, later)
    assert heard[-1] == (owner.pk, False, True)


def test_data_is_due_for_deletion_ninety_days_after_the_end_and_once(owner: User):
    row = ended(owner)
    assert row.ended_at is not None
    day_before, day = row.ended_at + timedelta(days=89), row.ended_at + timedelta(days=90)
    assert selectors.due_for_erasure(day_before) == []
    assert selectors.due_for_erasure(day) == [owner.pk]
    services.record_erasure(owner.pk, found={"a": 1}, deleted={"a": 1}, left={"a": 0}, now=day)
    assert selectors.due_for_erasure(day) == []
    assert str(Erasure.objects.get()) == "1 rows deleted, 0 left"


@pytest.mark.django_db
def test_who_came_back_is_not_due_any_more(owner: User):
    row = ended(owner)
    assert row.ended_at is not None
    day = row.ended_at + timedelta(days=90)
    assert services.still_due(owner.pk, day)
    assert not services.still_due(owner.pk, day - timedelta(seconds=1))
    services.choose_plan(owner, Plan.STARTER, used=0, now=day)
    assert not services.still_due(owner.pk, day)
    assert not services.still_due(0, day)
