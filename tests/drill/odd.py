"""News that makes no sense (F19): of orders, accounts and contracts that nobody knows, and wild figures.

A frame that cannot be read at all never comes this far: `brokers/tradovate/tests` has those.
"""

from collections.abc import Callable
from decimal import Decimal

from tradehaven.domain.commands import Confirmed, Rejected, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, Side
from tradehaven.domain.events import (
    BalanceReported,
    Event,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderWorking,
    PositionReported,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

NOBODY = AccountId(4_040)
"""An account that no plan has: nothing that is told of it may change anything for the others."""
UNHEARD_OF = Symbol("QQQQZ6")
GONE = OrderId(404_000_001)
NAMELESS = ClientOrderId("somebody-elses-robot-17")
_SPEC = OrderSpec(order_type=OrderType.LIMIT, qty=1_000_000, limit=Ticks(-1))


def _working(at: Nanos) -> Event:
    return OrderWorking(
        account=NOBODY,
        order_id=GONE,
        client_order_id=NAMELESS,
        symbol=UNHEARD_OF,
        side=Side.BUY,
        spec=_SPEC,
        at=at,
    )


def _filled(at: Nanos) -> Event:
    return OrderFilled(
        account=NOBODY,
        order_id=GONE,
        fill_id=FillId(404_000_002),
        symbol=UNHEARD_OF,
        side=Side.SELL,
        qty=1_000_000,
        price=Ticks(0),
        at=at,
        traded_at=Nanos(0),
    )


def _ended(at: Nanos) -> Event:
    status = OrderStatus.UNKNOWN
    return OrderEnded(
        account=NOBODY, order_id=GONE, client_order_id=NAMELESS, status=status, reason="NoSuchReason", at=at
    )


_KINDS: tuple[Callable[[Nanos], Event], ...] = (
    _working,
    _filled,
    _ended,
    lambda at: OrderChanged(account=NOBODY, order_id=GONE, spec=_SPEC, at=at),
    lambda at: PositionReported(account=NOBODY, symbol=UNHEARD_OF, net=-7, price=Decimal("NaN"), at=at),
    lambda at: BalanceReported(account=NOBODY, cash=Decimal("-1E+30"), realized=Decimal(0), at=at),
    lambda at: Confirmed(account=NOBODY, client_order_id=NAMELESS, order_id=GONE, at=at),
    lambda at: Rejected(account=NOBODY, client_order_id=NAMELESS, code="NoSuchCode", text="", at=at),
    lambda at: Unresolved(account=NOBODY, client_order_id=NAMELESS, text="", at=at),
)


def strange(connection: ConnectionId, number: int, at: Nanos) -> Event:
    """Return the `number`-th kind of nonsense."""
    kinds = len(_KINDS) + 1
    if number % kinds == len(_KINDS):
        return OrdersListed(connection=connection, accounts=(), client_order_ids=frozenset(), at=at)
    return _KINDS[number % kinds](at)
