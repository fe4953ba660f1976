"""Keeps one market-data socket up for as long as somebody wants prices, whoever that is.

It comes back with the same delays as any other link. Whose login it uses, and where the prices go, is its
user's matter: the market process writes them down, an engine puts them before its guardrails.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Protocol

from brokers.core.backoff import delays
from brokers.ports import Clock, Login, PriceSeen
from brokers.tradovate.quotes import QuoteSocket
from tradehaven.domain.errors import BrokerError
from tradehaven.domain.ids import Symbol

log = logging.getLogger(__name__)

STABLE_AFTER = 30.0
LOOK_EVERY = 1.0


class Quotes(Protocol):
    """One market-data connection, as long as it lives."""

    def want(self, symbols: Iterable[Symbol]) -> None:
        """Subscribe to these contracts as well."""

    async def run(self) -> str:
        """Stay connected and return why it ended; raise `BrokerError` when it never came up."""


Open = Callable[[Login, Callable[[PriceSeen], None], Clock], Quotes]
Credentials = Callable[[], Awaitable[Login | None]]
"""Gives a login through which prices may be had, its address that of the market data; None: there is none."""


class Ticker:
    """One environment's prices, each as it comes; `lost` is called when none come any more."""

    def __init__(
        self,
        name: str,
        credentials: Credentials,
        sink: Callable[[PriceSeen], None],
        clock: Clock,
        chance: Random,
        lost: Callable[[], None] = lambda: None,
        open_socket: Open = QuoteSocket,
    ) -> None:
        self._lost = lost
        self._open = open_socket
        self._name = name
        self._credentials = credentials
        self._sink = sink
        self._clock = clock
        self._chance = chance
        self._socket: Quotes | None = None
        self._wanted: set[Symbol] = set()
        self._something = asyncio.Event()

    def want(self, symbols: Iterable[Symbol]) -> None:
        """Ask for these contracts as well; those already asked for stay so."""
        self._wanted.update(symbols)
        if self._wanted:
            self._something.set()
        if self._socket is not None:
            self._socket.want(self._wanted)

    async def run(self) -> None:
        """Stay connected for ever, from the first contract on that anybody wants."""
        await self._something.wait()
        waits = delays(self._chance)
        while True:
            login = await self._credentials()
            if login is None:
                await asyncio.sleep(LOOK_EVERY)
                continue
            started = self._clock.monotonic()
            await self._live(login)
            if self._clock.monotonic() - started > STABLE_AFTER:
                waits = delays(self._chance)
            await asyncio.sleep(next(waits))

    async def _live(self, login: Login) -> None:
        self._socket = self._open(login, self._sink, self._clock)
        self._socket.want(self._wanted)
        try:
            reason = await self._socket.run()
            log.warning("market data of %s ended: %s", self._name, reason)
        except BrokerError as error:
            log.warning("market data of %s: %s", self._name, error)
        finally:
            self._socket = None
            self._lost()
