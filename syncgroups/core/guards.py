"""Stops and targets that a rule puts behind what followers hold (RISK-06): orders that answer no leader.

A guard is known by its client order id alone, so that the broker's own lists bring it back after a loss of
everything. What it closes is, to a group, closed by another hand: nobody enters it again.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from syncgroups.core.keys import PREFIX
from tradehaven.domain.commands import Confirmed, Denied, Outcome, Rejected, Unresolved
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec

_KEY = re.compile(rf"{PREFIX}g\.a(\d+)\.([^.]+)\.(sl|tp)\.(\d+)(?:\.c\d+)?", re.ASCII)
MAX_REFUSALS = 3


class GuardLeg(StrEnum):
    """What a guard keeps: the loss of a position, or its profit."""

    STOP = "sl"
    TARGET = "tp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard. `in_flight` is the change or cancel that was not answered yet, sent at `at` (UTC).

    `commands` numbers its changes and cancels; `ending` says that it is being taken away.
    """

    key: ClientOrderId
    account: AccountId
    symbol: Symbol
    leg: GuardLeg
    side: Side
    spec: OrderSpec
    at: Nanos
    order_id: OrderId | None = None
    in_flight: ClientOrderId | None = None
    commands: int = 0
    refusals: int = 0
    ending: bool = False


def guard_id(account: AccountId, symbol: Symbol, leg: GuardLeg, number: int) -> ClientOrderId:
    """Return the id of a guard; `number` is the millisecond of its decision, so none comes twice."""
    return ClientOrderId(f"{PREFIX}g.a{account}.{symbol}.{leg}.{number}")


def is_guard(key: ClientOrderId | None) -> bool:
    """Say whether an id is that of a guard, or of a command about one."""
    return key is not None and key.startswith(f"{PREFIX}g.")


def leg_of(key: ClientOrderId | None) -> tuple[ClientOrderId, GuardLeg] | None:
    """Return which guard an id names; None for another one."""
    found = _KEY.fullmatch(key or "")
    return (ClientOrderId(found[0][: found.end(4)]), GuardLeg(found[3])) if found is not None else None


def answered(guard: Guard, outcome: Outcome) -> Guard | None:
    """Return a guard after an answer about it; None when there is none any more."""
    placing = outcome.client_order_id == guard.key
    if not placing and outcome.client_order_id != guard.in_flight:
        return guard  # what it answers is past: another command is out, or none
    match outcome:
        case Confirmed() if placing:
            return replace(guard, order_id=guard.order_id or outcome.order_id)
        case Confirmed():
            return replace(guard, in_flight=None)
        case Rejected() | Denied() if placing:
            return None
        case Denied(reason=RefusalReason.RATE_LIMITED):
            return replace(guard, in_flight=None, ending=False)  # nobody has turned it down
        case Rejected() | Denied():
            return replace(guard, in_flight=None, refusals=guard.refusals + 1, ending=False)
        case Unresolved() if placing:
            return guard
        case Unresolved():
            return replace(guard, in_flight=None, ending=False)  # a cancel may safely be told again
        case _:  # pragma: no cover
            assert_never(outcome)
