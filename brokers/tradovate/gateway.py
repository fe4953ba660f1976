"""One login's socket: authorise, synchronise, stay alive, send commands, read what comes.

The asyncio shell around `wire` and `view`. A frame is read, joined and handed to the sink inside the
transport's callback, and a command is written inside the call of `send`: no task lies between the two.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from brokers.core.vitals import Vitals
from brokers.ports import Clock, Fence, Login, Sink
from brokers.tradovate import answers, wire
from brokers.tradovate.entities import RISK_TYPES, SYNC_TYPES, Contract, Snapshot
from brokers.tradovate.lists import ListLook
from brokers.tradovate.mapping import cancel_body, change_body, close_body, place_body
from brokers.tradovate.outcomes import outcome_of, unresolved
from brokers.tradovate.penalties import Penalised, Penalties
from brokers.tradovate.transport import Connect, Transport, connect
from brokers.tradovate.view import View
from tradehaven.domain.commands import (
    CancelOrder,
    ChangeOrder,
    ClosePosition,
    Command,
    Denied,
    PlaceOrder,
)
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.errors import (
    BrokerError,
    CredentialsRejected,
    ProtocolError,
    RateLimited,
    TradeHavenError,
    Unavailable,
)
from tradehaven.domain.events import LinkLost, OrdersListed, PositionReported, SilenceAsked, SnapshotTaken
from tradehaven.domain.ids import ClientOrderId, Nanos, OrderId, Symbol

log = logging.getLogger(__name__)

ANSWER_LIMIT = 5.0
"""Seconds without an answer after which a command's outcome counts as unknown."""
START_LIMIT = 20.0
PING_EVERY = 9.0
"""Seconds between two measurements, at the next heartbeat; some clients of this broker ping as well (6.6)."""
TICK = 0.25
ENDPOINTS = {
    PlaceOrder: "order/placeorder",
    ChangeOrder: "order/modifyorder",
    CancelOrder: "order/cancelorder",
    ClosePosition: "order/liquidateposition",
}
CONTRACTS: defaultdict[str, dict[int, Symbol]] = defaultdict(dict)
"""Contract numbers by environment. They never change, so what one login has learnt spares the others a
question in the middle of a leader's first order."""

_snapshot = msgspec.json.Decoder(Snapshot)
_contract = msgspec.json.Decoder(Contract)

Answered = Callable[[int, bytes, Nanos], None]


@dataclass(slots=True)
class _Asked:
    """A request that waits for its answer."""

    deadline: float
    command: Command | None
    answered: Answered | None
    body: bytes = b""
    is_repeat: bool = False


