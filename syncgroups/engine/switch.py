"""The kill switch's way through one process: door, memory, disk, rows; none of them waits for the next.

A press shuts the gates in the owner's mailbox before anything is waited for. Then it goes to the disk, then
the answer goes out, and as soon as the database is there it becomes a row like any other turn of a gate.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

from django.db import InterfaceError, OperationalError

from syncgroups.engine.control import Database
from syncgroups.engine.door import Door
from syncgroups.engine.lapsed import Lapsed, Legacy
from syncgroups.engine.latches import Latches
from syncgroups.services.presses import settle
from tradehaven.control.messages import Heard, HeardState, Press
from tradehaven.domain.events import GateChanged, HaltPressed
from tradehaven.domain.ids import Nanos, OwnerId, PressId

log = logging.getLogger(__name__)

SETTLE_EVERY = 1.0


class Pressable(Protocol):
    """What the switch needs of an engine."""

    def press(self, owner: OwnerId, event: HaltPressed) -> Heard | None:
        """Shut gates of an owner now; None for one that this engine does not lead."""

    def settled(self, owner: OwnerId, gates: tuple[GateChanged, ...]) -> None:
        """Let an owner's gates stand from now on as their rows say."""


class Switch:
    """One process's door, and the presses that came by it."""

    def __init__(
        self,
        name: str,
        folder: Path,
        door: Door | None,
        engines: Callable[[], Iterable[Pressable]],
        now: Callable[[], Nanos],
    ) -> None:
        self._name = name
        self._engines = engines
        self._now = now
        self._latches = Latches(folder, now)
        self._database = Database("presses")
        self._wake = asyncio.Event()
        self._stuck: set[PressId] = set()
        self._lapsed = Lapsed()
        self._door = door
        if door is not None:
            door.on_press = self.press

    async def open(self) -> None:
        """Remember what was pressed before this start, and begin to listen; raise `DoorCannotOpen`."""
        self._latches.load()
        if self._door is not None:
            await self._door.open()

    async def close(self) -> None:
        """Stop listening."""
        if self._door is not None:
            await self._door.close()
        self._lapsed.close()
        self._database.close()

    def is_settled(self) -> bool:
        """Say whether the rows hold all that they can hold."""
        return all(press.press in self._stuck for press in self._latches.pending())

    def over(self, owner: OwnerId) -> list[HaltPressed]:
        """Return the presses that an owner's new mailbox has to know before it sends anything."""
        return self._latches.over(owner)

    async def press(self, press: Press) -> Heard:
        """Obey a press and answer for it: what the answer says has happened already."""
        self._latches.add(press)
        event = HaltPressed(press=press.press, gates=press.gates, flatten=press.flatten, at=self._now())
        heard = Heard(engine=self._name, state=HeardState.KEPT)
        for engine in self._engines():
            heard = engine.press(press.owner, event) or heard
        log.warning("owner %s: the kill switch was pressed at the door: %s", press.owner, heard.state)
        flattening = heard.flattening
        if press.flatten and heard.state is HeardState.KEPT:
            flattening = self._lapsed.flatten(press, lambda: self._latches.holds(press.press))
        stored = await asyncio.to_thread(self._latches.store, press)
        self._wake.set()
        return Heard(
            engine=self._name,
            state=heard.state,
            is_stored=stored,
            in_flight=heard.in_flight,
            flattening=flattening,
        )

    def inherit(self, legacies: Iterable[Legacy]) -> None:
        """Remember what an engine knew whose lease has run out: pressed, it can still be made flat."""
        self._lapsed.inherit(legacies)

    async def settle(self) -> None:
        """Bring what was pressed into the rows; raise while the database is away."""
        for press in self._latches.pending():
            try:
                gates = await self._database.ask(partial(settle, press))
            except (OperationalError, InterfaceError):
                raise
            except Exception:  # one that no row can hold must not keep the others out, and goes on holding
                log.exception("press %s cannot be brought into the rows", press.press)
                self._stuck.add(press.press)
                continue
            for engine in self._engines():
                engine.settled(press.owner, gates)
            self._latches.forget([press.press])

    async def run(self) -> None:
        """Settle what comes in, until cancelled."""
        while True:
            try:
                await self.settle()
            except (OperationalError, InterfaceError) as error:
                log.warning("presses wait for the database, and hold meanwhile: %s", error)
            try:
                await asyncio.wait_for(self._wake.wait(), SETTLE_EVERY)
            except TimeoutError:
                continue
            self._wake.clear()
