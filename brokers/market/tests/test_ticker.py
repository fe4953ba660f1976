"""A market-data socket that is kept up: from the first wish on, and again after each end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from random import Random

import pytest

from brokers.market import ticker
from brokers.market.ticker import Ticker
from brokers.ports import Clock, Login, PriceSeen
from tradehaven.domain.errors import Unavailable
from tradehaven.domain.ids import ConnectionId, Nanos, Symbol
from tradehaven.domain.money import Ticks

ES, NQ = Symbol("ESZ6"), Symbol("NQZ6")
LOGIN = Login(connection=ConnectionId(1), socket_url="ws://md", token="t", user_id=1, accounts={})


class Line:
    """A connection that a test ends."""

    def __init__(self, sink: Callable[[PriceSeen], None]) -> None:
        self.sink = sink
        self.wanted: set[Symbol] = set()
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def want(self, symbols: Iterable[Symbol]) -> None:
        self.wanted.update(symbols)

    async def run(self) -> str:
        return await self.over


class Market:
    """What a ticker is given: lines as they are opened, and how often it was told that none is left."""

    def __init__(self, *logins: Login | None) -> None:
        self.lines: list[Line] = []
        self.lost = 0
        self.seen: list[PriceSeen] = []
        self._logins = list(logins)
        self.asked = 0

    async def credentials(self) -> Login | None:
        self.asked += 1
        return self._logins.pop(0) if self._logins else LOGIN

    def open(self, _login: Login, sink: Callable[[PriceSeen], None], _clock: Clock) -> Line:
        self.lines.append(Line(sink))
        return self.lines[-1]

    def forget(self) -> None:
        self.lost += 1

    def ticker(self) -> Ticker:
        clock = Clock(nanos=lambda: Nanos(0), monotonic=lambda: 0.0)
        return Ticker("paper", self.credentials, self.seen.append, clock, Random(1), self.forget, self.open)


def played(story: Callable[[Market, Ticker], Awaitable[None]], market: Market) -> None:
    """Run a ticker beside a story."""

    async def both() -> None:
        running = market.ticker()
        task = asyncio.create_task(running.run())
        await story(market, running)
        task.cancel()

    asyncio.run(both())


async def until(found: Callable[[], object]) -> None:
    async with asyncio.timeout(2):
        while not found():
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(ticker, "delays", lambda _chance: iter([0.0] * 100))


def test_nothing_is_opened_before_anybody_wants_a_price() -> None:
    async def story(market: Market, running: Ticker) -> None:
        await asyncio.sleep(0.01)
        assert market.asked == 0
        running.want([])
        await asyncio.sleep(0.01)
        assert not market.lines
        running.want([ES])
        await until(lambda: market.lines)
        assert market.lines[0].wanted == {ES}

    played(story, Market())


def test_a_later_wish_reaches_the_open_line_and_prices_reach_the_sink() -> None:
    async def story(market: Market, running: Ticker) -> None:
        running.want([ES])
        await until(lambda: market.lines)
        running.want([NQ])
        assert market.lines[0].wanted == {ES, NQ}
        price = PriceSeen(symbol=ES, bid=Ticks(1), ask=Ticks(2), last=None, at=Nanos(3))
        market.lines[0].sink(price)
        assert market.seen == [price]

    played(story, Market())


@pytest.mark.parametrize("failure", [None, Unavailable("no way in")])
def test_a_line_that_ends_is_said_and_opened_again_with_all_that_was_wanted(
    failure: Exception | None,
) -> None:
    async def story(market: Market, running: Ticker) -> None:
        running.want([ES])
        await until(lambda: market.lines)
        over = market.lines[0].over
        over.set_exception(failure) if failure is not None else over.set_result("closed")
        await until(lambda: len(market.lines) == 2)
        assert market.lost == 1
        assert market.lines[1].wanted == {ES}

    played(story, Market())


def test_without_a_login_it_asks_again() -> None:
    async def story(market: Market, running: Ticker) -> None:
        running.want([ES])
        await until(lambda: market.lines)
        assert market.asked == 3
        assert market.lost == 0

    played(story, Market(None, None))
