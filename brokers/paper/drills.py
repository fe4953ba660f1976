"""The operator's drills: conditions that last until they are called off, rather than single blows.

Rate limits, lagging reads, slow answers, frozen sockets; the single blows stand in `operator`.
"""

from collections.abc import Callable
from functools import partial

from brokers.paper.catalogue import Listing
from brokers.paper.codec import Json, number
from brokers.paper.entities import Account, User
from brokers.paper.exchange import Exchange
from brokers.paper.faults import Drill, Planned, Slowness, Trouble
from brokers.paper.overview import venue
from brokers.paper.params import Params
from brokers.paper.quotas import REAL, Limits
from brokers.paper.words import RejectReason

Command = Callable[[Params], Json]
_FROZEN_SECONDS = 120
_PENALTY_SECONDS = 5


def commands(
    exchange: Exchange, user: Callable[[Params], User], account: Callable[[Params], Account]
) -> dict[str, Command]:
    """Return the drills by name; `user` and `account` find whom they meet."""

    def switched(params: Params) -> Json:
        drill, on = params.word("kind", Drill), params.flag("on")
        if drill is None:
            raise ValueError(f"kind must be one of {', '.join(Drill)}")
        if drill.of_login:
            switch_login(exchange, user(params), drill, on=on)
        else:
            switch_account(exchange, account(params), drill, on=on)
        return {"on": on}

    return {
        "limits": partial(limit, exchange),
        "halt": partial(halt, exchange),
        "band": partial(band, exchange),
        "lag": lambda params: lag(exchange, user(params), params),
        "slow": lambda params: slow(exchange, user(params), params),
        "freeze": lambda params: freeze(exchange, user(params), params),
        "venue": lambda params: venue(exchange, params),
        "switch": switched,
    }


def halt(exchange: Exchange, params: Params) -> Json:
    """Stop trading in one contract, or let it go on; orders are taken and cancelled meanwhile."""
    listing = _listing(exchange, params)
    exchange.halt(listing.id, halted=params.flag("on", True))
    return {"halted": exchange.state.books[listing.id].halted}


def band(exchange: Exchange, params: Params) -> Json:
    """Set the day's price limits of one contract; a limit that is left out is lifted."""
    listing = _listing(exchange, params)
    low, high = (
        None if price is None else listing.spec.ticks(price)
        for price in (params.decimal("low"), params.decimal("high"))
    )
    exchange.state.books[listing.id].floor = low
    exchange.state.books[listing.id].ceiling = high
    return {"low": number(listing.spec.price(low)) if low is not None else None} | {
        "high": number(listing.spec.price(high)) if high is not None else None
    }


def _listing(exchange: Exchange, params: Params) -> Listing:
    listing = exchange.state.catalogue.find(params.text("symbol") or "")
    if listing is None:
        raise ValueError("symbol must name a contract")
    return listing


def lag(exchange: Exchange, user: User, params: Params) -> Json:
    """Let a login's reads over REST show what was true some seconds ago; 0 calls it off."""
    seconds = _amount(params, "seconds")
    exchange.lags.order(user.id, exchange.state.records, seconds)
    return {"seconds": seconds}


def slow(exchange: Exchange, user: User, params: Params) -> Json:
    """Let a login's requests wait before they are carried out; 0 calls it off."""
    milliseconds = _amount(params, "milliseconds")
    slowness = Slowness(seconds=milliseconds / 1000, endpoint=params.text("endpoint") or "")
    exchange.faults.slow_down(user.id, slowness)
    return {"milliseconds": milliseconds}


def freeze(exchange: Exchange, user: User, params: Params) -> Json:
    """Leave a login's sockets half open: nothing is read or written, nothing is closed for a while."""
    seconds = params.integer("seconds")
    connections = exchange.hub.of_user(user.id)
    for connection in connections:
        connection.freeze(_FROZEN_SECONDS if seconds is None else seconds)
    return {"frozen": len(connections)}


def limit(exchange: Exchange, params: Params) -> Json:
    """Let rate limits hold from now on; members that are left out keep their value."""
    held = REAL if params.flag("real") else exchange.quotas.limits
    number = partial(_amount, params)
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


def switch_login(exchange: Exchange, user: User, drill: Drill, *, on: bool) -> None:
    """Switch a drill of a login on or off; on twice is on once."""
    faults = exchange.faults
    if drill is Drill.PENALTY:
        faults.disarm(user.id, Trouble.PENALTY)
        if on:
            planned = Planned(trouble=Trouble.PENALTY, endpoint="order/place", seconds=_PENALTY_SECONDS)
            faults.plan(user.id, planned)
        return
    faults.offline.discard(user.id)
    if on:
        faults.offline.add(user.id)
        for connection in exchange.hub.of_user(user.id):
            connection.close()


def switch_account(exchange: Exchange, account: Account, drill: Drill, *, on: bool) -> None:
    """Switch a drill of an account on or off; on twice is on once."""
    if drill is Drill.REJECT:
        rejects = exchange.state.next_rejects[account.id]
        rejects.clear()
        if on:
            rejects.append((RejectReason.OTHER_EXECUTION_RELATED, "Rejected by the fire drill"))
        return
    parts = exchange.state.next_parts[account.id]
    parts.clear()
    if on:
        parts.append((1,))


def _amount(params: Params, name: str, default: int = 0) -> int:
    given = params.integer(name)
    if given is not None and given < 0:
        raise ValueError(f"{name} must not be negative")
    return default if given is None else given
