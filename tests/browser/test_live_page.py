"""A person signs in, watches a copy arrive live, presses kill, and sees copying stop."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from syncgroups.services.groups import FollowerSettings
from tests.journeys.conftest import free_port
from tests.journeys.house import PASSWORD, House, database_away, forget_connection, open_house, wait_until

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: `apt install chromium`"),
]


@pytest.fixture
def site(django_db_setup: Any, django_db_blocker: Any, tmp_path: Path) -> Iterator[tuple[House, str]]:
    """Return a house with a web process, and its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (
        django_db_blocker.unblock(),
        open_house(tmp_path, free_port(), SITE_URL=address, PORT=str(port)) as house,
    ):
        # The tests' own hasher is a fast one that no real process accepts.
        hasher = BCryptSHA256PasswordHasher()
        house.owner.password = hasher.encode(PASSWORD, hasher.salt())
        house.owner.save()
        house.connect("lead", ["LEAD", "ONE"])
        house.group("LEAD", {"ONE": FollowerSettings()})
        house.start_engine()
        web = house.start("-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "tradehaven.asgi:application")
        try:
            wait_until(lambda: _is_up(address), "the pages are up", 30)
            yield house, address
        finally:
            web.terminate()
            web.wait(10)


SHIFTS = """
window.shifted = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    // A new line of the log moves those below it, in a room of its own; nothing else may move.
    const moved = entry.sources.filter(({ node }) => !node?.parentElement?.closest("#activity"));
    const names = moved.map(({ node }) => (node?.id ? node : node?.parentElement)?.outerHTML.slice(0, 200));
    if (!entry.hadRecentInput && names.length) window.shifted.push([entry.value, ...names]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


def _look_at(page: Any, sockets: list[Any]) -> None:
    """Whatever happened so far has moved nothing; another browser says the same; a lost link is said."""
    page.wait_for_selector("#curve canvas")
    assert page.evaluate("window.shifted") == []
    small = {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"}
    phone = page.context.browser.new_context(**small, storage_state=page.context.storage_state()).new_page()
    phone.goto(page.url)
    phone.wait_for_selector("#live[data-number]")
    # What it says also with other line breaks; prices may move between the two looks.
    said = "document.getElementById('accounts').innerText.replace(/\\s+/g, ' ')"
    wait_until(lambda: page.evaluate(said) == phone.evaluate(said), "two browsers agree")
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert (page.evaluate(width), phone.evaluate(width)) == (0, 0)
    phone.context.close()

    page.focus("#accounts .status[tabindex]")
    assert page.locator("#accounts .status[tabindex]:focus .tip").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#accounts .status[tabindex]:focus .tip").is_visible()

    socket, server = sockets[-1]
    server.close()
    socket.close(code=1012)
    page.wait_for_selector("#link-banner", state="visible")
    page.wait_for_selector("#link-banner", state="hidden", timeout=10_000)


def _is_up(address: str) -> bool:
    try:
        return requests.get(f"{address}/livez", timeout=1).status_code == 200
    except requests.RequestException:
        return False


@pytest.fixture
def page() -> Iterator[Any]:
    """Return a browser's page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser.new_page(viewport={"width": 1440, "height": 900})
        browser.close()


def test_a_copy_arrives_live_and_the_kill_switch_stops_the_next(
    site: tuple[House, str], page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's driver runs a loop in this thread
    forget_connection()
    house, address = site
    mistakes: list[str] = []
    page.on("console", lambda message: mistakes.append(message.text) if message.type == "error" else None)
    page.add_init_script(SHIFTS)
    sockets: list[Any] = []
    page.route_web_socket("**/ws/live/", lambda socket: sockets.append((socket, socket.connect_to_server())))
    page.goto(f"{address}/accounts/login/")
    page.fill("input[name=login]", "journey@example.org")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_selector("#live[data-number]")  # the page's socket has said everything

    hand = house.hands["lead"]
    hand.order("LEAD", "Buy", 2)
    page.wait_for_selector("#activity >> text=ONE: buy 2 ESZ6 filled", timeout=10_000)
    page.wait_for_selector("#accounts >> text=+2", timeout=10_000)
    _look_at(page, sockets)

    page.click("header >> text=Kill")
    page.click("#dialog >> text=Stop copying")
    page.wait_for_selector("text=/kill switch|halted|stopped/i", timeout=10_000)
    wait_until(lambda: house.owner.gates.filter(state="halted").exists(), "the gate is shut")
    time.sleep(1.2)
    hand.order("LEAD", "Buy", 1)
    page.wait_for_selector("#activity >> text=the kill switch is on", timeout=10_000)
    assert hand.net("LEAD") == 3
    assert hand.net("ONE") == 2
    assert mistakes == []

    page.click("header >> text=Kill")
    page.click("#dialog >> text=Disarm")
    page.fill("#id_intent", "disarm")
    page.click("#dialog >> button:has-text('Disarm')")
    wait_until(lambda: not house.owner.gates.filter(state="halted").exists(), "the gate is open")

    with database_away():  # the same button reaches the engines all the same
        page.click("header >> text=Kill")
        page.wait_for_selector("#panic[open]", timeout=10_000)
        page.click("#panic >> text=Stop copying")
        page.wait_for_selector("text=Copying is stopped for everything", timeout=10_000)
    wait_until(lambda: house.owner.gates.filter(state="halted").exists(), "the rows follow", 30)
