"""The pages on which keys are made and revoked."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, User
from accounts.selectors.keys import key_by_text
from accounts.tests.factories import confirm
from accounts.tests.keys import just_gave_the_password, key_of

pytestmark = pytest.mark.django_db
LIST, MAKE = reverse("accounts:keys"), reverse("accounts:key-make")
FORM = {"name": "robot", "kind": "live", "scope": "trade", "expires": "30"}


@pytest.fixture
def client_of_alice(alice: User, alice_client: Client) -> Client:
    confirm(alice)
    return just_gave_the_password(alice_client)


def test_a_key_is_shown_once(client_of_alice: Client, alice: User):
    answer = client_of_alice.post(MAKE, FORM)
    found = re.search(r"th_live_\w+", answer.content.decode())
    assert found
    assert "no-store" in answer.headers["Cache-Control"]
    row = key_by_text(found.group(), timezone.now())
    assert row is not None
    assert (row.owner, row.may_trade) == (alice, True)
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - timezone.now() < timedelta(days=31)
    page = client_of_alice.get(LIST).content.decode()
    assert row.shown in page
    assert found.group() not in page


def test_sending_the_form_again_makes_no_second_key(client_of_alice: Client):
    client_of_alice.post(MAKE, FORM)
    answer = client_of_alice.post(MAKE, FORM)
    assert answer.status_code == 422
    assert "has this name" in answer.content.decode()
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("change", [{"name": ""}, {"kind": "all"}, {"scope": ""}, {"expires": "9999"}])
def test_a_wrong_choice_is_named(client_of_alice: Client, change: dict[str, str]):
    answer = client_of_alice.post(MAKE, FORM | change)
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_may_work_until_it_is_revoked(client_of_alice: Client):
    client_of_alice.post(MAKE, FORM | {"expires": ""})
    assert ApiKey.objects.get().expires_at is None


def test_making_a_key_asks_for_the_password_again(alice: User, alice_client: Client):
    confirm(alice)
    answer = alice_client.get(MAKE)
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (
        302,
        reverse("account_reauthenticate"),
    )
    assert alice_client.post(MAKE, FORM).status_code == 302
    assert not ApiKey.objects.exists()


def test_who_has_not_confirmed_the_address_makes_none(alice: User, alice_client: Client):
    assert just_gave_the_password(alice_client).post(MAKE, FORM).status_code == 403
    assert "Confirm your e-mail address" in alice_client.get(LIST).content.decode()


def test_revoking_ends_the_key_and_keeps_its_line(client_of_alice: Client, alice: User):
    row, text = key_of(alice)
    answer = client_of_alice.post(reverse("accounts:key-revoke", args=[row.pk]), follow=True)
    assert "robot is revoked" in answer.content.decode()
    assert key_by_text(text, timezone.now()) is None


def test_doors_of_the_keys(client: Client, client_of_alice: Client, bob_client: Client, alice: User):
    row, text = key_of(alice)
    revoke = reverse("accounts:key-revoke", args=[row.pk])
    for url in (LIST, MAKE, revoke):
        assert client.get(url).headers["Location"].startswith("/accounts/login/")
    assert bob_client.post(revoke).status_code == 404
    assert row.shown not in bob_client.get(LIST).content.decode()
    assert client_of_alice.get(revoke).status_code == 405
    assert client_of_alice.delete(MAKE).status_code == 405
    assert key_by_text(text, timezone.now()) == row
