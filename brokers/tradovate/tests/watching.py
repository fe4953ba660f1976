"""A gateway beside a paper exchange, and all that it says, for tests."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import requests

from brokers.clock import process_clock
from brokers.paper.testing import PASSWORD, RunningExchange
from brokers.ports import Login
from brokers.tradovate.gateway import TradovateGateway
from tradehaven.domain.commands import (
    PlaceOrder,
)
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.events import (
    SnapshotTaken,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, Symbol
from tradehaven.domain.orders import OrderSpec

ACCOUNT = AccountId(7)
ES = Symbol("ESZ6")


def login_at(exchange: RunningExchange) -> Login:
    """Log in and return what a gateway needs."""
    body = {"name": "lena", "password": PASSWORD}
    answer = requests.post(f"{exchange.base_url}/auth/accesstokenrequest", json=body, timeout=5).json()
    headers = {"Authorization": f"Bearer {answer['accessToken']}"}
    (account,) = requests.get(f"{exchange.base_url}/account/list", headers=headers, timeout=5).json()
    return Login(
        connection=ConnectionId(1),
        socket_url=exchange.socket_url,
        token=answer["accessToken"],
        user_id=answer["userId"],
        accounts={account["id"]: ACCOUNT},
    )


class Watch:
    """A gateway with everything that it said."""

    def __init__(self, login: Login) -> None:
        self.events: list[Any] = []
        self.is_leading = True
        self.gateway = TradovateGateway(login, self.events.append, process_clock(), lambda: self.is_leading)

    async def until(self, kind: type, seconds: float = 5, **fields: Any) -> Any:
        """Wait for an event of a kind, with these fields."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for event in self.events:
                if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items()):
                    return event
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {kind.__name__} {fields} in {self.events}")


def with_gateway(login: Login, story: Callable[[Watch], Awaitable[None]]) -> None:
    """Tell a story with a gateway that is up."""

    async def main() -> None:
        watch = Watch(login)
        task = asyncio.create_task(watch.gateway.run())
        try:
            await watch.until(SnapshotTaken)
            await story(watch)
        finally:
            watch.gateway.close()
            await asyncio.wait([task], timeout=5)

    asyncio.run(main())


def order_of(key: str, **spec: Any) -> PlaceOrder:
    """Return an order of one contract at the market, unless it is said otherwise."""
    wanted: dict[str, Any] = {"order_type": OrderType.MARKET, "qty": 1} | spec
    symbol = wanted.pop("symbol", ES)
    return PlaceOrder(
        account=ACCOUNT,
        client_order_id=ClientOrderId(key),
        symbol=symbol,
        side=wanted.pop("side", Side.BUY),
        spec=OrderSpec(**wanted),
    )
