"""Guardrails by the API: read, set, locked, and nobody else's."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.core.keys import KeyKind, Scope
from accounts.models import User
from accounts.tests.keys import caller_for
from brokers.models import Account
from brokers.tests.factories import AccountFactory, ConnectionFactory
from risk.models import Lockout, RuleChange
from tradehaven.domain.enums import Environment

pytestmark = pytest.mark.django_db


def put(program: Client, account: Account, rules: Any) -> Any:
    body = json.dumps({"rules": rules})
    return program.put(f"/api/accounts/{account.pk}/rules", body, content_type="application/json")


@pytest.fixture
def account(alice: User) -> Account:
    return AccountFactory.create(connection__owner=alice)


@pytest.fixture
def program(alice: User) -> Client:
    return caller_for(alice)


def test_rules_are_read_set_and_loosened_later(program: Client, account: Account) -> None:
    before = program.get(f"/api/accounts/{account.pk}/rules").json()["data"]
    assert (before["version"], before["rules"]["daily_loss"], before["gauges"]) == (0, None, [])
    tight = {**before["rules"], "daily_loss": {"amount": "500"}}
    set_ = put(program, account, tight)
    assert set_.status_code == 200, set_.content
    assert set_.json()["data"]["rules"]["daily_loss"]["amount"] == "500"
    loose = {**before["rules"], "daily_loss": {"amount": "900"}}
    data = put(program, account, loose).json()["data"]
    assert (data["rules"]["daily_loss"]["amount"], data["wished"]["daily_loss"]["amount"]) == ("500", "900")
    assert data["wishedFrom"] is not None
    assert RuleChange.objects.count() == 2


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"daily_los": {}}, "daily_los"),
        ({"daily_loss": {"amount": "-1"}}, "daily_loss.amount"),
        ({"hours": [{"start": "8", "end": "9"}]}, "hours.0.start"),
    ],
)
def test_what_is_wrong_is_named(program: Client, account: Account, rules: Any, field: str) -> None:
    answer = put(program, account, rules)
    assert answer.status_code in (400, 422)
    assert field in answer.content.decode()
    assert not RuleChange.objects.exists()


def test_a_lock_is_set_and_never_shortened(program: Client, account: Account) -> None:
    url = f"/api/accounts/{account.pk}/lock"
    until = timezone.now() + timedelta(hours=8)
    locked = program.post(url, {"until": until.isoformat()}, content_type="application/json")
    assert locked.json()["data"]["locked"] is True
    sooner = {"until": (until - timedelta(hours=1)).isoformat()}
    assert program.post(url, sooner, content_type="application/json").status_code >= 400
    assert Lockout.objects.count() == 1


def test_a_reading_key_changes_nothing(alice: User, account: Account) -> None:
    reader = caller_for(alice, scope=Scope.READ)
    assert reader.get(f"/api/accounts/{account.pk}/rules").status_code == 200
    assert put(reader, account, {}).status_code == 403


def test_strangers_and_paper_keys_before_live_money_find_nothing(alice: User, bob: User) -> None:
    program = caller_for(alice, kind=KeyKind.PAPER)
    theirs = AccountFactory.create(connection__owner=bob)
    live = AccountFactory.create(
        connection=ConnectionFactory.create(owner=alice, environment=Environment.LIVE)
    )
    for account in (theirs, live):
        assert program.get(f"/api/accounts/{account.pk}/rules").status_code == 404
        assert put(program, account, {}).status_code == 404
        until = {"until": (timezone.now() + timedelta(hours=1)).isoformat()}
        answer = program.post(f"/api/accounts/{account.pk}/lock", until, content_type="application/json")
        assert answer.status_code == 404
