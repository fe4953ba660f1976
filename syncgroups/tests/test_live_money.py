"""Live money asks for a code where its owner wants that; stopping never asks."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import FactorDevice, User
from accounts.tests.factories import confirm, show_factor
from risk.models import Gate
from risk.services.gates import ensure_account_risk, ensure_owner_gate
from syncgroups.models import SyncGroup
from syncgroups.services import gates
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import Environment


@pytest.fixture
def careful(alice: User) -> User:
    """Alice, who has a second factor and wants to be asked."""
    confirm(alice)
    FactorDevice.objects.create(user=alice, confirmed=True)
    alice.factor_for_live = True
    alice.save()
    return alice


def group_of(owner: User, environment: Environment) -> SyncGroup:
    leader, follower = accounts(owner, "LEAD", "ONE")
    group = GroupFactory.create(leader=leader, active=False)
    FollowerFactory.create(group=group, account=follower)
    owner.connections.update(environment=environment)
    return group


def gates_of(group: SyncGroup, owner: User) -> list[Gate]:
    return [ensure_owner_gate(owner.pk), group.gate, ensure_account_risk(group.leader, owner.pk).gate]


def on(client: Client, group: SyncGroup, **extra: Any) -> Any:
    return client.post(reverse("syncgroups:on", args=[group.public_id]), **extra)


def is_on(group: SyncGroup) -> bool:
    group.refresh_from_db()
    return group.active


def test_a_live_group_is_switched_on_only_after_a_code(careful: User, alice_client: Client):
    group = group_of(careful, Environment.LIVE)
    answer = on(alice_client, group)
    assert answer.headers["Location"].startswith(reverse("mfa_reauthenticate"))
    assert not is_on(group)
    show_factor(alice_client, careful)
    on(alice_client, group)
    assert is_on(group)


def test_a_code_counts_for_fifteen_minutes(careful: User, alice_client: Client):
    group = group_of(careful, Environment.LIVE)
    show_factor(alice_client, careful)
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=5), tick=False):
        on(alice_client, group)
        assert not is_on(group)
    with time_machine.travel(timezone.now() + timedelta(minutes=14), tick=False):
        on(alice_client, group)
        assert is_on(group)


def test_htmx_is_sent_to_the_code_and_back_to_its_page(careful: User, alice_client: Client):
    group = group_of(careful, Environment.LIVE)
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver/groups/{group.public_id}/"}
    answer = on(alice_client, group, headers=headers)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == (
        f"{reverse('mfa_reauthenticate')}?next=%2Fgroups%2F{group.public_id}%2F"
    )


@pytest.mark.parametrize("environment", [Environment.DEMO, Environment.PAPER])
def test_other_money_is_not_asked_about(careful: User, alice_client: Client, environment: Environment):
    group = group_of(careful, environment)
    on(alice_client, group)
    assert is_on(group)
    for gate in gates_of(group, careful):
        gates.halt(gate=gate, by=careful, reason="", flatten=False)
        assert (
            alice_client.post(reverse("syncgroups:disarm", args=[gate.pk]), {"intent": "DISARM"}).status_code
            == 302
        )
        gate.refresh_from_db()
        assert not gate.is_halted


def test_who_does_not_want_to_be_asked_is_not(alice: User, alice_client: Client):
    group = group_of(alice, Environment.LIVE)
    on(alice_client, group)
    assert is_on(group)


def test_stopping_never_asks_and_going_on_does(careful: User, alice_client: Client):
    group = group_of(careful, Environment.LIVE)
    for gate in gates_of(group, careful):
        alice_client.post(reverse("syncgroups:halt", args=[gate.pk]))
        gate.refresh_from_db()
        assert gate.is_halted
        answer = alice_client.post(reverse("syncgroups:disarm", args=[gate.pk]), {"intent": "DISARM"})
        assert answer.headers["Location"].startswith(reverse("mfa_reauthenticate"))
        gate.refresh_from_db()
        assert gate.is_halted
    SyncGroup.objects.update(active=True)
    alice_client.post(reverse("syncgroups:off", args=[group.public_id]))
    assert not is_on(group)


def test_a_live_login_is_connected_only_after_a_code(careful: User, alice_client: Client):
    url = reverse("syncgroups:connect", args=[Environment.LIVE])
    assert alice_client.post(url).headers["Location"].startswith(reverse("mfa_reauthenticate"))
    paper = alice_client.post(reverse("syncgroups:connect", args=[Environment.PAPER]))
    assert paper.status_code == 200
