"""A gateway that is not let in, market data, and what a login tells of itself."""

import asyncio
import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from brokers.clock import process_clock
from brokers.paper.session import roll
from brokers.paper.testing import RunningExchange, running_exchange
from brokers.ports import Login, PriceSeen
from brokers.tradovate.gateway import TradovateGateway
from brokers.tradovate.quotes import QuoteSocket
from brokers.tradovate.tests.watching import Watch, login_at, order_of, with_gateway
from tradehaven.domain.enums import OrderType, TimeInForce
from tradehaven.domain.errors import BrokerError, CredentialsRejected, Unavailable
from tradehaven.domain.events import (
    OrderEnded,
    OrderFilled,
    OrderWorking,
)
from tradehaven.domain.ids import AccountId, Symbol
from tradehaven.domain.money import Ticks

ACCOUNT = AccountId(7)
ES = Symbol("ESZ6")


def _failure(login: Login) -> BrokerError:
    async def main() -> None:
        await asyncio.wait_for(
            TradovateGateway(login, lambda _: None, process_clock(), lambda: True).run(), 10
        )

    with pytest.raises(BrokerError) as caught:
        asyncio.run(main())
    return caught.value


def test_a_token_that_is_not_accepted_is_said_to_be(exchange: RunningExchange) -> None:
    assert isinstance(_failure(replace(login_at(exchange), token="expired")), CredentialsRejected)


def test_no_exchange_is_no_connection(exchange: RunningExchange) -> None:
    assert isinstance(
        _failure(replace(login_at(exchange), socket_url="ws://127.0.0.1:9/v1/websocket")), Unavailable
    )


def test_a_login_never_shows_its_token(exchange: RunningExchange) -> None:
    login = login_at(exchange)
    assert login.token not in repr(login)
    assert login.token not in str(_failure(replace(login, socket_url="ws://127.0.0.1:9/v1/websocket")))


def test_quotes_are_merged_into_whole_prices(exchange: RunningExchange) -> None:
    prices: list[PriceSeen] = []

    async def main() -> None:
        socket = QuoteSocket(login_at(exchange), prices.append, process_clock())
        socket.want({ES})
        task = asyncio.create_task(socket.run())
        end = time.monotonic() + 5
        while not prices and time.monotonic() < end:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(exchange.set_price, "ESZ6", "5051.00", spread=1)
        while prices[-1].bid != 20204 and time.monotonic() < end:
            await asyncio.sleep(0.02)
        socket.close()
        assert await task == "closed"

    asyncio.run(main())
    assert (prices[-1].symbol, prices[-1].bid, prices[-1].ask) == (ES, 20204, 20205)
    exchange.set_price("ESZ6", "5050.00")


def test_a_session_that_is_told_again_at_its_end_is_no_news() -> None:
    async def story(watch: Watch) -> None:
        watch.gateway.send(order_of("done"))
        filled = (await watch.until(OrderFilled)).order_id
        lasting: dict[str, Any] = {
            "order_type": OrderType.LIMIT,
            "limit": Ticks(19000),
            "tif": TimeInForce.GTC,
        }
        watch.gateway.send(order_of("stays", **lasting))
        stays = (await watch.until(OrderWorking, client_order_id="stays")).order_id
        watch.gateway.send(order_of("today", order_type=OrderType.LIMIT, limit=Ticks(19001)))
        today = (await watch.until(OrderWorking, client_order_id="today")).order_id
        await watch.until(OrderEnded, order_id=filled)
        before = len(watch.events)
        tomorrow = date(2030, 1, 2)
        await asyncio.to_thread(
            fresh.call, lambda found: found.publish_some(roll(found.venue, tomorrow, found.clock()))
        )
        await watch.until(OrderEnded, order_id=today)
        await asyncio.sleep(0.3)
        news = [event for event in watch.events[before:] if hasattr(event, "order_id")]
        assert {event.order_id for event in news} == {today}
        assert not [event for event in news if isinstance(event, OrderWorking | OrderFilled)]
        assert stays not in {event.order_id for event in news}

    with running_exchange(logins={"lena": {"P-1": 1_000_000}}, tick_seconds=3600) as fresh:
        fresh.set_price(ES, "5050.00")
        with_gateway(login_at(fresh), story)
