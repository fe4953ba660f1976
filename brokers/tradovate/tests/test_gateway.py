"""The gateway on real sockets against the paper exchange: orders, their outcomes, and every way down."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import requests

from brokers.clock import process_clock
from brokers.paper.faults import Mischief, Planned, Trouble
from brokers.paper.session import roll
from brokers.paper.testing import PASSWORD, RunningExchange, running_exchange
from brokers.ports import Login, PriceSeen
from brokers.tradovate import gateway as gateway_module
from brokers.tradovate import lists as lists_module
from brokers.tradovate.gateway import TradovateGateway
from brokers.tradovate.quotes import QuoteSocket
from tradehaven.domain.commands import (
    CancelOrder,
    ChangeOrder,
    ClosePosition,
    Command,
    Confirmed,
    Denied,
    PlaceOrder,
    Rejected,
    Unresolved,
)
from tradehaven.domain.enums import OrderType, RefusalReason, Side, TimeInForce
from tradehaven.domain.errors import BrokerError, CredentialsRejected, Unavailable
from tradehaven.domain.events import (
    LinkLost,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderWorking,
    SnapshotTaken,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

ACCOUNT = AccountId(7)
ES = Symbol("ESZ6")


@pytest.fixture(scope="module")
def exchange() -> Iterator[RunningExchange]:
    with running_exchange(logins={"lena": {"P-1": 1_000_000}}) as found:
        found.set_price("ESZ6", "5050.00")
        yield found


def _login(exchange: RunningExchange) -> Login:
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


def _with_gateway(login: Login, story: Callable[[Watch], Awaitable[None]]) -> None:
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


def _order(key: str, **spec: Any) -> PlaceOrder:
    wanted: dict[str, Any] = {"order_type": OrderType.MARKET, "qty": 1} | spec
    symbol = wanted.pop("symbol", ES)
    return PlaceOrder(
        account=ACCOUNT,
        client_order_id=ClientOrderId(key),
        symbol=symbol,
        side=wanted.pop("side", Side.BUY),
        spec=OrderSpec(**wanted),
    )


def test_a_market_order_is_confirmed_working_and_filled(exchange: RunningExchange) -> None:
    async def story(watch: Watch) -> None:
        assert watch.gateway.send(_order("a")) is None
        confirmed = await watch.until(Confirmed, client_order_id="a")
        working = await watch.until(OrderWorking, client_order_id="a")
        assert working.order_id == confirmed.order_id
        await watch.until(OrderFilled, order_id=confirmed.order_id)
        close = ClosePosition(account=ACCOUNT, client_order_id=ClientOrderId("x"), symbol=ES)
        assert watch.gateway.send(close) is None
        await watch.until(Confirmed, client_order_id="x")
        await watch.until(OrderFilled, side=Side.SELL)

    _with_gateway(_login(exchange), story)


def test_a_resting_order_is_changed_and_cancelled(exchange: RunningExchange) -> None:
    async def story(watch: Watch) -> None:
        watch.gateway.send(_order("b", order_type=OrderType.LIMIT, limit=Ticks(20000)))
        order = (await watch.until(OrderWorking, client_order_id="b")).order_id
        spec = OrderSpec(order_type=OrderType.LIMIT, qty=1, limit=Ticks(19990))
        watch.gateway.send(
            ChangeOrder(
                account=ACCOUNT, client_order_id=ClientOrderId("b.c1"), order_id=order, symbol=ES, spec=spec
            )
        )
        await watch.until(Confirmed, client_order_id="b.c1")
        cancel = CancelOrder(account=ACCOUNT, client_order_id=ClientOrderId("b.c2"), order_id=order)
        watch.gateway.send(cancel)
        await watch.until(OrderEnded, order_id=order)
        watch.gateway.send(replace(cancel, client_order_id=ClientOrderId("b.c3")))
        assert (await watch.until(Rejected, client_order_id="b.c3")).code in ("TooLate", "UnknownReason")

    _with_gateway(_login(exchange), story)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (_order("unknown", symbol=Symbol("XXZ6")), "InvalidContract"),
        (_order("zero", qty=0), ""),
        (_order("negative", qty=-3), ""),
        (_order("huge", qty=10**12), ""),
        (_order("stop", order_type=OrderType.STOP, limit=Ticks(20000)), "InvalidPrice"),
        (
            CancelOrder(account=ACCOUNT, client_order_id=ClientOrderId("none"), order_id=OrderId(5)),
            "",
        ),
    ],
    ids=lambda value: value.client_order_id if not isinstance(value, str) else "",
)
def test_bad_input_is_rejected_in_the_brokers_words(
    exchange: RunningExchange, command: Command, said: str
) -> None:
    async def story(watch: Watch) -> None:
        watch.gateway.send(command)
        rejected = await watch.until(Rejected, client_order_id=command.client_order_id)
        assert rejected.code
        assert said in rejected.code

    _with_gateway(_login(exchange), story)


def test_a_contract_that_the_broker_never_showed_cannot_be_closed(exchange: RunningExchange) -> None:
    async def story(watch: Watch) -> None:
        close = ClosePosition(account=ACCOUNT, client_order_id=ClientOrderId("y"), symbol=Symbol("ZZZ9"))
        denied = watch.gateway.send(close)
        assert isinstance(denied, Denied)
        assert denied.reason is RefusalReason.UNKNOWN_INSTRUMENT

    _with_gateway(_login(exchange), story)


@pytest.mark.parametrize(
    ("trouble", "outcome", "code"),
    [
        (Trouble.DENY, Rejected, "Unauthorized"),
        (Trouble.FAIL, Unresolved, None),
        (Trouble.LOSE, Unresolved, None),
    ],
)
def test_only_a_clear_no_is_a_no(
    exchange: RunningExchange,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
    outcome: type,
    code: str | None,
) -> None:
    monkeypatch.setattr(gateway_module, "ANSWER_LIMIT", 0.6)
    login = _login(exchange)

    async def story(watch: Watch) -> None:
        planned = Planned(trouble=trouble, endpoint="order/placeorder", seconds=3)
        user = login.user_id or 0
        await asyncio.to_thread(exchange.call, lambda found: found.faults.plan(user, planned))
        watch.gateway.send(_order(f"t-{trouble}", order_type=OrderType.LIMIT, limit=Ticks(19000)))
        found = await watch.until(outcome, client_order_id=f"t-{trouble}")
        assert getattr(found, "code", None) == code

    _with_gateway(login, story)


def test_what_the_socket_missed_is_found_in_the_lists(
    exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "ANSWER_LIMIT", 0.6)
    login = _login(exchange)

    async def story(watch: Watch) -> None:
        def trouble(found: Any) -> None:
            found.faults.plan(login.user_id, Planned(trouble=Trouble.SILENCE, endpoint="order/placeorder"))
            found.faults.disturb(login.user_id, Mischief.MISS, 20)

        await asyncio.to_thread(exchange.call, trouble)
        watch.gateway.send(_order("lost", order_type=OrderType.LIMIT, limit=Ticks(19000)))
        await watch.until(Unresolved, client_order_id="lost")
        watch.gateway.look_again()
        listed = await watch.until(OrdersListed)
        assert "lost" in listed.client_order_ids
        await watch.until(OrderWorking, client_order_id="lost")

    _with_gateway(login, story)


def _by_hand(exchange: RunningExchange, login: Login, **order: Any) -> None:
    (number,) = login.accounts
    body = {"accountSpec": "P-1", "accountId": number, "action": "Buy", "symbol": "ESZ6", "orderQty": 1}
    headers = {"Authorization": f"Bearer {login.token}"}
    address = f"{exchange.base_url}/order/placeorder"
    answer = requests.post(address, json=body | order, headers=headers, timeout=5).json()
    assert "orderId" in answer, answer


@pytest.mark.parametrize("works_already", [False, True], ids=["order", "fill"])
def test_what_a_person_did_and_the_socket_lost_is_not_told_late_but_begins_the_session_anew(
    exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch, *, works_already: bool
) -> None:
    monkeypatch.setattr(lists_module, "ON_ITS_WAY", 0)
    login = _login(exchange)

    async def story(watch: Watch) -> None:
        if works_already:
            await asyncio.to_thread(_by_hand, exchange, login, orderType="Limit", price=5040.0)
            await watch.until(OrderWorking)
        known = len(watch.events)
        await asyncio.to_thread(
            exchange.call, lambda found: found.faults.disturb(login.user_id or 0, Mischief.MISS, 20)
        )
        if works_already:
            await asyncio.to_thread(exchange.set_price, "ESZ6", "5030.00")
            await asyncio.to_thread(exchange.set_price, "ESZ6", "5050.00")
        else:
            await asyncio.to_thread(_by_hand, exchange, login, orderType="Market")
        watch.gateway.look_again()
        lost = await watch.until(LinkLost)
        assert "never told" in lost.reason
        told = [event for event in watch.events[known:] if isinstance(event, OrderWorking | OrderFilled)]
        assert not told
        await asyncio.to_thread(
            exchange.call, lambda found: found.faults.disturb(login.user_id or 0, Mischief.MISS, 0)
        )

    _with_gateway(login, story)


def test_a_look_that_finds_nothing_lost_leaves_the_session_alone(
    exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists_module, "ON_ITS_WAY", 0)
    login = _login(exchange)

    async def story(watch: Watch) -> None:
        await asyncio.to_thread(_by_hand, exchange, login, orderType="Market")
        await watch.until(OrderFilled)
        watch.gateway.look_again()
        await watch.until(OrdersListed)
        assert watch.gateway.is_ready

    _with_gateway(login, story)


def test_commands_that_are_out_when_the_link_falls_are_in_doubt(exchange: RunningExchange) -> None:
    login = _login(exchange)

    async def story(watch: Watch) -> None:
        planned = Planned(trouble=Trouble.LOSE, endpoint="order/placeorder", seconds=30)
        await asyncio.to_thread(exchange.call, lambda found: found.faults.plan(login.user_id or 0, planned))
        watch.gateway.send(_order("cut"))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(
            exchange.call, lambda found: [each.close() for each in found.hub.of_user(login.user_id or 0)]
        )
        await watch.until(LinkLost)
        await watch.until(Unresolved, client_order_id="cut")
        denied = watch.gateway.send(_order("after"))
        assert isinstance(denied, Denied)
        assert denied.reason is RefusalReason.FOLLOWER_OFFLINE

    _with_gateway(login, story)


def test_garbage_does_not_take_the_link_down(exchange: RunningExchange) -> None:
    async def story(watch: Watch) -> None:
        for raw in (
            b"",
            b"zzz",
            b"a[{]",
            b'a[{"e":"props","d":{"entityType":"order"}}]',
            b'a[{"e":"props"}]',
        ):
            watch.gateway.on_frame(memoryview(raw))
        assert watch.gateway.bad_frames == 5
        assert watch.gateway.is_ready
        watch.gateway.send(_order("still"))
        await watch.until(Confirmed, client_order_id="still")

    _with_gateway(_login(exchange), story)


def test_a_shutdown_and_a_close_frame_end_the_session(exchange: RunningExchange) -> None:
    for raw in (b'a[{"e":"shutdown","d":{"reasonCode":"Maintenance"}}]', b'c[3000,"Go away!"]'):

        async def story(watch: Watch, raw: bytes = raw) -> None:
            watch.gateway.on_frame(memoryview(raw))
            await watch.until(LinkLost)

        _with_gateway(_login(exchange), story)


def _failure(login: Login) -> BrokerError:
    async def main() -> None:
        await asyncio.wait_for(
            TradovateGateway(login, lambda _: None, process_clock(), lambda: True).run(), 10
        )

    with pytest.raises(BrokerError) as caught:
        asyncio.run(main())
    return caught.value


def test_a_token_that_is_not_accepted_is_said_to_be(exchange: RunningExchange) -> None:
    assert isinstance(_failure(replace(_login(exchange), token="expired")), CredentialsRejected)


def test_no_exchange_is_no_connection(exchange: RunningExchange) -> None:
    assert isinstance(
        _failure(replace(_login(exchange), socket_url="ws://127.0.0.1:9/v1/websocket")), Unavailable
    )


def test_a_login_never_shows_its_token(exchange: RunningExchange) -> None:
    login = _login(exchange)
    assert login.token not in repr(login)
    assert login.token not in str(_failure(replace(login, socket_url="ws://127.0.0.1:9/v1/websocket")))


def test_quotes_are_merged_into_whole_prices(exchange: RunningExchange) -> None:
    prices: list[PriceSeen] = []

    async def main() -> None:
        socket = QuoteSocket(_login(exchange), prices.append, process_clock())
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
        watch.gateway.send(_order("done"))
        filled = (await watch.until(OrderFilled)).order_id
        lasting: dict[str, Any] = {
            "order_type": OrderType.LIMIT,
            "limit": Ticks(19000),
            "tif": TimeInForce.GTC,
        }
        watch.gateway.send(_order("stays", **lasting))
        stays = (await watch.until(OrderWorking, client_order_id="stays")).order_id
        watch.gateway.send(_order("today", order_type=OrderType.LIMIT, limit=Ticks(19001)))
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
        _with_gateway(_login(fresh), story)
