"""One market-data socket: quotes of the contracts that are asked for (protocol section 16).

The first quote of a contract carries every entry, later ones only some; they are merged here, so that
whoever listens gets whole prices. A quote names its contract by number, so names are learnt from the
answers to our own subscriptions.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

import msgspec

from brokers.ports import Clock, Login, PriceSeen
from brokers.tradovate import answers, wire
from brokers.tradovate.mapping import ticks_of
from brokers.tradovate.transport import Connect, Transport, connect
from tradehaven.domain.errors import BrokerError, Unavailable
from tradehaven.domain.ids import Nanos, Symbol

log = logging.getLogger(__name__)

TICK = 0.25
START_LIMIT = 20.0


class _Entry(msgspec.Struct):
    price: float | None = None


class _Quote(msgspec.Struct):
    contractId: int
    entries: dict[str, _Entry]


class _Packet(msgspec.Struct):
    quotes: list[_Quote] = []


class _Subscribed(msgspec.Struct):
    contractId: int | None = None
    errorText: str | None = None


_packet = msgspec.json.Decoder(_Packet)
_subscribed = msgspec.json.Decoder(_Subscribed)
_SIDES = {"Bid": "bid", "Offer": "ask", "Trade": "last"}


class QuoteSocket:
    """Subscribes and merges. `run` lives as long as the socket does."""

    def __init__(
        self, login: Login, sink: Callable[[PriceSeen], None], clock: Clock, connect: Connect = connect
    ) -> None:
        self._login = login
        self._sink = sink
        self._clock = clock
        self._connect = connect
        self._transport: Transport | None = None
        self._number = 0
        self._opened = False
        self._ready = False
        self._asked: dict[int, Symbol] = {}
        self._wanted: set[Symbol] = set()
        self._symbols: dict[int, Symbol] = {}
        self._prices: dict[Symbol, dict[str, float]] = {}
        self._pulse = wire.Pulse(clock.monotonic())
        self._ended: asyncio.Future[str] | None = None

    async def run(self) -> str:
        """Connect, stay connected and return why it ended; raise `BrokerError` when it never came up."""
        self._ended = asyncio.get_running_loop().create_future()
        self._transport = await self._connect(self._login.socket_url, self)
        started = self._clock.monotonic()
        self._pulse = wire.Pulse(started)
        if self._opened:
            self._request("authorize", self._login.token.encode())
        try:
            while not self._ended.done():
                await asyncio.wait([self._ended], timeout=TICK)
                self._tick(started)
            return self._ended.result()
        finally:
            self._transport.close()

    def _tick(self, started: float) -> None:
        now = self._clock.monotonic()
        if self._transport is not None and self._pulse.is_due(now):
            self._transport.send(wire.HEARTBEAT)
        if self._pulse.is_dead(now):
            self._end("the market data have been silent for too long")
        if not self._ready and now - started > START_LIMIT:
            raise Unavailable("the market-data socket did not let us in within its time")

    def want(self, symbols: Iterable[Symbol]) -> None:
        """Subscribe to these contracts as well; those already subscribed stay so."""
        for symbol in sorted(set(symbols) - self._wanted):
            self._wanted.add(symbol)
            if self._ready:
                self._subscribe(symbol)

    def close(self) -> None:
        """End the connection."""
        self._end("closed")

    def on_frame(self, frame: memoryview) -> None:
        """Take one frame; what makes no sense is logged and dropped."""
        self._pulse.heard(self._clock.monotonic())
        try:
            self._take(wire.parse(frame), self._clock.nanos())
        except (BrokerError, msgspec.MsgspecError):
            log.exception("market data: a frame could not be taken")

    def on_pong(self) -> None:
        """Let it pass: prices measure nothing."""

    def on_closed(self, reason: str) -> None:
        """Learn that the transport is gone."""
        self._end(reason)

    def _end(self, reason: str) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(reason)

    def _request(self, endpoint: str, body: bytes) -> int:
        self._number += 1
        if self._transport is not None:
            self._transport.send(wire.request(endpoint, self._number, body))
        return self._number

    def _subscribe(self, symbol: Symbol) -> None:
        number = self._request("md/subscribequote", msgspec.json.encode({"symbol": symbol}))
        self._asked[number] = symbol

    def _take(self, frame: wire.Frame, at: Nanos) -> None:
        if isinstance(frame, wire.Opened):
            self._opened = True
            if self._transport is not None:
                self._request("authorize", self._login.token.encode())
        elif isinstance(frame, wire.Closed):
            self._end(f"the broker closed the market data: {frame.code} {frame.reason}")
        elif isinstance(frame, list):
            for message in frame:
                self._message(message, at)

    def _message(self, message: wire.Message, at: Nanos) -> None:
        if message.e == "md":
            for quote in _packet.decode(message.d).quotes:
                self._merge(quote, at)
        elif message.e == "shutdown":
            self._end("the broker shuts the market data")
        elif message.i is not None:
            self._answer(message.i, message.s or 0, message.body)

    def _answer(self, number: int, status: int, body: bytes) -> None:
        symbol = self._asked.pop(number, None)
        if symbol is not None:
            found = _subscribed.decode(answers.check(status, body))
            if found.contractId is not None:
                self._symbols[found.contractId] = symbol
            return
        answers.check(status, body)
        if not self._ready:
            self._ready = True
            for wanted in sorted(self._wanted):
                self._subscribe(wanted)

    def _merge(self, quote: _Quote, at: Nanos) -> None:
        symbol = self._symbols.get(quote.contractId)
        if symbol is None:
            return
        known = self._prices.setdefault(symbol, {})
        for word, name in _SIDES.items():
            entry = quote.entries.get(word)
            if entry is not None and entry.price is not None:
                known[name] = entry.price
        ticks = {name: ticks_of(symbol, price) for name, price in known.items()}
        self._sink(
            PriceSeen(
                symbol=symbol, bid=ticks.get("bid"), ask=ticks.get("ask"), last=ticks.get("last"), at=at
            )
        )
