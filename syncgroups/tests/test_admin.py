"""What operators see, and what they never do."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import show_factor
from brokers.tests.factories import ConnectionFactory
from syncgroups.tests.factories import CopyFactory, FollowerFactory
from syncgroups.tests.people import accounts

OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in {"accounts", "brokers", "risk", "syncgroups"}
]


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    operator = User.objects.create_superuser("op@example.org", "x")
    client.force_login(operator)
    show_factor(client, operator)
    return client


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_opens_and_searches(operator: Client, alice: User, model):
    accounts(alice, "A")
    CopyFactory.create()
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert operator.get(url).status_code == 200
    assert operator.get(url, {"q": "a"}).status_code == 200


def test_no_token_is_shown_or_editable(operator: Client, alice: User):
    row = ConnectionFactory.create(owner=alice, access_token="v1.k.SEALED-A", refresh_token="v1.k.SEALED-R")
    page = operator.get(reverse("admin:brokers_connection_change", args=[row.pk])).content.decode()
    assert row.name in page
    assert "SEALED" not in page


def test_a_group_shows_its_members(operator: Client):
    follower = FollowerFactory.create()
    url = reverse("admin:syncgroups_syncgroup_change", args=[follower.group.pk])
    assert follower.account.name in operator.get(url).content.decode()


@pytest.mark.parametrize("name", ["copiedorder", "activity", "syncgroup"])
def test_records_can_be_neither_added_nor_deleted(operator: Client, name: str):
    assert operator.get(reverse(f"admin:syncgroups_{name}_add")).status_code == 403


def test_people_without_rights_do_not_enter(alice_client: Client):
    assert alice_client.get(reverse("admin:index")).status_code == 302


def test_every_table_of_ours_that_operators_need_is_there():
    wanted = {"Connection", "Account", "Gate", "GateChange", "SyncGroup", "CopiedOrder", "Activity", "User"}
    assert wanted <= {model.__name__ for model in OURS}
    assert apps.ready
