"""One shard's engine from start to drain. There is one way up, and it asks the brokers what is true first.

Journal into rows, books from rows, then the links: each login's snapshot brings its accounts in. On the way
out no event is taken any more and what was decided is written down. Leases are the fleet's matter.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable
from datetime import timedelta
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

from django.utils import timezone

from brokers.clock import process_clock
from brokers.core.governor import Governor
from brokers.lease import ShardLease
from brokers.link import Link
from brokers.ports import Login
from brokers.selectors import due_for_refresh
from brokers.services import tokens
from brokers.services.budgets import record_usage
from brokers.services.health import record_health
from syncgroups.core.watch import in_flight
from syncgroups.engine import books
from syncgroups.engine.alarm import Alarm
from syncgroups.engine.budgets import Budgets
from syncgroups.engine.control import Control, Database
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.lapsed import Legacy
from syncgroups.engine.looks import Looks
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.plans import LoginRow, Settings
from syncgroups.engine.prices import Prices
from syncgroups.engine.recorder import Recorder
from syncgroups.engine.recording import start_recorder
from syncgroups.services import logins
from tradehaven.control.messages import Heard, HeardState, InFlight
from tradehaven.db import DATABASE_AWAY
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged, HaltPressed, TimePassed
from tradehaven.domain.ids import ConnectionId, Nanos, OwnerId

log = logging.getLogger(__name__)

TICK = 1.0
TOKENS_EVERY = 20.0
OVERDUE = timedelta(minutes=10)
"""How far past its time to be renewed a token is before the engine does it: five minutes are left then."""
RECORDER_EVERY = 1.0
FIGURES_EVERY = 5.0
DRAIN_LIMIT = 8.0
"""Seconds for the recorder to write what is left; the whole leave stays under ten (OPS-04)."""


def _overdue() -> list[int]:
    """Return the logins whose token is nearer its end than the timetable ever lets it come."""
    return list(due_for_refresh(timezone.now() - OVERDUE).values_list("pk", flat=True))


def _settle_memory() -> None:
    """Look at what lives for the whole run once, and from then on collect only between events.

    With an order book and the default collector single pauses of 56 ms were measured.
    """
    gc.unfreeze()  # what an engine before this one has left
    gc.collect()
    gc.freeze()
    gc.disable()


class Engine:
    """The mailboxes and links of one shard's owners, under one lease."""

    def __init__(
        self,
        lease: ShardLease,
        folder: Path,
        chance: Random,
        is_mine: Callable[[OwnerId], bool],
        over: Callable[[OwnerId], Iterable[HaltPressed]] = lambda _: (),
    ) -> None:
        """Prepare to lead; `over` gives the presses that an owner's rows may not hold yet."""
        self.lease = lease
        self.has_failed = False
        self._shard = lease.shard
        self._folder = folder / "journal" / lease.shard
        self._chance = chance
        self._over = over
        self._clock = process_clock()
        self._database = Database(lease.shard)
        # A broker may take long to renew a token; gates and settings must not wait for it.
        self._tokens = Database(f"{lease.shard}-tokens")
        self._control = Control(self._database, self.take_settings, is_mine)
        self._mailboxes: dict[OwnerId, Mailbox] = {}
        self._alarms: dict[OwnerId, Alarm] = {}
        self._links: dict[ConnectionId, Link] = {}
        self._logins: dict[ConnectionId, LoginRow] = {}
        self._given: dict[ConnectionId, Login] = {}
        self._budgets = Budgets()
        self._prices = Prices(self._tokens, self._start, self._clock, chance)
        self._looks = Looks()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._journal: Journal | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Live until `stop`, until the lease has lapsed, or until a part fails."""
        recorder: BaseProcess | None = None
        try:
            recorded = await self._database.ask(self._catch_up)
            log.info("shard %s, epoch %s: %s records caught up", self._shard, self.lease.epoch, recorded)
            recorder = start_recorder(self._shard, self._folder, self.lease.epoch)
            self._journal = Journal(self._folder, epoch=self.lease.epoch)
            await self._control.refresh()
            for work in (
                self._control.run(),
                self._tick(),
                self._watch_recorder(recorder),
                self._keep_tokens(),
                self._tell_figures(),
            ):
                self._start(work)
            _settle_memory()
            await self._stopping.wait()
        finally:
            await self._drain(recorder)

    def _catch_up(self) -> int:
        recorder = Recorder(self._shard, self._folder, self.lease.epoch)
        recorder.claim()
        return recorder.drain()

    @property
    def is_leaving(self) -> bool:
        """Say whether the end has begun."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Begin to leave."""
        self._stopping.set()

    def cut(self) -> None:
        """Leave at once, because the lease has lapsed: no link may write another frame."""
        for link in self._links.values():
            link.close()
        self._stopping.set()

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a part of the engine failed; it stops", exc_info=task.exception())
            self._fail()

    def _fail(self) -> None:
        self.has_failed = self.lease.is_fresh()  # without it another one goes on, and this one may end so
        self._stopping.set()

    # -- the switch ---------------------------------------------------------------------------------

    def press(self, owner: OwnerId, event: HaltPressed) -> Heard | None:
        """Shut gates of an owner now; None for one that this engine does not lead."""
        mailbox = self._mailboxes.get(owner)
        if mailbox is None or self.is_leaving:
            return None
        flying = in_flight(mailbox.plan, mailbox.book, event.gates)
        mailbox.post(event)
        states = mailbox.book.states_of(event.gates)
        if any(state is not TradingState.HALTED for state in states):
            return None
        over = mailbox.plan.accounts.values()
        return Heard(
            engine=self._shard,
            state=HeardState.OBEYED,
            in_flight=tuple(InFlight(account=account, client_order_id=name) for account, name in flying),
            flattening=tuple(
                known.account
                for known in over
                if known.account in mailbox.book.flattening and not set(event.gates).isdisjoint(known.gates)
            ),
        )

    @property
    def mailboxes(self) -> Collection[Mailbox]:
        """Return the mailboxes of the owners that are led."""
        return self._mailboxes.values()

    def legacies(self) -> list[Legacy]:
        """Return what was known of each owner and login, for when this engine may not send any more."""
        return [
            Legacy(
                plan=mailbox.plan,
                logins=tuple(
                    self._given[row.connection]
                    for row in self._logins.values()
                    if row.owner == owner and row.connection in self._given
                ),
            )
            for owner, mailbox in self._mailboxes.items()
        ]

    def settled(self, owner: OwnerId, gates: tuple[GateChanged, ...]) -> None:
        """Let an owner's gates stand from now on as their rows say."""
        if (mailbox := self._mailboxes.get(owner)) is not None:
            for gate in gates:
                mailbox.post(gate)

    # -- settings -----------------------------------------------------------------------------------

    async def take_settings(self, settings: Settings) -> None:
        """Bring one owner's plan, gates and logins in line with the database."""
        owner = settings.plan.owner
        mailbox = self._mailboxes.get(owner)
        is_new = mailbox is None
        if mailbox is None:
            if self._journal is None:
                raise RuntimeError("settings came before the journal was open")
            book = await self._database.ask(lambda: books.book_of(owner))
            dispatch = Dispatch(self._links, self._clock.nanos, self.lease.is_fresh)
            mailbox = Mailbox(settings.plan, book, self._journal, dispatch, self._clock.nanos)
            self._mailboxes[owner] = mailbox
        mailbox.replan(settings.plan)
        for gate in settings.gates:
            mailbox.post(gate)
        if is_new:
            for pressed in self._over(owner):
                mailbox.post(pressed)
        for lock in settings.locks:
            mailbox.post(lock)
        for asked in settings.asked:
            mailbox.post(asked)
        self._link_up(mailbox, settings.logins)

    def _link_up(self, mailbox: Mailbox, logins: tuple[LoginRow, ...]) -> None:
        wanted = {login.connection: login for login in logins}
        for connection, login in wanted.items():
            governor = self._budgets.governor(connection, login.budget, self._clock.nanos())
            known = self._logins.get(connection)
            if known is not None and known.accounts != login.accounts:
                self._links.pop(connection).close()  # a login that brings other accounts starts anew
            self._logins[connection] = login
            if connection not in self._links:
                self._links[connection] = self._link(mailbox, login, governor)
                self._start(self._links[connection].run())
        mine = {account.connection for account in mailbox.plan.accounts.values()}
        for connection in mine - set(wanted):
            self._logins.pop(connection, None)
            gone = self._links.pop(connection, None)
            if gone is not None:
                gone.close()

    def _link(self, mailbox: Mailbox, login: LoginRow, governor: Governor) -> Link:
        alarm = self._alarms.setdefault(mailbox.plan.owner, Alarm(mailbox.post, self._clock))
        credentials = self._credentials(login.connection)
        return Link(
            login.name,
            credentials,
            mailbox.post,
            self._clock,
            self._chance,
            governor,
            alarm.ring_at,
            self.lease.is_fresh,
        )

    def _credentials(self, connection: ConnectionId) -> Any:
        given = 0  # the version of the token that this link had last

        async def credentials(refused: bool) -> Login | None:
            nonlocal given
            try:
                if refused:
                    renew = partial(logins.refresh_login, connection, refused=given)
                    if await self._tokens.ask(renew) is tokens.Refreshed.UNDER_WAY:
                        return None  # another process is asking: the token that was refused is no use
                login = await self._tokens.ask(partial(tokens.login_for_engine, connection))
            except DATABASE_AWAY as error:
                log.warning("login %s: its token cannot be read: %s", connection, error)
                return None  # asked for again with the next try to connect
            if login is not None:
                given = login.version
                self._given[connection] = login
            return login

        return credentials

    # -- time ---------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for mailbox in self._mailboxes.values():
                mailbox.post(TimePassed(at=self._clock.nanos()))
            self._prices.look(self._mailboxes.values())
            owners = ((mailbox.plan, mailbox.book) for mailbox in self._mailboxes.values())
            for connection in self._looks.due(owners, self._clock.monotonic()):
                if connection in self._links:
                    self._links[connection].look_again()

    async def _keep_tokens(self) -> None:
        """Renew tokens that Celery should have renewed long ago: trading hangs on them."""
        while True:
            await asyncio.sleep(TOKENS_EVERY)
            try:
                await self._renew_overdue()
            except DATABASE_AWAY as error:
                log.warning("overdue tokens cannot be looked for: %s", error)

    async def _renew_overdue(self) -> None:
        for connection in await self._tokens.ask(_overdue):
            if ConnectionId(connection) in self._links:
                log.warning("login %s: its token is overdue; the engine renews it", connection)
                await self._tokens.ask(lambda pk=connection: logins.refresh_login(pk))  # type: ignore[misc]

    async def _tell_figures(self) -> None:
        """Write each login's used calls and its link's latency down, a few seconds behind."""
        heard: dict[ConnectionId, Nanos] = {}
        while True:
            await asyncio.sleep(FIGURES_EVERY)
            usages = self._budgets.fresh(self._clock.nanos())
            lively = {
                connection: link.vitals.figures()
                for connection, link in self._links.items()
                if link.vitals.heard_at > heard.get(connection, 0)
            }
            try:
                await self._database.ask(partial(record_usage, usages, timezone.now()))
                await self._database.ask(partial(record_health, lively))
            except DATABASE_AWAY as error:
                log.warning("the logins' figures could not be written down; the next ones follow: %s", error)
                continue
            heard.update({connection: figures.heard_at for connection, figures in lively.items()})

    async def _watch_recorder(self, recorder: BaseProcess) -> None:
        while True:
            await asyncio.sleep(RECORDER_EVERY)
            if not recorder.is_alive():
                log.error("the recorder of shard %s ended by itself; the engine stops", self._shard)
                self._fail()

    # -- the way out --------------------------------------------------------------------------------

    async def _drain(self, recorder: BaseProcess | None) -> None:
        """Take no more events, and write down what was decided."""
        for link in self._links.values():
            link.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._journal is not None:
            self._journal.close()
        if recorder is not None:
            await self._end(recorder)
        self._database.close()
        self._tokens.close()
        log.info("shard %s, epoch %s: left", self._shard, self.lease.epoch)

    async def _end(self, recorder: BaseProcess) -> None:
        # Without a lease the rows are another one's: what is left in the journal is found at the next start.
        if self.lease.is_fresh():
            recorder.terminate()
            await asyncio.to_thread(recorder.join, DRAIN_LIMIT)
        recorder.kill()
        await asyncio.to_thread(recorder.join, 1.0)
