"""A person who leaves: copying stops at once, and later every row goes, whatever points to what."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db.models import RestrictedError
from django.utils import timezone

from accounts import exports
from accounts.models import User
from accounts.services import archive, deletion
from brokers.models import Account, Connection
from risk.models import Gate, GateKind
from risk.services.gates import ensure_account_risk, ensure_owner_gate
from syncgroups.models import Activity, ActivityKind, CopiedOrder, SyncGroup
from syncgroups.services.activity import note
from syncgroups.tests.factories import CopyFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts


@pytest.fixture
def trader(alice: User) -> User:
    """Alice with all that a trader has: a group, copies, gates and a log."""
    return equipped(alice)


def equipped(person: User) -> User:
    leader, follower = accounts(person, f"{person}-LEAD", f"{person}-ONE")
    group = GroupFactory.create(leader=leader)
    FollowerFactory.create(group=group, account=follower)
    CopyFactory.create(owner=person, group=group, leader=leader, follower=follower)
    ensure_owner_gate(person.pk)
    for account in (leader, follower):
        ensure_account_risk(account, person.pk)
    note(person.pk, ActivityKind.GATE, "something happened", account=leader, group=group)
    return person


def test_copying_stops_when_deletion_is_asked_for(trader: User):
    deletion.ask(user=trader, request=None, now=timezone.now())
    gate = Gate.objects.get(owner=trader, kind=GateKind.OWNER)
    assert gate.is_halted
    assert not gate.flatten
    assert Activity.objects.filter(owner=trader, text__contains="to be deleted").exists()


def test_every_row_of_a_person_goes_and_no_one_elses(trader: User, bob: User):
    equipped(bob)
    deletion.ask(user=trader, request=None, now=timezone.now())
    number = trader.pk
    proof = deletion.erase(number, now=timezone.now() + timedelta(days=15))
    assert proof is not None
    wanted = {
        "brokers.Account": 2,
        "risk.AccountRisk": 2,
        "syncgroups.SyncGroup": 1,
        "syncgroups.CopiedOrder": 1,
    }
    assert wanted.items() <= proof.counts.items()
    assert not list(deletion.remains(number))
    assert {row.owner_id for row in SyncGroup.objects.all()} == {bob.pk}
    assert CopiedOrder.objects.count() == 1
    assert Account.objects.count() == 2


def test_a_login_that_a_group_needs_cannot_vanish_alone(trader: User):
    with pytest.raises(RestrictedError):
        Connection.objects.filter(owner=trader).delete()


def test_the_export_holds_what_a_trader_has_and_no_token(trader: User, bob: User):
    equipped(bob)
    Connection.objects.filter(owner=trader).update(access_token="v1.k.SEALED", refresh_token="v1.k.SEALED")
    names = {part.name for part in exports.parts() if part.rows(trader.pk).exists()}
    assert names >= {"logins", "accounts", "groups", "followers", "copies", "gates", "limits", "activity"}
    for part in exports.parts():
        for row in part.rows(trader.pk):
            assert "SEALED" not in str(row)
            assert f"{bob}-" not in str(row)
    assert b"".join(archive.archive(trader.pk, now=timezone.now())).startswith(b"PK")


def test_every_table_that_leads_to_a_person_is_in_the_export():
    registered = {part.model for part in exports.parts()}
    ours = {
        model
        for app in ("accounts", "brokers", "risk", "syncgroups")
        for model in apps.get_app_config(app).get_models()
        if any(
            field.related_model is User
            for field in model._meta.get_fields()
            if field.many_to_one or field.one_to_one
        )
    }
    left_out = {model.__name__ for model in ours - registered}
    # A version counter, a spent time step, wishes that an engine has carried out or not within seconds, and
    # answers kept for a day for programs that ask again.
    assert left_out == {"EngineStamp", "FactorDevice", "Request", "StoredAnswer"}
