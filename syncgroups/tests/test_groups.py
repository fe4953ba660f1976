"""What a group may be, and what saving one refuses."""

from decimal import Decimal
from threading import Barrier, Thread

import pytest
from allauth.account.models import EmailAddress
from django.db import connection as database

from accounts.access import NotAllowed
from accounts.models import User
from brokers.models import Account, EngineStamp
from risk.models import GateKind
from syncgroups.core.plan import RestPolicy
from syncgroups.models import Activity, CopiedOrder, Follower, SyncGroup
from syncgroups.selectors import mixes_live_and_demo
from syncgroups.services import groups
from syncgroups.services.groups import FollowerSettings, GroupSettings
from syncgroups.tests.factories import CopyFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import Environment, RestRule, SessionHours, SizingMode
from tradehaven.domain.errors import InvalidInput

PLAIN = GroupSettings(name="ES")
ONE_TO_ONE = FollowerSettings()


@pytest.fixture
def four(alice: User) -> list[Account]:
    return accounts(alice, "A", "B", "C", "D")


def group_of(owner: User, leader: Account, *followers: Account) -> SyncGroup:
    return groups.create_group(owner, leader=leader, settings=PLAIN, followers=followers)


def test_a_new_group_is_off_and_has_a_gate_of_its_own(alice: User, four: list[Account]):
    settings = GroupSettings(name=" ES ", hours=SessionHours.RTH, instruments=("NQ", "ES", "ES"))
    group = groups.create_group(alice, leader=four[0], settings=settings, followers=four[1:])
    assert (group.name, group.active, group.hours, group.instruments) == ("ES", False, "rth", ["ES", "NQ"])
    assert group.gate.kind == GateKind.GROUP
    assert [follower.account for follower in group.followers.all()] == four[1:]
    assert EngineStamp.objects.get(owner=alice).version > 0
    assert Activity.objects.filter(group=group).exists()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (GroupSettings(name="  "), "name"),
        (GroupSettings(name="x", instruments=("ES", "XX")), "instruments"),
        (GroupSettings(name="x", rests=RestPolicy(exits=RestRule.CANCEL)), "rest_exits"),
        (GroupSettings(name="x", rests=RestPolicy(after=0)), "rest_after"),
        (GroupSettings(name="x", rests=RestPolicy(slack=-1)), "rest_slack"),
        (GroupSettings(name="x", entry_slack=10_000), "entry_slack"),
    ],
)
def test_settings_that_cannot_work_name_their_field(alice, four, settings: GroupSettings, field: str):
    with pytest.raises(InvalidInput) as caught:
        groups.create_group(alice, leader=four[0], settings=settings)
    assert caught.value.field == field
    assert not SyncGroup.objects.exists()


def test_an_account_leads_one_group_only(alice: User, four: list[Account]):
    group_of(alice, four[0], four[1])
    with pytest.raises(InvalidInput, match="already leads") as caught:
        group_of(alice, four[0], four[2])
    assert caught.value.field == "leader"


def test_a_leader_cannot_follow_itself(alice: User, four: list[Account]):
    with pytest.raises(InvalidInput, match="cannot follow itself"):
        group_of(alice, four[0], four[0])
    assert not SyncGroup.objects.exists()


def test_a_chain_is_allowed(alice: User, four: list[Account]):
    group_of(alice, four[0], four[1])
    group_of(alice, four[1], four[2], four[3])
    assert SyncGroup.objects.count() == 2


def test_a_loop_is_refused_and_named(alice: User, four: list[Account]):
    group_of(alice, four[0], four[1])
    group_of(alice, four[1], four[2])
    with pytest.raises(InvalidInput, match="A → B → C → A"):
        group_of(alice, four[2], four[0])
    assert SyncGroup.objects.count() == 2


def test_a_loop_by_a_new_leader_is_refused(alice: User, four: list[Account]):
    group_of(alice, four[0], four[1])
    second = group_of(alice, four[2], four[0])
    with pytest.raises(InvalidInput, match="loop"):
        groups.change_leader(second, leader=four[1])
    assert SyncGroup.objects.get(pk=second.pk).leader == four[2]


