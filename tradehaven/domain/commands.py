"""Everything that we ask a broker for, and the four ways it can turn out.

A command may fail; that is an outcome, not an exception. A time-out is not a no: it is `Unresolved`,
and only evidence from the broker ends it (reliability rule I12).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.values import Value


class Lane(IntEnum):
    """How urgent a call to the broker is, the most urgent first. Never stored."""

    FLATTEN_CANCEL = 0
    PROTECTIVE = 1
    ENTRY = 2
    CHANGE = 3
    QUERY = 4


class PlaceOrder(Value, frozen=True, kw_only=True):
    """Put a new order into the market. One that only closes is `PROTECTIVE`."""

    account: AccountId
    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    spec: OrderSpec
    lane: Lane = Lane.ENTRY


class ChangeOrder(Value, frozen=True, kw_only=True):
    """Replace all parameters of a live order; `spec.qty` is its total, filled contracts included.

    A change of price alone may wait and merge with the next one; one of the size of an exit may not.
    """

    account: AccountId
    client_order_id: ClientOrderId
    order_id: OrderId
    symbol: Symbol
    spec: OrderSpec
    lane: Lane = Lane.CHANGE


class CancelOrder(Value, frozen=True, kw_only=True):
    """Take a live order out of the market."""

    lane: ClassVar[Lane] = Lane.FLATTEN_CANCEL
    account: AccountId
    client_order_id: ClientOrderId
    order_id: OrderId


class ClosePosition(Value, frozen=True, kw_only=True):
    """Let the broker cancel what works in a contract and trade its position to zero, never beyond."""

    lane: ClassVar[Lane] = Lane.FLATTEN_CANCEL
    account: AccountId
    client_order_id: ClientOrderId
    symbol: Symbol


Command = PlaceOrder | ChangeOrder | CancelOrder | ClosePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The broker took the command. For a new order `order_id` is its name from now on."""

    account: AccountId
    client_order_id: ClientOrderId
    order_id: OrderId | None
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The broker said no, in its own words."""

    account: AccountId
    client_order_id: ClientOrderId
    code: str
    text: str
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """It was not carried out: we did not send it, or the broker would not even look at it.

    `retry_at` is when it may be tried again, where that is known.
    """

    account: AccountId
    client_order_id: ClientOrderId
    reason: RefusalReason
    text: str
    at: Nanos
    retry_at: Nanos | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """No answer came: the broker may or may not have acted."""

    account: AccountId
    client_order_id: ClientOrderId
    text: str
    at: Nanos


Outcome = Confirmed | Rejected | Denied | Unresolved
