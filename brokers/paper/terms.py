"""What an order asks for, and the refusals that need no look at the account.

A refusal here is synchronous: the caller gets a reason in the reply and nothing exists afterwards.
Refusals that depend on money or limits come later, as events; they stand in `risk`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from brokers.paper.catalogue import Catalogue, Listing
from brokers.paper.params import Params, ViolationError
from brokers.paper.words import Action, OrderType, RejectReason, TimeInForce

T = TypeVar("T")

LARGEST_QTY = 999_999
TRAILING = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
_WITH_LIMIT = frozenset(
    {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED}
)
_WITH_STOP = TRAILING | {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MIT}
SUPPORTED = _WITH_LIMIT | _WITH_STOP | {OrderType.MARKET}


class RefusedError(Exception):
    """A request that is refused in its reply; carries the reason and a text for people."""

    def __init__(self, reason: RejectReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text

    def reply(self) -> dict[str, Any]:
        """Return the reply's members."""
        return {"failureReason": self.reason.value, "failureText": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The parameters of one order version; prices in ticks."""

    qty: int
    order_type: OrderType
    limit: int | None = None
    stop: int | None = None
    touch: int | None = None
    trail: int | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    expires: datetime | None = None
    text: str | None = None
    max_show: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends a command, and the marks the command carries."""

    user_id: int
    session_id: int = 0
    cl_ord_id: str | None = None
    tag50: str | None = None
    automated: bool = False
    activates: datetime | None = None


def sender(params: Params, *, user_id: int, session_id: int) -> Sender:
    """Return the marks of a command; raises ViolationError on texts over 64 characters."""
    return Sender(
        user_id=user_id,
        session_id=session_id,
        cl_ord_id=params.text("clOrdId"),
        tag50=params.text("customTag50"),
        automated=params.flag("isAutomated"),
        activates=params.moment("activationTime"),
    )


def action(params: Params) -> Action:
    """Return the side; raises ViolationError when it is absent or no side."""
    return _present(params.word("action", Action), "action")


def contract(params: Params, catalogue: Catalogue, now: datetime) -> Listing:
    """Return the dated contract of `symbol`; raises RefusedError for roots, `@` names and expired ones."""
    symbol = _present(params.text("symbol"), "symbol")
    listing = catalogue.find(symbol)
    if listing is None or listing.expires <= now:
        raise RefusedError(RejectReason.INVALID_CONTRACT, f"symbol {symbol} is not a contract that trades")
    return listing


def terms(params: Params, listing: Listing) -> Terms:
    """Return an order's parameters; raises ViolationError on shape and RefusedError on type or price."""
    qty = _present(params.integer("orderQty"), "orderQty")
    if not 0 < qty <= LARGEST_QTY:
        raise ViolationError("orderQty", qty, f"orderQty must be from 1 to {LARGEST_QTY}")
    order_type = _present(params.word("orderType", OrderType), "orderType")
    if order_type not in SUPPORTED:
        raise RefusedError(RejectReason.UNSUPPORTED, f"orderType {order_type} is not supported")
    touched = OrderType.LIMIT_IF_TOUCHED
    time_in_force = params.word("timeInForce", TimeInForce) or TimeInForce.DAY
    expires = params.moment("expireTime")
    if time_in_force is TimeInForce.GTD and expires is None:
        raise ViolationError("expireTime", None, "expireTime is required for timeInForce GTD")
    return Terms(
        qty=qty,
        order_type=order_type,
        limit=_ticks(params, "price", listing) if order_type in _WITH_LIMIT else None,
        stop=_stop_ticks(params, order_type, listing) if order_type in _WITH_STOP else None,
        touch=_ticks(params, "limitIfTouchedPrice", listing) if order_type is touched else None,
        trail=_trail(params, listing, order_type) if order_type in TRAILING else None,
        time_in_force=time_in_force,
        expires=expires if time_in_force is TimeInForce.GTD else None,
        text=params.text("text"),
        max_show=params.integer("maxShow"),
    )


def check_pair(one: Action, first: Terms, other: Action, second: Terms) -> None:
    """Refuse a pair on one side whose limit stands on the wrong side of its stop (protocol 11.2)."""
    limit = first.limit if first.stop is None else second.limit if second.stop is None else None
    stop = second.stop if first.stop is None else first.stop
    if one is other and limit is not None and stop is not None and (limit - stop) * one.sign > 0:
        raise RefusedError(RejectReason.INVALID_PRICE, "Wrong OCO combination")


def violations(error: ViolationError) -> dict[str, Any]:
    """Return the reply's members for a request of a wrong shape."""
    value = error.value if isinstance(error.value, (int, str)) else None
    return {"violations": [{"constraint": error.member, "value": value, "description": error.description}]}


def _stop_ticks(params: Params, order_type: OrderType, listing: Listing) -> int:
    # The touch price of an MIT order is documented for neither member, so both are accepted.
    touched = order_type is OrderType.MIT and params.raw("stopPrice") is None
    return _ticks(params, "price" if touched else "stopPrice", listing)


def _trail(params: Params, listing: Listing, order_type: OrderType) -> int | None:
    # A trailing stop may leave its distance out, with a limit it may not (protocol 10.1).
    if params.raw("pegDifference") is None and order_type is OrderType.TRAILING_STOP:
        return None
    trail = _ticks(params, "pegDifference", listing)
    if trail <= 0:
        raise RefusedError(RejectReason.INVALID_PRICE, "pegDifference must be above zero")
    return trail


def _ticks(params: Params, member: str, listing: Listing) -> int:
    try:
        price = params.decimal(member)
    except ViolationError as error:
        raise RefusedError(RejectReason.INVALID_PRICE, error.description) from None
    if price is None:
        raise RefusedError(RejectReason.INVALID_PRICE, f"{member} is required for this order type")
    ticks = listing.spec.ticks(price)
    if ticks is None:
        raise RefusedError(RejectReason.INVALID_PRICE, _off_tick(member, price, listing))
    return ticks


def _off_tick(member: str, price: Decimal, listing: Listing) -> str:
    return f"{member} {price} is not a multiple of the tick {listing.spec.tick} of {listing.spec.symbol}"


def _present(value: T | None, member: str) -> T:
    if value is None:
        raise ViolationError(member, None, f"{member} is required")
    return value
