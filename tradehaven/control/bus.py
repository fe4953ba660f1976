"""Carries control messages over Redis. A message that is lost costs a second: the engines poll as well."""

import asyncio
import logging
from collections.abc import Callable

import redis
import redis.asyncio
from django.conf import settings

from tradehaven.control.messages import SettingsChanged, decode, encode

log = logging.getLogger(__name__)

CHANNEL = "th.control"
RETRY_AFTER = 1.0


def tell(message: SettingsChanged) -> None:
    """Tell every engine. Without Redis nothing is told, and the engines find the row by themselves."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            client.publish(CHANNEL, encode(message))
    except redis.RedisError:
        log.warning("the control bus is down; engines will see the change within a second", exc_info=True)


async def listen(heard: Callable[[SettingsChanged], None]) -> None:
    """Call `heard` for every message, until cancelled; come back by itself when Redis does."""
    while True:
        try:
            async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
                channel = client.pubsub()
                await channel.subscribe(CHANNEL)
                async for message in channel.listen():
                    said = decode(message["data"]) if message["type"] == "message" else None
                    if said is not None:
                        heard(said)
        except redis.RedisError:
            log.warning("the control bus is down; polling goes on", exc_info=True)
        await asyncio.sleep(RETRY_AFTER)
