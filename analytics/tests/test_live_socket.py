"""The live page's socket: everything at first, then what changed, and nothing for strangers."""

import asyncio
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
from syncgroups.models import ActivityKind
from syncgroups.tests.factories import ActivityFactory
from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import owner_group
from tradehaven.live.messages import Changed, Topic, encode
from tradehaven.tests.test_publish import DEAD_LAYER

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("analytics.live.hub.PERIOD", 0.05)
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


async def note(user: User, text: str) -> None:
    await sync_to_async(ActivityFactory.create)(owner=user, kind=ActivityKind.LINK, text=text)


async def test_a_new_page_gets_every_part():
    page, _ = await open_page(await person("alice"))
    first = await page.receive_from(timeout=5)
    for part in ("overview", "groups", "accounts", "activity"):
        assert f'<section id="{part}"' in first
    await page.disconnect()


async def test_a_change_brings_only_the_parts_that_look_different():
    alice = await person("alice")
    page, _ = await open_page(alice)
    await page.receive_from(timeout=5)
    await note(alice, "something new")
    await changed(alice, Topic.ACTIVITY, Topic.GROUPS)
    said = await page.receive_from(timeout=5)
    assert "something new" in said
    assert 'id="groups"' not in said
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
    assert '<section id="activity"' in await page.receive_from(timeout=5)
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
    true, failures = parts.render_parts, [RuntimeError("once")]

    def flaky(*arguments: Any) -> dict[str, str]:
        if failures:
            raise failures.pop()
        return true(*arguments)

    monkeypatch.setattr("analytics.live.hub.render_parts", flaky)
    await note(alice, "after failure")
    await changed(alice, Topic.ACTIVITY)
    await asyncio.sleep(0.2)
    await changed(alice, Topic.ACTIVITY)
    assert "after failure" in await page.receive_from(timeout=5)
    await page.disconnect()


async def test_a_page_lives_on_while_the_message_layer_is_down(monkeypatch: pytest.MonkeyPatch, settings):
    settings.CHANNEL_LAYERS = DEAD_LAYER
    monkeypatch.setattr("analytics.live.hub.IDLE_RENDER", 0.1)
    alice = await person("alice")
    page, _ = await open_page(alice)
    assert '<section id="overview"' in await page.receive_from(timeout=5)
    await note(alice, "found without a nudge")
    assert "found without a nudge" in await page.receive_from(timeout=5)
    await page.disconnect()
