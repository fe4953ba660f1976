"""Differences on the pages: shown, repaired, ignored, put into quarantine and out; missed orders replayed."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Account, Order, Position
from syncgroups.core.keys import client_order_id
from syncgroups.engine import plans
from syncgroups.models import Activity, ActivityKind, Drift, Quarantine, Request, SyncGroup
from syncgroups.selectors.drift import missed_of
from syncgroups.tests.factories import (
    ActivityFactory,
    CopyFactory,
    DriftFactory,
    FollowerFactory,
    GroupFactory,
)
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import (
    Ask,
    DriftPolicy,
    OrderStatus,
    OrderType,
    RefusalReason,
    Side,
    TimeInForce,
)
from tradehaven.domain.events import PersonAsked
from tradehaven.domain.ids import AccountId, GroupId, OrderId, OwnerId

DOORS = ["syncgroups:drift-repair", "syncgroups:drift-ignore", "syncgroups:drift-quarantine"]


@pytest.fixture
def two(alice: User) -> list[Account]:
    return accounts(alice, "LEAD", "ONE")


@pytest.fixture
def group(two: list[Account]) -> SyncGroup:
    made: SyncGroup = GroupFactory.create(leader=two[0], name="Scalps")
    FollowerFactory.create(group=made, account=two[1])
    return made


@pytest.fixture
def drift(group: SyncGroup, two: list[Account]) -> Drift:
    made: Drift = DriftFactory.create(group=group, account=two[1])
    return made


def _page(client: Client, group: SyncGroup) -> str:
    return client.get(reverse("syncgroups:detail", args=[group.public_id])).content.decode()


def test_an_open_difference_is_on_the_group_and_on_the_live_page(
    alice_client: Client, drift: Drift, group: SyncGroup
):
    page = _page(alice_client, group)
    assert "the follower still holds +2" in page
    assert "Remedy: sell 2 ESZ6 at the market; leaves it flat." in page
    assert "the follower still holds +2" in alice_client.get(reverse("analytics:live")).content.decode()
    Drift.objects.update(closed_at=timezone.now())
    assert "Every follower holds what it should." in _page(alice_client, group)


def test_what_concerns_a_whole_account_shows_in_its_groups(
    alice_client: Client, group: SyncGroup, two: list[Account], alice: User
):
    DriftFactory.create(group=None, owner=alice, account=two[1], detail="came from no copy", remedy="")
    page = _page(alice_client, group)
    assert "came from no copy" in page
    assert "Quarantine</button>" not in page
    assert "Repair</button>" not in page


def test_a_repair_becomes_a_request_that_the_engine_finds(alice_client: Client, drift: Drift, alice: User):
    answer = alice_client.post(
        reverse("syncgroups:drift-repair", args=[drift.pk]), headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    (asked,) = plans.settings_of(OwnerId(alice.pk)).asked
    assert isinstance(asked, PersonAsked)
    assert (asked.ask, asked.subject) == (Ask.REPAIR, drift.name)
    assert "asked for by" in Activity.objects.get().text
    Request.objects.update(at=timezone.now() - plans.ASKED_FRESH * 2)
    assert plans.settings_of(OwnerId(alice.pk)).asked == ()


def test_nothing_is_asked_where_there_is_no_remedy_any_more(alice_client: Client, drift: Drift):
    Drift.objects.update(closed_at=timezone.now())
    answer = alice_client.post(reverse("syncgroups:drift-repair", args=[drift.pk]))
    assert answer.status_code == 400
    assert not Request.objects.exists()


def test_an_ignored_difference_leaves_the_live_page(alice_client: Client, drift: Drift, group: SyncGroup):
    url = reverse("syncgroups:drift-ignore", args=[drift.pk])
    alice_client.post(url)
    alice_client.post(url)
    assert Request.objects.get().ask == Ask.IGNORE
    assert "ignored" in _page(alice_client, group)
    live = alice_client.get(reverse("analytics:live")).content.decode()
    assert 'class="drift-line"' not in live


def test_a_quarantine_is_set_shown_planned_and_released(
    alice_client: Client, drift: Drift, group: SyncGroup, alice: User
):
    url = reverse("syncgroups:drift-quarantine", args=[drift.pk])
    alice_client.post(url)
    alice_client.post(url)
    row = Quarantine.objects.get()
    (planned,) = plans.settings_of(OwnerId(alice.pk)).plan.groups[0].followers
    assert planned.quarantined == {"ESZ6"}
    assert "In quarantine: exits only" in _page(alice_client, group)
    alice_client.post(reverse("syncgroups:quarantine-release", args=[row.pk]))
    assert plans.settings_of(OwnerId(alice.pk)).plan.quarantined == frozenset()
    assert [line.severity for line in Activity.objects.order_by("pk")] == ["warning", "info"]


def test_only_a_follower_of_the_group_can_be_put_into_quarantine(alice_client: Client, group: SyncGroup):
    other = DriftFactory.create(group=group)
    answer = alice_client.post(reverse("syncgroups:drift-quarantine", args=[other.pk]))
    assert answer.status_code == 400
    assert not Quarantine.objects.exists()


def test_what_has_no_group_has_no_quarantine(alice_client: Client, alice: User, two: list[Account]):
    row = DriftFactory.create(group=None, owner=alice, account=two[1])
    assert alice_client.post(reverse("syncgroups:drift-quarantine", args=[row.pk])).status_code == 404


@pytest.mark.parametrize("name", DOORS)
def test_doors_of_a_difference(
    alice_client: Client, bob_client: Client, client: Client, drift: Drift, name: str
):
    url = reverse(name, args=[drift.pk])
    assert bob_client.post(url).status_code == 404
    assert client.post(url).headers["Location"].startswith("/accounts/login/")
    assert alice_client.get(url).status_code == 405
    assert alice_client.post(reverse(name, args=[drift.pk + 1])).status_code == 404
    assert not Request.objects.exists()
    assert not Quarantine.objects.exists()


def test_doors_of_a_quarantine(
    alice_client: Client, bob_client: Client, group: SyncGroup, two: list[Account]
):
    row = Quarantine.objects.create(group=group, account=two[1], symbol="ESZ6", reason="r")
    url = reverse("syncgroups:quarantine-release", args=[row.pk])
    assert bob_client.post(url).status_code == 404
    assert alice_client.get(url).status_code == 405
    assert Quarantine.objects.exists()


# -- replay ------------------------------------------------------------------------------------------


def _missed(group: SyncGroup, account: Account, **changes: Any) -> str:
    """Write down that a follower missed the leader's order 501, which works still."""
    key = client_order_id(GroupId(group.pk), AccountId(group.leader_id), OrderId(501), AccountId(account.pk))
    ActivityFactory.create(
        owner=group.owner,
        group=group,
        account=account,
        key=key,
        symbol="ESZ6",
        kind=ActivityKind.COPY_REFUSED,
        reason=RefusalReason.FOLLOWER_OFFLINE,
        text="ONE did not place ESZ6: no connection to its broker",
    )
    order: dict[str, Any] = {"status": OrderStatus.WORKING, "side": Side.BUY} | changes
    Order.objects.create(
        account=group.leader,
        broker_order_id=501,
        symbol="ESZ6",
        order_type=OrderType.LIMIT,
        qty=1,
        tif=TimeInForce.DAY,
        first_seen_at=timezone.now(),
        **order,
    )
    return key


