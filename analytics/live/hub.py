"""One subscription for each web process: takes changes, renders once for each owner, hands text to sockets.

A socket that is slow keeps only the newest text of each part, so it can neither hold up the others nor fill
the memory. A change that is lost costs nothing: the next one, or a new connection, brings the whole truth.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from accounts.models import User
from analytics.live.parts import ALL, parts_of, render_parts
from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import owner_group
from tradehaven.live.messages import decode

log = logging.getLogger(__name__)

PERIOD = 0.25
"""Seconds between two renders for one owner: four a second."""
IDLE_RENDER = 2.0
"""Seconds after which a page looks again although nothing was said: prices move, and nudges get lost."""

Send = Callable[[str], Awaitable[None]]
MaySee = Callable[[], Awaitable[bool]]
Leave = Callable[[], Awaitable[None]]


class Seat:
    """One socket's place: the newest unsent text of each part, and the task that sends it."""

    def __init__(self, send: Send, may_see: MaySee, leave: Leave) -> None:
        self.may_see = may_see
        self.leave = leave
        self._send = send
        self._unsent: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._ready = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def offer(self, parts: dict[str, str]) -> None:
        """Take new text; what the browser shows already is not sent twice."""
        for name, text in parts.items():
            if self._shown.get(name) != text:
                self._unsent[name] = text
        if self._unsent:
            self._ready.set()

    def forget(self) -> None:
        """Send everything again, because the browser has thrown something away."""
        self._shown.clear()

    def close(self) -> None:
        """Stop sending."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            sending, self._unsent = self._unsent, {}
            self._shown |= sending
            await self._send("".join(sending.values()))


class Room:
    """One owner's open pages."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.seats: set[Seat] = set()
        self._dirty: set[str] = set()
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def mark(self, parts: Iterable[str]) -> None:
        """Have parts rendered soon."""
        self._dirty.update(parts)
        self._changed.set()

    def close(self) -> None:
        """Stop rendering."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._changed.wait(), IDLE_RENDER)
            except TimeoutError:
                self._dirty.update(ALL)
            self._changed.clear()
            parts, self._dirty = tuple(part for part in ALL if part in self._dirty), set()
            try:
                await self._show(parts)
            except Exception:  # the top of this loop: one bad render must not end the page's life
                log.exception("rendering the live page of user %s failed", self.user.pk)
                self._dirty.update(parts)
            await asyncio.sleep(PERIOD)

    async def _show(self, parts: tuple[str, ...]) -> None:
        for seat in list(self.seats):
            if not await seat.may_see():
                self.seats.discard(seat)
                await seat.leave()
        if self.seats:
            texts = await database_sync_to_async(render_parts)(self.user, parts)
            for seat in self.seats:
                seat.offer(texts)


class Hub:
    """All rooms of this process and the one subscription that feeds them."""

    def __init__(self) -> None:
        self._rooms: dict[OwnerId, Room] = {}
        self._channel = ""
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def join(self, user: User, seat: Seat) -> None:
        """Seat a socket and send it everything."""
        owner = OwnerId(user.pk)
        async with self._lock:
            await self._listen()
            room = self._rooms.get(owner)
            if room is None:
                room = self._rooms[owner] = Room(user)
                await self._subscribe(owner, subscribed=True)
            room.seats.add(seat)
            # The room alone renders, so that an older picture can never follow a newer one.
            room.mark(ALL)

    def again(self, user: User, seat: Seat) -> None:
        """Send a socket everything once more."""
        seat.forget()
        room = self._rooms.get(OwnerId(user.pk))
        if room is not None:
            room.mark(ALL)

    async def leave(self, user: User, seat: Seat) -> None:
        """Take a socket's seat away; the last one closes the room."""
        owner = OwnerId(user.pk)
        seat.close()
        async with self._lock:
            room = self._rooms.get(owner)
            if room is None:
                return
            room.seats.discard(seat)
            if not room.seats:
                room.close()
                del self._rooms[owner]
                await self._subscribe(owner, subscribed=False)
            if not self._rooms and self._task is not None:
                self._task.cancel()
                self._task, self._channel = None, ""

    async def _listen(self) -> None:
        if self._task is not None and not self._task.done():
            return
        layer = get_channel_layer()
        if layer is None:
            return
        try:
            self._channel = await layer.new_channel()
        except (OSError, RedisError):  # pages still look again by themselves every few seconds
            log.warning("no live messages: the message layer is down", exc_info=True)
            return
        self._task = asyncio.create_task(self._run())
        for owner in self._rooms:
            await self._subscribe(owner, subscribed=True)

    async def _subscribe(self, owner: OwnerId, *, subscribed: bool) -> None:
        layer = get_channel_layer()
        if layer is None or not self._channel:
            return
        change = layer.group_add if subscribed else layer.group_discard
        try:
            await change(owner_group(owner), self._channel)
        except (OSError, RedisError):
            log.warning("no live messages for owner %s: the message layer is down", owner, exc_info=True)

    async def _run(self) -> None:
        layer = get_channel_layer()
        while layer is not None:
            message = await layer.receive(self._channel)
            try:
                changed = decode(message["text"])
            except (ValueError, KeyError):
                log.warning("a live message could not be read")
                continue
            room = self._rooms.get(changed.owner)
            if room is not None:
                room.mark(parts_of(changed.topics))


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running loop; a web process has one."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
