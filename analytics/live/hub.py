"""One subscription for each web process: takes messages to the rooms that they are about.

A change that is lost costs little: the next one's number gives it away, or the room looks again by itself.
"""

import asyncio
import logging
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from accounts.access import logged_in_among
from accounts.models import User
from analytics.core.marks import Prices
from analytics.live.parts import ALL, parts_of
from analytics.live.room import Room
from analytics.live.seat import Seat
from analytics.selectors import engine_is_late
from tradehaven.domain.ids import OwnerId
from tradehaven.live.groups import TICKS, owner_group
from tradehaven.live.messages import Changed, Ticked, decode

log = logging.getLogger(__name__)

SWEEP = 2.0
"""Seconds between two looks at all pages' rights, and at what changes for everybody."""


class Hub:
    """All rooms of this process, the prices that they share, and the subscription that feeds them."""

    def __init__(self) -> None:
        self._rooms: dict[OwnerId, Room] = {}
        self._market: dict[tuple[str, str], Prices] = {}
        self._channel = ""
        self._task: asyncio.Task[None] | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._late = False
        self._lock = asyncio.Lock()

    async def join(self, user: User, seat: Seat) -> None:
        """Seat a socket and send it everything."""
        owner = OwnerId(user.pk)
        async with self._lock:
            await self._listen()
            room = self._rooms.get(owner)
            if room is None:
                room = self._rooms[owner] = Room(user, self._market)
                await self._subscribe(owner_group(owner), subscribed=True)
            room.seats.add(seat)
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
                await self._subscribe(owner_group(owner), subscribed=False)
            if not self._rooms:
                self._rest()

    def _rest(self) -> None:
        for task in (self._task, self._sweeper):
            if task is not None:
                task.cancel()
        self._task = self._sweeper = None
        self._channel = ""
        self._market.clear()

    async def _listen(self) -> None:
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep())
        if self._task is not None and not self._task.done():
            return
        layer = get_channel_layer()
        if layer is None:
            return
        try:
            self._channel = await layer.new_channel()
        except (OSError, RedisError):  # pages still look again by themselves
            log.warning("no live messages: the message layer is down", exc_info=True)
            return
        self._task = asyncio.create_task(self._run())
        await self._subscribe(TICKS, subscribed=True)
        for owner in self._rooms:
            await self._subscribe(owner_group(owner), subscribed=True)

    async def _listen_again(self) -> None:
        """Subscribe anew where the message layer is down; until it is back pages look by themselves."""
        if self._task is not None and not self._task.done():
            return
        async with self._lock:
            await self._listen()
        for room in self._rooms.values():
            room.mark(ALL)

    async def _subscribe(self, group: str, *, subscribed: bool) -> None:
        layer = get_channel_layer()
        if layer is None or not self._channel:
            return
        change = layer.group_add if subscribed else layer.group_discard
        try:
            await change(group, self._channel)
        except (OSError, RedisError):
            log.warning("no live messages of %s: the message layer is down", group, exc_info=True)

    async def _run(self) -> None:
        layer = get_channel_layer()
        while layer is not None:
            message = await layer.receive(self._channel)
            try:
                heard = decode(message["text"])
            except (ValueError, KeyError):
                log.warning("a live message could not be read")
                continue
            match heard:
                case Changed(owner=owner, topics=topics, number=number):
                    if owner in self._rooms:
                        self._rooms[owner].hear(number, parts_of(topics))
                case Ticked():
                    self._take(heard)

    def _take(self, ticked: Ticked) -> None:
        for tick in ticked.ticks:
            at = datetime.fromtimestamp(tick.at / 1e9, UTC)
            self._market[tick.environment, tick.symbol] = Prices(
                bid=tick.bid, ask=tick.ask, last=tick.last, at=at
            )
        contracts = frozenset((str(tick.environment), tick.symbol) for tick in ticked.ticks)
        for room in self._rooms.values():
            room.tick(contracts)

    async def _sweep(self) -> None:
        """Look every few seconds whose right has ended, and whether the engines live: once for all pages."""
        while True:
            await asyncio.sleep(SWEEP)
            await self._listen_again()
            seats = [seat for room in self._rooms.values() for seat in room.seats]
            try:
                standing, late = await database_sync_to_async(_look)({seat.key: seat.user for seat in seats})
            except Exception:  # the top of this loop: while the database is away nobody is sent anything new
                log.exception("the rights of open pages could not be looked at")
                continue
            for seat in seats:
                if seat.key not in standing:
                    await seat.leave()
            if late != self._late:
                self._late = late
                for room in self._rooms.values():
                    room.mark(("overview",))


def _look(sessions: dict[str, int]) -> tuple[set[str], bool]:
    return logged_in_among(sessions), engine_is_late()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running loop; a web process has one."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
