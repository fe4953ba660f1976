"""One open page's place in its owner's room: what it has not been sent yet, and the task that sends it.

Of each part and cell only the newest is kept, so a slow browser can neither hold up the others nor fill the
memory. Events are kept in their order, up to a bound; beyond it the page gets everything anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from analytics.live.cells import Cells
from tradehaven.live.messages import STATES, Envelope, Event, Frame, Snapshot, TickUpdate, encode

log = logging.getLogger(__name__)

Send = Callable[[str], Awaitable[None]]
Leave = Callable[[], Awaitable[None]]
MOST_EVENTS = 100
PATCHED = ("overview", "accounts")
"""The parts in which cells lie."""


class Seat:
    """One socket. `key` is the session that lets it in, `user` whose it is."""

    def __init__(self, user: int, key: str, send: Send, leave: Leave) -> None:
        self.user = user
        self.key = key
        self.leave = leave
        self._send = send
        self._parts: dict[str, str] = {}
        self._cells: Cells = {}
        self._events: list[Event] = []
        self._shown: dict[str, str] = {}
        self._whole = True
        self._number = self._sent = 0
        self._at = 0.0
        self._ready = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @property
    def wants_everything(self) -> bool:
        """Say whether the page waits for parts that nobody has rendered for it yet."""
        return self._whole and set(self._parts) < set(STATES)

    def show(self, number: int, at: float, parts: Mapping[str, str], events: Sequence[Event]) -> None:
        """Take newer parts and events; what the browser shows already is not sent twice."""
        self._number, self._at = number, at
        if self._whole:
            self._parts |= parts
        else:
            self._parts |= {name: text for name, text in parts.items() if self._shown.get(name) != text}
            self._events += events
        # A part is newer than any cell of it.
        self._cells.clear()
        if len(self._events) > MOST_EVENTS:
            self.forget()
        if self._parts or self._events:
            self._ready.set()

    def patch(self, number: int, at: float, cells: Cells) -> None:
        """Take cells that have changed; a page that still waits for everything has no use for them."""
        self._number, self._at = number, at
        if self._whole or not cells:
            return
        self._cells |= cells
        self._ready.set()

    def forget(self) -> None:
        """Send everything again, because the browser has lost something."""
        self._whole = True
        self._shown.clear()
        self._parts.clear()
        self._cells.clear()
        self._events.clear()

    def close(self) -> None:
        """Stop sending."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            frames = self._take()
            if not frames:
                continue
            envelope = Envelope(since=self._sent, number=self._number, at=self._at, frames=frames)
            self._sent = self._number
            try:
                await self._send(encode(envelope))
            except Exception:  # the top of this loop: the page is gone, or comes back and gets everything
                log.info("a page of user %s could not be reached", self.user, exc_info=True)
                return

    def _take(self) -> tuple[Frame, ...]:
        parts, self._parts = self._parts, {}
        cells, self._cells = self._cells, {}
        events, self._events = self._events, []
        self._shown |= parts
        if self._whole:
            if set(parts) < set(STATES):
                self._parts = parts  # the rest is on its way
                return ()
            self._whole = False
            return (Snapshot(parts=parts),)
        frames: list[Frame] = [STATES[name](html=text) for name, text in parts.items()]
        if cells:
            frames.append(TickUpdate(cells=cells))
            for name in PATCHED:  # the browser shows something else now than what was rendered
                self._shown.pop(name, None)
        return (*frames, *events)
