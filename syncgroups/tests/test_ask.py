"""The question before flattening: what it is about, and a button to be held where money is real."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from risk.services.gates import ensure_owner_gate
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts

ASK = reverse("syncgroups:batch-ask")
HTMX = {"HX-Request": "true"}


def test_play_money_is_asked_plainly(alice: User, alice_client: Client):
    [account] = accounts(alice, "PAPER-1")
    asked = {"span": "account", "subject": str(account.pk)}
    page = alice_client.get(ASK, asked, headers=HTMX).content.decode()
    assert "Flatten account PAPER-1" in page
    assert "data-hold" not in page
    assert f'name="subject" value="{account.pk}"' in page


def test_real_money_is_held(alice: User, alice_client: Client):
    leader, follower = accounts(alice, "LIVE-1", "LIVE-2", environment="live")
    group = GroupFactory.create(leader=leader)
    FollowerFactory.create(group=group, account=follower)
    asked = {"span": "group", "subject": group.public_id}
    page = alice_client.get(ASK, asked, headers=HTMX).content.decode()
    assert page.count("data-hold") == 2
    assert "Real money takes part" in page
    shut = alice_client.get(reverse("syncgroups:halt-all"), headers=HTMX).content.decode()
    assert "data-hold" in shut


def test_without_script_it_is_a_page(alice: User, alice_client: Client):
    accounts(alice, "PAPER-1")
    ensure_owner_gate(alice.pk)
    page = alice_client.get(ASK, {"span": "everything"}).content.decode()
    assert page.count("<!DOCTYPE html>") == 1
    assert "Stop and flatten" in page


@pytest.mark.parametrize(
    "asked", [{}, {"span": "moon"}, {"span": "account"}, {"span": "account", "subject": "x"}]
)
def test_what_there_is_not_is_not_asked_about(alice_client: Client, asked: dict[str, str]):
    assert alice_client.get(ASK, asked).status_code == 404


def test_a_strangers_account_does_not_exist(alice_client: Client, bob: User):
    [his] = accounts(bob, "BOB-1")
    assert alice_client.get(ASK, {"span": "account", "subject": str(his.pk)}).status_code == 404


def test_doors(client: Client, alice_client: Client):
    assert client.get(ASK).status_code == 302
    assert alice_client.post(ASK).status_code == 405
