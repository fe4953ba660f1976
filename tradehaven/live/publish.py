"""Sends changes to the pages, after the commit and never before: a page shows only what the database has."""

import logging
from collections.abc import Iterable

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import owner_group
from tradehaven.live.messages import Changed, Topic, encode

log = logging.getLogger(__name__)


def publish(owner: int, topics: Iterable[Topic]) -> None:
    """Tell an owner's pages what changed, once the current transaction is committed."""
    message = Changed(owner=OwnerId(owner), topics=tuple(sorted(set(topics))))
    if message.topics:
        transaction.on_commit(lambda: _send(message))


def _send(message: Changed) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(
            owner_group(message.owner), {"type": "live.changed", "text": encode(message)}
        )
    except (OSError, RedisError):  # a page that misses a nudge asks again when it reconnects
        log.warning("a live message could not be sent", exc_info=True)
