"""Everything that we ask a broker for, and the four ways it can turn out.

A command may fail; that is an outcome, not an exception. A time-out is not a no: it is `Unresolved`,
and only evidence from the broker ends it (reliability rule I12).
"""

from dataclasses import dataclass

from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Put a new order into the market."""

    account: AccountId
    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    spec: OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOrder:
    """Replace all parameters of a live order; `spec.qty` is its total, filled contracts included."""

    account: AccountId
    client_order_id: ClientOrderId
    order_id: OrderId
    symbol: Symbol
    spec: OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Take a live order out of the market."""

    account: AccountId
    client_order_id: ClientOrderId
    order_id: OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePosition:
    """Let the broker cancel what works in a contract and trade its position to zero, never beyond."""

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
    """We did not send it."""

    account: AccountId
    client_order_id: ClientOrderId
    reason: RefusalReason
    text: str
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """No answer came: the broker may or may not have acted."""

    account: AccountId
    client_order_id: ClientOrderId
    text: str
    at: Nanos


Outcome = Confirmed | Rejected | Denied | Unresolved
