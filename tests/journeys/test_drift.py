"""Exits that fail, hands that trade beside the copies, logins that were away: said and mended."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from syncgroups.models import Activity, Drift, SyncGroup
from syncgroups.selectors.drift import missed_of
from syncgroups.services import drift, groups
from syncgroups.services.groups import GroupSettings
from tests.journeys.house import House, wait_until
from tradehaven.domain.enums import DriftPolicy

pytestmark = pytest.mark.journey


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def tidy(calm: House) -> Iterator[House]:
    """Return the house, and leave it with no difference open."""
    yield calm
    _group(calm, DriftPolicy.OBSERVE)


def _nets(house: House) -> tuple[int, int, int]:
    lead, other = house.hands["lead"], house.hands["other"]
    return lead.net("ONE"), other.net("HALF"), other.net("TWICE")


def _group(house: House, policy: DriftPolicy) -> SyncGroup:
    group = SyncGroup.objects.get(owner=house.owner)
    groups.update_group(group, settings=GroupSettings(name="LEAD", drift_policy=policy, drift_cap=10))
    time.sleep(1.2)
    return group


def _enter(house: House, qty: int = 2) -> None:
    house.hands["lead"].order("LEAD", "Buy", qty)
    wait_until(lambda: _nets(house) == (qty, qty // 2, qty * 2), "entries")


def _open(house: House, kind: str) -> list[Drift]:
    return list(Drift.objects.filter(owner=house.owner, kind=kind, closed_at=None))


def test_a_rejected_exit_is_kept_shouted_about_and_retried(tidy: House) -> None:
    _enter(tidy)
    lead = tidy.hands["lead"]
    tidy.operator("reject", account="ONE", reason="MaxPosLimitReached", text="too many contracts")
    lead.order("LEAD", "Sell", 2)
    wait_until(lambda: _nets(tidy) == (0, 0, 0), "retried until flat")
    kept = Drift.objects.filter(owner=tidy.owner, kind="failed_exit", account__name="ONE")
    wait_until(lambda: kept.exclude(closed_at=None).count() == 1, "kept, and closed in the end")
    shouts = Activity.objects.filter(owner=tidy.owner, kind="drift", severity="danger")
    assert shouts.filter(account__name="ONE", text__contains="an exit failed").exists()


def test_what_a_hand_closes_is_named_and_not_fought(tidy: House) -> None:
    _enter(tidy, 4)
    lead = tidy.hands["lead"]
    lead.order("ONE", "Sell", 1)
    (found,) = wait_until(lambda: _open(tidy, "taken"), "named")
    assert (found.account.name, found.expected, found.actual) == ("ONE", 4, 3)
    time.sleep(3)
    assert lead.net("ONE") == 3
    lead.order("LEAD", "Sell", 4)
    wait_until(lambda: _nets(tidy) == (0, 0, 0), "exits close what was left")
    wait_until(lambda: not _open(tidy, "taken"), "over")


def test_an_entry_missed_offline_is_replayed_by_a_click_and_once(tidy: House) -> None:
    hand, other = tidy.hands["lead"], tidy.hands["other"]
    dropped = timezone.now()
    tidy.operator("drop", login="other")
    hand.order("LEAD", "Buy", 2)
    wait_until(lambda: hand.net("ONE") == 2, "the connected one")
    back = Activity.objects.filter(owner=tidy.owner, kind="link", severity="good", at__gte=dropped)
    wait_until(back.exists, "the login is back")
    group = SyncGroup.objects.get(owner=tidy.owner)
    lines = wait_until(lambda: _missed(group, 2), "listed")
    for _ in range(2):
        for line in lines:
            drift.ask_replay(group, key=line.key, account=line.account, by=tidy.owner)
    wait_until(lambda: _nets(tidy) == (2, 1, 4), "caught up")
    time.sleep(2)
    assert _nets(tidy) == (2, 1, 4)
    assert {other.net("HALF"), other.net("TWICE")} == {1, 4}
    wait_until(lambda: _missed(group, 0) == [], "nothing is left to replay")
    hand.order("LEAD", "Sell", 2)
    wait_until(lambda: _nets(tidy) == (0, 0, 0), "exits")


def _missed(group: SyncGroup, count: int) -> list[Activity] | None:
    found = missed_of(group, timezone.now())
    return found if len(found) == count else None


def test_an_exit_that_nobody_saw_is_repaired_where_that_is_allowed(tidy: House) -> None:
    _group(tidy, DriftPolicy.REPAIR)
    _enter(tidy)
    tidy.kill_engine()
    tidy.hands["lead"].order("LEAD", "Sell", 2)
    wait_until(lambda: tidy.hands["lead"].net("LEAD") == 0, "the leader is out")
    assert _nets(tidy) == (2, 1, 4)
    tidy.start_engine()
    wait_until(lambda: _nets(tidy) == (0, 0, 0), "repaired after two looks", 30)
    said = Drift.objects.filter(owner=tidy.owner, kind="left_behind").exclude(closed_at=None)
    names = {"ONE", "HALF", "TWICE"}
    wait_until(lambda: {row.account.name for row in said.all()} == names, "said, and over")
