"""One owner's open pages: looks at the database once for all of them, and at prices without it."""

import asyncio
import logging
import random
from collections.abc import Iterable, MutableMapping

from channels.db import database_sync_to_async
from django.utils import timezone

from accounts.access import logged_in_among
from accounts.models import User
from analytics.core.marks import Holder, Prices
from analytics.live.cells import Cells, cells_of
from analytics.live.parts import ALL, Reading, events_after, newest, read
from analytics.live.seat import Seat

log = logging.getLogger(__name__)

PERIOD = 0.25
"""Seconds between two messages of one owner's pages: no cell is repainted more than four times a second."""
IDLE = 60.0
"""Seconds after which a page looks again although nothing was said: some states change with time alone."""
AGEING = 5.0
"""Seconds between two looks at how old prices have become."""


class Room:
    """The pages of one owner. The room alone renders, so an older picture can never follow a newer one."""

    looking = 0
    """How many rooms of the process look at the database, or wait to: nobody looks idly beside them."""

    def __init__(self, user: User, market: MutableMapping[tuple[str, str], Prices]) -> None:
        self.user = user
        self.seats: set[Seat] = set()
        self._market = market
        self._holders: tuple[Holder, ...] = ()
        self._held: frozenset[tuple[str, str]] = frozenset()
        self._cells: Cells = {}
        self._number = 0
        self._last_line: int | None = None
        self._heard = 0
        self._dirty: set[str] = set()
        self._ticked = False
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def mark(self, parts: Iterable[str]) -> None:
        """Have parts rendered soon."""
        self._dirty.update(parts)
        self._changed.set()

    def hear(self, number: int, parts: Iterable[str]) -> None:
        """Take a numbered message; after a gap everything is looked at."""
        missed = number and self._heard and number != self._heard + 1
        self._heard = number
        self.mark(ALL if missed else parts)

    def tick(self, contracts: frozenset[tuple[str, str]]) -> None:
        """Note that contracts have new prices; what nobody here holds is no news."""
        if not self._held.isdisjoint(contracts):
            self._ticked = True
            self._changed.set()

    def close(self) -> None:
        """Stop rendering."""
        self._task.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time() + IDLE
        while True:
            patience = min(AGEING, max(0.0, look_at - loop.time()))
            try:
                async with asyncio.timeout(patience):
                    await self._changed.wait()
            except TimeoutError:
                self._ticked = True
            if loop.time() >= look_at and Room.looking and not self._dirty:
                look_at = loop.time() + random.uniform(0.5, 2.0)  # noqa: S311
            elif loop.time() >= look_at:
                self._dirty.update(ALL)
            self._changed.clear()
            parts, self._dirty = tuple(part for part in ALL if part in self._dirty), set()
            try:
                if parts:
                    await self._show(parts)
                    # Pages that were opened together must not look together for ever.
                    look_at = loop.time() + IDLE * random.uniform(0.8, 1.2)  # noqa: S311
                elif self._ticked:
                    self._patch()
            except Exception:  # the top of this loop: one bad render must not end the page's life
                log.exception("rendering the cockpit of user %s failed", self.user.pk)
                self._dirty.update(parts)
            self._ticked = False
            await asyncio.sleep(PERIOD)

    async def _show(self, parts: tuple[str, ...]) -> None:
        Room.looking += 1
        try:
            found, standing = await database_sync_to_async(self._look)(parts)
        finally:
            Room.looking -= 1
        for seat in [seat for seat in self.seats if seat.key not in standing]:
            self.seats.discard(seat)
            await seat.leave()
        if found is None:
            return
        self._remember(found)
        page, seen = found.live.activity, self._last_line
        events = events_after(page, seen) if seen is not None else []
        self._last_line = max(newest(page), seen or 0)
        self._number += 1
        for seat in self.seats:
            seat.show(self._number, found.live.at.timestamp(), found.parts, events)
        if any(seat.wants_everything for seat in self.seats):
            self.mark(ALL)

    def _look(self, parts: tuple[str, ...]) -> tuple[Reading | None, set[str]]:
        """Return what there is to show, and whose right to see it stands; in one trip to a thread."""
        standing = logged_in_among({seat.key: seat.user for seat in list(self.seats)})
        if not standing:
            return None, standing
        self.user.refresh_from_db()
        return read(self.user, parts), standing

    def _remember(self, found: Reading) -> None:
        live = found.live
        self._holders = live.holders
        self._held = frozenset((held.place, held.symbol) for holder in live.holders for held in holder.held)
        for key, prices in live.market.items():
            known = self._market.get(key)
            if known is None or (known.at is not None and prices.at is not None and prices.at > known.at):
                self._market[key] = prices
        self._cells = cells_of(self._holders, self._market, live.at)

    def _patch(self) -> None:
        now = timezone.now()
        cells = cells_of(self._holders, self._market, now)
        changed = {name: cell for name, cell in cells.items() if self._cells.get(name) != cell}
        self._cells = cells
        if changed:
            self._number += 1
            for seat in self.seats:
                seat.patch(self._number, now.timestamp(), changed)
