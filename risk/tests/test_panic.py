"""The kill switch that needs no table: a ticket from a page, and what the engines say is what is shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.core.keys import PREFIX_BYTES, SECRET_BYTES, KeyKind, compose, digest
from accounts.models import User
from risk import panic
from risk.services import gates
from risk.services.gates import ensure_owner_gate
from risk.services.tickets import LIFE, STEP, BadTicket, Ticket, issue, read
from tradehaven.control import direct
from tradehaven.control.messages import Heard, HeardState, InFlight, KeyKnown, KeyShown, Press
from tradehaven.domain.ids import AccountId, ClientOrderId, GateId, OwnerId

NOW = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
OBEYED = Heard(engine="host:1", state=HeardState.OBEYED, is_stored=True)
KEPT = Heard(engine="host:2", state=HeardState.KEPT, is_stored=True)
SILENT = Heard(engine="host:3", state=HeardState.SILENT)
URL = "/panic/"


@pytest.fixture
def ticket() -> str:
    return issue(owner=7, gates=[4, 3], subject="account ACC-A", now=timezone.now())


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Press]]:
    """Let engines answer as a test says; return what they were told."""

    def answering(*heard: Heard) -> list[Press]:
        presses: list[Press] = []

        def tell(press: Press) -> tuple[Heard, ...]:
            presses.append(press)
            return heard

        monkeypatch.setattr(direct, "tell", tell)
        return presses

    return answering


# -- tickets -------------------------------------------------------------------------------------------


def test_a_ticket_says_whose_gates_it_shuts() -> None:
    text = issue(owner=7, gates=[4, 3], subject="group Scalps", now=NOW)
    assert read(text, NOW) == Ticket(owner=OwnerId(7), gates=(GateId(3), GateId(4)), subject="group Scalps")


def test_a_ticket_that_changes_nothing_renders_the_same() -> None:
    texts = {issue(owner=7, gates=[3], subject="x", now=NOW + timedelta(minutes=m)) for m in (0, 7, 14)}
    assert len(texts) == 1
    assert issue(owner=7, gates=[3], subject="x", now=NOW + STEP) not in texts


@pytest.mark.parametrize("age", [timedelta(0), LIFE, LIFE + STEP - timedelta(seconds=1)])
def test_a_ticket_is_good_for_half_a_day(age: timedelta) -> None:
    assert read(issue(owner=7, gates=[3], subject="x", now=NOW), NOW + age).owner == 7


@pytest.mark.parametrize("age", [LIFE + STEP, timedelta(days=400), -timedelta(seconds=1)])
def test_a_ticket_from_another_time_is_refused(age: timedelta) -> None:
    with pytest.raises(BadTicket, match="too old"):
        read(issue(owner=7, gates=[3], subject="x", now=NOW), NOW + age)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "a:b",
        "é:\0",
        signing.Signer(salt="another purpose").sign_object({"o": 7, "g": [3], "s": "x", "t": 1}),
        signing.Signer(key="another key", salt="risk.tickets").sign_object({"o": 7, "g": [3], "s": "x"}),
    ],
)
def test_what_nobody_of_ours_has_signed_is_refused(text: str) -> None:
    with pytest.raises(BadTicket, match="not one of ours"):
        read(text, NOW)


def test_a_ticket_for_somebody_else_cannot_be_made_of_ones_own() -> None:
    text = issue(owner=7, gates=[3], subject="x", now=NOW)
    other = issue(owner=8, gates=[3], subject="x", now=NOW)
    body, _, _ = other.rpartition(":")
    _, _, mine = text.rpartition(":")
    with pytest.raises(BadTicket):
        read(f"{body}:{mine}", NOW)


# -- the page ------------------------------------------------------------------------------------------


def test_a_press_reaches_the_engines_without_a_table(
    client: Client, ticket: str, told: Callable[..., list[Press]]
) -> None:
    # No test of this group is marked for the database: a query would fail it.
    presses = told(OBEYED)
    answer = client.post(URL, {"ticket": ticket, "flatten": "on", "reason": "news\0"})
    (press,) = presses
    assert answer.status_code == 200
    assert (press.owner, press.gates, press.flatten, press.by, press.reason) == (7, (3, 4), True, 7, "news")
    text = answer.content.decode()
    assert "Copying is stopped for account ACC-A" in text
    assert "has shut the gate" in text


# -- by key --------------------------------------------------------------------------------------------

KEY = compose(KeyKind.LIVE, b"\1" * PREFIX_BYTES, b"\2" * SECRET_BYTES)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[KeyShown]:
    """Let the engines know one key; return what they were shown."""
    shown: list[KeyShown] = []

    def whose(key: KeyShown) -> KeyKnown:
        shown.append(key)
        return KeyKnown(owner=OwnerId(7), gate=GateId(3)) if key.digest == digest(KEY) else KeyKnown()

    monkeypatch.setattr(direct, "whose", whose)
    return shown


def test_a_program_presses_with_its_key_and_without_a_table(
    client: Client, known: list[KeyShown], told: Callable[..., list[Press]]
) -> None:
    flying = (InFlight(account=AccountId(4), client_order_id=ClientOrderId("th1.0")),)
    obeyed = Heard(engine="host:1", state=HeardState.OBEYED, is_stored=True, in_flight=flying)
    presses = told(obeyed, KEPT)
    answer = client.post(URL, {"flatten": "on"}, headers={"Authorization": f"Bearer {KEY.text}"})
    (press,) = presses
    assert (press.owner, press.gates, press.flatten) == (7, (3,), True)
    assert answer.status_code == 200
    said = answer.json()["data"]
    assert said["stopped"] is True
    assert [engine["state"] for engine in said["engines"]] == ["obeyed", "kept"]
    assert said["inFlight"] == [{"accountId": 4, "clientOrderId": "th1.0"}]
    assert KEY.text not in str(known)


def test_a_press_by_key_that_nobody_heard_is_no_success(
    client: Client, known: list[KeyShown], told: Callable[..., list[Press]]
) -> None:
    told(SILENT)
    answer = client.post(URL, headers={"Authorization": f"Bearer {KEY.text}"})
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "error",
        "data": {
            "stopped": False,
            "engines": [{"name": "host:3", "state": "silent", "stored": False}],
            "inFlight": [],
            "flattening": [],
        },
    }


@pytest.mark.parametrize(
    "sent", ["Bearer", "Bearer th_live_x", f"Basic {KEY.text}", f"Bearer {KEY.text[:-1]}3"]
)
def test_a_key_that_nobody_knows_presses_nothing(
    client: Client, known: list[KeyShown], told: Callable[..., list[Press]], sent: str
) -> None:
    presses = told(OBEYED)
    answer = client.post(URL, headers={"Authorization": sent})
    assert answer.status_code == 401
    assert "may trade" in answer.json()["error"]["message"]
    assert not presses


# -- the page again ------------------------------------------------------------------------------------


def test_every_press_is_another_one(client: Client, ticket: str, told: Callable[..., list[Press]]) -> None:
    presses = told(OBEYED)
    client.post(URL, {"ticket": ticket})
    client.post(URL, {"ticket": ticket})
    assert len({press.press for press in presses}) == 2
    assert not any(press.flatten for press in presses)


def test_what_is_in_flight_and_what_is_flattened_is_said(
    client: Client, ticket: str, told: Callable[..., list[Press]]
) -> None:
    flying = tuple(
        InFlight(account=AccountId(4), client_order_id=ClientOrderId(f"th1.{n}")) for n in range(2)
    )
    told(
        Heard(
            engine="host:1",
            state=HeardState.OBEYED,
            is_stored=True,
            in_flight=flying,
            flattening=(AccountId(4),),
        ),
        KEPT,
    )
    text = client.post(URL, {"ticket": ticket, "flatten": "on"}).content.decode()
    assert "2 orders had left before" in text
    assert "th1.1" in text
    assert "1 account is being" in text


@pytest.mark.parametrize(
    ("heard", "status", "says"),
    [
        ((OBEYED, SILENT), 200, "has shut the gate"),
        ((KEPT, KEPT), 200, "No engine leads your accounts"),
        ((KEPT, SILENT), 503, "Nobody could be told"),
        ((SILENT,), 503, "Nobody could be told"),
        ((), 503, "Nobody could be told"),
    ],
)
def test_the_page_says_what_is_known_and_no_more(
    client: Client,
    ticket: str,
    told: Callable[..., list[Press]],
    heard: tuple[Heard, ...],
    status: int,
    says: str,
) -> None:
    told(*heard)
    answer = client.post(URL, {"ticket": ticket})
    assert answer.status_code == status
    assert says in answer.content.decode()


def test_a_disk_that_kept_nothing_is_said(
    client: Client, ticket: str, told: Callable[..., list[Press]]
) -> None:
    told(Heard(engine="host:1", state=HeardState.OBEYED, is_stored=False))
    assert "could not write this to its disk" in client.post(URL, {"ticket": ticket}).content.decode()


def test_flattening_that_nobody_does_is_not_promised(
    client: Client, ticket: str, told: Callable[..., list[Press]]
) -> None:
    told(KEPT)
    text = client.post(URL, {"ticket": ticket, "flatten": "on"}).content.decode()
    assert "Nothing is being flattened" in text


@pytest.mark.parametrize("body", [{}, {"ticket": ""}, {"ticket": "made:up"}, {"ticket": "x" * 100_000}])
def test_without_a_ticket_nobody_is_told(
    client: Client, told: Callable[..., list[Press]], body: dict[str, str]
) -> None:
    presses = told(OBEYED)
    answer = client.post(URL, body)
    assert answer.status_code == 403
    assert "Nothing was stopped" in answer.content.decode()
    assert not presses


def test_what_is_called_something_nasty_is_shown_as_it_is(
    client: Client, told: Callable[..., list[Press]]
) -> None:
    told(OBEYED)
    nasty = issue(owner=7, gates=[3], subject="<script>x</script>", now=timezone.now())
    text = client.post(URL, {"ticket": nasty}).content.decode()
    assert "<script>x" not in text
    assert "&lt;script&gt;" in text


def test_the_page_takes_posts_only_and_is_guarded_like_any_other(client: Client, ticket: str) -> None:
    answer = client.get(URL)
    assert answer.status_code == 405
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store, private"


def test_no_other_sites_page_can_press(told: Callable[..., list[Press]]) -> None:
    presses = told(OBEYED)
    stranger = Client(enforce_csrf_checks=True)
    assert (
        stranger.post(URL, {"flatten": "on"}, headers={"Origin": "https://evil.example"}).status_code == 403
    )
    assert not presses


def test_the_switch_stands_before_whatever_asks_a_table() -> None:
    order = settings.MIDDLEWARE
    mine = order.index("risk.panic.PanicMiddleware")
    assert mine < order.index("django.contrib.sessions.middleware.SessionMiddleware")
    assert order.index("django.middleware.security.SecurityMiddleware") < mine
    assert reverse("panic") == panic.PATH


# -- in pages ------------------------------------------------------------------------------------------


def rendered(text: str, **words: Any) -> str:
    return Template("{% load panic %}" + text).render(Context(words)).strip()


def test_a_page_carries_a_ticket_for_everything(alice: User) -> None:
    ask = "{% gate_over_everything user as gate %}{% if gate %}{% panic gate 'everything' %}{% endif %}"
    assert rendered(ask, user=alice) == ""
    gate = ensure_owner_gate(alice.pk)
    found = read(rendered(ask, user=alice), timezone.now())
    assert found == Ticket(owner=OwnerId(alice.pk), gates=(GateId(gate.pk),), subject="everything")


def test_every_page_of_a_person_has_the_form(alice: User, alice_client: Client) -> None:
    ensure_owner_gate(alice.pk)
    page = alice_client.get(reverse("syncgroups:list")).content.decode()
    assert 'action="/panic/"' in page
    assert page.count("data-panic=") >= 1


def test_while_everything_is_stopped_every_page_says_so_once(alice: User, alice_client: Client) -> None:
    gate = ensure_owner_gate(alice.pk)
    pages = [
        reverse(name)
        for name in ("syncgroups:list", "syncgroups:risk", "syncgroups:activity", "analytics:live")
    ]
    said = "Kill switch is on for everything"
    assert not any(said in alice_client.get(page).content.decode() for page in pages)
    gates.halt(gate=gate, by=alice, reason="lunch", flatten=False)
    for page in pages:
        text = alice_client.get(page).content.decode()
        assert text.count(said) == 1
        assert reverse("syncgroups:disarm", args=[gate.pk]) in text


def test_nobody_else_is_told(alice: User, bob_client: Client) -> None:
    gates.halt(gate=ensure_owner_gate(alice.pk), by=alice, reason="", flatten=False)
    assert "Kill switch is on" not in bob_client.get(reverse("syncgroups:list")).content.decode()


def test_a_page_of_nobody_has_none(client: Client, db: None) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert 'action="/panic/"' not in page
    assert not AnonymousUser().is_authenticated
