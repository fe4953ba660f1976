"""The pages of groups: each door works, is shut for strangers, and refuses the wrong method."""

import pytest
from allauth.account.models import EmailAddress
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
    ("syncgroups:follower-add", "post"),
]
RULES = {
    "mode": "immediate",
    "rest_after": 5,
    "rest_entries": "wait",
    "rest_exits": "market",
    "rest_slack": 4,
    "hours": "all",
}
MEMBER_DOORS = ["syncgroups:follower-size", "syncgroups:follower-remove"]


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


@pytest.mark.parametrize("name", MEMBER_DOORS)
def test_member_doors_hold_for_group_and_account_alike(
    alice_client: Client, bob_client: Client, bob: User, group: SyncGroup, three: list[Account], name: str
):
    (foreign,) = accounts(bob, "BOB")
    own = reverse(name, args=[group.public_id, three[1].pk])
    assert bob_client.post(own).status_code == 404
    assert alice_client.post(reverse(name, args=[group.public_id, foreign.pk])).status_code == 404
    assert alice_client.get(own).status_code == 405


def test_the_list_shows_own_groups_only(alice_client: Client, bob_client: Client, group: SyncGroup):
    assert "Scalps" in alice_client.get(reverse("syncgroups:list")).content.decode()
    assert "Scalps" not in bob_client.get(reverse("syncgroups:list")).content.decode()


def test_a_group_is_made_on_the_page(alice_client: Client, three: list[Account]):
    typed = RULES | {
        "name": "NQ",
        "leader": three[0].pk,
        "followers": [three[1].pk, three[2].pk],
        "hours": "all",
        "instruments": "nq, MNQ",
    }
    answer = alice_client.post(reverse("syncgroups:create"), typed)
    made = SyncGroup.objects.get()
    assert answer.headers["Location"] == reverse("syncgroups:detail", args=[made.public_id])
    assert made.instruments == ["MNQ", "NQ"]
    assert made.followers.count() == 2


def test_a_refusal_stands_at_its_field(alice_client: Client, three: list[Account]):
    typed = RULES | {"name": "NQ", "leader": three[0].pk, "instruments": "DOGE"}
    answer = alice_client.post(reverse("syncgroups:create"), typed)
    assert answer.status_code == 422
    assert "DOGE" in answer.context["form"].errors["instruments"][0]


def test_a_strangers_account_is_no_choice(alice_client: Client, bob: User, three: list[Account]):
    (foreign,) = accounts(bob, "BOB-SECRET")
    typed = {"name": "NQ", "leader": foreign.pk, "hours": "all"}
    answer = alice_client.post(reverse("syncgroups:create"), typed)
    assert answer.status_code == 422
    assert "BOB-SECRET" not in answer.content.decode()


def test_mode_and_what_becomes_of_resting_orders_are_chosen(
    alice_client: Client, group: SyncGroup, three: list[Account]
):
    typed = RULES | {"name": "Scalps", "leader": three[0].pk, "mode": "confirmed", "entry_slack": 2}
    typed |= {"rest_after": 9, "rest_entries": "cancel", "rest_exits": "market_within", "rest_slack": 7}
    address = reverse("syncgroups:edit", args=[group.public_id])
    assert alice_client.post(address, typed).status_code == 302
    group.refresh_from_db()
    assert (group.mode, group.entry_slack) == ("confirmed", 2)
    assert (group.rest_after, group.rest_entries) == (9, "cancel")
    assert (group.rest_exits, group.rest_slack) == ("market_within", 7)
    shown = alice_client.get(address).context["form"]
    assert shown["mode"].value() == "confirmed"


def test_an_unconfirmed_person_is_told_what_to_do(alice_client: Client, alice: User, three: list[Account]):
    EmailAddress.objects.filter(user=alice).update(verified=False)
    answer = alice_client.post(reverse("syncgroups:create"), RULES | {"name": "NQ", "leader": three[0].pk})
    assert answer.status_code == 403
    assert "Confirm your e-mail address" in answer.content.decode()


def test_a_group_is_edited_with_its_leader(alice_client: Client, group: SyncGroup, three: list[Account]):
    typed = RULES | {"name": "Renamed", "leader": three[2].pk, "hours": "eth", "instruments": ""}
    answer = alice_client.post(reverse("syncgroups:edit", args=[group.public_id]), typed)
    assert answer.status_code == 302
    group.refresh_from_db()
    assert (group.name, group.leader, group.hours) == ("Renamed", three[2], "eth")


def test_the_detail_page_shows_members_latency_and_copies(
    alice_client: Client, group: SyncGroup, three: list[Account]
):
    copy = CopyFactory.create(group=group, follower=three[1])
    page = alice_client.get(reverse("syncgroups:detail", args=[group.public_id])).content.decode()
    assert "620 µs" in page
    assert reverse("syncgroups:copy", args=[copy.key]) in page
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


def test_a_follower_is_added_sized_and_removed(alice_client: Client, group: SyncGroup, three: list[Account]):
    add = reverse("syncgroups:follower-add", args=[group.public_id])
    alice_client.post(add, {"account": three[2].pk, "sizing": "ratio", "ratio": "0.5"})
    follower = group.followers.get(account=three[2])
    assert str(follower.ratio.normalize()) == "0.5"
    size = reverse("syncgroups:follower-size", args=[group.public_id, three[2].pk])
    prefix = str(three[2].pk)
    typed = {f"{prefix}-sizing": "fixed", f"{prefix}-fixed_qty": "2", f"{prefix}-max_position": "4"}
    alice_client.post(size, typed)
    follower.refresh_from_db()
    assert (follower.sizing, follower.fixed_qty) == ("fixed", 2)
    three[2].risk.refresh_from_db()
    assert three[2].risk.max_position == 4
    alice_client.post(reverse("syncgroups:follower-remove", args=[group.public_id, three[2].pk]))
    assert not group.followers.filter(account=three[2]).exists()


@pytest.mark.parametrize("ratio", ["0", "-1", "abc", ""])
def test_a_ratio_that_cannot_work_is_refused(
    alice_client: Client, group: SyncGroup, three: list[Account], ratio: str
):
    add = reverse("syncgroups:follower-add", args=[group.public_id])
    answer = alice_client.post(add, {"account": three[2].pk, "sizing": "ratio", "ratio": ratio})
    assert answer.status_code in (302, 400)
    assert not group.followers.filter(account=three[2]).exists()


def test_dissolving_leads_back_to_the_list(alice_client: Client, group: SyncGroup):
    answer = alice_client.post(reverse("syncgroups:dissolve", args=[group.public_id]))
    assert answer.headers["Location"] == reverse("syncgroups:list")
    assert not SyncGroup.objects.exists()


def test_the_detail_page_asks_the_database_a_bounded_number_of_times(
    alice_client: Client, group: SyncGroup, alice: User, django_assert_max_num_queries
):
    for account in accounts(alice, *[f"X{number}" for number in range(12)]):
        FollowerFactory.create(group=group, account=account)
    with django_assert_max_num_queries(
        18
    ):  # one is for how pages look, one of them is for the kill switch's ticket
        alice_client.get(reverse("syncgroups:detail", args=[group.public_id]))
