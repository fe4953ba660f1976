"""Prices into mailboxes: an engine's own look at the market, for guardrails that cannot wait for rows.

One socket for each environment in which a watched account trades. A contract is asked for from the first
order on that anybody placed in it, so that its price is there before something is held.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from random import Random
from typing import Any

from brokers.market.ticker import Ticker
from brokers.ports import Clock, Login, PriceSeen
from brokers.services.tokens import market_login
from syncgroups.engine.control import Database
from syncgroups.engine.mailbox import Mailbox
from tradehaven.db import DATABASE_AWAY
from tradehaven.domain.enums import Environment
from tradehaven.domain.events import PriceMoved, PricesLost
from tradehaven.domain.ids import OwnerId, Symbol

log = logging.getLogger(__name__)


def wanted(mailbox: Mailbox) -> dict[Environment, set[Symbol]]:
    """Return the contracts in which an owner's watched accounts, or those they follow, have traded."""
    found: defaultdict[Environment, set[Symbol]] = defaultdict(set)
    plan, book = mailbox.plan, mailbox.book
    if not plan.watched:
        return found
    for account, known in plan.accounts.items():
        stakes = book.risk.ledgers[account].stakes if account in book.risk.ledgers else ()
        found[known.environment].update(book.traded[account], stakes)
    return found


class Prices:
    """The tickers of one engine; each quote goes to every owner who watches an account there."""

    def __init__(
        self,
        database: Database,
        start: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
        clock: Clock,
        chance: Random,
    ) -> None:
        self._database = database
        self._start = start
        self._clock = clock
        self._chance = chance
        self._tickers: dict[Environment, Ticker] = {}
        self._mailboxes: dict[Environment, dict[OwnerId, Mailbox]] = {}

    def look(self, mailboxes: Iterable[Mailbox]) -> None:
        """Ask for what is wanted now, and remember who wants it."""
        for mailbox in mailboxes:
            for environment, symbols in wanted(mailbox).items():
                self._mailboxes.setdefault(environment, {})[mailbox.plan.owner] = mailbox
                self._ticker(environment).want(symbols)

    def _ticker(self, environment: Environment) -> Ticker:
        ticker = self._tickers.get(environment)
        if ticker is None:
            credentials, sink = partial(self._login, environment), partial(self._seen, environment)
            lost = partial(self._lost, environment)
            ticker = Ticker(environment, credentials, sink, self._clock, self._chance, lost)
            self._tickers[environment] = ticker
            self._start(ticker.run())
        return ticker

    def _seen(self, environment: Environment, price: PriceSeen) -> None:
        event = PriceMoved(
            environment=environment,
            symbol=price.symbol,
            bid=price.bid,
            ask=price.ask,
            last=price.last,
            at=price.at,
        )
        for mailbox in self._mailboxes[environment].values():
            mailbox.post(event)

    def _lost(self, environment: Environment) -> None:
        event = PricesLost(environment=environment, at=self._clock.nanos())
        for mailbox in self._mailboxes[environment].values():
            mailbox.post(event)

    async def _login(self, environment: Environment) -> Login | None:
        try:
            return await self._database.ask(partial(market_login, environment))
        except DATABASE_AWAY as error:
            log.warning("no login for prices of %s can be read: %s", environment, error)
            return None
