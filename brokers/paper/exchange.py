"""One running exchange: the venue, its markets, its connections and its store, joined.

Everything that changes passes `publish`: changes are stored first, then the reply leaves, then the
events, and all of it in the order in which it happened.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import ParamSpec, TypeVar

from brokers.paper import accounts, recovery, supervision
from brokers.paper.catalogue import Catalogue, load_specs
from brokers.paper.charts import Desk
from brokers.paper.codec import Json, instant
from brokers.paper.entities import Account, User
from brokers.paper.faults import Faults, Mischief
from brokers.paper.floor import Floor, Recording
from brokers.paper.hub import Delivery, Hub, turned_round
from brokers.paper.kinds import Kind
from brokers.paper.lag import Lags
from brokers.paper.logbook import Logbook
from brokers.paper.market import Quote
from brokers.paper.options import Hours, Options
from brokers.paper.quotas import Quotas
from brokers.paper.quotes import dom, quote
from brokers.paper.records import Frame, Journal
from brokers.paper.session import roll, trade_date
from brokers.paper.state import State
from brokers.paper.store import Batch, Login, Store
from brokers.paper.tokens import Caller, mint, read
from brokers.paper.venue import Venue

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

FIRST_ID = 600_000_000_001
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Changes with what is to be told about them once they are stored."""

    frames: tuple[Frame, ...]
    reply: Callable[[], None] | None
    deliveries: list[Delivery]
    late: list[tuple[float, Delivery]]


