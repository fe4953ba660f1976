"""One login's line between the engine and the broker, as bad as its weather: the drill's `Gateway`.

Requests and news travel with delays; answers get lost; a session falls, or dies without a word. A line
lives as long as its engine; what it promises the engine is what `brokers.ports.Gateway` promises.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from random import Random

from brokers.core.backoff import delays
from brokers.core.governor import Governor
from brokers.tradovate.penalties import Penalties
from tests.drill import counter
from tests.drill.agenda import SECOND, Agenda
from tests.drill.history import Arrived, History, Image, Sent, Told, Trouble
from tests.drill.joining import Joiner
from tests.drill.odd import strange
from tests.drill.venue import News, Venue
from tests.drill.weather import Weather, lost_news, lost_request, repeated
from tradehaven.domain.commands import ChangeOrder, Command, Confirmed, Denied, Lane, Rejected
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.errors import RateLimited
from tradehaven.domain.events import (
    BalanceReported,
    Event,
    LinkLost,
    OrderFilled,
    OrdersListed,
    SilenceAsked,
    SnapshotTaken,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, Nanos, OrderId

ANSWER_LIMIT = 5.0
SILENCE_LIMIT = 10.0
ON_ITS_WAY = 2 * SECOND
LISTS = 5
LIMITED = "429"
TICKET = "ticket"
WINDOW = 8
"""How many messages may overtake one another when the broker mixes them up (fault F10)."""


Message = Callable[[], Iterator[Event]]


class Line:
    """Implements what the engine uses of `Gateway` for one login in one life of the engine."""

    def __init__(
        self,
        connection: ConnectionId,
        accounts: tuple[AccountId, ...],
        epoch: int,
        weather: Weather,
        venue: Venue,
        agenda: Agenda,
        history: History,
        chance: Random,
        sink: Callable[[Event], None],
        governor: Governor | None = None,
    ) -> None:
        self.connection = connection
        self.accounts = accounts
        self._epoch = epoch
        self._weather = weather
        self._venue = venue
        self._agenda = agenda
        self._history = history
        self._chance = chance
        self._waits = delays(chance)
        self._sink = sink
        self._session = 0
        self._open = False
        self._ready = False
        self._gone = False
        self._dark = self._deaf = False
        self._joiner = Joiner()
        self._inbound: list[Message] = []
        self._first: Message | None = None
        self._free_at = self._sent_at = 0
        self._asked: dict[ClientOrderId, tuple[Command, int]] = {}
        self._partial_until = Nanos(0)
        self._governor = governor
        self._penalties = Penalties()
        self._repeated: set[ClientOrderId] = set()
        self._doubted: set[ClientOrderId] = set()
        self._known_since = Nanos(0)
        self.on_send: Callable[[str, Command], None] = lambda _point, _command: None
        self.wake: Callable[[Nanos], None] = lambda _until: None

    # -- life ---------------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Say whether the snapshot is in and commands may be sent."""
        return self._ready

    def connect(self) -> None:
        """Begin a session; its first news is a snapshot."""
        self._session += 1
        session = self._session

        def authorised() -> None:
            if self._gone or session != self._session:
                return
            self._open, self._joiner = True, Joiner()
            self._penalties, self._doubted = Penalties(), set()
            self._dark = self._deaf = False
            self._inbound.clear()
            self._free_at = self._sent_at = 0
            self._first = self._snapshot()
            self._carry(self._first)

        self._agenda.after(0.1 + self._chance.random() * 0.4, authorised)

    def fall(self, reason: str) -> None:
        """Lose the session, as both ends learn at once."""
        if self._gone or not self._open:
            return
        was_ready, self._ready, self._open = self._ready, False, False
        self._session += 1
        asked, self._asked = self._asked, {}
        at = self._agenda.nanos()
        if was_ready:
            self._tell(LinkLost(connection=self.connection, reason=reason, at=at))
        for command, _ in asked.values():
            self._tell(counter.unresolved(command, reason, at))
        for item in self._penalties.take_all():
            self._tell(counter.denied(item.command, "the link was lost", self._agenda.nanos()))
        self._agenda.after(next(self._waits), self.connect)

    def go_dark(self) -> None:
        """Die without a word: nothing passes, and the engine finds out by the silence."""
        self._dark = True
        session = self._session

        def silence() -> None:
            if session == self._session:
                self.fall("the broker has been silent for too long")

        self._agenda.after(SILENCE_LIMIT, silence)

    def go_deaf(self) -> None:
        """Hear nothing any more in this session: what was sent behind a hole in a stream never comes up."""
        self._deaf = True

    def close(self) -> None:
        """End with the engine: what is on its way to the broker still arrives, nothing comes back."""
        self._gone = True
        self._ready = self._open = False

    # -- out ----------------------------------------------------------------------------------------

    def send(self, command: Command) -> Denied | None:
        """Write a command; its outcome arrives in the sink."""
        if not self._ready:
            return counter.denied(
                command, "no link", self._agenda.nanos(), reason=RefusalReason.FOLLOWER_OFFLINE
            )
        if (waits := self._no_room(command)) is not None:
            return waits
        self.on_send("P3", command)
        self._history.add(Sent(self._agenda.nanos(), self._epoch, command))
        self._write(command)
        self.on_send("P4", command)
        return None

    def _no_room(self, command: Command) -> Denied | None:
        if self._governor is None:
            return None
        order = command.order_id if isinstance(command, ChangeOrder) else None
        wait = self._governor.admit(command.lane, self._agenda.nanos(), order)
        if wait is None:
            return None
        self.wake(wait.until)
        return counter.denied(command, wait.text, self._agenda.nanos(), retry_at=wait.until)

    def _write(self, command: Command) -> None:
        session, asked = self._session, (command, self._agenda.now)
        self._asked[command.client_order_id] = asked
        self._agenda.after(ANSWER_LIMIT, lambda: self._overdue(session, asked))
        if self._dark or self._chance.random() < self._weather.loses_requests:
            self._history.add(Trouble(self._agenda.now, lost_request(command.client_order_id)))
        else:
            # One stream: requests arrive in the order in which they were written, unless the broker dawdles.
            self._sent_at = max(self._sent_at, self._agenda.now + int(self._delay() * SECOND))
            delay = (self._sent_at - self._agenda.now) / SECOND + self._chance.random() * self._weather.slow
            self._agenda.after(delay, lambda: self._arrive(session, command))

    def look_again(self) -> None:
        """Ask for the lists of orders."""
        now = self._agenda.nanos()
        if not self._ready:
            return
        if self._governor is not None and any(self._governor.admit(Lane.QUERY, now) for _ in range(LISTS)):
            return
        session = self._session

        def answer() -> None:
            if session == self._session:
                self._carry(self._lists())

        self._agenda.after(self._delay(), answer)

    def _overdue(self, session: int, asked: tuple[Command, int]) -> None:
        command, _ = asked
        # What is repeated with its ticket has as long for an answer as it had the first time.
        if session == self._session and self._asked.get(command.client_order_id) == asked:
            del self._asked[command.client_order_id]
            if not self._gone:
                self._doubted.add(command.client_order_id)
                self._tell(counter.unresolved(command, "no answer in time", self._agenda.nanos()))

    def _arrive(self, session: int, command: Command) -> None:
        place = len(self._inbound)
        refused, order_id = self._executed(command)
        self._history.add(Arrived(self._agenda.nanos(), command, refused))
        if session != self._session or self._gone or not self._open:
            return
        if self._chance.random() < self._weather.loses_answers:
            self._history.add(Trouble(self._agenda.now, f"answer lost: {command.client_order_id}"))
            return
        message = self._answer(command, refused, order_id)
        if self._chance.random() < self._weather.late_answers:
            self._agenda.after(self._chance.random() * 60, lambda: self._carry(message))
        elif self._chance.random() < 0.5:  # an answer comes before or after the news it answers
            self._carry(message, place)
        else:
            self._carry(message)

    def _executed(self, command: Command) -> tuple[str, OrderId | None]:
        if self._weather.silence:
            return LIMITED, None
        if self._chance_of(self._weather.tickets):
            return TICKET, None
        return counter.executed(self._venue, self._weather, command)

    def _answer(self, command: Command, refused: str, order_id: OrderId | None) -> Message:
        def tell() -> Iterator[Event]:
            if self._asked.pop(command.client_order_id, None) is None:
                return
            at = self._agenda.nanos()
            if refused in (LIMITED, TICKET):
                yield from self._penalty(command, refused, at)
            else:
                yield counter.outcome(command, refused, order_id, at)

        return tell

    def _penalty(self, command: Command, refused: str, at: Nanos) -> Iterator[Event]:
        """Yield what a broker that wants silence amounts to: the command was not carried out."""
        wants = 1.0 if refused == TICKET else self._weather.silence or 1.0
        until = Nanos(at + int(wants * SECOND))
        yield SilenceAsked(connection=self.connection, until=until, reason=refused, at=at)
        error = RateLimited(refused, retry_after=wants, ticket="t" if refused == TICKET else "")
        now, again = at / SECOND, command.client_order_id in self._repeated
        if again or not self._penalties.keep(command, b"", error, asked_at=now - 0.05, now=now):
            yield counter.denied(command, refused, at)
            return
        session = self._session
        self._agenda.after(wants, lambda: self._repeat(session))

    def _repeat(self, session: int) -> None:
        """Send what a ticket was given for once more, word for word."""
        if session != self._session or self._gone or not self._ready:
            return
        for item in self._penalties.take_due(self._agenda.nanos() / SECOND + 0.001):
            name = item.command.client_order_id
            self._repeated.add(name)
            self._history.add(Trouble(self._agenda.now, repeated(name)))
            self._write(item.command)

    # -- in -----------------------------------------------------------------------------------------

    def hear(self, news: News) -> None:
        """Take news from the broker's side of the line."""
        if not self._open or self._gone:
            return
        if self._chance_of(self._weather.misses):
            self._history.add(Trouble(self._agenda.now, lost_news(news.account)))
            return
        self._carry(self._news(news))
        if self._chance.random() < self._weather.doubles:
            self._carry(self._news(news))

    def _carry(self, message: Message, place: int | None = None) -> None:
        self._inbound.insert(len(self._inbound) if place is None else place, message)
        self._free_at = max(self._free_at, self._agenda.now + int(self._delay() * SECOND))
        session = self._session
        self._agenda.after((self._free_at - self._agenda.now) / SECOND, lambda: self._release(session))

    def _release(self, session: int) -> None:
        if session != self._session or self._gone or not self._inbound:
            return
        index = 0
        if self._weather.mixes and self._first is not self._inbound[0]:
            index = self._chance.randrange(min(WINDOW, len(self._inbound)))
        message = self._inbound.pop(index)
        if self._dark or self._deaf:
            return
        if message is self._first:
            self._ready, self._first = True, None
        for event in message():
            self._tell(event)
            said_once = isinstance(event, SnapshotTaken | BalanceReported | Denied)
            if not said_once and self._chance.random() < self._weather.echoes:
                self._echo(session, event)
            if session != self._session or self._gone:
                return

    def tell_strange(self, number: int) -> None:
        """Tell something that makes no sense, in a session that goes on (F19)."""
        if self._ready:
            self._tell(strange(self.connection, number, self._agenda.nanos()))

    def _echo(self, session: int, event: Event) -> None:
        def again() -> None:
            if session == self._session and not self._gone and not self._joiner.is_past(event):
                self._tell(event)

        self._agenda.after(self._chance.random() * 3, again)

    def _tell(self, event: Event) -> None:
        if not self._gone:
            if self._governor is not None and isinstance(event, SilenceAsked):
                if not self._governor.silence(event.until, event.at):
                    return
            elif self._governor is not None and isinstance(event, Confirmed | Rejected):
                if event.at < self._governor.silent_until:
                    self._governor.heard()
            self._history.add(Told(self._agenda.now, self.connection, event))
            self._sink(event)

    def _news(self, news: News) -> Message:
        number = self._joiner.number()

        def tell() -> Iterator[Event]:
            at = self._agenda.nanos()
            if isinstance(news, Image):
                yield from self._joiner.image(news, at)
            elif isinstance(news, OrderFilled):
                yield from self._joiner.fill(news, at)
            elif not self._joiner.is_overtaken(news, number):
                yield counter.report_of(news, at)

        return tell

    def _snapshot(self) -> Message:
        taken = {account: self._venue.seen_at(account, self._agenda.now) for account in self.accounts}
        fills = {account: tuple(self._venue.fills[account]) for account in self.accounts}
        held = {key: net for key, net in self._venue.positions.items() if key[0] in taken}

        def tell() -> Iterator[Event]:
            at = self._agenda.nanos()
            self._joiner.load(chain(*taken.values()), chain(*fills.values()))
            accounts = counter.all_stated(
                taken, fills, held, self._weather, at, counter.purses_of(self._venue, fills)
            )
            self._known_since = at
            yield SnapshotTaken(connection=self.connection, accounts=accounts, at=at)

        return tell

    def _lists(self) -> Message:
        moment = Nanos(self._agenda.now - int(self._weather.list_lag * SECOND))
        images = list(chain(*(self._venue.seen_at(account, moment) for account in self.accounts)))
        # A page may be cut once; a list that is cut for ever is no list, and nothing could be told from it.
        if self._agenda.now > self._partial_until and self._chance.random() < self._weather.partial:
            self._partial_until = Nanos(self._agenda.now + 12 * SECOND)
            images = images[: len(images) // 2]
        each = {a: tuple(f for f in self._venue.fills[a] if f.at <= moment) for a in self.accounts}
        fills = list(chain(*each.values()))

        def tell() -> Iterator[Event]:
            at = self._agenda.nanos()
            new, until = self._joiner.untold(images, fills), at - ON_ITS_WAY
            # What should have been told by now, and is none of our doubts, was lost.
            if any(self._known_since < came < until and name not in self._doubted for came, name in new):
                self.fall("the lists have what was never told")
                return
            yield from chain.from_iterable(self._joiner.image(image, at) for image in images)
            yield from chain.from_iterable(self._joiner.fill(fill, at) for fill in fills)
            yield OrdersListed(
                connection=self.connection,
                accounts=self.accounts,
                client_order_ids=self._joiner.client_ids() | self._penalties.client_ids(),
                at=at,
                positions=counter.held_by(counter.nets_of(fills), at, counter.purses_of(self._venue, each)),
            )

        return tell

    def _chance_of(self, share: float) -> bool:
        # Without such weather no chance is drawn: a story without it stays what it was.
        return share > 0 and self._chance.random() < share

    def _delay(self) -> float:
        return self._weather.quick + self._chance.random() * (self._weather.late - self._weather.quick)
