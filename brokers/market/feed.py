"""Keeps one market-data socket for each environment that somebody holds a position in (SIG-01).

Which contracts are wanted is asked of the database each second; prices go back in batches, twice a
second. A failed socket comes back with the same delays as any other link.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from brokers.core.backoff import delays
from brokers.market.prices import Prices
from brokers.ports import Clock, Login
from brokers.selectors import held_symbols, usable_connection
from brokers.services import quotes, tokens
from brokers.tradovate.quotes import QuoteSocket
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import BrokerError
from tradehaven.domain.ids import Symbol

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
WRITE_EVERY = 0.5
STABLE_AFTER = 30.0


class Feed:
    """One environment's prices."""

    def __init__(self, environment: Environment, clock: Clock, chance: Random) -> None:
        self._environment = environment
        self._clock = clock
        self._chance = chance
        self._prices = Prices()
        self._socket: QuoteSocket | None = None
        self._wanted: frozenset[Symbol] = frozenset()

    async def run(self) -> None:
        """Feed for ever."""
        await asyncio.gather(self._look(), self._write(), self._stay_connected())

    async def _look(self) -> None:
        while True:
            found = await _ask(held_symbols, self._environment)
            if found is not None:
                self._wanted = found
            if self._socket is not None:
                self._socket.want(self._wanted)
            await asyncio.sleep(LOOK_EVERY)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            fresh = self._prices.take_fresh()
            if fresh:
                await _ask(quotes.record_prices, self._environment, fresh)

    async def _stay_connected(self) -> None:
        waits = delays(self._chance)
        while True:
            login = await self._login() if self._wanted else None
            if login is not None:
                started = self._clock.monotonic()
                await self._live(login)
                if self._clock.monotonic() - started > STABLE_AFTER:
                    waits = delays(self._chance)
            await asyncio.sleep(next(waits) if login is not None else LOOK_EVERY)

    async def _login(self) -> Login | None:
        connection = await _ask(usable_connection, self._environment)
        if connection is None:
            return None
        login = await _ask(tokens.login_for_engine, connection)
        url = settings.BROKERS[self._environment]["market_url"]
        return replace(login, socket_url=url) if login is not None else None

    async def _live(self, login: Login) -> None:
        self._socket = QuoteSocket(login, self._prices.put, self._clock)
        self._socket.want(self._wanted)
        try:
            reason = await self._socket.run()
            log.warning("market data of %s ended: %s", self._environment, reason)
        except BrokerError as error:
            log.warning("market data of %s: %s", self._environment, error)
        finally:
            self._socket = None


async def _ask(question: Callable[..., Any], *arguments: Any) -> Any:
    """Ask the database; while it is down there is no answer, and the prices stay in memory."""
    try:
        return await sync_to_async(question)(*arguments)
    except DatabaseError:
        log.exception("the market process cannot reach the database")
        return None
