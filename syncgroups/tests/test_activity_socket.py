"""The log's socket: one word for whatever happened, to its owner alone."""

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

from accounts.models import User
from syncgroups.consumers import UNAUTHORIZED, ActivityConsumer
from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import owner_group
from tradehaven.live.messages import Changed, Topic, encode

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("syncgroups.consumers.PERIOD", 0.05)
    yield
    asyncio.run(sync_to_async(connections.close_all)())


async def open_page(user: Any) -> WebsocketCommunicator:
    page = WebsocketCommunicator(ActivityConsumer.as_asgi(), "/ws/activity/")
    page.scope["user"], page.scope["session"] = user, None
    if user.is_authenticated:
        browser = Client()
        await sync_to_async(browser.force_login)(user)
        page.scope["session"] = SessionStore(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    accepted, _ = await page.connect()
    assert accepted
    return page


async def changed(user: User, *topics: Topic) -> None:
    layer = get_channel_layer()
    assert layer is not None
    text = encode(Changed(owner=OwnerId(user.pk), topics=topics))
    await layer.group_send(owner_group(OwnerId(user.pk)), {"type": "live.changed", "text": text})


async def person(name: str) -> User:
    return await sync_to_async(User.objects.create_user)(f"{name}@example.org", "x")


async def test_many_changes_are_one_word():
    alice = await person("alice")
    page = await open_page(alice)
    for _ in range(5):
        await changed(alice, Topic.ACTIVITY)
    assert await page.receive_from(timeout=5) == "new"
    assert await page.receive_nothing(timeout=0.2)
    await changed(alice, Topic.ACTIVITY, Topic.GROUPS)
    assert await page.receive_from(timeout=5) == "new"
    await page.disconnect()


async def test_what_is_not_of_the_log_or_of_somebody_else_is_not_heard():
    alice, bob = await person("alice"), await person("bob")
    page = await open_page(alice)
    await changed(alice, Topic.ACCOUNTS)
    await changed(bob, Topic.ACTIVITY)
    assert await page.receive_nothing(timeout=0.3)
    await page.disconnect()


async def test_a_stranger_is_turned_away():
    page = await open_page(AnonymousUser())
    assert (await page.receive_output(timeout=5))["code"] == UNAUTHORIZED


async def test_a_session_that_ended_closes_the_socket():
    alice = await person("alice")
    page = await open_page(alice)
    await sync_to_async(Session.objects.all().delete)()
    await changed(alice, Topic.ACTIVITY)
    assert (await page.receive_output(timeout=5))["code"] == UNAUTHORIZED