class Exchange:
    """Owns the venue; every method runs on the event loop's thread."""

    def __init__(
        self,
        options: Options,
        store: Store,
        *,
        clock: Callable[[], datetime],
        recording: Recording | None = None,
    ) -> None:
        self.options = options
        self.store = store
        self.clock = clock
        self.hub = Hub()
        self.faults = Faults()
        self.desk = Desk()
        self.logbook = Logbook(clock)
        self.floor = Floor(
            chance_of=self._chance,
            recording=recording,
            paused=options.paused,
            keeps_hours=options.hours is Hours.CME,
        )
        self.evicted: set[int] = set()
        self.failures = 0
        self.lags = Lags()
        self.quotas = Quotas(options.limits)
        self._sessions: dict[int, list[int]] = defaultdict(list)
        self._parcels: deque[Parcel] = deque()
        self._wake = asyncio.Event()
        self._stepped = asyncio.Event()
        self._busy = False
        self._supervising = False
        self._next_move = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="paper-store")

    async def start(self) -> None:
        """Resume what the store holds and start the exchange's own tasks."""
        saved = await self.blocking(self.store.load)
        now = self.clock()
        session = saved.session or trade_date(now)
        catalogue = Catalogue(load_specs(), now.date())
        self.state = State(
            catalogue=catalogue,
            rules=self.options.rules,
            first_id=max(FIRST_ID, saved.next_id),
            session=session,
        )
        recovery.restore(self.state, saved.rows, now)
        self.venue = Venue(self.state, self._chance("venue"))
        self.floor.resume_at(saved.marks)
        # Orders that came back must meet a market, or their stops would sleep until somebody looks.
        for contract_id in list(self.state.books):
            self.open_market(contract_id)
        self._next_move = asyncio.get_running_loop().time()
        self._tasks = [
            asyncio.create_task(self._forever(step))
            for step in (self._store_waiting, self._step_when_due, self._move_markets)
        ]

    async def stop(self) -> None:
        """Stop the tasks and store what is left, with the prices from which a restart goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        parcels = list(self._parcels)
        self._parcels.clear()
        await self._save(parcels)
        self._writer.shutdown()

    async def blocking(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the store without holding up the loop."""
        if self.store.instant:
            return call(*args, **kwargs)
        return await asyncio.to_thread(call, *args, **kwargs)

    def publish(self, frames: tuple[Frame, ...], reply: Callable[[], None] | None = None) -> None:
        """Store changes, then reply, then tell everybody who listens at this moment."""
        for frame in frames:
            self.logbook.events(frame)
        self.lags.note(frames, self.clock())
        deliveries, late = self._disturbed(self.hub.address(frames, self.owner_of))
        parcel = Parcel(frames=frames, reply=reply, deliveries=deliveries, late=late)
        # The short way is only for parcels that could overtake nothing.
        if not self._busy and not self._parcels and (self.store.instant or not frames):
            if frames:
                self.store.save(self._batch([parcel]))
            self._deliver(parcel)
        else:
            self._parcels.append(parcel)
            self._wake.set()
        if any(event.kind is Kind.CASH_BALANCE for frame in frames for event in frame):
            self._supervise()
        # A command may have planned a step that is due before the one now waited for.
        if frames:
            self._stepped.set()

    def evict(self, session_id: int) -> None:
        """Revoke a session's tokens and end its sockets (protocol 2.4)."""
        self.evicted.add(session_id)
        for connection in list(self.hub.connections):
            if connection.caller and connection.caller.session_id == session_id:
                connection.say_goodbye("ConnectionQuotaReached")

    def owner_of(self, account_id: int) -> int | None:
        """Return the user that an account belongs to."""
        account = self.state.records.get(Account, account_id)
        return account.user_id if account else None

    def admit(self, login: Login) -> None:
        """Make sure that a login's accounts exist on the venue."""
        journal = Journal(records=self.state.records, now=self.clock(), session=self.state.session)
        accounts.admit(self.state, journal, login)
        self.publish_some(journal.finish())

    def govern(self, account: Account, rule_set: str) -> None:
        """Put an account under a rule set; raises ValueError when there is none of that name."""
        journal = Journal(records=self.state.records, now=self.clock(), session=self.state.session)
        supervision.assign(self.state, journal, account, rule_set)
        self.publish_some(journal.finish())

    def caller(self, token: str) -> Caller | None:
        """Return whom a token speaks for, or None when it is not good any more."""
        found = read(token, self.options.secret, self.clock())
        if found is None or found.session_id in self.evicted:
            return None
        # A token may outlive the database that knew its user.
        return found if self.state.records.get(User, found.user_id) else None

    def tokens(self, user_id: int, session_id: int | None = None) -> tuple[str, str, Caller]:
        """Return a fresh trading token, market-data token and the caller they speak for."""
        # Whole seconds, because the token can say no more and the reply must not contradict it.
        expires = self.clock().replace(microsecond=0) + timedelta(seconds=self.options.token_seconds)
        caller = Caller(
            user_id=user_id, session_id=session_id or self._open_session(user_id), expires=expires
        )
        secret = self.options.secret
        return mint(caller, secret), mint(caller, secret, use="md"), caller

    def open_market(self, contract_id: int) -> None:
        """Make sure that a contract has an outside market."""
        if not self.floor.known(contract_id):
            depth = self.floor.quote(self.state.listing(contract_id)).depth
            self.publish_some(self.venue.market_moved(contract_id, depth, self.clock()))

    def halt(self, contract_id: int, *, halted: bool) -> None:
        """Stop trading in a contract, or let everything trade that has come due meanwhile."""
        self.state.books[contract_id].halted = halted
        if not halted:
            frames = self.venue.step(self.clock(), lambda life: life.market_moved(contract_id))
            self.publish_some(frames)

    def set_price(self, contract_id: int, ticks: int, *, spread: int, size: int) -> None:
        """Move a contract's market at once, with everything that triggers or fills by it."""
        now = self.clock()
        moved = self.floor.move(self.state.listing(contract_id), ticks, spread=spread, size=size)
        self.publish_some(self.venue.market_moved(contract_id, moved.depth, now))
        self._supervise()
        self._broadcast({contract_id: moved}, now)

    def quote_of(self, contract_id: int) -> Json:
        """Return a contract's quote in wire form."""
        listing = self.state.listing(contract_id)
        return quote(listing, self.floor.quote(listing), instant(self.clock()))

    def dom_of(self, contract_id: int) -> Json:
        """Return a contract's order book in wire form."""
        listing = self.state.listing(contract_id)
        return dom(listing, self.floor.quote(listing), instant(self.clock()))

    def _open_session(self, user_id: int) -> int:
        sessions = self._sessions[user_id]
        sessions.append(self.state.ids.take())
        if 0 < self.options.sessions_per_user < len(sessions):
            self.evict(sessions.pop(0))
        return sessions[-1]

    def _disturbed(self, deliveries: list[Delivery]) -> tuple[list[Delivery], list[tuple[float, Delivery]]]:
        now: list[Delivery] = []
        late: list[tuple[float, Delivery]] = []
        for connection, text in deliveries:
            user_id = connection.caller.user_id if connection.caller else 0
            disturbance = self.faults.mischief(user_id)
            match disturbance.mischief if disturbance else None:
                case None:
                    now.append((connection, text))
                case Mischief.DUPLICATE:
                    now += [(connection, text)] * 2
                case Mischief.REORDER:
                    now.append((connection, turned_round(text)))
                case Mischief.LATE:
                    late.append((disturbance.seconds if disturbance else 0.0, (connection, text)))
        return now, late

    def _chance(self, name: str) -> Random:
        # Seeded by text: the streams are independent and the same on every run (no cryptography here).
        return Random(f"{self.options.seed}:{name}")  # noqa: S311

    def _batch(self, parcels: list[Parcel]) -> Batch:
        events = [event for parcel in parcels for frame in parcel.frames for event in frame]
        return Batch(
            events=events, next_id=self.state.ids.next, session=self.state.session, marks=self.floor.marks()
        )

    async def _save(self, parcels: list[Parcel]) -> None:
        # One thread writes, so that changes reach the store in the order in which they happened.
        save, batch = self.store.save, self._batch(parcels)
        if self.store.instant:
            save(batch)
        else:
            await asyncio.get_running_loop().run_in_executor(self._writer, save, batch)

    def _deliver(self, parcel: Parcel) -> None:
        if parcel.reply is not None:
            parcel.reply()
        for connection, text in parcel.deliveries:
            connection.send(text)
        for seconds, (connection, text) in parcel.late:
            asyncio.get_running_loop().call_later(seconds, connection.send, text)

    def _supervise(self) -> None:
        # Closing positions changes cash too; what follows from that is looked at with the next mark.
        if not self._supervising:
            self._supervising = True
            try:
                self.publish_some(supervision.watch(self.venue, self.clock()))
            finally:
                self._supervising = False

    def _broadcast(self, moved: dict[int, Quote], now: datetime) -> None:
        for number, market in moved.items():
            self.desk.record(self.state.listing(number), market, now, self.hub.connections)
        chosen = sorted(moved.keys() & self.hub.watched())
        quotes = [self.quote_of(number) for number in chosen]
        doms = [self.dom_of(number) for number in chosen]
        for connection, text in self.hub.market(quotes, doms):
            connection.send(text)

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Exception:
                self.failures += 1
                logger.exception("A step of the exchange failed; going on")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _store_waiting(self) -> None:
        await self._wake.wait()
        self._wake.clear()
        while self._parcels:
            await self._store_some(list(self._parcels))

    async def _store_some(self, parcels: list[Parcel]) -> None:
        self._busy = True
        try:
            if any(parcel.frames for parcel in parcels):
                await self._save(parcels)
        except Exception:
            # Nothing leaves before it is stored, so a store that is down holds the exchange up.
            logger.exception("The store refused %d changes; trying again", len(parcels))
            await asyncio.sleep(_RETRY_SECONDS)
            return
        finally:
            self._busy = False
        for _ in parcels:
            self._deliver(self._parcels.popleft())

    async def _step_when_due(self) -> None:
        due = self.venue.due()
        wait = None if due is None else max(0.0, (due - self.clock()).total_seconds())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stepped.wait(), wait)
        self._stepped.clear()
        self.publish_some(self.venue.advance(self.clock()))

    async def _move_markets(self) -> None:
        seconds, clock = self.options.tick_seconds, asyncio.get_running_loop().time
        # On a fixed grid, so that the work of a step does not slow the market; what cannot be kept is let go.
        self._next_move = max(self._next_move + seconds, clock() - _RETRY_SECONDS)
        await asyncio.sleep(max(0.0, self._next_move - clock()))
        now = self.clock()
        if trade_date(now) != self.state.session:
            new, resends = trade_date(now), self.options.resends
            self.publish_some(roll(self.venue, new, now, resends=resends))
            self.floor.settle()
        moved = self.floor.advance(seconds, now)
        for contract_id, market in moved.items():
            self.publish_some(self.venue.market_moved(contract_id, market.depth, now))
        self._supervise()
        self._broadcast(moved, now)

    def publish_some(self, frames: tuple[Frame, ...]) -> None:
        """Publish frames without a reply, if there are any."""
        if frames:
            self.publish(frames)
