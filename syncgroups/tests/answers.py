"""What the broker of a test says when it is asked for everything, or for its lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncgroups.tests.plans import connection_of
from tradehaven.domain.enums import OrderStatus, Side
from tradehaven.domain.events import (
    AccountSnapshot,
    OrderFilled,
    OrdersListed,
    OrderState,
    PositionReported,
    SnapshotTaken,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec

Holdings = Mapping[tuple[AccountId, Symbol], int]


@dataclass
class BrokerOrder:
    """An order as the broker knows it."""

    account: AccountId
    order_id: OrderId
    client_order_id: ClientOrderId | None
    symbol: Symbol
    side: Side
    spec: OrderSpec
    status: OrderStatus = OrderStatus.WORKING
    filled: int = 0
    created_at: Nanos = Nanos(0)
    oco: OrderId | None = None


def snapshot_of(
    account: AccountId,
    orders: Iterable[BrokerOrder],
    fills: Iterable[OrderFilled],
    holdings: Holdings,
    at: Nanos,
) -> SnapshotTaken:
    """Return the whole truth of an account's login."""
    stated = tuple(
        OrderState(
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            spec=order.spec,
            status=order.status,
            created_at=order.created_at,
            oco=order.oco,
        )
        for order in orders
        if order.account == account
    )
    mine = tuple(fill for fill in fills if fill.account == account)
    truth = AccountSnapshot(
        account=account, orders=stated, fills=mine, positions=_held(account, holdings, at), balance=None
    )
    return SnapshotTaken(connection=connection_of(account), accounts=(truth,), at=at)


def list_of(account: AccountId, orders: Iterable[BrokerOrder], holdings: Holdings, at: Nanos) -> OrdersListed:
    """Return the lists of an account's login."""
    named = {order.client_order_id for order in orders if order.account == account}
    return OrdersListed(
        connection=connection_of(account),
        accounts=(account,),
        client_order_ids=frozenset(name for name in named if name is not None),
        positions=_held(account, holdings, at),
        at=at,
    )


def _held(account: AccountId, holdings: Holdings, at: Nanos) -> tuple[PositionReported, ...]:
    return tuple(
        PositionReported(account=account, symbol=symbol, net=net, price=None, at=at)
        for (holder, symbol), net in holdings.items()
        if holder == account
    )
