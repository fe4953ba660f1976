"""The pages of groups: each door works, is shut for strangers, and refuses the wrong method."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from brokers.models import Account
from syncgroups.models import SyncGroup
from syncgroups.tests.factories import CopyFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts

DOORS = [
    ("syncgroups:detail", "get"),
    ("syncgroups:edit", "get"),
    ("syncgroups:on", "post"),
    ("syncgroups:off", "post"),
    ("syncgroups:dissolve", "post"),
]


@pytest.fixture
def three(alice: User) -> list[Account]:
    return accounts(alice, "A", "B", "C")


@pytest.fixture
def group(three: list[Account]) -> SyncGroup:
    made: SyncGroup = GroupFactory.create(leader=three[0], name="Scalps")
    FollowerFactory.create(group=made, account=three[1])
    return made


@pytest.mark.parametrize(("name", "method"), DOORS)
def test_a_stranger_finds_nothing(bob_client: Client, group: SyncGroup, name: str, method: str):
    assert getattr(bob_client, method)(reverse(name, args=[group.public_id])).status_code == 404
    group.refresh_from_db()
    assert not group.active


@pytest.mark.parametrize(("name", "method"), DOORS)
def test_an_anonymous_visitor_goes_to_the_log_in(client: Client, group: SyncGroup, name: str, method: str):
    answer = getattr(client, method)(reverse(name, args=[group.public_id]))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(("name", "method"), DOORS)
def test_the_wrong_method_is_refused(alice_client: Client, group: SyncGroup, name: str, method: str):
    wrong = alice_client.put if name == "syncgroups:edit" else alice_client.get
    if method == "get" and name != "syncgroups:edit":
        wrong = alice_client.post
    assert wrong(reverse(name, args=[group.public_id])).status_code == 405


def test_the_list_shows_own_groups_only(alice_client: Client, bob_client: Client, group: SyncGroup):
    assert "Scalps" in alice_client.get(reverse("syncgroups:list")).content.decode()
    assert "Scalps" not in bob_client.get(reverse("syncgroups:list")).content.decode()


def test_the_detail_page_shows_members_latency_and_copies(
    alice_client: Client, group: SyncGroup, three: list[Account]
):
    copy = CopyFactory.create(group=group, follower=three[1])
    page = alice_client.get(reverse("syncgroups:detail", args=[group.public_id])).content.decode()
    assert "620 µs" in page
    assert reverse("syncgroups:order", args=[copy.key]) in page
    assert three[1].name in page


def test_the_state_comes_alone_when_htmx_asks(alice_client: Client, group: SyncGroup):
    answer = alice_client.get(
        reverse("syncgroups:detail", args=[group.public_id]), headers={"HX-Request": "true"}
    )
    assert answer.content.decode().lstrip().startswith('<div id="state"')


def test_a_mixed_group_warns(alice_client: Client, alice: User, group: SyncGroup):
    (live,) = accounts(alice, "LIVE-1", environment="live")
    FollowerFactory.create(group=group, account=live)
    assert (
        "mixes live money"
        in alice_client.get(reverse("syncgroups:detail", args=[group.public_id])).content.decode()
    )


def test_the_switch_answers_htmx_with_a_toast(alice_client: Client, group: SyncGroup):
    answer = alice_client.post(
        reverse("syncgroups:on", args=[group.public_id]), headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    assert "toast" in answer.headers["HX-Trigger"]
    group.refresh_from_db()
    assert group.active


def test_a_group_without_followers_says_why_it_stays_off(alice_client: Client, group: SyncGroup):
    group.followers.all().delete()
    url = reverse("syncgroups:on", args=[group.public_id])
    assert "at least one follower" in alice_client.post(url).content.decode()
    answer = alice_client.post(url, headers={"HX-Request": "true"})
    assert answer.status_code == 400
    assert "danger" in answer.headers["HX-Trigger"]


def test_dissolving_leads_back_to_the_list(alice_client: Client, group: SyncGroup):
    answer = alice_client.post(reverse("syncgroups:dissolve", args=[group.public_id]))
    assert answer.headers["Location"] == reverse("syncgroups:list")
    assert not SyncGroup.objects.exists()


def test_the_detail_page_asks_the_database_a_bounded_number_of_times(
    alice_client: Client, group: SyncGroup, alice: User, django_assert_max_num_queries
):
    for account in accounts(alice, *[f"X{number}" for number in range(12)]):
        FollowerFactory.create(group=group, account=account)
    with django_assert_max_num_queries(18):  # one of them is for the kill switch's ticket
        alice_client.get(reverse("syncgroups:detail", args=[group.public_id]))
