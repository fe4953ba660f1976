"""One request, whatever way it came, and its answer; and the table of what can be asked.

REST and the socket make a `Call`, `answer` finds what it asks for, and both turn the `Answer` into
their own form. Nothing here knows HTTP or frames.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from brokers.paper import faults, reads
from brokers.paper.exchange import Exchange
from brokers.paper.faults import Planned, Trouble
from brokers.paper.hub import Connection
from brokers.paper.params import Params, ViolationError
from brokers.paper.quotas import Asked
from brokers.paper.reads import NotFoundError
from brokers.paper.records import Frame
from brokers.paper.terms import RefusedError, violations
from brokers.paper.tokens import Caller

logger = logging.getLogger(__name__)

_SHOWN = 64
DENIED = "Access is denied"
_REFUSALS = frozenset({"errorText", "violations", "error"})
_LOGGED = ("order/", "orderstrategy/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request: its endpoint in lower case without slashes around it, and its parameters."""

    endpoint: str
    query: Params
    body: Params
    now: datetime
    caller: Caller | None = None
    connection: Connection | None = None
    address: str = ""

    @property
    def asked(self) -> Asked:
        """Return what the quotas need to know."""
        user_id = self.caller.user_id if self.caller else None
        ticket = str(self.body.raw("p-ticket") or "")
        return Asked(endpoint=self.endpoint, user_id=user_id, address=self.address, ticket=ticket)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and payload; frames are published after the reply, `then` is done right behind it.

    A mute answer is never sent.
    """

    status: int = 200
    payload: Any = None
    frames: tuple[Frame, ...] = ()
    mute: bool = False
    then: Callable[[], None] | None = None


class DeniedError(Exception):
    """The caller may not do that."""


Handler = Callable[[Exchange, Call, Caller], Answer]
OpenHandler = Callable[[Exchange, Call], Awaitable[Answer]]


class Calls:
    """What can be asked: actions of a logged-in caller, and log-in itself, which needs no caller."""

    def __init__(self, actions: dict[str, Handler], open_actions: dict[str, OpenHandler]) -> None:
        self._actions = actions
        self._open = open_actions

    async def answer(self, exchange: Exchange, call: Call) -> Answer:
        """Return the answer to a request; refusals of every kind are answers too."""
        call = await _waited(exchange, call)
        refusal = exchange.quotas.admit(call.asked, call.now)
        if refusal is not None:
            return Answer(status=refusal.status, payload=refusal.payload)
        answer = await self._answer(exchange, call)
        if _failed(answer):
            exchange.quotas.note_failure(call.asked, call.now)
        return answer

    async def _answer(self, exchange: Exchange, call: Call) -> Answer:
        try:
            if handler := self._open.get(call.endpoint):
                return await handler(exchange, call)
            if call.caller is None:
                return Answer(status=401, payload=DENIED)
            return self._for_caller(exchange, call, call.caller)
        except ViolationError as error:
            return Answer(payload=violations(error))
        except RefusedError as error:
            return Answer(payload=error.reply())
        except DeniedError:
            return Answer(status=401, payload=DENIED)
        except NotFoundError:
            return Answer(status=404, payload="")
        except Exception:
            # One request that nobody thought of must not end the socket it came on.
            exchange.failures += 1
            logger.exception("A request to %s failed; going on", call.endpoint[:_SHOWN])
            return Answer(status=500, payload="")

    def _for_caller(self, exchange: Exchange, call: Call, caller: Caller) -> Answer:
        planned = exchange.faults.strike(caller.user_id, call.endpoint)
        if planned is not None and planned.trouble is not Trouble.SILENCE:
            return _troubled(planned)
        answer = self._carry_out(exchange, call, caller)
        return replace(answer, mute=True) if planned else answer

    def _carry_out(self, exchange: Exchange, call: Call, caller: Caller) -> Answer:
        if handler := self._actions.get(call.endpoint):
            answer = handler(exchange, call, caller)
            if call.endpoint.startswith(_LOGGED):
                exchange.logbook.reply(user_id=caller.user_id, endpoint=call.endpoint, payload=answer.payload)
            return answer
        if found := reads.operation(call.endpoint):
            state = exchange.state
            if call.connection is None:
                state = exchange.lags.view(state, caller.user_id, call.now)
            return Answer(payload=reads.answer(state, caller.user_id, *found, call.query))
        raise NotFoundError


def _failed(answer: Answer) -> bool:
    told = answer.payload if isinstance(answer.payload, dict) else {}
    return answer.status != 200 or not _REFUSALS.isdisjoint(told)


async def _waited(exchange: Exchange, call: Call) -> Call:
    wait = exchange.faults.wait_of(call.caller.user_id, call.endpoint) if call.caller else 0.0
    if not wait:
        return call
    await asyncio.sleep(wait)
    return replace(call, now=exchange.clock())


def _troubled(planned: Planned) -> Answer:
    if planned.trouble is Trouble.LOSE:
        return Answer(mute=True)
    status, payload = faults.answer(planned)
    return Answer(status=status, payload=payload)
