"""Sockets, through the whole front door and the real message layer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
import redis
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from analytics.consumers import UNAUTHORIZED
from syncgroups.tests.factories import ActivityFactory
from tradehaven.asgi import application
from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import owner_group
from tradehaven.live.messages import Changed, Topic, encode
from tradehaven.routing import websocket_urlpatterns

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
CLOSED_WITHIN = 5.0
"""Seconds after which a socket whose right ended must be closed."""
SOCKETS = {
    "ws/live/": "its own owner's pages, to a log-in",
    "ws/activity/": "that its own owner's log grew, to a log-in",  # tried in syncgroups' own tests
}
"""Every socket address, what it tells and to whom."""
TOPICS = {"overview", "accounts", "groups", "activity", "gate"}
"""Every kind of message that a page can get; all are tried below."""


@pytest.fixture(autouse=True)
def real_layer(settings: Any) -> Iterator[None]:
    try:
        redis.Redis.from_url(settings.REDIS_URL).ping()
    except redis.ConnectionError:
        pytest.skip("no Redis here")
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}
    settings.CHANNEL_LAYERS = {
        "default": layer | {"CONFIG": {"hosts": [settings.REDIS_URL], "prefix": "test-tenancy"}}
    }
    yield
    asyncio.run(sync_to_async(connections.close_all)())


@pytest_asyncio.fixture
async def flushed() -> AsyncIterator[None]:
    """Give the layer's connections back before its loop ends."""
    yield
    layer: Any = get_channel_layer()
    await layer.flush()


def person(name: str) -> tuple[User, Client]:
    user = User.objects.create_user(f"{name}@example.org", "x")
    browser = Client()
    browser.force_login(user)
    return user, browser


async def open_page(browser: Client | None, origin: str = "http://localhost") -> WebsocketCommunicator:
    headers = [(b"host", b"localhost"), (b"origin", origin.encode())]
    if browser is not None:
        cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
        headers.append((b"cookie", cookie.encode()))
    page = WebsocketCommunicator(application, "/ws/live/", headers=headers)
    page.opened, _ = await page.connect(timeout=5)
    return page


def test_every_socket_and_every_kind_of_message_is_in_the_table() -> None:
    assert {str(route.pattern) for route in websocket_urlpatterns} == set(SOCKETS)
    assert {topic.value for topic in Topic} == TOPICS


async def test_a_stranger_hears_nothing_whatever_happens_to_another(flushed: None) -> None:
    (alice, hers), (_, his) = await sync_to_async(person)("alice"), await sync_to_async(person)("bob")
    mine, other = await open_page(hers), await open_page(his)
    await mine.receive_from(timeout=5)
    await other.receive_from(timeout=5)
    await sync_to_async(ActivityFactory.create)(owner=alice, text="only for Alice")
    layer: Any = get_channel_layer()
    for topic in Topic:
        text = encode(Changed(owner=OwnerId(alice.pk), topics=(topic,)))
        await layer.group_send(owner_group(OwnerId(alice.pk)), {"type": "live.changed", "text": text})
    assert "only for Alice" in await mine.receive_from(timeout=5)
    for want in ('{"want":"everything"}', f'{{"owner":{alice.pk}}}', "\0"):
        await other.send_to(text_data=want)
        assert "only for Alice" not in await other.receive_from(timeout=5)
    assert await other.receive_nothing(timeout=0.5)
    await mine.disconnect()
    await other.disconnect()


async def test_without_a_log_in_the_page_is_turned_away(flushed: None) -> None:
    page = await open_page(None)
    end = await page.receive_output(timeout=5)
    assert (end["type"], end["code"]) == ("websocket.close", UNAUTHORIZED)


async def test_another_sites_page_gets_no_socket(flushed: None) -> None:
    _, browser = await sync_to_async(person)("alice")
    page = await open_page(browser, origin="https://evil.example")
    assert not page.opened


def _log_out(browser: Client, user: User) -> None:
    browser.post(reverse("account_logout"))


def _revoke(browser: Client, user: User) -> None:
    Session.objects.all().delete()


def _expire(browser: Client, user: User) -> None:
    Session.objects.update(expire_date=timezone.now())


def _block(browser: Client, user: User) -> None:
    User.objects.update(is_active=False)


def _delete(browser: Client, user: User) -> None:
    User.objects.all().delete()


def _change_password(browser: Client, user: User) -> None:
    user.set_password("another")
    user.save()


@pytest.mark.parametrize("end", [_log_out, _revoke, _expire, _block, _delete, _change_password])
async def test_a_socket_closes_when_its_right_ends(
    end: Callable[[Client, User], None], flushed: None
) -> None:
    user, browser = await sync_to_async(person)("alice")
    page = await open_page(browser)
    await page.receive_from(timeout=5)
    await sync_to_async(end)(browser, user)
    async with asyncio.timeout(CLOSED_WITHIN):  # nobody says anything: the page finds out by itself
        while (said := await page.receive_output(timeout=CLOSED_WITHIN))["type"] != "websocket.close":
            pass
    assert said["code"] == UNAUTHORIZED
