"""What brokers state, written down. Every function may run twice: a known fact is skipped or overwritten."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.utils import timezone

from brokers.models import Account, Connection, Fill, Order, Position
from tradehaven.domain.calendar import trade_date
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderStatus
from tradehaven.domain.events import (
    AccountSnapshot,
    BalanceReported,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrderState,
    OrderWorking,
    PositionReported,
)
from tradehaven.domain.ids import AccountId, ConnectionId, Nanos
from tradehaven.domain.transitions import is_final


def moment(at: Nanos) -> datetime:
    """Return UTC nanoseconds as a time of day, cut to the microsecond."""
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).replace(microsecond=at % 1_000_000_000 // 1000)


def record_working(event: OrderWorking) -> None:
    """Store an order that has been seen working."""
    record_orders(
        event.account,
        [
            OrderState(
                order_id=event.order_id,
                client_order_id=event.client_order_id,
                symbol=event.symbol,
                side=event.side,
                spec=event.spec,
                status=OrderStatus.WORKING,
                created_at=event.at,
            )
        ],
    )


def record_orders(account: AccountId, orders: Iterable[OrderState]) -> None:
    """Store orders as they are stated; an order that has ended keeps the time at which we learnt it."""
    latest = {order.order_id: order for order in orders}  # a list that names one twice means its last word
    rows = [
        Order(
            account_id=account,
            broker_order_id=order.order_id,
            client_order_id=order.client_order_id or "",
            symbol=order.symbol,
            side=order.side,
            order_type=order.spec.order_type,
            qty=order.spec.qty,
            limit_ticks=order.spec.limit,
            stop_ticks=order.spec.stop,
            tif=order.spec.tif,
            status=order.status,
            first_seen_at=moment(order.created_at),
            ended_at=moment(order.created_at) if is_final(order.status) else None,
        )
        for order in latest.values()
    ]
    Order.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "broker_order_id"],
        update_fields=["client_order_id", "qty", "limit_ticks", "stop_ticks", "tif", "status"],
    )
    # One that ended while nobody looked has no other time of its end than that we know of it now.
    ended = [order.order_id for order in latest.values() if is_final(order.status)]
    unseen_ends = Order.objects.filter(account_id=account, broker_order_id__in=ended, ended_at=None)
    unseen_ends.update(ended_at=timezone.now())


def record_changed(event: OrderChanged) -> None:
    """Store an order's new parameters."""
    spec = event.spec
    Order.objects.filter(account_id=event.account, broker_order_id=event.order_id).update(
        qty=spec.qty, limit_ticks=spec.limit, stop_ticks=spec.stop, tif=spec.tif
    )


def record_ended(event: OrderEnded) -> None:
    """Store the end of an order and its reason."""
    Order.objects.filter(account_id=event.account, broker_order_id=event.order_id).update(
        status=event.status, reason=event.reason[:300], ended_at=moment(event.at)
    )


def record_fills(fills: Iterable[OrderFilled]) -> int:
    """Store executions; those that are known already are skipped. Return how many were given."""
    rows = []
    for fill in fills:
        traded = product_of(fill.symbol)
        at = moment(fill.traded_at)
        rows.append(
            Fill(
                account_id=fill.account,
                broker_fill_id=fill.fill_id,
                broker_order_id=fill.order_id,
                symbol=fill.symbol,
                side=fill.side,
                qty=fill.qty,
                ticks=fill.price,
                price=traded.to_price(fill.price),
                traded_at=at,
                trade_date=trade_date(at, traded.template),
            )
        )
    Fill.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def record_positions(positions: Iterable[PositionReported]) -> None:
    """Store net positions as stated."""
    latest = {(position.account, position.symbol): position for position in positions}
    Position.objects.bulk_create(
        [
            Position(
                account_id=position.account,
                symbol=position.symbol,
                net=position.net,
                price=position.price,
                updated_at=moment(position.at),
            )
            for position in latest.values()
        ],
        update_conflicts=True,
        unique_fields=["account", "symbol"],
        update_fields=["net", "price", "updated_at"],
    )


def record_balance(event: BalanceReported) -> None:
    """Store an account's cash and realised profit of the day (USD)."""
    Account.objects.filter(pk=event.account).update(
        cash=event.cash, realized=event.realized, balance_at=moment(event.at)
    )


def record_snapshot(snapshot: AccountSnapshot) -> None:
    """Store all that the broker says of an account."""
    record_orders(snapshot.account, snapshot.orders)
    record_fills(snapshot.fills)
    record_positions(snapshot.positions)
    if snapshot.balance is not None:
        record_balance(snapshot.balance)


def record_link(connection: ConnectionId, *, up: bool, reason: str, at: Nanos) -> None:
    """Store how a login's socket stands."""
    Connection.objects.filter(pk=connection).update(
        link_up=up, link_reason=reason[:200], link_changed_at=moment(at)
    )
