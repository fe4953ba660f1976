"""The log's socket: says that there is something new, and nothing else. The page asks for what it filters."""

import asyncio
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.access import may_still_see
from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import owner_group
from tradehaven.live.messages import Changed, Topic, decode

if TYPE_CHECKING:
    from accounts.models import User

UNAUTHORIZED = 4401
PERIOD = 0.5
"""Seconds between two words to one page, however much happens."""


class ActivityConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # the library ships no types
    """One open page of the activity log."""

    user: "User | None" = None
    saying: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        """Accept a person who is logged in."""
        user = self.scope.get("user")
        await self.accept()
        if user is None or not user.is_authenticated:
            await self.close(code=UNAUTHORIZED)
            return
        self.user = user
        # Without a message layer this ends the socket; the page says so, and tries again by itself.
        await self.channel_layer.group_add(owner_group(OwnerId(user.pk)), self.channel_name)

    async def disconnect(self, _code: int) -> None:
        """Hear nothing any more."""
        if self.user is not None:
            await self.channel_layer.group_discard(owner_group(OwnerId(self.user.pk)), self.channel_name)
        if self.saying is not None:
            self.saying.cancel()

    async def live_changed(self, message: dict[str, Any]) -> None:
        """Say that the log grew, soon and once for all that happens until then."""
        told = decode(message["text"])
        if not isinstance(told, Changed) or Topic.ACTIVITY not in told.topics:
            return
        if self.saying is None or self.saying.done():
            self.saying = asyncio.create_task(self._say())

    async def _say(self) -> None:
        await asyncio.sleep(PERIOD)
        if await database_sync_to_async(may_still_see)(self.scope, self.user):
            await self.send(text_data="new")
        else:
            await self.close(code=UNAUTHORIZED)