class TradovateGateway:
    """Implements `brokers.ports.Gateway` for one login."""

    def __init__(
        self,
        login: Login,
        sink: Sink,
        clock: Clock,
        fence: Fence,
        vitals: Vitals | None = None,
        connect: Connect = connect,
    ) -> None:
        self._login = login
        self._sink = sink
        self._clock = clock
        self._fence = fence
        self._vitals = vitals or Vitals()
        self._connect = connect
        self._view = View(login.accounts, CONTRACTS[login.socket_url])
        self._transport: Transport | None = None
        self._pulse = wire.Pulse(clock.monotonic())
        self._asked: dict[int, _Asked] = {}
        self._penalties = Penalties()
        self._pinged: float | None = None
        self._number = 0
        self._known_since = Nanos(0)
        self._doubted: set[ClientOrderId] = set()
        self._opened = False
        self._ready = False
        self._ended: asyncio.Future[str] | None = None
        self._failure: BrokerError | None = None
        self.bad_frames = 0

    @property
    def is_ready(self) -> bool:
        """Say whether the snapshot is in and commands may be sent."""
        return self._ready

    # -- life ---------------------------------------------------------------------------------------

    async def run(self) -> str:
        """Connect, stay connected and return why it ended; raise `BrokerError` when it never came up."""
        self._ended = asyncio.get_running_loop().create_future()
        self._transport = await self._connect(self._login.socket_url, self)
        if self._opened:  # the greeting may come before the connection is ours to write to
            self._authorise()
        started = self._clock.monotonic()
        self._pulse = wire.Pulse(started)
        while not self._ended.done():
            await asyncio.wait([self._ended], timeout=TICK)
            now = self._clock.monotonic()
            self._tick(now)
            if not self._ready and now - started > START_LIMIT:
                self._fail(Unavailable("the broker did not let us in within its time"))
        reason = self._ended.result()
        if self._failure is not None:
            raise self._failure
        return reason

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def _tick(self, now: float) -> None:
        if self._transport is None:
            return
        if self._pulse.is_due(now):
            self._transport.send(wire.HEARTBEAT)
            self._ping(now)
        if self._pulse.is_dead(now):
            self._end("the broker has been silent for too long")
        for number in [n for n, asked in self._asked.items() if asked.deadline <= now]:
            asked = self._asked.pop(number)
            if asked.command is not None:
                self._doubted.add(asked.command.client_order_id)
                self._sink(unresolved(asked.command, "no answer in time", self._clock.nanos()))
        for item in self._penalties.take_due(now):
            self._repeat(item)

    def _ping(self, now: float) -> None:
        """Measure a round trip now and then: heartbeats go both ways, and answer nothing."""
        if self._transport is not None and (self._pinged is None or now - self._pinged > PING_EVERY):
            self._pinged = now
            self._transport.ping()

    def on_pong(self) -> None:
        """Note how long the way there and back took."""
        if self._pinged is not None:
            self._vitals.beat(self._clock.monotonic() - self._pinged)

    def _repeat(self, item: Penalised) -> None:
        if self._fence():
            self._ask(ENDPOINTS[type(item.command)], item.repeat, command=item.command, is_repeat=True)
        else:
            text = "its repeat was due when this engine was not the one to send it any more"
            self._sink(self._denied(item.command, RefusalReason.LEASE_LOST, text))

    def _fail(self, error: BrokerError) -> None:
        self._failure = error
        self._end(str(error))

    def _end(self, reason: str) -> None:
        if self._ended is None or self._ended.done():
            return
        was_ready, self._ready = self._ready, False
        self._ended.set_result(reason)
        at = self._clock.nanos()
        asked, self._asked = self._asked, {}
        if was_ready:
            self._sink(LinkLost(connection=self._login.connection, reason=reason, at=at))
        for waiting in asked.values():
            if waiting.command is not None:
                self._sink(unresolved(waiting.command, f"the link was lost: {reason}", at))
        for (
            item
        ) in self._penalties.take_all():  # never carried out: what of it is still wanted is decided anew
            self._sink(self._denied(item.command, RefusalReason.RATE_LIMITED, f"the link was lost: {reason}"))
        self.close()

    # -- out ----------------------------------------------------------------------------------------

    def send(self, command: Command) -> Denied | None:
        """Write a command now; its outcome arrives in the sink. Denied: nothing was sent."""
        if not self._ready or self._transport is None:
            return self._denied(command, RefusalReason.FOLLOWER_OFFLINE, "no connection to the broker")
        body = self._body(command)
        if body is None:
            return self._denied(command, RefusalReason.UNKNOWN_INSTRUMENT, "the broker has no such contract")
        self._ask(ENDPOINTS[type(command)], body, command=command)
        return None

    def could_send(self, command: Command) -> bool:
        """Say whether a command could be written now; nothing is written, counted or remembered."""
        return self._ready and self._transport is not None and self._body(command) is not None

    def _denied(self, command: Command, reason: RefusalReason, text: str) -> Denied:
        return Denied(
            account=command.account,
            client_order_id=command.client_order_id,
            reason=reason,
            text=text,
            at=self._clock.nanos(),
        )

    def _body(self, command: Command) -> bytes | None:
        if isinstance(command, PlaceOrder):
            return place_body(command, self._view.names[command.account])
        if isinstance(command, ChangeOrder):
            return change_body(command)
        if isinstance(command, CancelOrder):
            return cancel_body(command)
        contract = self._view.contract_of(command.symbol)
        return close_body(self._view.names[command.account], contract) if contract else None

    def _ask(
        self,
        endpoint: str,
        body: bytes = b"",
        *,
        query: str = "",
        command: Command | None = None,
        answered: Answered | None = None,
        is_repeat: bool = False,
    ) -> None:
        self._number += 1
        deadline = self._clock.monotonic() + ANSWER_LIMIT
        self._asked[self._number] = _Asked(deadline, command, answered, body, is_repeat)
        if self._transport is not None:
            self._transport.send(wire.request(endpoint, self._number, body, query))

    def look_again(self) -> None:
        """Ask for the lists of orders; what they show arrives as events, and then as `OrdersListed`."""
        if not self._ready:
            return
        look = ListLook(self._view, self._sink, self._listed, self._lost, self._known_since, self._doubted)
        for endpoint in ListLook.ENDPOINTS:
            self._ask(endpoint, answered=look.taker(endpoint))

    def _lost(self, order: OrderId) -> None:
        """Begin anew: the snapshot says what the socket did not, and that it is no news any more (F11)."""
        self._end(f"order {order} is in the broker's lists and was never told")

    def _listed(self, at: Nanos, positions: tuple[PositionReported, ...]) -> None:
        self._ask_for_contracts()
        self._sink(
            OrdersListed(
                connection=self._login.connection,
                accounts=tuple(self._login.accounts.values()),
                client_order_ids=self._view.client_ids() | self._penalties.client_ids(),
                at=at,
                positions=positions,
            )
        )

    # -- in -----------------------------------------------------------------------------------------

    def on_frame(self, frame: memoryview) -> None:
        """Take one frame. A frame that makes no sense is counted and dropped; the socket lives on (F19)."""
        at = self._clock.nanos()
        self._vitals.heard_at = at
        self._pulse.heard(self._clock.monotonic())
        try:
            self._take(wire.parse(frame), at)
        except Exception:  # the top of the loop: one bad frame must not take the link down
            self.bad_frames += 1
            log.exception("connection %s: a frame could not be taken", self._login.connection)

    def on_closed(self, reason: str) -> None:
        """Learn that the transport is gone."""
        self._end(reason)

    def _take(self, frame: wire.Frame, at: Nanos) -> None:
        if isinstance(frame, list):
            for message in frame:
                try:
                    self._message(message, at)
                except TradeHavenError:  # the rest of the frame is another matter, and still true
                    self.bad_frames += 1
                    log.warning("connection %s: a message is left out", self._login.connection, exc_info=True)
        elif isinstance(frame, wire.Opened):
            self._opened = True
            if self._transport is not None:
                self._authorise()
        elif isinstance(frame, wire.Closed):
            self._end(f"the broker closed the session: {frame.code} {frame.reason}")

    def _message(self, message: wire.Message, at: Nanos) -> None:
        if message.e == "props":
            if self._ready:  # before the snapshot nothing can be placed; it will contain this
                for event in self._view.props(message.d, at):
                    self._sink(event)
                self._ask_for_contracts()
        elif message.i is not None:
            asked = self._asked.pop(message.i, None)
            if asked is not None:
                self._answer(asked, message.s or 0, message.body, at)
        elif message.e == "shutdown":
            self._end(f"the broker shuts the session: {message.body.decode(errors='replace')}")

    def _answer(self, asked: _Asked, status: int, body: bytes, at: Nanos) -> None:
        if asked.command is not None:
            self._vitals.ack(self._clock.monotonic() - asked.deadline + ANSWER_LIMIT)
            outcome = outcome_of(asked.command, status, body, at)
            if isinstance(outcome, RateLimited):
                self._penalty(asked, asked.command, outcome, at)
            else:
                self._sink(outcome)
        elif asked.answered is not None:
            if status in answers.SILENCING:
                self._limited(
                    RateLimited(f"the broker answered {status}", retry_after=answers.LOCKED_FOR), at
                )
            asked.answered(status, body, at)

    # -- limits -------------------------------------------------------------------------------------

    def _limited(self, error: RateLimited, at: Nanos) -> None:
        until = Nanos(at + int(error.retry_after * 1e9))
        self._sink(SilenceAsked(connection=self._login.connection, until=until, reason=str(error), at=at))

    def _penalty(self, asked: _Asked, command: Command, error: RateLimited, at: Nanos) -> None:
        """Keep a command for its repeat, or say that it was not carried out."""
        self._limited(error, at)
        asked_at = asked.deadline - ANSWER_LIMIT
        keep, now = self._penalties.keep, self._clock.monotonic()
        if asked.is_repeat or not keep(command, asked.body, error, asked_at=asked_at, now=now):
            self._sink(self._denied(command, RefusalReason.RATE_LIMITED, str(error)))

    def _authorise(self) -> None:
        self._ask("authorize", self._login.token.encode(), answered=self._authorised)

    def _authorised(self, status: int, body: bytes, _at: Nanos) -> None:
        try:
            answers.check(status, body)
        except BrokerError as error:
            self._fail(error if status not in (200, 400) else CredentialsRejected(str(error)))
            return
        self._synchronise((*SYNC_TYPES, *RISK_TYPES), self._first_synchronised)

    def _synchronise(self, kinds: tuple[str, ...], answered: Answered) -> None:
        wish: dict[str, object] = {"splitResponses": False, "entityTypes": kinds}
        if self._login.user_id is not None:
            wish["users"] = [self._login.user_id]
        self._ask("user/syncrequest", msgspec.json.encode(wish), answered=answered)

    def _first_synchronised(self, status: int, body: bytes, at: Nanos) -> None:
        """Ask once more without the risk desk's kinds where this login may not see them (protocol 7.7)."""
        if status == HTTPStatus.UNAUTHORIZED:
            self._synchronise(SYNC_TYPES, self._synchronised)
        else:
            self._synchronised(status, body, at)

    def _synchronised(self, status: int, body: bytes, at: Nanos) -> None:
        try:
            snapshot = _snapshot.decode(answers.check(status, body))
            accounts = self._view.load(snapshot, at)
        except BrokerError as error:
            self._fail(error)
            return
        except msgspec.MsgspecError as error:
            self._fail(ProtocolError(f"a snapshot that is not readable: {error}"))
            return
        self._ready, self._known_since = True, at
        self._sink(SnapshotTaken(connection=self._login.connection, accounts=accounts, at=at))
        self._ask_for_contracts()

    def _ask_for_contracts(self) -> None:
        for contract in sorted(self._view.unknown_contracts):
            self._view.unknown_contracts.discard(contract)
            self._ask("contract/item", query=f"id={contract}", answered=self._contract_came)

    def _contract_came(self, status: int, body: bytes, at: Nanos) -> None:
        try:
            contract = _contract.decode(answers.check(status, body))
        except (BrokerError, msgspec.MsgspecError):
            log.exception("a contract could not be read on connection %s", self._login.connection)
            return
        for event in self._view.fold("contract", contract, at):
            self._sink(event)
