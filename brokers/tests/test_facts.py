"""What brokers state may be told twice, or again after a crash: the rows are the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model

from brokers.models import Account, Fill, Order, Position
from brokers.services import facts
from brokers.tests.factories import AccountFactory
from tradehaven.domain.enums import OrderStatus, OrderType, Side
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
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

pytestmark = pytest.mark.django_db
ES = Symbol("ESZ6")
AT = Nanos(1_795_017_600_123_456_789)  # 2026-11-18 16:00 UTC, 10:00 in Chicago
LATER = Nanos(AT + 1_000_000_000)
SPEC = OrderSpec(order_type=OrderType.LIMIT, qty=2, limit=Ticks(20000))


@pytest.fixture
def account(db: None) -> AccountId:
    return AccountId(AccountFactory.create(cash=None).pk)


def _working(account: AccountId) -> OrderWorking:
    return OrderWorking(
        account=account,
        order_id=OrderId(70),
        client_order_id=ClientOrderId("mine"),
        symbol=ES,
        side=Side.BUY,
        spec=SPEC,
        at=AT,
    )


def _state(account: AccountId, status: OrderStatus = OrderStatus.WORKING) -> OrderState:
    said = _working(account)
    return OrderState(
        order_id=said.order_id,
        client_order_id=said.client_order_id,
        symbol=ES,
        side=said.side,
        spec=SPEC,
        status=status,
        created_at=AT,
    )


def _fill(account: AccountId, number: int = 80) -> OrderFilled:
    return OrderFilled(
        account=account,
        order_id=OrderId(70),
        fill_id=FillId(number),
        symbol=ES,
        side=Side.BUY,
        qty=2,
        price=Ticks(20001),
        at=LATER,
        traded_at=AT,
    )


def _position(account: AccountId, net: int = 2) -> PositionReported:
    return PositionReported(account=account, symbol=ES, net=net, price=Decimal("5000.25"), at=AT)


def _balance(account: AccountId) -> BalanceReported:
    return BalanceReported(account=account, cash=Decimal("50000.10"), realized=Decimal("-12.50"), at=AT)


def _ended(account: AccountId) -> OrderEnded:
    return OrderEnded(
        account=account,
        order_id=OrderId(70),
        client_order_id=None,
        status=OrderStatus.CANCELLED,
        reason="r" * 400,
        at=LATER,
    )


def _changed(account: AccountId) -> OrderChanged:
    spec = replace(SPEC, qty=3, limit=Ticks(19990))
    return OrderChanged(account=account, order_id=OrderId(70), spec=spec, at=LATER)


def _snapshot(account: AccountId) -> AccountSnapshot:
    return AccountSnapshot(
        account=account,
        orders=(_state(account),),
        fills=(_fill(account), _fill(account, 81)),
        positions=(_position(account),),
        balance=_balance(account),
    )


def _rows() -> list[list[dict[str, Any]]]:
    models: tuple[type[Model], ...] = (Order, Fill, Position, Account)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


@pytest.mark.parametrize(
    "tell",
    [
        lambda account: facts.record_working(_working(account)),
        lambda account: facts.record_orders(account, [_state(account)]),
        lambda account: facts.record_changed(_changed(account)),
        lambda account: facts.record_ended(_ended(account)),
        lambda account: facts.record_fills([_fill(account)]),
        lambda account: facts.record_positions([_position(account)]),
        lambda account: facts.record_balance(_balance(account)),
        lambda account: facts.record_snapshot(_snapshot(account)),
    ],
    ids=["working", "orders", "changed", "ended", "fills", "positions", "balance", "snapshot"],
)
def test_a_fact_that_is_told_twice_changes_rows_once(
    account: AccountId, tell: Callable[[AccountId], object]
) -> None:
    facts.record_orders(account, [replace(_state(account), spec=replace(SPEC, qty=1))])
    before = _rows()
    tell(account)
    once = _rows()
    tell(account)
    assert _rows() == once != before


def test_a_fill_is_stored_in_ticks_in_points_and_on_its_trade_date(account: AccountId) -> None:
    facts.record_fills([_fill(account)])
    fill = Fill.objects.get()
    assert (fill.ticks, fill.price, fill.trade_date) == (20001, Decimal("5000.25"), date(2026, 11, 18))
    assert fill.traded_at == datetime(2026, 11, 18, 16, 0, 0, 123456, UTC)


def test_an_order_keeps_its_first_moment_and_its_end(account: AccountId) -> None:
    facts.record_working(_working(account))
    facts.record_changed(_changed(account))
    facts.record_ended(_ended(account))
    order = Order.objects.get()
    assert (order.qty, order.limit_ticks, order.status) == (3, 19990, OrderStatus.CANCELLED)
    assert (order.first_seen_at, order.ended_at) == (facts.moment(AT), facts.moment(LATER))
    assert len(order.reason) == 300
    facts.record_orders(account, [_state(account, OrderStatus.CANCELLED)])
    assert Order.objects.get().ended_at == facts.moment(LATER)


def test_the_latest_of_two_positions_in_one_contract_counts(account: AccountId) -> None:
    facts.record_positions([_position(account, 2), _position(account, -1)])
    assert Position.objects.get().net == -1


def test_a_link_is_stored_with_its_reason_cut_to_fit(account: AccountId) -> None:
    login = ConnectionId(Account.objects.get(pk=account).connection_id)
    facts.record_link(login, up=False, reason="x" * 300, at=AT)
    connection = Account.objects.get(pk=account).connection
    assert (connection.link_up, len(connection.link_reason)) == (False, 200)
    assert connection.link_changed_at == facts.moment(AT)
