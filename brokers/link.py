"""Keeps one login's socket up: connect, hand over to the gateway, wait, try again (CONN-06).

It owns no decision: the delays are `core.backoff`'s, the protocol is the gateway's. What it adds is
stubbornness, and the difference between a link that fell and a token that is not accepted any more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random

from brokers.core.backoff import delays
from brokers.ports import Clock, Gateway, Login, Sink
from brokers.tradovate.gateway import TradovateGateway
from tradehaven.domain.commands import Command, Denied
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.errors import BrokerError, CredentialsRejected, RateLimited

log = logging.getLogger(__name__)

STABLE_AFTER = 30.0
"""Seconds that a link must have held before its next failure counts as the first one again."""

PATIENCE = 3
REFUSED_PAUSE = 600.0
"""Seconds to wait after a token was refused and renewed this often in vain (protocol 4.1)."""

Credentials = Callable[[bool], Awaitable[Login | None]]
"""Gives the login as it is now; True says that the token was turned down. None: there is none to be had."""
Open = Callable[[Login, Sink, Clock], Gateway]


class Link:
    """One login's gateway, over and over. Implements `Gateway` by passing on to the one that lives."""

    def __init__(
        self,
        name: str,
        credentials: Credentials,
        sink: Sink,
        clock: Clock,
        chance: Random,
        open_gateway: Open = TradovateGateway,
    ) -> None:
        self._name = name
        self._credentials = credentials
        self._sink = sink
        self._clock = clock
        self._chance = chance
        self._open = open_gateway
        self._gateway: Gateway | None = None
        self._stopped = False

    @property
    def is_ready(self) -> bool:
        """Say whether commands may be sent."""
        return self._gateway is not None and self._gateway.is_ready

    def send(self, command: Command) -> Denied | None:
        """Write a command now; its outcome arrives in the sink. Denied: nothing was sent."""
        if self._gateway is None:
            return Denied(
                account=command.account,
                client_order_id=command.client_order_id,
                reason=RefusalReason.FOLLOWER_OFFLINE,
                text="no connection to the broker",
                at=self._clock.nanos(),
            )
        return self._gateway.send(command)

    def look_again(self) -> None:
        """Ask the broker for its lists once more."""
        if self._gateway is not None:
            self._gateway.look_again()

    def close(self) -> None:
        """End the connection and do not come back."""
        self._stopped = True
        if self._gateway is not None:
            self._gateway.close()

    async def run(self) -> str:
        """Stay connected until `close`; return why it ended."""
        waits, refusals = delays(self._chance), 0
        while not self._stopped:
            login = await self._credentials(refusals > 0)
            pause = 0.0
            if login is not None:
                started = self._clock.monotonic()
                refused, pause = await self._connect(login)
                refusals = refusals + 1 if refused else 0
                if self._clock.monotonic() - started > STABLE_AFTER:
                    waits = delays(self._chance)
            if refusals > PATIENCE:
                pause = REFUSED_PAUSE  # every refresh counts against a budget that all logins here share
            if not self._stopped:
                await asyncio.sleep(max(pause, next(waits)))
        return "closed"

    async def _connect(self, login: Login) -> tuple[bool, float]:
        """Live through one connection; return whether the token was refused, and a pause the broker wants."""
        self._gateway = self._open(login, self._sink, self._clock)
        try:
            reason = await self._gateway.run()
            log.warning("link %s ended: %s", self._name, reason)
        except CredentialsRejected as error:
            log.warning("link %s: the token is not accepted: %s", self._name, error)
            return True, 0.0
        except RateLimited as error:
            log.warning("link %s: %s; silent for %.0f s", self._name, error, error.retry_after)
            return False, error.retry_after
        except BrokerError as error:
            log.warning("link %s: %s", self._name, error)
        finally:
            self._gateway = None
        return False, 0.0
