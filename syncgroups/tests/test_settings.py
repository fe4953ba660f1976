"""An owner's rows as an engine is given them: plan, gates, logins, and nobody else's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from brokers.models import Account, Connection, ConnectionStatus
from brokers.services.stamps import touch
from brokers.tests.factories import AccountFactory, ConnectionFactory
from risk.models import Gate, GateKind
from risk.services.gates import halt
from risk.services.limits import set_max_position
from syncgroups.engine import books, plans
from syncgroups.models import Follower, SyncGroup
from syncgroups.tests.factories import GroupFactory
from syncgroups.tests.plans import LEADER, connection_of
from syncgroups.tests.rows import settle_in
from tradehaven.domain.enums import Side, TradingState
from tradehaven.domain.ids import AccountId, OwnerId

pytestmark = pytest.mark.django_db
BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)


@pytest.fixture
def owner(alice: User) -> User:
    settle_in(alice)
    return alice


def test_settings_carry_gates_limits_and_followers(owner: User) -> None:
    account = Account.objects.get(pk=THREE)
    set_max_position(account=account, qty=7, by=owner)
    settings = plans.settings_of(OwnerId(owner.pk))
    (group,) = settings.plan.groups
    half = next(found for found in group.followers if found.account == THREE)
    assert settings.plan.accounts[half.account].rules.caps.instrument == 7
    assert str(half.ratio) == "1/2"
    kinds = {gate.pk: gate.kind for gate in Gate.objects.all()}
    assert [kinds[gate] for gate in half.gates] == [GateKind.ACCOUNT, GateKind.GROUP, GateKind.OWNER]
    leader = settings.plan.accounts[LEADER]
    assert [kinds[gate] for gate in leader.gates] == [GateKind.ACCOUNT, GateKind.OWNER]
    assert {row.connection for row in settings.logins} == {connection_of(n) for n in (LEADER, TWO, THREE)}


def test_a_stranger_is_nowhere_in_an_owners_settings(owner: User, bob: User) -> None:
    account = AccountFactory.create(pk=500, connection=ConnectionFactory.create(pk=500, owner=bob))
    GroupFactory.create(pk=500, leader=account)
    settings = plans.settings_of(OwnerId(owner.pk))
    assert account.pk not in settings.plan.accounts
    assert len(settings.plan.groups) == 1
    assert not books.book_of(OwnerId(bob.pk)).copies
    assert SyncGroup.objects.count() == 2
    assert Follower.objects.count() == 2


def test_a_login_that_was_disconnected_gets_no_link(owner: User) -> None:
    Connection.objects.filter(pk=connection_of(TWO)).update(status=ConnectionStatus.DISCONNECTED)
    logins = {row.connection for row in plans.settings_of(OwnerId(owner.pk)).logins}
    assert connection_of(TWO) not in logins


@pytest.mark.parametrize(("minutes", "flattens"), [(1, True), (30, False)])
def test_a_start_finishes_a_fresh_flattening_and_no_old_one(
    owner: User, minutes: int, flattens: bool
) -> None:
    gate = Gate.objects.get(kind=GateKind.OWNER, owner=owner)
    halt(gate=gate, by=owner, reason="test", flatten=True)
    Gate.objects.filter(pk=gate.pk).update(changed_at=timezone.now() - timedelta(minutes=minutes))
    (found,) = [event for event in plans.settings_of(OwnerId(owner.pk)).gates if event.gate == gate.pk]
    assert found.state is TradingState.HALTED
    assert found.flatten is flattens


def test_only_owners_whose_stamp_moved_are_read_again(owner: User) -> None:
    touch(owner.pk)
    changed = plans.changed_owners({}, lambda _: True)
    assert owner.pk in changed
    assert plans.changed_owners(changed, lambda _: True) == {}
    stranger = UserFactory.create()
    touch(stranger.pk)
    assert set(plans.changed_owners(changed, lambda _: True)) == {stranger.pk}
    assert plans.changed_owners(changed, lambda found: found == owner.pk) == {}
