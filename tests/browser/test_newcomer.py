"""From nothing to a first copy and out again, on real processes: what a newcomer does in the first hour."""

import os
import re
import secrets
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.urls import reverse
from django.utils import timezone

from accounts.models import FactorDevice, User
from brokers.paper.services import ensure_login, register_client
from syncgroups.models import SyncGroup
from tests.browser.test_live_page import ARGUMENTS, CHROMIUM, _is_up
from tests.journeys.conftest import free_port
from tests.journeys.house import PASSWORD as PAPER_PASSWORD
from tests.journeys.house import Hand, House, forget_connection, open_house, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: `apt install chromium`"),
]
# Another address each time: one that was here minutes ago would get no second mail so soon.
EMAIL, PASSWORD = f"newcomer-{secrets.token_hex(4)}@example.org", "Correct-horse-7-battery"
SHOTS = os.environ.get("TRADEHAVEN_SCREENSHOTS", "")
"""A folder for pictures of each step, at a desk in the dark and on a phone in the light."""


class Visit:
    """Somebody in front of a browser. A mistake on any page fails the visit."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.mistakes: list[str] = []
        self._address = address
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: dialog.accept())

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.mistakes.append(message.text)

    def go(self, name: str, **names: Any) -> None:
        self.page.goto(self._address + reverse(name, kwargs=names))
        self.look(name)

    def look(self, name: str) -> None:
        if SHOTS:
            for width, height, scheme in ((1440, 900, "dark"), (390, 844, "light")):
                self.page.emulate_media(color_scheme=scheme)
                self.page.set_viewport_size({"width": width, "height": height})
                shot = Path(SHOTS) / f"{name.replace(':', '-')}-{width}.png"
                self.page.screenshot(path=str(shot), full_page=True)
            self.page.emulate_media(color_scheme="dark")
            self.page.set_viewport_size({"width": 1440, "height": 900})

    def press(self, text: str, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)
        self.page.get_by_role("main").get_by_role("button", name=text, exact=True).click()
        self.page.wait_for_load_state()

    def sees(self, text: str, seconds: float = 10) -> None:
        self.page.wait_for_selector(f"main >> text={text}", timeout=seconds * 1000)


@pytest.fixture
def site(django_db_setup: Any, django_db_blocker: Any, tmp_path: Path) -> Iterator[tuple[House, str]]:
    """Return a house with pages, and their address; nobody has come yet."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    # Mails go to the web process's log, at once.
    more = {"SITE_URL": address, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    with django_db_blocker.unblock(), open_house(tmp_path, free_port(), **more) as house:
        register_client(
            client_id="tradehaven",
            client_secret=house.surroundings["PAPER_CLIENT_SECRET"],
            redirect_uris=[f"{address}/settings/connections/callback/"],
            name="TradeHaven",
        )
        accounts = [(name, Decimal(50_000)) for name in ("FIRST", "SECOND")]
        ensure_login(name="newcomer", password=PAPER_PASSWORD, accounts=accounts)
        house.start_engine(wait=False)
        web = house.start("-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "tradehaven.asgi:application")
        try:
            wait_until(lambda: _is_up(address), "the pages are up", 30)
            yield house, address
        finally:
            web.terminate()
            web.wait(10)


@pytest.fixture
def visit(site: tuple[House, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """Return a visit that begins."""
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's driver runs a loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield Visit(browser.new_page(viewport={"width": 1440, "height": 900}), site[1])
        browser.close()


def test_a_newcomer_reaches_a_first_copy_and_leaves_again(site: tuple[House, str], visit: Visit) -> None:
    forget_connection()
    house, address = site
    _come_in(house, visit)
    secret = _add_factor(visit)
    _connect(visit)
    hand = Hand(house.base, "newcomer")
    _copy(house, visit, hand)
    _use_a_key(visit, address)
    _let_go(visit)
    _leave(visit, secret)
    assert visit.mistakes == []


def _come_in(house: House, visit: Visit) -> None:
    visit.go("account_signup")
    visit.press("Create account", email=EMAIL, password1=PASSWORD, password2=PASSWORD)
    visit.sees("Look into your mail")
    log = Path(house.surroundings["DATA_DIR"]) / "daphne.log"
    links = wait_until(
        lambda: re.findall(r"https?://\S+/confirm-email/[\w:-]+/", log.read_text()), "the mail"
    )
    visit.page.goto(links[-1])
    visit.press("Yes, confirm it")
    visit.go("account_login")
    visit.press("Log in", login=EMAIL, password=PASSWORD)
    visit.page.wait_for_selector("#accounts")
    visit.look("first-page")


def _add_factor(visit: Visit) -> str:
    visit.go("accounts:security")
    visit.page.click("text=Add a second factor")
    if visit.page.locator("main [name=password]").count():
        visit.press("Continue", password=PASSWORD)
    secret = str(visit.page.inner_text(".secret"))
    visit.press("Turn it on", code=_code(secret))
    visit.sees("This is the only time")
    visit.page.click("text=I have kept them")
    visit.sees("On since")
    return secret


def _code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(timezone.now().timestamp()) // 30)))


def _connect(visit: Visit) -> None:
    visit.go("syncgroups:connections")
    visit.press("Connect paper")
    visit.page.wait_for_selector("text=/account:read|order:write/")
    if (
        visit.page.locator("input[name=password]").count() == 0
    ):  # first the permissions, then the broker's page
        visit.look("permissions")
        visit.page.get_by_role("main").locator("button.primary, a.primary").first.click()
    visit.page.wait_for_selector("input[name=password]")
    visit.page.fill("input[name=name]", "newcomer")
    visit.page.fill("input[name=password]", PAPER_PASSWORD)
    visit.page.click("button[value=allow]")
    visit.sees("FIRST")
    visit.sees("SECOND")
    wait_until(
        lambda: User.objects.get(email=EMAIL).connections.filter(link_up=True).exists(), "the link", 30
    )
    visit.go("syncgroups:connections")


def _copy(house: House, visit: Visit, hand: Hand) -> None:
    visit.go("syncgroups:create")
    for name, role in (("FIRST", "Leads"), ("SECOND", "Follows")):
        member = visit.page.locator(f".member[data-account={name}]")
        member.locator(".member-role label", has_text=role).click()
    visit.page.wait_for_selector("#preview >> text=SECOND")
    visit.press("Create", name="Morning")
    visit.page.wait_for_selector(".members-of >> text=SECOND")
    visit.page.click("#switch")
    visit.page.wait_for_selector("#switch[aria-checked=true]")
    visit.look("group")
    wait_until(lambda: SyncGroup.objects.get().active, "on")
    wait_until(lambda: _is_copied(hand), "the first copy", 20)
    visit.page.goto(visit.page.url.split("/groups/")[0] + "/")
    visit.page.wait_for_selector("#activity >> text=/SECOND: buy 1 ESZ6 filled/", timeout=10_000)
    visit.look("live")


def _is_copied(hand: Hand) -> bool:
    if hand.net("FIRST") == 0:
        hand.order("FIRST", "Buy", 1)
    return hand.net("SECOND") == 1


def _use_a_key(visit: Visit, address: str) -> None:
    visit.go("accounts:keys")
    visit.page.click("text=New key")
    if visit.page.locator("main [name=password]").count():
        visit.press("Continue", password=PASSWORD)
    visit.press("Make the key", name="A program of mine")
    text = visit.page.input_value("#id_key")
    visit.look("key")
    head = {"Authorization": f"Bearer {text}"}
    said = requests.get(f"{address}/api/accounts", headers=head, timeout=10)
    assert said.status_code == 200
    assert {"FIRST", "SECOND"} <= set(re.findall(r"FIRST|SECOND", said.text))
    visit.go("accounts:keys")
    assert text not in visit.page.content()
    visit.page.get_by_role("main").get_by_role("button", name="Revoke").click()
    visit.sees("revoked")
    assert requests.get(f"{address}/api/accounts", headers=head, timeout=10).status_code == 401


def _let_go(visit: Visit) -> None:
    """Look at the pages that a newcomer finds on the way; none may be in disorder."""
    for name in (
        "syncgroups:list",
        "syncgroups:billing",
        "accounts:audit",
        "accounts:data",
        "accounts:profile",
    ):
        visit.go(name)
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert visit.page.evaluate(width) == 0, name


def _leave(visit: Visit, secret: str) -> None:
    visit.go("accounts:data")
    visit.page.click("text=Delete my account >> nth=-1")
    if visit.page.locator("main [name=code]").count():
        FactorDevice.objects.update(last_step=-1)  # half a minute passes
        visit.press("Continue", code=_code(secret))
    visit.press("Delete my account", email=EMAIL)
    visit.sees("Your account will be deleted on")
    person = User.objects.get(email=EMAIL)
    assert person.delete_after is not None
    assert person.gates.filter(state="halted").exists()
