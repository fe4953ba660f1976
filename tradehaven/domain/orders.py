"""What an order says, without where it stands: that is the book's business.

Prices are whole ticks of the order's own contract. A change of an order is a new spec.
"""

from dataclasses import dataclass
from datetime import datetime

from tradehaven.domain.enums import OrderType, TimeInForce
from tradehaven.domain.errors import InvalidOrder
from tradehaven.domain.money import Ticks

MAX_ORDER_QTY = 100_000
"""Above any quantity CME accepts in one order; a larger number is a slip, not an order."""

_NEEDS_LIMIT = frozenset(
    {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED}
)
_TRAILING = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
_NEEDS_STOP = _TRAILING | {
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.MIT,
    OrderType.LIMIT_IF_TOUCHED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSpec:
    """Type, quantity in contracts, prices in ticks and time in force of one order.

    `stop` is the price that wakes it, also where it is a touch (MIT, limit if touched). `trail` is the
    distance at which a trailing stop follows the market; the broker moves its `stop` by itself.
    """

    order_type: OrderType
    qty: int
    limit: Ticks | None = None
    stop: Ticks | None = None
    trail: Ticks | None = None
    tif: TimeInForce = TimeInForce.DAY
    expire_at: datetime | None = None

    def __hash__(self) -> int:
        # Specs are looked up once for each follower: three whole numbers tell them apart well enough.
        return hash((self.qty, self.limit, self.stop))

    @property
    def trails(self) -> bool:
        """Say whether the broker moves the prices by itself; then only the quantity can be changed."""
        return self.order_type in _TRAILING

    def means(self, other: "OrderSpec") -> bool:
        """Say whether an order that stands like `other` is what this asks for, wherever it has trailed to."""
        if self.trails and other.order_type is self.order_type:
            return self.qty == other.qty
        return self == other


def check_spec(spec: OrderSpec) -> OrderSpec:
    """Return the spec unchanged, or raise `InvalidOrder` naming the field and the fix."""
    if not 0 < spec.qty <= MAX_ORDER_QTY:
        raise InvalidOrder("qty", f"quantity must be 1 to {MAX_ORDER_QTY} contracts, got {spec.qty}")
    if spec.order_type in _NEEDS_LIMIT and spec.limit is None:
        raise InvalidOrder("limit", f"a {spec.order_type} order needs a limit price")
    if spec.order_type in _NEEDS_STOP and spec.stop is None:
        raise InvalidOrder("stop", f"a {spec.order_type} order needs a stop price")
    if spec.trail is not None and spec.trail <= 0:
        raise InvalidOrder("trail", f"a trailing distance must be above 0 ticks, got {spec.trail}")
    if spec.order_type is OrderType.TRAILING_STOP_LIMIT and spec.trail is None:
        raise InvalidOrder("trail", "a trailing stop limit order needs its distance")
    if spec.tif is TimeInForce.GTD and spec.expire_at is None:
        raise InvalidOrder("expire_at", "a good-till-date order needs its date")
    return spec
