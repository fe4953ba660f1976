"""A person comes, protects the account, throws a stranger out, takes everything along, and leaves."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from accounts.models import FactorDevice, User
from tests.browser.test_live_page import ARGUMENTS, CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: `apt install chromium`"),
]
EMAIL, PASSWORD = "new@example.org", "Correct-horse-7-battery"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"}


class Person:
    """Somebody in front of one browser."""

    def __init__(self, context: Any, address: str) -> None:
        self.page = context.new_page()
        self.address = address
        self.mistakes: list[str] = []
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        # The server of the tests speaks no WebSocket; the live page says so.
        if message.type == "error" and "WebSocket" not in message.text and message.text != "[object Event]":
            self.mistakes.append(message.text)

    def go(self, name: str) -> None:
        self.page.goto(self.address + reverse(name))
        assert self.page.evaluate(OVERFLOW) == 0

    def submit(self, text: str, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)
        self.page.get_by_role("main").get_by_role("button", name=text, exact=True).click()
        self.page.wait_for_load_state()
        assert self.page.evaluate(OVERFLOW) == 0

    def sees(self, text: str) -> None:
        self.page.wait_for_selector(f"main >> text={text}")

    def log_in(self, secret: str = "") -> None:
        self.go("account_login")
        self.submit("Log in", login=EMAIL, password=PASSWORD)
        if secret:
            FactorDevice.objects.update(last_step=-1)  # half a minute passes
            self.submit("Log in", code=code(secret))


def code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(timezone.now().timestamp()) // 30)))


@pytest.fixture
def people(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Person, Person]]:
    """Two browsers: a desk in the dark and a phone in the light."""
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's driver runs a loop in this thread
    cache.clear()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield (
            Person(browser.new_context(**DESK), live_server.url),
            Person(browser.new_context(**PHONE), live_server.url),
        )
        browser.close()


def confirm_by_mail(person: Person) -> None:
    found = re.search(r"https?://\S+/confirm-email/\S+", str(mail.outbox[-1].body))
    assert found
    person.page.goto(found.group())
    person.submit("Yes, confirm it")


def enrol(person: Person) -> str:
    """Add the second factor; return its secret."""
    person.go("accounts:security")
    person.page.click("text=Add a second factor")
    person.submit("Continue", password=PASSWORD)
    picture = person.page.locator("img.qr")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    secret = str(person.page.inner_text(".secret"))
    person.submit("Turn it on", code=code(secret))
    person.sees("This is the only time")
    assert person.page.locator(".codes li").count() == 10
    person.page.click("text=I have kept them")
    person.sees("On since")
    return secret


def test_a_person_comes_stays_safe_and_leaves(people: tuple[Person, Person], tmp_path: Path) -> None:
    desk, phone = people
    desk.go("account_signup")
    desk.page.locator("[name=password1]").press_sequentially(PASSWORD[:9])
    desk.page.wait_for_selector(".rule.unmet >> text=At least 12")
    desk.page.locator("[name=password1]").press_sequentially(PASSWORD[9:])
    desk.page.wait_for_selector(".rule.met >> text=At least 12")
    desk.submit("Create account", email=EMAIL, password2=PASSWORD)
    desk.sees("Look into your mail")
    confirm_by_mail(desk)
    desk.log_in()
    secret = enrol(desk)

    phone.log_in(secret)
    phone.go("accounts:security")
    phone.sees("This session")
    desk.go("accounts:security")
    desk.page.get_by_role("switch").click()
    desk.page.wait_for_selector("[role=switch][aria-checked=true]")
    desk.page.get_by_role("button", name="Log out Chrome").click()
    desk.page.wait_for_selector("text=Logged out: Chrome on Linux")
    phone.go("accounts:audit")
    assert "/accounts/login/" in phone.page.url

    desk.go("accounts:audit")
    desk.sees("Session revoked")
    desk.page.select_option("[name=kind]", "security")
    desk.sees("Factor added")
    desk.page.wait_for_selector("text=Session revoked", state="detached")

    desk.go("accounts:data")
    with desk.page.expect_download() as download:
        desk.page.click("text=Download my data")
    saved = tmp_path / "data.zip"
    download.value.save_as(saved)
    with ZipFile(saved) as bundle:
        assert json.loads(bundle.read("profile.json"))[0]["email"] == EMAIL

    desk.page.click("text=Delete my account >> nth=-1")
    desk.submit("Delete my account", email=EMAIL)
    desk.sees("Your account will be deleted on")
    assert User.objects.get().delete_after is not None
    desk.log_in(secret)
    desk.page.wait_for_selector("text=your account will not be deleted")
    assert User.objects.get().delete_after is None
    assert desk.mistakes == phone.mistakes == []
