"""The first steps: each done when its fact is there, one of them next, all gone with the first copy."""

from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from accounts.tests.factories import confirm
from analytics.selectors.steps import first_steps
from brokers.models import Account
from brokers.tests.factories import AccountFactory, ConnectionFactory
from risk.core.rules import DayLimit, Rules
from risk.core.written import written
from risk.services.gates import ensure_account_risk
from syncgroups.models import SyncGroup
from syncgroups.tests.factories import CopyFactory, FollowerFactory, GroupFactory

pytestmark = pytest.mark.django_db


def done(user: User) -> list[str]:
    return [step.title for step in first_steps(user) if step.is_done]


def upcoming(user: User) -> str:
    (step,) = (step for step in first_steps(user) if step.is_next)
    return step.title


def two_accounts(user: User) -> tuple[Account, Account]:
    login = ConnectionFactory.create(owner=user, environment="paper")
    return AccountFactory.create(connection=login), AccountFactory.create(connection=login)


def test_a_newcomer_is_led_step_by_step(alice: User) -> None:
    assert upcoming(alice) == "Confirm your address"
    confirm(alice)
    assert upcoming(alice) == "Connect a login"
    leader, follower = two_accounts(alice)
    assert upcoming(alice) == "Make a group"
    group = GroupFactory.create(owner=alice, leader=leader, active=False)
    assert upcoming(alice) == "Make a group", "a group without followers copies nothing"
    FollowerFactory.create(group=group, account=follower)
    assert upcoming(alice) == "Set a limit"
    book = ensure_account_risk(follower, alice.pk).book
    book.rules = written(Rules(daily_loss=DayLimit(amount=Decimal(500))))
    book.save()
    assert upcoming(alice) == "Switch it on"
    SyncGroup.objects.update(active=True)
    assert upcoming(alice) == "Place an order in the leader account"
    CopyFactory.create(group=group, follower=follower)
    assert first_steps(alice) == ()


def test_what_was_done_out_of_order_counts(alice: User) -> None:
    two_accounts(alice)
    assert done(alice) == ["Connect a login"]
    assert upcoming(alice) == "Confirm your address"


def test_the_steps_stand_on_the_cockpit_and_another_persons_do_not_count(
    alice_client: Client, alice: User, bob: User
) -> None:
    leader, follower = two_accounts(bob)
    group = GroupFactory.create(owner=bob, leader=leader)
    CopyFactory.create(group=group, follower=follower)
    page = alice_client.get("/").content.decode()
    assert "To your first copy" in page
    assert done(alice) == []
