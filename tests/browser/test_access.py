"""Every page for everybody: axe finds nothing, nothing overflows, and the palette works by keys alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import UserFactory
from brokers.tests.factories import LeaseFactory
from tests.browser.test_live_page import ARGUMENTS, CHROMIUM
from tests.browser.test_people import DESK, OVERFLOW, PASSWORD, PHONE, Person
from tests.tenancy.world import World, victim_of

AXE = settings.NODE_MODULES / "axe-core" / "axe.min.js"
LAWS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
FOUND = """async (laws) => (await axe.run(document, laws)).violations
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`)"""
OPEN = ("welcome", "guide", "analytics:status", "account_login", "account_signup", "account_reset_password")
OWN = (
    "analytics:live",
    "analytics:gallery",
    "syncgroups:list",
    "syncgroups:create",
    "syncgroups:activity",
    "syncgroups:connections",
    "syncgroups:risk",
    "syncgroups:risk-all",
    "syncgroups:billing",
    "accounts:profile",
    "accounts:security",
    "accounts:keys",
    "accounts:hooks",
    "accounts:audit",
    "accounts:data",
)
THEIRS = {
    "syncgroups:detail": "group",
    "syncgroups:edit": "group",
    "syncgroups:order": "copy",
    "syncgroups:risk-account": "account",
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: `apt install chromium`"),
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm could not be had"),
]


@pytest.fixture
def world(db: None) -> World:
    owner: User = UserFactory.create(email="axe@example.org")
    owner.set_password(PASSWORD)
    owner.save()
    LeaseFactory.create()
    return victim_of(owner)


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's driver runs a loop in this thread
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


def logged_in(context: Any, address: str) -> Person:
    person = Person(context, address)
    person.go("account_login")
    person.submit("Log in", login="axe@example.org", password=PASSWORD)
    return person


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["a dark desk", "a light phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    world: World, live_server: Any, chromium: Any, device: dict[str, Any]
) -> None:
    wrong: dict[str, Any] = {}
    context = chromium.new_context(**device, bypass_csp=True)
    stranger = Person(context, live_server.url)
    for name in OPEN:
        look(stranger, reverse(name), wrong)
    member = logged_in(chromium.new_context(**device, bypass_csp=True), live_server.url)
    places = [reverse(name) for name in OWN]
    places += [reverse(name, args=[world.values[key]]) for name, key in THEIRS.items()]
    for place in places:
        look(member, place, wrong)
    assert not wrong, "\n".join(f"{place}: {found}" for place, found in wrong.items())
    assert not member.mistakes


def look(person: Person, place: str, wrong: dict[str, Any]) -> None:
    """Open a page and write down what axe and the ruler say about it."""
    answer = person.page.goto(person.address + place)
    assert answer.status == 200, place
    person.page.add_script_tag(path=str(AXE))
    found = person.page.evaluate(FOUND, LAWS)
    if wide := person.page.evaluate(OVERFLOW):
        found.append(f"{wide} pixels too wide")
    if found:
        wrong[place] = found


def test_the_palette_leads_anywhere_by_keys_alone(world: World, live_server: Any, chromium: Any) -> None:
    person = logged_in(chromium.new_context(**DESK), live_server.url)
    page = person.page
    page.keyboard.press("Control+k")
    page.keyboard.type("web hoo")
    page.wait_for_selector("#palette [role=option][aria-selected=true]:visible")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('accounts:hooks')}")
    page.keyboard.press("/")
    page.keyboard.type(world.owner.display_name.lower()[:6])
    page.wait_for_selector("#palette [role=option][aria-selected=true]:visible")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("zzz")
    page.wait_for_selector("text=Nothing of yours is called that.")
    page.keyboard.press("Escape")
    page.wait_for_selector("#palette", state="hidden")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url(f"**{reverse('syncgroups:risk')}")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    page.keyboard.press("Escape")
    assert not page.query_selector("#keys[open]")
    assert not person.mistakes
