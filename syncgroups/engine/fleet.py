"""One process's part in leading all shards: it takes some, keeps its leases fresh, and gives back (COPY-15).

Each shard it leads is an `Engine` of its own in the one loop. Any number of processes even the shards out
among themselves (`brokers/core/shards.py`); one that is killed, frozen or cut off is replaced.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from django.utils import timezone

from brokers.clock import process_clock
from brokers.core.shards import FleetView, shard_of, to_give, to_take
from brokers.lease import STEP, Leases, ShardLease
from syncgroups.engine.awake import Awake
from syncgroups.engine.control import Database
from syncgroups.engine.door import Door
from syncgroups.engine.keyring import Keyring
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.process import Engine
from syncgroups.engine.switch import Switch
from tradehaven.db import DATABASE_AWAY
from tradehaven.domain.events import HaltPressed
from tradehaven.domain.ids import OwnerId

log = logging.getLogger(__name__)

WATCH_EVERY = 0.05
"""Seconds between looks at the leases' deadlines: a lapsed one ends its links."""
TIDY_EVERY = 1.0
GIVE_AFTER = 2
"""Terms for which loads must have been uneven before a shard is given back: a start is not an imbalance."""
LEAVE_LIMIT = 2.0
"""Seconds for the last words to a database that may be away."""
Lead = Callable[
    [ShardLease, Path, Random, Callable[[OwnerId], bool], Callable[[OwnerId], list[HaltPressed]]], Engine
]


class Fleet:
    """The engines of one process, from the first lease to the last."""

    def __init__(
        self,
        leases: Leases,
        folder: Path,
        chance: Random,
        lead: Lead = Engine,
        door: Door | None = None,
    ) -> None:
        self.has_failed = False
        self._leases = leases
        self._folder = folder
        self._chance = chance
        self._new_engine = lead
        self._database = Database("leases")
        self._engines: dict[str, Engine] = {}
        self._leading: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._switch = Switch(
            leases.holder, folder / "presses", door, self._engines.values, process_clock().nanos
        )
        self._keys = Keyring(timezone.now)
        if door is not None:
            door.on_key = self._keys.find
        self._uneven_since: float | None = None
        self._said = ""

    async def run(self, *, awake: bool = False) -> None:
        """Take part until a signal, or until a part fails; `awake` keeps the core from sleeping."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stopping.set)
        await self._switch.open()
        works = [self._watch(), self._tidy(), self._switch.run(), self._keys.run()]
        if awake:
            works.append(Awake(process_clock(), self._mailboxes).run())
        beside = [asyncio.create_task(work) for work in works]
        try:
            while not self._stopping.is_set():
                try:
                    await self._round()
                except DATABASE_AWAY as error:
                    log.warning("the database does not answer; leases last to their deadlines: %s", error)
                await self._pause()
        finally:
            await self._leave()
            for task in beside:
                task.cancel()
            await self._switch.close()
            self._keys.close()
            self._database.close()

    def _mailboxes(self) -> list[Mailbox]:
        return [mailbox for engine in self._engines.values() for mailbox in engine.mailboxes]

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), self._leases.seconds * STEP)
        except TimeoutError:
            return

    async def _round(self) -> None:
        """Renew what is held, look at the others, take or give."""
        await self._renew()
        view = await self._database.ask(self._leases.look)
        self._tell(view)
        # Before anybody else is led the rows hold what was pressed while they were away.
        while self._switch.is_settled():
            shard = to_take(view)
            if shard is None or shard in self._engines:
                break
            lease = await self._database.ask(partial(self._leases.take, shard))
            if lease is None:
                break
            self._lead(lease)
            view = FleetView(me=view.me, live=view.live, holders={**view.holders, shard: view.me})
            await self._renew()
        self._even_out(view)

    async def _renew(self) -> None:
        for engine in list(self._engines.values()):
            is_ours = await self._database.ask(partial(self._leases.renew, engine.lease))
            if not is_ours and not engine.is_leaving:
                log.error("shard %s, epoch %s: the lease is lost", engine.lease.shard, engine.lease.epoch)

    def _tell(self, view: FleetView) -> None:
        strangers = self._leases.strangers()
        waits = (
            f"waiting: {', '.join(strangers)} divides the owners in another way; stop it or use its SHARDS"
        )
        idle = "every shard is led by another process; this one stands by"
        said = waits if strangers else "" if self._engines or view.free() else idle
        if said and said != self._said:
            log.warning(said)
        self._said = said

    def _even_out(self, view: FleetView) -> None:
        shard, now = to_give(view), self._leases.now()
        if shard is None or shard not in self._engines:
            self._uneven_since = None
        elif self._uneven_since is None:
            self._uneven_since = now
        elif now - self._uneven_since >= GIVE_AFTER * self._leases.seconds:
            log.info("shard %s is given back: others lead less", shard)
            self._engines[shard].stop()
            self._uneven_since = None

    # -- leading ------------------------------------------------------------------------------------

    def _lead(self, lease: ShardLease) -> None:
        is_in = self._is_in(lease.shard)
        engine = self._new_engine(lease, self._folder, self._chance, is_in, self._switch.over)
        self._engines[lease.shard] = engine
        task = asyncio.create_task(self._live(engine))
        self._leading.add(task)
        task.add_done_callback(self._leading.discard)

    def _is_in(self, shard: str) -> Callable[[OwnerId], bool]:
        return lambda owner: shard_of(owner, self._leases.shards) == shard

    async def _live(self, engine: Engine) -> None:
        held = engine.lease
        try:
            await engine.run()
        except Exception:  # the top of the engine: the leases are to be given up, whatever it was
            log.exception("shard %s could not be led", held.shard)
            engine.has_failed = held.is_fresh()  # without a lease it may: another one has gone on
        if engine.has_failed:
            self.has_failed = True
            self._stopping.set()
        try:
            await asyncio.wait_for(self._database.ask(partial(self._leases.release, held)), LEAVE_LIMIT)
        except (*DATABASE_AWAY, TimeoutError):
            log.warning("shard %s: its lease could not be given up; it runs out", held.shard, exc_info=True)
        held.lapse()
        del self._engines[held.shard]

    async def _watch(self) -> None:
        """End the engines whose leases have lapsed. Needs no database: it may be what is missing."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for engine in self._engines.values():
                if not engine.lease.is_fresh() and not engine.is_leaving:
                    log.error("shard %s: its lease has run out; nothing is sent any more", engine.lease.shard)
                    engine.cut()
                    self._switch.inherit(engine.legacies())

    async def _tidy(self) -> None:
        """Collect garbage between events instead of in the middle of one; engines turn the collector off."""
        while True:
            await asyncio.sleep(TIDY_EVERY)
            if self._engines:
                gc.collect(1)

    async def _leave(self) -> None:
        """Stop every engine, with fresh leases to the end: each gives its own up when it has gone."""
        for engine in self._engines.values():
            engine.stop()
        while leading := set(self._leading):
            await asyncio.wait(leading, timeout=self._leases.seconds * STEP)
            try:
                await asyncio.wait_for(self._renew(), LEAVE_LIMIT)
            except (*DATABASE_AWAY, TimeoutError):
                log.warning("leases cannot be renewed on the way out", exc_info=True)
        try:
            await asyncio.wait_for(self._database.ask(self._leases.leave), LEAVE_LIMIT)
        except (*DATABASE_AWAY, TimeoutError):
            log.warning("this process could not be taken out of the count", exc_info=True)
