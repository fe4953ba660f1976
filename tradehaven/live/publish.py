"""Sends changes to the pages, after the commit and never before: a page shows only what the database has."""

import logging
from collections.abc import Iterable, Sequence

import msgspec
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import TICKS, owner_group
from tradehaven.live.messages import Changed, Message, Tick, Ticked, Topic, encode

log = logging.getLogger(__name__)


def publish(owner: int, topics: Iterable[Topic]) -> None:
    """Tell an owner's pages what changed, once the current transaction is committed."""
    message = Changed(owner=OwnerId(owner), topics=tuple(sorted(set(topics))))
    if message.topics:
        transaction.on_commit(lambda: _send(owner_group(message.owner), _numbered(message)))


def publish_ticks(ticks: Sequence[Tick]) -> None:
    """Tell all pages the latest prices, once the current transaction is committed."""
    if ticks:
        transaction.on_commit(lambda: _send(TICKS, Ticked(ticks=tuple(ticks))))


def _numbered(message: Changed) -> Changed:
    """Return a message with its owner's next number, so that a page's process notices a lost one."""
    key = f"live.number.{message.owner}"
    try:
        if not cache.add(key, 1, timeout=None):
            return msgspec.structs.replace(message, number=cache.incr(key))
    except (OSError, RedisError, ValueError):
        return message
    return msgspec.structs.replace(message, number=1)


def _send(group: str, message: Message) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group, {"type": "live.changed", "text": encode(message)})
    except (OSError, RedisError):  # a page that misses a nudge asks again when it reconnects
        log.warning("a live message could not be sent", exc_info=True)
