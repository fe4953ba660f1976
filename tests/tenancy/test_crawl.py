"""Every form of every page, filled with what nobody should send: never a 500, never unescaped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import resolve

from accounts.models import User
from accounts.tests.factories import confirm
from accounts.tests.keys import just_gave_the_password
from brokers.tests.factories import LeaseFactory
from tests.tenancy.table import Whose, doors
from tests.tenancy.test_doors import pages, url_of, world  # noqa: F401  # the fixture
from tests.tenancy.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
FEW = 32
"""Fields that are wrong together: one by one the builder and the rules alone would take minutes."""
SCRIPT = "<script>qx()</script>\"'><img src=x onerror=qx()>"
HOSTILE = {
    "html": SCRIPT,
    "nul": "a\0b",
    "long": "9" * 5000,
    "unicode": "\ud7ff\u202e\U0001f4a5\ufeff\u0661\u0662",
    "negative": "-1",
    "huge": "99999999999999999999999999",
    "exponent": "1e999999",
    "not a number": "NaN",
    "nothing": "",
    "template": "{{ 7|add:7 }}{% debug %}",
    "sql": "' OR 1=1; --",
    "newline": "a\r\nX-Injected: yes",
}


@dataclass
class Form:
    """A form of a page: where it goes, how, and what it asks for."""

    action: str
    method: str
    names: set[str] = field(default_factory=set)


class Forms(HTMLParser):
    """Collects a page's forms, its htmx posts, and the addresses that it links to."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.found, self.links = url, [], set()  # type: ignore[var-annotated]
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            where = urljoin(self.url, given.get("action") or self.url)
            self._open = Form(where, (given.get("method") or "get").lower())
            self.found.append(self._open)
        elif tag in ("input", "select", "textarea", "button") and self._open and given.get("name"):
            self._open.names.add(str(given["name"]))
        if tag == "a" and given.get("href"):
            self.links.add(urlsplit(urljoin(self.url, str(given["href"]))).path)
        for name in ("hx-post", "hx-get"):
            if given.get(name):
                self.found.append(Form(urljoin(self.url, str(given[name])), name[3:]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def browser(owner: User) -> Client:
    made = Client(raise_request_exception=False)
    made.force_login(owner)
    return just_gave_the_password(made)


def unescaped(answer: Any) -> bool:
    """Say whether what was sent came back as markup, as a header or as a template's result."""
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return "X-Injected" in answer.headers
    page = answer.content.decode(errors="replace")
    return "<script>qx" in page or "<img src=x" in page or "X-Injected" in answer.headers


def forms_of(owner: User, world: World) -> list[Form]:  # noqa: F811
    """Return every form that the owner meets on a page of hers, each once."""
    seen: dict[tuple[str, str], Form] = {}
    client, todo = (
        browser(owner),
        [url_of(door, world) for door in pages(Whose.OWN, Whose.NAMED, Whose.ANYBODY)],
    )
    visited: set[str] = set()
    while todo:
        url = todo.pop()
        if url in visited or url.startswith("/admin/") or "logout" in url or not url.startswith("/"):
            continue
        visited.add(url)
        answer = client.get(url)
        assert answer.status_code != 500, url
        if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
            continue
        page = Forms(url)
        page.feed(answer.content.decode())
        todo += page.links
        for form in page.found:
            known = seen.setdefault((form.method, resolve(urlsplit(form.action).path).route), form)
            known.names |= form.names
    assert len(visited) > 30
    # A form that only closes its dialog is sent nowhere.
    return [form for form in seen.values() if "logout" not in form.action and form.method != "dialog"]


def attempts(form: Form) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all fields at once with each hostile value, and a few of them alone with two."""
    for what, value in HOSTILE.items():
        yield f"everything {what}", dict.fromkeys(form.names, value)
    names = sorted(form.names - {"csrfmiddlewaretoken"})
    for few in (names[start : start + FEW] for start in range(0, len(names), FEW)):
        for what in ("html", "huge"):
            yield f"{', '.join(few)} {what}", {name: [HOSTILE[what], HOSTILE["negative"]] for name in few}


def test_no_form_breaks_or_repeats_what_it_was_sent(world: World) -> None:  # noqa: F811
    cache.clear()
    owner, broken = world.owner, []
    forms = forms_of(owner, world)
    assert len(forms) > 20, "the crawl sees too little"
    for form in forms:
        client = browser(owner)
        for what, sent in attempts(form):
            undo = transaction.savepoint()
            answer = getattr(client, form.method)(form.action, sent)
            if answer.status_code == 500 or unescaped(answer):
                broken.append((form.action, what, answer.status_code))
            elif answer.status_code == 302:
                shown = client.get(answer.headers["Location"].split("?")[0])
                if shown.status_code == 500 or unescaped(shown):
                    broken.append((form.action, f"{what}, shown afterwards", shown.status_code))
            transaction.savepoint_rollback(undo)
            client = browser(owner) if "_auth_user_id" not in client.session else client
    assert not broken


@pytest.mark.parametrize("what", ["html", "nul", "long", "unicode", "huge", "newline", "negative"])
def test_no_address_breaks_whatever_stands_in_it(world: World, what: str) -> None:  # noqa: F811
    broken = []
    client = browser(world.owner)
    for door in doors():
        filled = re.sub(r"<[^>]+>|\(\?P<\w+>[^)]*\)", lambda _: quote(HOSTILE[what], safe=""), door.route)
        url = "/" + re.sub(r"[\^$]|\(\?:/\|\)?", "", filled)
        if "logout" in url:
            continue
        for address in (url, f"{url}?next={quote(HOSTILE[what])}&page={quote(HOSTILE[what])}"):
            answer = client.get(address)
            if answer.status_code == 500 or unescaped(answer):
                broken.append((door.route, answer.status_code))
    assert not broken


def test_what_was_saved_by_a_hostile_hand_is_shown_as_text(world: World) -> None:  # noqa: F811
    """The names that people choose, and what a broker says, are on many pages."""
    owner = world.owner
    owner.display_name = SCRIPT[:80]
    owner.save()
    for label in ("brokers.connection", "brokers.account", "syncgroups.syncgroup", "accounts.apikey"):
        row: Any = world.rows[label]
        row.name = SCRIPT[:64]
        row.save()
    for label, column in (
        ("syncgroups.drift", "detail"),
        ("syncgroups.activity", "text"),
        ("syncgroups.quarantine", "reason"),
        ("syncgroups.copiedorder", "outcome"),
        ("risk.gate", "reason"),
    ):
        row = world.rows[label]
        setattr(row, column, SCRIPT[:200])
        row.save()
    operator = User.objects.create_superuser("op@example.org", "x")
    confirm(operator)
    LeaseFactory.create()
    found = []
    for url in {url_of(door, world) for door in pages(Whose.OWN, Whose.NAMED)}:
        if unescaped(browser(owner).get(url)):
            found.append(url)
    client = browser(operator)
    for row in world.rows.values():
        page = f"/admin/{row._meta.app_label}/{row._meta.model_name}/"
        found += [url for url in (page, f"{page}{row.pk}/change/") if unescaped(client.get(url))]
    assert not found
