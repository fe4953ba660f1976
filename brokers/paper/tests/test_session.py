"""The trading day, its roll, and hours."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from brokers.paper.entities import Order
from brokers.paper.exchange import Exchange
from brokers.paper.options import Hours
from brokers.paper.session import roll, trade_date
from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client
from brokers.paper.tests.conftest import LOGINS

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-18T15:00:00", date(2026, 11, 18)),
        ("2026-11-18T21:59:59", date(2026, 11, 18)),
        ("2026-11-18T22:00:00", date(2026, 11, 19)),
        ("2026-11-20T21:59:59", date(2026, 11, 20)),
        ("2026-11-20T22:30:00", date(2026, 11, 23)),
        ("2026-11-21T12:00:00", date(2026, 11, 23)),
        ("2026-11-22T23:30:00", date(2026, 11, 23)),
        ("2026-07-15T20:59:00", date(2026, 7, 15)),
        ("2026-07-15T21:00:00", date(2026, 7, 16)),
        ("2026-11-26T15:00:00", date(2026, 11, 27)),
        ("2026-12-24T23:30:00", date(2026, 12, 28)),
    ],
)
def test_trading_day_ends_at_five_in_new_york_and_skips_the_weekend(moment: str, day: date) -> None:
    assert trade_date(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == day


def rolled(to: date) -> Callable[[Exchange], None]:
    def work(exchange: Exchange) -> None:
        exchange.publish(roll(exchange.venue, to, exchange.clock()))

    return work


def end_session(exchange: RunningExchange) -> None:
    # The clock says otherwise, so the market loop must not roll back: it stands still in these tests.
    exchange.call(rolled(date(2030, 1, 2)))


@pytest.fixture
def still() -> Iterator[RunningExchange]:
    with running_exchange(logins=LOGINS, tick_seconds=3600) as exchange:
        exchange.set_price("MESZ6", "5050.00")
        yield exchange


def test_day_orders_expire_and_good_till_cancelled_ones_stay(still: RunningExchange) -> None:
    with Client(still, "alice") as alice:
        day = alice.place(orderType="Limit", price=5000)["orderId"]
        lasting = alice.place(orderType="Limit", price=5001, timeInForce="GTC")["orderId"]
        socket = alice.socket()
        end_session(still)
        socket.until("executionReport", orderId=day, execType="Expired")
        assert socket.until("order", id=day)["ordStatus"] == "Expired"
        told = [socket.until("order", id=lasting)["ordStatus"] for _ in range(2)]
        assert told == ["Suspended", "Working"]
        assert [row["id"] for row in alice.get("order/list")] == [lasting]
        still.set_price("MESZ6", "5001.00")
        assert alice.order(lasting)["ordStatus"] == "Filled"


def test_positions_are_carried_and_lists_begin_anew(still: RunningExchange) -> None:
    with Client(still, "alice") as alice:
        alice.place(orderQty=2)
        alice.place(action="Sell", orderQty=1)
        before = alice.cash()["totalCashValue"]
        end_session(still)
        position = alice.position()
        assert position == position | {"netPos": 1, "prevPos": 1, "prevPrice": 5050, "bought": 0, "sold": 0}
        (cash,) = alice.get("cashBalance/deps", masterid=alice.accounts["A-1"])
        assert cash == cash | {"amount": before, "amountSOD": before, "realizedPnL": 0}
        assert [len(alice.get(f"{name}/list")) for name in ("fillPair", "commandReport")] == [0, 0]
        still.set_price("MESZ6", "5060.00")
        alice.place(action="Sell")
        assert alice.position()["netPos"] == 0
        assert alice.cash()["realizedPnL"] == 50 - 2.5


def test_finished_orders_of_the_old_session_are_forgotten(still: RunningExchange) -> None:
    with Client(still, "alice") as alice:
        alice.place()
        alice.place(action="Sell")
        end_session(still)
        assert still.call(lambda exchange: list(exchange.state.records.all(Order))) == []
        assert still.log()[-1]["entity"]["tradeDate"] == {"year": 2030, "month": 1, "day": 2}


def test_closed_session_is_told_once_more_before_the_new_one(still: RunningExchange) -> None:
    with Client(still, "alice") as alice:
        filled = alice.place()["orderId"]
        socket = alice.socket()
        end_session(still)
        again = socket.until("order", id=filled)
        assert again["ordStatus"] == "Filled"
        fill = socket.until("fill", orderId=filled)
        assert fill["tradeDate"] != {"year": 2030, "month": 1, "day": 2}
        assert socket.until("cashBalanceLog", cashChangeType="NewSession")


def test_telling_it_again_can_be_left_out(still: RunningExchange) -> None:
    with Client(still, "alice") as alice:
        alice.place()
        alice.place(action="Sell")
        socket = alice.socket()
        silent = lambda found: roll(found.venue, date(2030, 1, 2), found.clock(), resends=False)  # noqa: E731
        still.call(lambda found: found.publish(silent(found)))
        kinds = {event["entityType"] for event in socket.events(4)}
        assert "order" not in kinds


def test_exchange_hours_refuse_orders_when_the_market_is_closed() -> None:
    saturday = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
    with running_exchange(logins=LOGINS, hours=Hours.CME, clock=lambda: saturday) as exchange:
        with Client(exchange, "alice") as alice:
            assert alice.place()["failureReason"] == "SessionClosed"
    monday = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
    with running_exchange(logins=LOGINS, hours=Hours.CME, clock=lambda: monday) as exchange:
        with Client(exchange, "alice") as alice:
            assert "orderId" in alice.place()
