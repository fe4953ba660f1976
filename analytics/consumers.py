"""The live page's socket: takes a seat in the hub, and gives it up. Anonymous visitors are turned away."""

from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.access import may_still_see
from analytics.live.hub import hub
from analytics.live.seat import Seat

if TYPE_CHECKING:
    from accounts.models import User

NO_LAYER = "none"
"""A name that is not configured: the hub subscribes once for all sockets, so that none does for itself."""
UNAUTHORIZED = 4401
"""Our own close code: the page goes to the log-in instead of trying again."""


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # the library ships no types
    """One open live page."""

    channel_layer_alias = NO_LAYER
    user: "User | None" = None
    seat: Seat | None = None

    async def connect(self) -> None:
        """Accept a person who is logged in, and send the whole page's parts."""
        user = self.scope.get("user")
        await self.accept()
        if user is None or not user.is_authenticated:
            await self.close(code=UNAUTHORIZED)
            return
        self.user = user
        session = self.scope.get("session")
        key = session.session_key or "" if session is not None else ""
        self.seat = Seat(user.pk, key, self._send_text, self._turn_away)
        await hub().join(user, self.seat)

    async def disconnect(self, _code: int) -> None:
        """Give the seat up."""
        if self.user is not None and self.seat is not None:
            await hub().leave(self.user, self.seat)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Anything that a page says means: send me everything again."""
        if self.user is not None and self.seat is not None and await self._may_see():
            hub().again(self.user, self.seat)

    async def _send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def _turn_away(self) -> None:
        await self.close(code=UNAUTHORIZED)

    async def _may_see(self) -> bool:
        return bool(await database_sync_to_async(may_still_see)(self.scope, self.user))
