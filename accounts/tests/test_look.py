"""How pages look: chosen by the person, kept for every browser, on the page from its first byte."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from accounts.core.look import Colours, Layout, Theme, shows_rows
from accounts.models import AuditEvent, User

LOOK = reverse("accounts:look")


def test_a_choice_is_kept_and_the_page_comes_with_it(alice: User, alice_client: Client):
    said = alice_client.post(LOOK, {"theme": "light", "hide_values": "true"}, headers={"HX-Request": "true"})
    assert said.status_code == 204
    assert json.loads(said.headers["HX-Trigger"])["look"] == {"theme": "light", "hide_values": True}
    page = alice_client.get(reverse("accounts:profile")).content.decode()
    assert 'data-theme="light"' in page
    assert 'data-values="hidden"' in page
    alice.refresh_from_db()
    assert (alice.theme, alice.colours) == (Theme.LIGHT, Colours.GREEN_RED)


def test_a_tick_that_is_taken_away_alone_is_said_as_no(alice: User, alice_client: Client):
    User.objects.update(sounds=True, hide_values=True)
    alice_client.post(LOOK, {"sounds": "false"})
    alice.refresh_from_db()
    assert (alice.sounds, alice.hide_values) == (False, True)


def test_the_whole_form_takes_absent_ticks_as_no(alice: User, alice_client: Client):
    User.objects.update(sounds=True)
    whole = {"whole": "yes", "theme": "dark", "colours": "blue-orange", "layout": "cards"}
    assert alice_client.post(LOOK, whole).status_code == 302
    alice.refresh_from_db()
    assert (alice.theme, alice.colours, alice.layout, alice.sounds) == ("dark", "blue-orange", "cards", False)


@pytest.mark.parametrize("values", [{"theme": "pink"}, {"colours": "x"}, {"layout": "x"}, {"whole": "yes"}])
def test_an_unknown_choice_changes_nothing(alice: User, alice_client: Client, values: dict[str, str]):
    assert alice_client.post(LOOK, values).status_code == 422
    alice.refresh_from_db()
    assert alice.theme == Theme.SYSTEM


def test_nothing_but_looks_can_be_changed_here(alice: User, alice_client: Client):
    alice_client.post(LOOK, {"theme": "dark", "is_staff": "true", "email": "x@example.org"})
    alice.refresh_from_db()
    assert not alice.is_staff
    assert alice.email != "x@example.org"


def test_a_look_is_no_business_of_the_audit_log(alice: User, alice_client: Client):
    before = AuditEvent.objects.count()
    alice_client.post(LOOK, {"theme": "dark"})
    assert AuditEvent.objects.count() == before


def test_a_stranger_has_no_look_to_keep(client: Client, alice_client: Client):
    assert client.post(LOOK, {"theme": "dark"}).headers["Location"].startswith("/accounts/login/")
    assert alice_client.get(LOOK).status_code == 405


@pytest.mark.parametrize(("said", "shown"), [("light", "light"), ("dark", "dark"), ('"><script>', "system")])
def test_a_visitors_theme_is_in_a_cookie(client: Client, db: None, said: str, shown: str):
    client.cookies["theme"] = said
    assert f'data-theme="{shown}"' in client.get(reverse("account_login")).content.decode()


@pytest.mark.parametrize(
    ("layout", "accounts", "rows"),
    [
        (Layout.AUTO, 6, False),
        (Layout.AUTO, 7, True),
        (Layout.ROWS, 1, True),
        (Layout.CARDS, 50, False),
    ],
)
def test_over_six_accounts_are_rows_unless_somebody_wants_otherwise(
    layout: Layout, accounts: int, rows: bool
):
    assert shows_rows(layout, accounts) is rows
