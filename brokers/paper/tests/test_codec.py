"""Values to the wire and back."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.codec import from_wire, instant, parse_instant, to_wire, wire_name
from brokers.paper.entities import CashBalance, Fill, Order, OrderVersion
from brokers.paper.kinds import Kind
from brokers.paper.words import Action, OrderType, OrdStatus

NOW = datetime(2026, 8, 18, 13, 31, 22, 417_900, UTC)


def test_instants_have_milliseconds_and_a_z_and_are_utc() -> None:
    assert instant(NOW) == "2026-08-18T13:31:22.417Z"
    assert instant(NOW.astimezone(timezone(timedelta(hours=-4)))) == "2026-08-18T13:31:22.417Z"


@pytest.mark.parametrize("text", ["2026-08-18T13:31:22Z", "2026-08-18T13:31:22", "2026-08-18T09:31:22-04:00"])
def test_instants_are_read_in_every_usual_form(text: str) -> None:
    assert parse_instant(text) == NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("member", "wire"),
    [
        ("id", "id"),
        ("ord_status", "ordStatus"),
        ("cl_ord_id", "clOrdId"),
        ("realized_pnl", "realizedPnL"),
        ("amount_sod", "amountSOD"),
        ("custom_tag50", "customTag50"),
    ],
)
def test_members_are_spelt_as_the_protocol_spells_them(member: str, wire: str) -> None:
    assert wire_name(member) == wire


def test_absent_members_are_left_out() -> None:
    order = Order(
        id=5,
        account_id=1,
        contract_id=2,
        timestamp=NOW,
        action=Action.SELL,
        ord_status=OrdStatus.PENDING_NEW,
    )
    assert to_wire(order) == {
        "id": 5,
        "accountId": 1,
        "contractId": 2,
        "timestamp": "2026-08-18T13:31:22.417Z",
        "action": "Sell",
        "ordStatus": "PendingNew",
        "executionProviderId": 1,
        "archived": False,
        "external": False,
        "admin": False,
    }


def test_trade_dates_are_objects_and_whole_numbers_have_no_fraction() -> None:
    fill = Fill(
        id=5,
        order_id=4,
        contract_id=2,
        timestamp=NOW,
        trade_date=date(2026, 8, 18),
        action=Action.BUY,
        qty=1,
        price=Decimal("6580.00"),
    )
    body = to_wire(fill)
    assert body["tradeDate"] == {"year": 2026, "month": 8, "day": 18}
    assert body["price"] == 6580
    assert isinstance(body["price"], int)


TICKS = st.integers(-(10**7), 10**7)


@given(TICKS, TICKS)
def test_what_is_written_is_read_back_exactly(price: int, cents: int) -> None:
    version = OrderVersion(
        id=1, order_id=1, order_qty=1, order_type=OrderType.LIMIT, price=price * Decimal("0.00390625")
    )
    cash = CashBalance(
        id=1,
        account_id=1,
        timestamp=NOW.replace(microsecond=417_000),
        trade_date=date(2026, 8, 18),
        amount=cents * Decimal("0.01"),
        amount_sod=Decimal(0),
    )
    assert from_wire(Kind.ORDER_VERSION, to_wire(version)) == version
    assert from_wire(Kind.CASH_BALANCE, to_wire(cash)) == cash
