"""A running exchange for tests: in memory, in a thread, on a free port.

    with running_exchange(logins={"alice": {"ALICE-1": 50_000}}) as exchange:
        requests.post(f"{exchange.base_url}/auth/accesstokenrequest", json={"name": "alice", ...})
        exchange.set_price("ESZ6", "5050.25")

By default nothing is random: no latency, no slippage, and the market stands still until a test
moves it.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from brokers.paper.exchange import Exchange
from brokers.paper.floor import Recording
from brokers.paper.options import Options
from brokers.paper.server import Server
from brokers.paper.state import Rules
from brokers.paper.store import Client, MemoryStore

T = TypeVar("T")

PASSWORD = "paper-password"  # noqa: S105
OPERATOR_TOKEN = "operator"  # noqa: S105
_START_SECONDS = 10.0


class RunningExchange:
    """What a test holds: the address, the store, and ways to move the market."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, store: MemoryStore) -> None:
        self.server = server
        self.store = store
        self.base_url = server.base_url
        self.root_url = server.base_url.removesuffix("/v1")
        self.socket_url = server.base_url.replace("http", "ws", 1) + "/websocket"
        self._loop = loop

    @property
    def exchange(self) -> Exchange:
        """Return the exchange itself; touch it only through `call`."""
        return self.server.exchange

    def call(self, work: Callable[[Exchange], T]) -> T:
        """Run something on the exchange's own thread and return its result."""

        async def run() -> T:
            return work(self.exchange)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(_START_SECONDS)

    def set_price(self, symbol: str, price: str | Decimal, *, spread: int = 0, size: int = 10_000) -> int:
        """Set a contract's price in points: bid there, offer `spread` ticks above; return the contract id."""

        def work(exchange: Exchange) -> int:
            listing = exchange.state.catalogue.find(symbol)
            ticks = listing.spec.ticks(Decimal(price)) if listing else None
            if listing is None or ticks is None:
                raise ValueError(f"{symbol} {price} is no price of a contract")
            exchange.set_price(listing.id, ticks, spread=spread, size=size)
            return listing.id

        return self.call(work)

    def log(self) -> list[dict[str, Any]]:
        """Return the exchange's own log of requests and events."""
        return self.call(lambda exchange: exchange.logbook.since(0))


@contextmanager
def running_exchange(
    *,
    seed: int = 1,
    latency: tuple[int, int] = (0, 0),
    slippage: tuple[int, int] = (0, 0),
    commission: str = "2.50",
    max_order_qty: int = 200,
    command_window_ms: int = 0,
    logins: Mapping[str, Mapping[str, int | str]] | None = None,
    clients: Mapping[str, tuple[str, str]] | None = None,
    store: MemoryStore | None = None,
    paused: bool = True,
    recording: Recording | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),  # noqa: TID251 - a test may bring its own
    **options: Any,
) -> Iterator[RunningExchange]:
    """Run an exchange while the block runs.

    `logins` maps login names to account names and opening balances in USD, every password is
    `PASSWORD`; `clients` maps OAuth client ids to (secret, redirect URI). A `store` used twice
    resumes the first run. Latency is in milliseconds, slippage in ticks; further options are those
    of `Options`.
    """
    rules = Rules(
        latency_ms=latency,
        slippage_ticks=slippage,
        commission=Decimal(commission),
        max_order_qty=max_order_qty,
        command_window_ms=command_window_ms,
    )
    chosen: dict[str, Any] = {
        "port": 0,
        "operator_token": OPERATOR_TOKEN,
        "secret": "paper-secret",
        **options,
    }
    store = store or MemoryStore()
    _people(store, logins or {}, clients or {})
    exchange = Exchange(
        Options(seed=seed, rules=rules, paused=paused, **chosen), store, clock=clock, recording=recording
    )
    with _loop_in_thread() as loop, _served(Server(exchange), loop) as server:
        yield RunningExchange(server, loop, store)


def _people(
    store: MemoryStore,
    logins: Mapping[str, Mapping[str, int | str]],
    clients: Mapping[str, tuple[str, str]],
) -> None:
    for name, accounts in logins.items():
        store.add_login(name, PASSWORD, [(account, Decimal(money)) for account, money in accounts.items()])
    for client_id, (secret, uri) in clients.items():
        store.add_client(Client(client_id=client_id, name=client_id, redirect_uris=(uri,)), secret)


@contextmanager
def _loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="paper-exchange", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_START_SECONDS)
        loop.close()


@contextmanager
def _served(server: Server, loop: asyncio.AbstractEventLoop) -> Iterator[Server]:
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(_START_SECONDS)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(_START_SECONDS)
