"""The owner breaks a paper login on purpose, on a wide screen and on a telephone."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from brokers.paper.testing import OPERATOR_TOKEN, PASSWORD, RunningExchange
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.paper import connected_exchange
from syncgroups.tests.people import accounts
from tests.browser.test_live_page import ARGUMENTS, CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: `apt install chromium`"),
]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def exchange() -> Iterator[RunningExchange]:
    """An exchange on which contracts are traded, operated by the site."""
    with connected_exchange() as running, override_settings(PAPER_OPERATOR_TOKEN=OPERATOR_TOKEN):
        running.set_price("MESZ6", "5050.00", spread=1, size=12)
        running.set_price("GCZ6", "4012.30", spread=2, size=5)
        running.set_price("MNQZ6", "18240.25", spread=1, size=31)
        yield running


@pytest.fixture
def owner(exchange: RunningExchange, alice: User) -> User:
    """Alice, whose login leads and follows, with a position and an order that waits."""
    url = exchange.base_url
    tokens = requests.post(
        f"{url}/auth/accesstokenrequest", json={"name": "alice", "password": PASSWORD}, timeout=5
    ).json()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {tokens['accessToken']}"
    found = session.get(f"{url}/account/list", timeout=5).json()
    rows = accounts(alice, *(item["name"] for item in found), broker_user_id=tokens["userId"], name="lead")
    for row, item in zip(rows, found, strict=True):
        row.broker_account_id = item["id"]
        row.save()
    group = GroupFactory.create(leader=rows[0], name="Micros")
    FollowerFactory.create(group=group, account=rows[1])
    order = {"accountId": found[0]["id"], "action": "Buy", "symbol": "MESZ6", "orderQty": 2}
    session.post(f"{url}/order/placeorder", json={**order, "orderType": "Market"}, timeout=5)
    session.post(f"{url}/order/placeorder", json={**order, "orderType": "Limit", "price": 5000}, timeout=5)
    return alice


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_switches_answer_and_the_page_fits(
    owner: User, live_server: Any, monkeypatch: pytest.MonkeyPatch, theme: Any, size: Any
) -> None:
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's driver runs a loop in this thread
    client = Client()
    client.force_login(owner)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        context = browser.new_context(viewport=size, color_scheme=theme)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        mistakes: list[str] = []
        page.on("console", lambda message: mistakes.append(message.text) if message.type == "error" else None)
        page.goto(live_server.url + reverse("syncgroups:paper"))
        page.wait_for_selector("text=Book of MESZ6")
        for name in ("Sockets lost", "Reject the next order"):
            switch = page.get_by_role("switch", name=name).first
            assert switch.get_attribute("aria-checked") == "false"
            switch.click()
            page.wait_for_selector(f'[role=switch][aria-label="{name}"][aria-checked=true]')
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) == 0
        page.get_by_role("switch", name="Sockets lost").first.click()
        page.wait_for_selector('[role=switch][aria-label="Sockets lost"][aria-checked=false]')
        page.get_by_role("link", name="GCZ6").click()
        page.wait_for_selector("text=Book of GCZ6")
        assert mistakes == []
        browser.close()
