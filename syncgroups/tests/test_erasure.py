"""What is deleted ninety days after a plan's end, and the proof of it."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

from accounts.billing import services
from accounts.core.plans import Plan
from accounts.models import Erasure, Notice, Subscription, User
from brokers.models import (
    Account,
    AccountTag,
    Connection,
    EndpointCall,
    EngineProcess,
    EngineStamp,
    Lease,
    LinkDrop,
    Quote,
)
from brokers.tests.factories import FillFactory, PositionFactory
from risk.services.gates import ensure_owner_gate, halt
from syncgroups.models import Activity, AuditEntry, JournalMark, SyncGroup
from syncgroups.services import erasure, groups
from syncgroups.services.groups import FollowerSettings, GroupSettings
from syncgroups.tasks import erase_ended, turn_plans
from syncgroups.tests.factories import CopyFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.errors import InvalidInput

NOBODYS = {Quote, Lease, EngineProcess, EngineStamp, JournalMark, EndpointCall}


def trader(owner: User) -> SyncGroup:
    """Return a group of a person who has something in nearly every table."""
    leader, follower = accounts(owner, f"{owner}-1", f"{owner}-2")
    group = groups.create_group(owner, leader=leader, settings=GroupSettings(name="G"), followers=[follower])
    groups.set_follower(group, account=follower, settings=FollowerSettings())
    CopyFactory.create(group=group, follower=follower, key=f"th-{owner.pk}")
    PositionFactory.create(account=leader)
    FillFactory.create(account=leader)
    AccountTag.objects.create(account=leader, kind="firm", text="Apex")
    LinkDrop.objects.create(connection=leader.connection, at=timezone.now())
    AuditEntry.objects.create(owner=owner, number=1, kind="decision", body="{}", seal="s", at=timezone.now())
    halt(gate=ensure_owner_gate(owner.pk), by=owner, reason="test", flatten=False)
    return group


def end_plan(owner: User, days_ago: int) -> None:
    services.choose_plan(owner, Plan.STARTER, used=0, now=timezone.now())
    Subscription.objects.filter(owner=owner).update(
        status="ended", ended_at=timezone.now() - timedelta(days=days_ago)
    )


def rows_of(owner: User) -> int:
    return sum(rows(owner.pk).count() for _, rows in erasure.OWNED)


def test_every_table_that_hangs_on_a_person_is_named():
    """A new model in these apps is either deleted with the rest or said to be nobody's."""
    named = {model for model, _ in erasure.OWNED}
    for app in ("brokers", "risk", "syncgroups"):
        found = set(apps.get_app_config(app).get_models())
        assert found - named - NOBODYS == set(), app


def test_nothing_is_deleted_on_the_eighty_eighth_day(alice: User):
    trader(alice)
    end_plan(alice, 88)
    before = rows_of(alice)
    assert erasure.erase_due(timezone.now()) == []
    assert rows_of(alice) == before
    assert Connection.objects.get(owner=alice).status == "active"


def test_logins_are_let_go_a_day_before(alice: User):
    trader(alice)
    end_plan(alice, 89)
    assert erasure.erase_due(timezone.now()) == []
    row = Connection.objects.get(owner=alice)
    assert (row.status, row.status_reason) == ("disconnected", "Your plan ended ninety days ago.")
    assert Account.objects.filter(connection=row).count() == 2


def test_after_ninety_days_everything_goes_and_the_figures_agree(alice: User, bob: User):
    trader(alice)
    trader(bob)
    end_plan(alice, 90)
    theirs, mine = rows_of(bob), rows_of(alice)
    assert erasure.erase_due(timezone.now()) == [alice.pk]
    proof = Erasure.objects.get(owner=alice)
    assert proof.found == proof.deleted
    assert sum(proof.deleted.values()) >= mine > 20
    assert set(proof.left.values()) == {0}
    assert rows_of(alice) == 0
    assert rows_of(bob) == theirs
    assert User.objects.filter(pk=alice.pk).exists()
    erase_ended()
    assert Erasure.objects.count() == 1


def test_who_reactivates_in_time_keeps_all(alice: User):
    group = trader(alice)
    groups.activate(group)
    end_plan(alice, 89)
    services.choose_plan(alice, Plan.STARTER, used=2, now=timezone.now())
    before = rows_of(alice)
    assert erasure.erase_due(timezone.now() + timedelta(days=5)) == []
    assert rows_of(alice) == before
    group.refresh_from_db()
    assert group.active
    assert group.active_since is not None
    assert timezone.now() - group.active_since < timedelta(minutes=1)


def test_a_login_that_an_engine_still_hears_puts_it_off(alice: User):
    trader(alice)
    end_plan(alice, 90)
    Connection.objects.filter(owner=alice).update(heard_at=timezone.now())
    assert erasure.erase_due(timezone.now()) == []
    assert not Erasure.objects.exists()
    assert erasure.erase_due(timezone.now() + timedelta(days=1)) == [alice.pk]


def test_a_plans_end_is_written_down_and_told(alice: User):
    group = trader(alice)
    services.cancel_plan(alice, now=timezone.now() - timedelta(days=40))
    turn_plans()
    assert (
        Activity.objects.filter(owner=alice, severity="danger", text__contains="plan has ended").count() == 1
    )
    assert Subscription.objects.get(owner=alice).status == "ended"
    assert "plan has ended" in Notice.objects.get(owner=alice).text
    with pytest.raises(InvalidInput, match="plan has ended"):
        groups.activate(group)
