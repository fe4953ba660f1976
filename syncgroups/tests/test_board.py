"""The board of groups: how each runs today, and who copies whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Account, Connection
from syncgroups.models import SyncGroup
from syncgroups.selectors.board import board
from syncgroups.tests.factories import CopyFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts

LIST = reverse("syncgroups:list")


@pytest.fixture
def four(alice: User) -> list[Account]:
    found = accounts(alice, "A", "B", "C", "D")
    Connection.objects.update(link_up=True)
    return found


def led(leader: Account, name: str, *followers: Account, active: bool = True) -> SyncGroup:
    made: SyncGroup = GroupFactory.create(leader=leader, name=name, active=active)
    for account in followers:
        FollowerFactory.create(group=made, account=account)
    return made


def test_todays_copies_are_counted_and_timed(alice: User, four: list[Account]):
    group, other = led(four[0], "G", four[1]), led(four[2], "H", four[3])
    now = timezone.now()
    for micros in (100, 200, 900):
        CopyFactory.create(
            group=group, received_at=now, written_at=now + timedelta(microseconds=micros), follower=four[1]
        )
    CopyFactory.create(group=group, received_at=now - timedelta(days=2))
    CopyFactory.create(group=group, received_at=now - timedelta(seconds=1), written_at=None)
    first, second = board(alice, now + timedelta(seconds=1)).rows
    assert (first.row.group, second.row.group) == (group, other)
    assert first.today.count == 3
    assert first.today.p50 == timedelta(microseconds=200)
    assert first.today.p99 == timedelta(microseconds=900)
    assert first.last is not None
    assert first.last.received_at == now
    assert (second.today.count, second.today.p50, second.last) == (0, None, None)
    assert first.budget is not None
    assert (first.budget.budget.outlook.orders_left or 0) > 0


def test_one_plain_group_needs_no_drawing(alice: User, four: list[Account]):
    led(four[0], "G", four[1], four[2])
    assert board(alice, timezone.now()).drawing is None


def test_a_chain_is_drawn_and_said(alice: User, alice_client: Client, four: list[Account]):
    led(four[0], "First", four[1])
    led(four[1], "Second", four[2], four[3], active=False)
    drawing = board(alice, timezone.now()).drawing
    assert drawing is not None
    assert drawing.lines == ("First: A leads B.", "Second: B leads C, D, switched off.")
    columns = {box.name: round(box.x) for box in drawing.boxes}
    assert columns["A"] < columns["B"] < columns["C"] == columns["D"]
    assert len({(box.x, box.y) for box in drawing.boxes}) == 4
    assert {box.name for box in drawing.boxes if box.is_leader} == {"A", "B"}
    assert [arrow.is_on for arrow in drawing.arrows] == [True, False, False]
    page = alice_client.get(LIST).content.decode()
    assert page.count("<rect") == 4
    assert "Second: B leads C, D, switched off." in page


@pytest.mark.parametrize(
    ("change", "button"),
    [
        ({"active": False}, "Switch on"),
        ({"link_up": False, "status": "disconnected"}, "Reconnect"),
        ({}, ""),
    ],
)
def test_why_a_group_stands_still_comes_with_the_button(
    alice_client: Client, four: list[Account], change: dict[str, Any], button: str
):
    group = led(four[0], "G", four[1])
    if "active" in change:
        SyncGroup.objects.update(active=False)
    elif change:
        Connection.objects.filter(pk=group.leader.connection_id).update(**change)
    page = alice_client.get(LIST).content.decode()
    for known in ("Switch on", "Reconnect"):
        assert (f">{known}</" in page) == (known == button)


def test_a_group_without_followers_offers_to_add_one(alice_client: Client, four: list[Account]):
    led(four[0], "G")
    assert "Add a follower" in alice_client.get(LIST).content.decode()


def test_nobodys_groups_are_here(bob_client: Client, four: list[Account]):
    led(four[0], "Secret", four[1])
    page = bob_client.get(LIST).content.decode()
    assert "Secret" not in page
    assert "No group yet" in page


def test_many_groups_cost_no_more_questions(
    alice: User, alice_client: Client, django_assert_max_num_queries: Any
):
    for number in range(12):
        leader, follower = accounts(alice, f"L{number}", f"F{number}", broker_user_id=number + 1)
        CopyFactory.create(group=led(leader, f"G{number}", follower))
    with django_assert_max_num_queries(21):
        alice_client.get(LIST)
