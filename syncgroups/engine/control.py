"""Settings into mailboxes: by the bus at once, by a look at the stamps each second. One owner at a time.

Everything that touches the database runs in one helper thread; the loop only swaps what it brings back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import close_old_connections, connections

from brokers.services.stamps import note_taken
from syncgroups.engine import plans
from syncgroups.engine.plans import Settings
from tradehaven.control import bus
from tradehaven.control.messages import SettingsChanged
from tradehaven.db import DATABASE_AWAY
from tradehaven.domain.ids import OwnerId

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
Found = TypeVar("Found")


class Database:
    """One thread in which the engine reads rows, so that the loop never waits for them."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-database")

    async def ask(self, question: Callable[[], Found]) -> Found:
        """Run a read in the database's thread."""

        def asked() -> Found:
            close_old_connections()
            return question()

        return await asyncio.get_running_loop().run_in_executor(self._thread, asked)

    def close(self) -> None:
        """End the thread and its connection once it is idle; nobody waits for a database that is away."""
        self._thread.submit(connections.close_all)
        self._thread.shutdown(wait=False)


class Control:
    """Keeps the settings of one's own owners as fresh as a second, or as a message on the bus."""

    def __init__(
        self,
        database: Database,
        changed: Callable[[Settings], Awaitable[None]],
        is_mine: Callable[[OwnerId], bool],
    ) -> None:
        self._database = database
        self._is_mine = is_mine
        self._changed = changed
        self._versions: dict[int, int] = {}
        self._untold: dict[int, int] = {}
        self._wake = asyncio.Event()

    async def refresh(self) -> None:
        """Bring in whatever has another version than the known one."""
        for owner, version in (await self._database.ask(self._stale)).items():
            settings = await self._database.ask(lambda owner=owner: plans.settings_of(OwnerId(owner)))  # type: ignore[misc]
            await self._changed(settings)
            self._versions[owner] = self._untold[owner] = version
        await self._tell()

    async def _tell(self) -> None:
        """Let pages know that settings are in force; what could not be written is tried again."""
        if self._untold:
            for owner in await self._database.ask(partial(note_taken, dict(self._untold))):
                self._untold.pop(owner, None)

    def _stale(self) -> dict[int, int]:
        return plans.changed_owners(self._versions, self._is_mine)

    async def run(self) -> None:
        """Look each second, or when the bus says so, until cancelled."""
        listening = asyncio.create_task(bus.listen(self._heard))
        try:
            while True:
                try:
                    await self.refresh()
                except DATABASE_AWAY as error:
                    log.warning("settings cannot be read; the engine goes on with what it knows: %s", error)
                try:
                    await asyncio.wait_for(self._wake.wait(), LOOK_EVERY)
                except TimeoutError:
                    continue
                self._wake.clear()
        finally:
            listening.cancel()

    def _heard(self, _message: SettingsChanged) -> None:
        self._wake.set()
