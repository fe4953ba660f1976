"""The operator's drills: conditions that last until they are called off, rather than single blows.

Rate limits; the single blows stand in `operator`.
"""

from collections.abc import Callable
from functools import partial

from brokers.paper.codec import Json
from brokers.paper.exchange import Exchange
from brokers.paper.params import Params
from brokers.paper.quotas import REAL, Limits

Command = Callable[[Params], Json]


def commands(exchange: Exchange) -> dict[str, Command]:
    """Return the drills by the names under which the operator orders them."""
    return {"limits": partial(limit, exchange)}


def limit(exchange: Exchange, params: Params) -> Json:
    """Let rate limits hold from now on; members that are left out keep their value."""
    held = REAL if params.flag("real") else exchange.quotas.limits

    def number(name: str, default: int) -> int:
        given = params.integer(name)
        if given is not None and given < 0:
            raise ValueError(f"{name} must not be negative")
        return default if given is None else given

    limits = Limits(
        commands_per_minute=number("commandsPerMinute", held.commands_per_minute),
        requests_per_hour=number("requestsPerHour", held.requests_per_hour),
        anonymous_per_hour=number("anonymousPerHour", held.anonymous_per_hour),
        endpoints=params.flag("endpoints", held.endpoints),
    )
    exchange.quotas.change(limits)
    return {
        "commandsPerMinute": limits.commands_per_minute,
        "requestsPerHour": limits.requests_per_hour,
        "anonymousPerHour": limits.anonymous_per_hour,
        "endpoints": limits.endpoints,
    }