def test_a_missed_order_is_listed_and_replayed_by_a_click(
    alice_client: Client, group: SyncGroup, two: list[Account]
):
    key = _missed(group, two[1])
    assert "Missed while offline" in _page(alice_client, group)
    url = reverse("syncgroups:replay", args=[key])
    assert alice_client.post(url, headers={"HX-Request": "true"}).status_code == 204
    asked = Request.objects.get()
    assert (asked.ask, asked.subject) == (Ask.REPLAY, key)


def test_what_was_placed_since_is_not_listed(group: SyncGroup, two: list[Account]):
    key = _missed(group, two[1])
    CopyFactory.create(group=group, key=f"{key}.r1", follower=two[1])
    assert missed_of(group, timezone.now()) == []


@pytest.mark.parametrize(("net", "listed"), [(1, 1), (0, 0), (-1, 0)])
def test_a_filled_order_is_listed_while_the_leader_holds_what_it_entered(
    group: SyncGroup, two: list[Account], net: int, listed: int
):
    _missed(group, two[1], status=OrderStatus.FILLED)
    Position.objects.create(account=group.leader, symbol="ESZ6", net=net, updated_at=timezone.now())
    assert len(missed_of(group, timezone.now())) == listed


def test_an_order_that_nobody_knows_and_another_id_are_not_listed(group: SyncGroup, two: list[Account]):
    _missed(group, two[1])
    Order.objects.all().delete()
    Activity.objects.create(
        owner=group.owner,
        group=group,
        at=timezone.now(),
        kind=ActivityKind.COPY_REFUSED,
        reason=RefusalReason.FOLLOWER_OFFLINE,
        key="a stranger's",
        text="x",
    )
    assert missed_of(group, timezone.now()) == []


def test_doors_of_a_replay(
    alice_client: Client, bob_client: Client, client: Client, group: SyncGroup, two: list[Account]
):
    url = reverse("syncgroups:replay", args=[_missed(group, two[1])])
    assert bob_client.post(url).status_code == 404
    assert client.post(url).status_code == 302
    assert alice_client.get(url).status_code == 405
    assert alice_client.post(reverse("syncgroups:replay", args=["nothing"])).status_code == 404
    assert not Request.objects.exists()


# -- settings ----------------------------------------------------------------------------------------


def _typed(group: SyncGroup, **changes: Any) -> dict[str, Any]:
    typed: dict[str, Any] = {
        "mode": "immediate",
        "rest_after": 5,
        "rest_entries": "wait",
        "rest_exits": "market",
        "rest_slack": 4,
    }
    typed |= {"name": "Scalps", f"{group.leader_id}-role": "leader", "hours": "all", "instruments": ""}
    for member in group.followers.all():
        typed |= {f"{member.account_id}-role": "follower", f"{member.account_id}-sizing": "ratio"}
        typed |= {f"{member.account_id}-ratio": "1", f"{member.account_id}-fixed_qty": "1"}
    return typed | {"drift_policy": "repair", "drift_cap": 3, "drift_ticks": 4} | changes


def test_the_policy_is_set_on_the_form_and_reaches_the_plan(
    alice_client: Client, group: SyncGroup, alice: User
):
    answer = alice_client.post(reverse("syncgroups:edit", args=[group.public_id]), _typed(group))
    assert answer.status_code == 302
    (planned,) = plans.settings_of(OwnerId(alice.pk)).plan.groups
    assert (planned.drift_policy, planned.drift_cap, planned.drift_ticks) == (DriftPolicy.REPAIR, 3, 4)


@pytest.mark.parametrize("wrong", [{"drift_cap": 0}, {"drift_ticks": 1001}, {"drift_policy": "fight"}])
def test_a_wrong_policy_is_refused(alice_client: Client, group: SyncGroup, wrong: dict[str, Any]):
    answer = alice_client.post(reverse("syncgroups:edit", args=[group.public_id]), _typed(group, **wrong))
    assert answer.status_code == 422
    group.refresh_from_db()
    assert group.drift_policy == DriftPolicy.OBSERVE
