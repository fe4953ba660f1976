"""The cockpit's socket: everything at first, then what changed, and nothing for strangers."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import User
from analytics.consumers import UNAUTHORIZED, LiveConsumer
from analytics.live import parts
from analytics.live.hub import hub
from analytics.live.parts import Reading
from brokers.services.quotes import record_prices
from brokers.tests.factories import PositionFactory
from brokers.tests.prices import price
from syncgroups.models import ActivityKind, Severity
from syncgroups.tests.factories import ActivityFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import Environment
from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import owner_group
from tradehaven.live.messages import Changed, Topic, encode
from tradehaven.tests.test_publish import DEAD_LAYER

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("analytics.live.room.PERIOD", 0.05)
    yield
    # The hub reads in a thread of its own, whose connection would keep the test database open.
    asyncio.run(sync_to_async(connections.close_all)())


async def person(name: str) -> User:
    return await sync_to_async(User.objects.create_user)(f"{name}@example.org", "x")


async def open_page(user: User) -> tuple[WebsocketCommunicator, SessionStore]:
    browser = Client()
    await sync_to_async(browser.force_login)(user)
    session = SessionStore(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    page = WebsocketCommunicator(LiveConsumer.as_asgi(), "/ws/live/")
    page.scope["user"], page.scope["session"] = user, session
    accepted, _ = await page.connect()
    assert accepted
    return page, session


async def changed(user: User, *topics: Topic) -> None:
    layer = get_channel_layer()
    assert layer is not None
    text = encode(Changed(owner=OwnerId(user.pk), topics=topics))
    await layer.group_send(owner_group(OwnerId(user.pk)), {"type": "live.changed", "text": text})


async def heard(page: WebsocketCommunicator) -> dict[str, Any]:
    """Return the next envelope; its texts are there as the browser gets them."""
    return dict(json.loads(await page.receive_from(timeout=5)))


def kinds(envelope: dict[str, Any]) -> list[str]:
    return [frame["kind"] for frame in envelope["frames"]]


async def note(user: User, text: str) -> None:
    await sync_to_async(ActivityFactory.create)(owner=user, kind=ActivityKind.LINK, text=text)


async def test_a_new_page_gets_every_part():
    page, _ = await open_page(await person("alice"))
    first = await heard(page)
    assert (first["since"], kinds(first)) == (0, ["snapshot"])
    parts = first["frames"][0]["parts"]
    assert list(parts) == ["overview", "accounts", "groups", "activity"]
    assert all(text.strip().startswith(f'<section id="{name}"') for name, text in parts.items())
    await page.disconnect()


async def test_a_change_brings_only_the_parts_that_look_different():
    alice = await person("alice")
    page, _ = await open_page(alice)
    await page.receive_from(timeout=5)
    await note(alice, "something new")
    await changed(alice, Topic.ACTIVITY, Topic.GROUPS)
    said = await heard(page)
    assert "something new" in str(said)
    assert kinds(said) == ["activity_state"]
    await page.disconnect()


async def test_a_burst_of_changes_is_one_message():
    alice = await person("alice")
    page, _ = await open_page(alice)
    await page.receive_from(timeout=5)
    for number in range(20):
        await note(alice, f"line {number}")
        await changed(alice, Topic.ACTIVITY)
    messages: list[str] = []
    while not messages or "line 19" not in messages[-1]:
        messages.append(await page.receive_from(timeout=5))
    assert len(messages) < 20
    assert await page.receive_nothing(timeout=0.3)
    await page.disconnect()


async def test_what_happens_to_one_person_is_never_sent_to_another():
    alice, bob = await person("alice"), await person("bob")
    page, _ = await open_page(bob)
    await page.receive_from(timeout=5)
    await note(alice, "private")
    await changed(alice, Topic.ACTIVITY)
    assert await page.receive_nothing(timeout=0.3)
    await page.disconnect()


async def test_an_anonymous_visitor_is_turned_away():
    page = WebsocketCommunicator(LiveConsumer.as_asgi(), "/ws/live/")
    page.scope["user"] = AnonymousUser()
    await page.connect()
    end = await page.receive_output(timeout=5)
    assert (end["type"], end["code"]) == ("websocket.close", UNAUTHORIZED)


@pytest.mark.parametrize("how", ["logged out", "expired", "blocked", "another password"])
async def test_a_page_ends_when_its_right_does(how: str):
    alice = await person("alice")
    page, session = await open_page(alice)
    await page.receive_from(timeout=5)
    if how == "blocked":
        await sync_to_async(User.objects.filter(pk=alice.pk).update)(is_active=False)
    elif how == "expired":
        await sync_to_async(Session.objects.update)(expire_date=timezone.now())
    elif how == "another password":
        await sync_to_async(alice.set_password)("y")
        await sync_to_async(alice.save)()
    else:
        await sync_to_async(session.flush)()
    await note(alice, "too late")
    if how == "blocked":  # without a nudge the page looks by itself
        await changed(alice, Topic.ACTIVITY)
    end = await page.receive_output(timeout=5)
    assert (end["type"], end["code"]) == ("websocket.close", UNAUTHORIZED)


async def test_a_page_that_threw_something_away_gets_everything_again():
    page, _ = await open_page(await person("alice"))
    await page.receive_from(timeout=5)
    await page.send_to(text_data='{"want":"everything"}')
    assert kinds(await heard(page)) == ["snapshot"]
    await page.disconnect()


async def test_two_pages_of_one_person_share_a_room_and_the_last_one_closes_it():
    alice = await person("alice")
    one, _ = await open_page(alice)
    two, _ = await open_page(alice)
    for page in (one, two):
        await page.receive_from(timeout=5)
    assert list(hub()._rooms) == [OwnerId(alice.pk)]
    await one.disconnect()
    await note(alice, "still here")
    await changed(alice, Topic.ACTIVITY)
    said = ""
    while "still here" not in said:
        said = await two.receive_from(timeout=5)
    await two.disconnect()
    assert not hub()._rooms


async def test_a_message_that_says_nothing_does_not_end_the_hub():
    alice = await person("alice")
    page, _ = await open_page(alice)
    await page.receive_from(timeout=5)
    layer: Any = get_channel_layer()
    await layer.group_send(owner_group(OwnerId(alice.pk)), {"type": "live.changed", "text": "{nonsense"})
    await asyncio.sleep(0.1)
    await note(alice, "after nonsense")
    await changed(alice, Topic.ACTIVITY)
    assert "after nonsense" in await page.receive_from(timeout=5)
    await page.disconnect()


async def test_a_part_that_fails_to_render_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    alice = await person("alice")
    page, _ = await open_page(alice)
    await page.receive_from(timeout=5)
    true, failures = parts.read, [RuntimeError("once")]

    def flaky(*arguments: Any) -> Reading:
        if failures:
            raise failures.pop()
        return true(*arguments)

    monkeypatch.setattr("analytics.live.room.read", flaky)
    await note(alice, "after failure")
    await changed(alice, Topic.ACTIVITY)
    await asyncio.sleep(0.2)
    await changed(alice, Topic.ACTIVITY)
    assert "after failure" in await page.receive_from(timeout=5)
    await page.disconnect()


async def test_a_page_lives_on_while_the_message_layer_is_down(monkeypatch: pytest.MonkeyPatch, settings):
    settings.CHANNEL_LAYERS = DEAD_LAYER
    monkeypatch.setattr("analytics.live.room.IDLE", 0.1)
    alice = await person("alice")
    page, _ = await open_page(alice)
    assert kinds(await heard(page)) == ["snapshot"]
    await note(alice, "found without a nudge")
    assert "found without a nudge" in await page.receive_from(timeout=5)
    await page.disconnect()


async def holding(name: str) -> User:
    """Return a person whose only account is two contracts long at 5000.25."""
    user = await person(name)
    [account] = await sync_to_async(accounts)(user, "LEAD")
    await sync_to_async(PositionFactory.create)(account=account)
    return user


async def test_a_price_changes_cells_and_nothing_is_read_or_rendered(monkeypatch: pytest.MonkeyPatch):
    alice = await holding("alice")
    page, _ = await open_page(alice)
    number = (await heard(page))["number"]
    monkeypatch.setattr("analytics.live.room.read", None)
    await sync_to_async(record_prices)(Environment.PAPER, [price("ESZ6", bid=20_005)])
    said = await heard(page)
    assert (said["since"], kinds(said)) == (number, ["tick_update"])
    cells = said["frames"][0]["cells"]
    assert cells["sum.open"] == ["+$100.00", "gain"]
    assert cells["sum.unpriced"] == ["", "hint"]
    await page.disconnect()


async def test_prices_of_what_somebody_else_holds_are_no_news():
    page, _ = await open_page(await holding("alice"))
    await page.receive_from(timeout=5)
    await sync_to_async(record_prices)(Environment.PAPER, [price("NQZ6", bid=80_000)])
    await sync_to_async(record_prices)(Environment.LIVE, [price("ESZ6", bid=20_005)])
    assert await page.receive_nothing(timeout=0.4)
    await page.disconnect()


async def test_prices_come_at_most_four_times_a_second(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analytics.live.room.PERIOD", 0.25)
    page, _ = await open_page(await holding("alice"))
    await page.receive_from(timeout=5)
    loop = asyncio.get_running_loop()
    began, messages = loop.time(), 0
    for ticks in range(20_000, 20_040):
        await sync_to_async(record_prices)(Environment.PAPER, [price("ESZ6", bid=ticks)])
    last = ""
    while "+$950.00" not in last:  # 20,039 ticks are 5009.75
        last = await page.receive_from(timeout=5)
        messages += 1
    assert messages <= (loop.time() - began) / 0.25 + 2
    await page.disconnect()


async def test_a_lost_message_is_given_away_by_the_next_ones_number():
    alice = await person("alice")
    page, _ = await open_page(alice)
    await page.receive_from(timeout=5)
    layer: Any = get_channel_layer()
    for number in (1, 3):
        await note(alice, f"line {number}")
        message = Changed(owner=OwnerId(alice.pk), topics=(Topic.GATE,), number=number)
        await layer.group_send(
            owner_group(OwnerId(alice.pk)), {"type": "live.changed", "text": encode(message)}
        )
        await asyncio.sleep(0.3)
    assert "line 3" in str([await heard(page)])
    await page.disconnect()


async def test_a_warning_is_an_alert_and_a_fill_an_event_each_once():
    alice = await person("alice")
    await note(alice, "before the page was opened")
    page, _ = await open_page(alice)
    await page.receive_from(timeout=5)
    make = sync_to_async(ActivityFactory.create)
    await make(owner=alice, kind=ActivityKind.COPY_FILLED, text="filled")
    await make(owner=alice, kind=ActivityKind.GUARDRAIL, severity=Severity.DANGER, text="locked")
    await changed(alice, Topic.ACTIVITY)
    events = [one for one in (await heard(page))["frames"] if not one["kind"].endswith("_state")]
    said = [(one["kind"], one["text"]) for one in events]
    assert said == [("order_event", "filled"), ("risk_alert", "locked")]
    await note(alice, "quiet")
    await changed(alice, Topic.ACTIVITY)
    assert kinds(await heard(page)) == ["activity_state"]
    await page.disconnect()


async def test_two_pages_of_one_person_say_the_same():
    alice = await holding("alice")
    one, _ = await open_page(alice)
    two, _ = await open_page(alice)
    for page in (one, two):
        await page.receive_from(timeout=5)
    await sync_to_async(record_prices)(Environment.PAPER, [price("ESZ6", bid=20_003)])
    said = [(await heard(page))["frames"][-1]["cells"] for page in (one, two)]
    assert said[0] == said[1]
    await one.disconnect()
    await two.disconnect()
