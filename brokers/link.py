"""Keeps one login's socket up, and lets through it what the login's budget allows (CONN-06, CONN-07).

It owns no decision: the delays are `core.backoff`'s, the budget is `core.governor`'s, the protocol is the
gateway's. What it adds is stubbornness, and the difference between a link that fell, a token that is not
accepted any more and a broker that wants silence.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random

from brokers.core.backoff import delays
from brokers.core.governor import Governor
from brokers.core.vitals import Vitals
from brokers.ports import Clock, Fence, Gateway, Login, Sink
from brokers.tradovate.gateway import TradovateGateway
from brokers.tradovate.lists import ListLook
from tradehaven.domain.commands import ChangeOrder, Command, Confirmed, Denied, Lane, Rejected
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.errors import BrokerError, CredentialsRejected, RateLimited
from tradehaven.domain.events import Event, SilenceAsked
from tradehaven.domain.ids import ConnectionId, Nanos

log = logging.getLogger(__name__)

STABLE_AFTER = 30.0
"""Seconds that a link must have held before its next failure counts as the first one again."""

PATIENCE = 3
REFUSED_PAUSE = 600.0
"""Seconds to wait after a token was refused and renewed this often in vain (protocol 4.1)."""
START_CALLS = 2
"""What a socket asks before it is up: to be let in, and to be synchronised."""

Credentials = Callable[[bool], Awaitable[Login | None]]
"""Gives the login as it is now; True says that the token was turned down. None: there is none to be had."""
Open = Callable[[Login, Sink, Clock, Fence, Vitals], Gateway]
Wake = Callable[[Nanos], None]
"""Asks for a look at what waits, at that time (UTC)."""


class Link:
    """One login's gateway, over and over. Implements `Gateway` by passing on to the one that lives."""

    def __init__(
        self,
        name: str,
        credentials: Credentials,
        sink: Sink,
        clock: Clock,
        chance: Random,
        governor: Governor,
        wake: Wake,
        fence: Fence,
        open_gateway: Open = TradovateGateway,
    ) -> None:
        self._name = name
        self._credentials = credentials
        self._sink = sink
        self._clock = clock
        self._chance = chance
        self._governor = governor
        self._wake = wake
        self._fence = fence
        self._open = open_gateway
        self.vitals = Vitals()
        self._gateway: Gateway | None = None
        self._stopped = False

    @property
    def is_ready(self) -> bool:
        """Say whether commands may be sent."""
        return self._gateway is not None and self._gateway.is_ready

    def send(self, command: Command) -> Denied | None:
        """Write a command now; its outcome arrives in the sink. Denied: nothing was sent."""
        if self._gateway is None:
            return self._denied(command, RefusalReason.FOLLOWER_OFFLINE, "no connection to the broker")
        order = command.order_id if isinstance(command, ChangeOrder) else None
        wait = self._governor.admit(command.lane, self._clock.nanos(), order)
        if wait is not None:
            self._wake(wait.until)
            return self._denied(command, RefusalReason.RATE_LIMITED, wait.text, retry_at=wait.until)
        denied = self._gateway.send(command)
        if denied is not None:
            self._governor.give_back(command.lane, order)
        return denied

    def could_send(self, command: Command) -> bool:
        """Say whether a command could be written now; nothing is written, counted or remembered."""
        if self._gateway is None or not self._gateway.could_send(command):
            return False
        return self._governor.has_room(command.lane, self._clock.nanos())

    def _denied(
        self, command: Command, reason: RefusalReason, text: str, *, retry_at: Nanos | None = None
    ) -> Denied:
        return Denied(
            account=command.account,
            client_order_id=command.client_order_id,
            reason=reason,
            text=text,
            at=self._clock.nanos(),
            retry_at=retry_at,
        )

    def look_again(self) -> None:
        """Ask the broker for its lists once more, unless the budget has no room for questions."""
        if self._gateway is not None and self._may_ask(len(ListLook.ENDPOINTS)):
            self._gateway.look_again()

    def _may_ask(self, calls: int) -> bool:
        now = self._clock.nanos()
        return not any(self._governor.admit(Lane.QUERY, now) for _ in range(calls))

    def close(self) -> None:
        """End the connection and do not come back."""
        self._stopped = True
        if self._gateway is not None:
            self._gateway.close()

    # -- in -----------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Pass on what the gateway says; what concerns the budget is noted on the way."""
        if isinstance(event, SilenceAsked):
            if not self._governor.silence(event.until, event.at):
                return  # every call that was under way is answered so: once is enough
            log.warning("link %s: %s; silent until %s", self._name, event.reason, event.until)
        elif event.at < self._governor.silent_until and isinstance(event, Confirmed | Rejected):
            self._governor.heard()
        self._sink(event)

    # -- life ---------------------------------------------------------------------------------------

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
        self._may_ask(START_CALLS)  # counted, not refused: without a link nobody could even make flat
        self._gateway = self._open(login, self.take, self._clock, self._fence, self.vitals)
        try:
            reason = await self._gateway.run()
            log.warning("link %s ended: %s", self._name, reason)
        except CredentialsRejected as error:
            log.warning("link %s: the token is not accepted: %s", self._name, error)
            return True, 0.0
        except RateLimited as error:
            log.warning("link %s: %s; silent for %.0f s", self._name, error, error.retry_after)
            self._keep_silent(login.connection, error)
            return False, error.retry_after
        except BrokerError as error:
            log.warning("link %s: %s", self._name, error)
        finally:
            self._gateway = None
        return False, 0.0

    def _keep_silent(self, connection: ConnectionId, error: RateLimited) -> None:
        now = self._clock.nanos()
        until = Nanos(now + int(error.retry_after * 1e9))
        self.take(SilenceAsked(connection=connection, until=until, reason=str(error), at=now))
