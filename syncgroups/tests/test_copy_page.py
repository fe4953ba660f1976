"""Lineage of a copy on its page."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from syncgroups.models import CopiedOrder
from syncgroups.tests.factories import CopyFactory, GroupFactory
from syncgroups.tests.people import accounts


@pytest.fixture
def copy(alice: User) -> CopiedOrder:
    leader, follower = accounts(alice, "LEAD", "FOLLOW")
    made: CopiedOrder = CopyFactory.create(
        group=GroupFactory.create(leader=leader), follower=follower, limit_ticks=20_011
    )
    return made


def test_all_five_times_and_the_price_are_shown(alice_client: Client, copy: CopiedOrder):
    page = alice_client.get(reverse("syncgroups:copy", args=[copy.key])).content.decode()
    for text in ("310 µs", "620 µs", "48.0 ms", "71.0 ms", "5002.75", "LEAD", "FOLLOW"):
        assert text in page


def test_siblings_of_the_same_leaders_order_are_listed(alice_client: Client, copy: CopiedOrder):
    twin = CopyFactory.create(group=copy.group, follower=copy.follower, leader_order_id=copy.leader_order_id)
    other = CopyFactory.create(group=copy.group, follower=copy.follower, leader_order_id=999)
    page = alice_client.get(reverse("syncgroups:copy", args=[copy.key])).content.decode()
    assert twin.key in page
    assert other.key not in page


def test_a_copy_that_was_never_sent_shows_dashes(alice_client: Client, copy: CopiedOrder):
    CopiedOrder.objects.update(written_at=None, acknowledged_at=None, filled_at=None)
    assert alice_client.get(reverse("syncgroups:copy", args=[copy.key])).status_code == 200


def test_a_copy_outlives_its_group(alice_client: Client, copy: CopiedOrder):
    CopiedOrder.objects.update(group=None)
    page = alice_client.get(reverse("syncgroups:copy", args=[copy.key])).content.decode()
    assert "dissolved" in page


def test_doors_of_a_copy(alice_client: Client, bob_client: Client, client: Client, copy: CopiedOrder):
    url = reverse("syncgroups:copy", args=[copy.key])
    assert bob_client.get(url).status_code == 404
    assert client.get(url).status_code == 302
    assert alice_client.post(url).status_code == 405
    assert alice_client.get(reverse("syncgroups:copy", args=["nothing"])).status_code == 404


def test_an_order_of_a_manual_copy_says_so(alice_client: Client, alice: User) -> None:
    copy = CopyFactory.create(group__owner=alice, group__leader__connection__owner=alice, leader_order_id=-7)
    page = alice_client.get(reverse("syncgroups:copy", args=[copy.key])).content.decode()
    assert "a manual copy" in page
    assert "order -7" not in page