@pytest.mark.django_db(transaction=True)
def test_two_saves_at_once_cannot_close_a_loop():
    owner = User.objects.create_user("race@example.org", "x")
    one, two = accounts(owner, "A", "B")
    first, second = GroupFactory.create(leader=one), GroupFactory.create(leader=two)
    refused: list[str] = []
    start = Barrier(2)

    def add(group: SyncGroup, account: Account) -> None:
        start.wait()
        try:
            groups.set_follower(group, account=account, settings=ONE_TO_ONE)
        except InvalidInput as error:
            refused.append(error.message)
        finally:
            database.close()

    threads = [Thread(target=add, args=pair) for pair in ((first, two), (second, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(refused) == 1
    assert Follower.objects.count() == 1


def test_accounts_of_others_are_refused(alice: User, bob: User, four: list[Account]):
    (stranger,) = accounts(bob, "BOB")
    with pytest.raises(InvalidInput, match="no such account"):
        group_of(alice, stranger)
    with pytest.raises(InvalidInput, match="no such account"):
        group_of(alice, four[0], stranger)
    group = group_of(alice, four[0])
    with pytest.raises(InvalidInput, match="no such account"):
        groups.change_leader(group, leader=stranger)


def test_a_person_without_confirmed_address_cannot_make_a_group(alice: User, four: list[Account]):
    EmailAddress.objects.filter(user=alice).update(verified=False)
    with pytest.raises(NotAllowed):
        group_of(alice, four[0])


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (FollowerSettings(ratio=Decimal(0)), "ratio"),
        (FollowerSettings(ratio=Decimal("-0.5")), "ratio"),
        (FollowerSettings(ratio=Decimal(1001)), "ratio"),
        (FollowerSettings(sizing=SizingMode.FIXED, fixed_qty=0), "fixed_qty"),
        (FollowerSettings(max_contracts=0), "max_contracts"),
    ],
)
def test_sizing_that_cannot_work_names_its_field(alice, four, settings: FollowerSettings, field: str):
    group = group_of(alice, four[0])
    with pytest.raises(InvalidInput) as caught:
        groups.set_follower(group, account=four[1], settings=settings)
    assert caught.value.field == field
    assert not group.followers.exists()


def test_a_followers_sizing_is_replaced_not_doubled(alice: User, four: list[Account]):
    group = group_of(alice, four[0], four[1])
    wanted = FollowerSettings(sizing=SizingMode.FIXED, fixed_qty=3, max_contracts=5)
    groups.set_follower(group, account=four[1], settings=wanted)
    follower = group.followers.get()
    assert (follower.sizing, follower.fixed_qty, follower.max_contracts) == ("fixed", 3, 5)


def test_a_group_without_followers_cannot_be_switched_on(alice: User, four: list[Account]):
    with pytest.raises(InvalidInput, match="at least one follower"):
        groups.activate(group_of(alice, four[0]))


def test_switching_on_starts_from_now_and_twice_is_once(alice: User, four: list[Account]):
    group = group_of(alice, four[0], four[1])
    groups.activate(group)
    since = group.active_since
    assert group.active
    assert since is not None
    groups.activate(group)
    assert group.active_since == since
    groups.deactivate(group)
    assert SyncGroup.objects.filter(active=False, active_since=None).exists()


def test_a_new_leader_of_a_running_group_starts_from_now(alice: User, four: list[Account]):
    group = group_of(alice, four[0], four[1])
    groups.activate(group)
    since = group.active_since
    groups.change_leader(group, leader=four[2])
    assert (group.leader, group.active) == (four[2], True)
    assert since is not None
    assert group.active_since is not None
    assert group.active_since > since


def test_a_follower_must_leave_before_it_leads(alice: User, four: list[Account]):
    group = group_of(alice, four[0], four[1])
    with pytest.raises(InvalidInput, match="remove it from the followers"):
        groups.change_leader(group, leader=four[1])


def test_settings_and_leader_are_saved_together_or_not_at_all(alice: User, four: list[Account]):
    group = group_of(alice, four[0], four[1])
    with pytest.raises(InvalidInput):
        groups.revise_group(group, leader=four[1], settings=GroupSettings(name="renamed"))
    assert SyncGroup.objects.get().name == "ES"


def test_removing_a_follower_twice_is_once(alice: User, four: list[Account]):
    group = group_of(alice, four[0], four[1])
    groups.remove_follower(group, account=four[1])
    lines = Activity.objects.count()
    groups.remove_follower(group, account=four[1])
    assert Activity.objects.count() == lines
    assert not group.followers.exists()


def test_a_dissolved_group_leaves_its_lineage(alice: User, four: list[Account]):
    group = group_of(alice, four[0], four[1])
    copy = CopyFactory.create(group=group, follower=four[1])
    groups.dissolve(group)
    assert not SyncGroup.objects.exists()
    assert CopiedOrder.objects.get(pk=copy.pk).group is None
    group_of(alice, four[0], four[1])


def test_live_and_demo_together_are_noticed(alice: User, bob: User):
    live, demo = accounts(alice, "L", environment=Environment.LIVE), accounts(bob, "D", environment="demo")
    assert mixes_live_and_demo([*live, *demo])
    assert not mixes_live_and_demo(live)
    assert not mixes_live_and_demo([])
