"""The one gate before every order of a follower, in the order of RISK-01.

Kill switch, daily loss and lockout, maximum position, SL/TP enforcement: today the first and the third
exist, each in the place that this order gives it. A reduction passes every soft limit.
"""

from dataclasses import dataclass

from risk.core.limits import AccountLimits
from tradehaven.domain.enums import RefusalReason, TradingState


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An order before it is sent: contracts that reduce, contracts that open, and what is at stake already.

    `exposure` is what would be held on the order's side, in contracts, if everything that works there
    filled; it is negative where the account stands on the other side.
    """

    reduce: int
    enter: int
    exposure: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Send it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Send `qty` contracts only; the rest is refused for `reason`. `room` is what could still be opened."""

    qty: int
    reason: RefusalReason
    detail: str
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Send nothing. `room` is what could still be opened, in contracts."""

    reason: RefusalReason
    detail: str
    room: int = 0


Verdict = Allowed | Changed | Refused
ALLOWED = Allowed()


def review(proposal: Proposal, limits: AccountLimits, state: TradingState) -> Verdict:
    """Return what may be sent of a proposal. A refusal is a value and touches no other account."""
    if state is TradingState.HALTED:
        return Refused(reason=RefusalReason.KILL_SWITCH, detail="the kill switch is on")
    if proposal.enter == 0:
        return ALLOWED
    if state is TradingState.REDUCING:
        return _without_entry(proposal, RefusalReason.REDUCE_ONLY, "only reductions are allowed now")
    most = limits.max_position
    worst = proposal.exposure + proposal.reduce + proposal.enter
    if most is not None and worst > most:
        detail = f"{proposal.enter} more could make {worst} contracts, the limit is {most}"
        room = max(0, most - proposal.exposure - proposal.reduce)
        return _without_entry(proposal, RefusalReason.MAX_POSITION, detail, room)
    return ALLOWED


def _without_entry(proposal: Proposal, reason: RefusalReason, detail: str, room: int = 0) -> Verdict:
    if proposal.reduce:
        return Changed(qty=proposal.reduce, reason=reason, detail=detail, room=room)
    return Refused(reason=reason, detail=detail, room=room)


_STRICTNESS = {TradingState.ACTIVE: 0, TradingState.REDUCING: 1, TradingState.HALTED: 2}


def strictest(states: tuple[TradingState, ...]) -> TradingState:
    """Return the narrowest of the gates that stand over an account; none at all is open."""
    if all(state is TradingState.ACTIVE for state in states):
        return TradingState.ACTIVE
    return max(states, key=_STRICTNESS.__getitem__)
