"""Writes down the prices of every contract that somebody holds, one socket for each environment (SIG-01).

Which contracts are wanted is asked of the database each second; prices go back in batches, twice a
second.
"""

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError

from brokers.market.prices import Prices
from brokers.market.ticker import Ticker
from brokers.ports import Clock, Login
from brokers.selectors import held_symbols
from brokers.services import quotes, tokens
from tradehaven.domain.enums import Environment

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
WRITE_EVERY = 0.5


class Feed:
    """One environment's prices, on their way to the database."""

    def __init__(self, environment: Environment, clock: Clock, chance: Random) -> None:
        self._environment = environment
        self._prices = Prices()
        self._ticker = Ticker(environment, self._login, self._prices.put, clock, chance)

    async def run(self) -> None:
        """Feed for ever."""
        await asyncio.gather(self._look(), self._write(), self._ticker.run())

    async def _look(self) -> None:
        while True:
            found = await _ask(held_symbols, self._environment)
            if found is not None:
                self._ticker.want(found)
            await asyncio.sleep(LOOK_EVERY)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            fresh = self._prices.take_fresh()
            if fresh:
                await _ask(quotes.record_prices, self._environment, fresh)

    async def _login(self) -> Login | None:
        login: Login | None = await _ask(tokens.market_login, self._environment)
        return login


async def _ask(question: Callable[..., Any], *arguments: Any) -> Any:
    """Ask the database; while it is down there is no answer, and the prices stay in memory."""
    try:
        return await sync_to_async(question)(*arguments)
    except DatabaseError:
        log.exception("the market process cannot reach the database")
        return None
