"""A group is built by mouse and by keys alone; a copied order is followed from the log to its waterfall."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Account, Connection, Order
from brokers.tests.factories import FillFactory
from syncgroups.core.keys import client_order_id
from syncgroups.core.threads import thread_of
from syncgroups.models import ActivityKind, SyncGroup
from syncgroups.tests.factories import ActivityFactory, CopyFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tests.browser.test_live_page import ARGUMENTS, CHROMIUM
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import AccountId, GroupId, OrderId

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: `apt install chromium`"),
]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ORDER = 501


@pytest.fixture
def three(alice: User) -> list[Account]:
    found = accounts(alice, "LEAD", "ONE", "TWO")
    Connection.objects.update(link_up=True)
    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    # The browser's driver keeps a loop in this thread, as long as these tests run.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """Alice in front of a browser; a mistake on any page is kept."""

    def __init__(self, chromium: Any, address: str, alice: User, size: Any, theme: str) -> None:
        client = Client()
        client.force_login(alice)
        self.context = chromium.new_context(viewport=size, color_scheme=theme)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": address}])
        self.page = self.context.new_page()
        self.mistakes: list[str] = []
        self.page.on("console", self._hear)
        self._address = address

    def _hear(self, message: Any) -> None:
        # The test's server speaks no WebSocket; the page says that it is not live and goes on.
        if message.type == "error" and "WebSocket" not in message.text:
            self.mistakes.append(message.text)

    def go(self, path: str) -> Any:
        self.page.goto(self._address + path)
        return self.page

    def widest(self) -> Any:
        """Return what reaches beyond the window's edge, to be read where a test fails."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll("body *")]
            .filter((e) => e.scrollWidth > e.clientWidth && !e.closest(".table-scroll"))
            .map((e) => e.outerHTML.slice(0, 80))"""
        )

    def fits(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.fixture(params=[("dark", WIDE), ("light", NARROW)], ids=["dark-wide", "light-narrow"])
def visit(request: Any, chromium: Any, alice: User, live_server: Any) -> Iterator[Visit]:
    theme, size = request.param
    found = Visit(chromium, live_server.url, alice, size, theme)
    yield found
    found.context.close()


def role(page: Any, account: Account, name: str) -> Any:
    return page.locator(f"#member-{account.pk} .member-role label", has_text=name)


def test_a_group_is_built_with_the_mouse(visit: Visit, three: list[Account]) -> None:
    lead, one, two = three
    page = visit.go(reverse("syncgroups:create"))
    page.fill("#id_name", "Morning")
    role(page, lead, "Leads").click()
    page.wait_for_selector(f'[data-zone="leader"] #member-{lead.pk}')
    if page.viewport_size["width"] > 1000:
        page.drag_and_drop(f"#member-{one.pk} .member-grip", '[data-zone="follower"]')
    else:
        role(page, one, "Follows").click()
    page.wait_for_selector(f'[data-zone="follower"] #member-{one.pk}')
    page.wait_for_selector("#preview >> text=BUY 3 NQ")
    page.fill(f"[name='{one.pk}-ratio']", "2")
    page.wait_for_selector("#preview >> text=BUY 6 NQ")
    page.fill(f"[name='{one.pk}-ratio']", "0")
    page.wait_for_selector("#preview >> text=A ratio is above 0")
    page.fill(f"[name='{one.pk}-ratio']", "2")
    role(page, two, "Leads").click()  # there is one leader: the other one leaves
    page.wait_for_selector(f'[data-zone=""] #member-{lead.pk}')
    role(page, lead, "Leads").click()
    assert SyncGroup.objects.count() == 0
    assert visit.fits()
    page.click("text=Create")
    page.wait_for_selector("h1:has-text('Morning')")
    made = SyncGroup.objects.get()
    assert (made.leader, [str(row.ratio.normalize()) for row in made.followers.all()]) == (lead, ["2"])
    assert visit.fits()
    assert visit.mistakes == []


def test_a_group_is_built_with_keys_alone(visit: Visit, three: list[Account]) -> None:
    lead, one, _ = three
    page = visit.go(reverse("syncgroups:create"))
    page.locator(f"#member-{lead.pk} .member-role input").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f'[data-zone="leader"] #member-{lead.pk}')
    assert page.evaluate("document.activeElement.value") == "leader"  # the focus has moved with its row
    page.locator(f"#member-{one.pk} .member-role input").first.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f'[data-zone="follower"] #member-{one.pk}')
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == f"{one.pk}-sizing"
    page.keyboard.press("ArrowDown")  # the next way of sizing: a fixed quantity
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("4")
    page.wait_for_selector("#preview >> text=BUY 4 NQ")
    page.locator("#id_name").focus()
    page.keyboard.type("Keys")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Keys')")
    follower = SyncGroup.objects.get().followers.get()
    assert (follower.account, follower.sizing, follower.fixed_qty) == (one, "fixed", 4)
    assert visit.mistakes == []


@pytest.fixture
def copied(three: list[Account]) -> SyncGroup:
    """A leader's order that one follower has copied and one was left out of."""
    lead, one, two = three
    group: SyncGroup = GroupFactory.create(leader=lead, name="Scalps", active=True)
    now = timezone.now()
    Order.objects.create(
        account=lead,
        broker_order_id=ORDER,
        symbol="ESZ6",
        side="buy",
        order_type="market",
        qty=1,
        tif="day",
        status="filled",
        first_seen_at=now,
    )
    thread = thread_of(lead.pk, ORDER)
    about = {"owner": group.owner, "group": group, "thread": thread, "symbol": "ESZ6"}
    ActivityFactory.create(
        **about, account=lead, at=now, kind=ActivityKind.LEADER_ORDER, text="LEAD placed buy 1 ESZ6 market"
    )
    for account in (one, two):
        FollowerFactory.create(group=group, account=account)
        key = client_order_id(GroupId(group.pk), AccountId(lead.pk), OrderId(ORDER), AccountId(account.pk))
        if account == one:
            CopyFactory.create(
                group=group, follower=one, leader_order_id=ORDER, key=key, broker_order_id=7, received_at=now
            )
            sent = ActivityKind.COPY_SENT
            ActivityFactory.create(**about, account=one, key=key, kind=sent, text="Copied for ONE", at=now)
        else:
            ActivityFactory.create(
                **about,
                account=two,
                key=key,
                at=now + timedelta(milliseconds=1),
                kind=ActivityKind.COPY_REFUSED,
                reason=RefusalReason.ROUNDS_TO_ZERO,
                text="TWO did not place ESZ6: 0.5 contracts",
            )
    FillFactory.create(account=lead, broker_order_id=ORDER, ticks=20_000)
    FillFactory.create(account=one, broker_order_id=7, ticks=20_002)
    return group


def test_an_order_is_followed_from_the_log_to_its_waterfall(visit: Visit, copied: SyncGroup) -> None:
    page = visit.go(reverse("syncgroups:activity"))
    page.click("summary >> text=LEAD placed buy 1 ESZ6 market")
    page.wait_for_selector(".entry-body >> text=Raise the ratio")
    assert visit.fits()
    page.click("nav[aria-label=Outcome] >> text=Skipped")
    page.wait_for_selector("[aria-current] >> text=Skipped")
    page.click("text=Waterfall")
    page.wait_for_selector("h1:has-text('BUY 1 ESZ6 of LEAD')")
    assert page.locator(".falls svg rect").count() == 4
    assert page.locator("#fills-title").count() == 1
    page.wait_for_selector("[aria-labelledby=fills-title] >> text=+2")
    page.click("text=Linear")
    page.wait_for_selector("[aria-current] >> text=Linear")
    assert visit.fits(), visit.widest()
    page.click("text=Open sizing and products")
    page.wait_for_selector("h1:has-text('Edit Scalps')")
    assert visit.mistakes == []
