"""The gateway on real sockets against the paper exchange: orders, their outcomes, and every way down."""

import asyncio
from typing import Any

import pytest
import requests

from brokers.paper.faults import Mischief, Planned, Trouble
from brokers.paper.testing import RunningExchange
from brokers.ports import Login
from brokers.tradovate import gateway as gateway_module
from brokers.tradovate import lists as lists_module
from brokers.tradovate.tests.watching import Watch, login_at, order_of, with_gateway
from tradehaven.domain.commands import (
    CancelOrder,
    ChangeOrder,
    ClosePosition,
    Command,
    Confirmed,
    Denied,
    Rejected,
    Unresolved,
)
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.events import (
    LinkLost,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderWorking,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

ACCOUNT = AccountId(7)
ES = Symbol("ESZ6")


def test_a_market_order_is_confirmed_working_and_filled(exchange: RunningExchange) -> None:
    async def story(watch: Watch) -> None:
        assert watch.gateway.send(order_of("a")) is None
        confirmed = await watch.until(Confirmed, client_order_id="a")
        working = await watch.until(OrderWorking, client_order_id="a")
        assert working.order_id == confirmed.order_id
        await watch.until(OrderFilled, order_id=confirmed.order_id)
        close = ClosePosition(account=ACCOUNT, client_order_id=ClientOrderId("x"), symbol=ES)
        assert watch.gateway.send(close) is None
        await watch.until(Confirmed, client_order_id="x")
        await watch.until(OrderFilled, side=Side.SELL)

    with_gateway(login_at(exchange), story)


def test_a_resting_order_is_changed_and_cancelled(exchange: RunningExchange) -> None:
    async def story(watch: Watch) -> None:
        watch.gateway.send(order_of("b", order_type=OrderType.LIMIT, limit=Ticks(20000)))
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
        watch.gateway.send(cancel.changed(client_order_id=ClientOrderId("b.c3")))
        assert (await watch.until(Rejected, client_order_id="b.c3")).code in ("TooLate", "UnknownReason")

    with_gateway(login_at(exchange), story)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (order_of("unknown", symbol=Symbol("XXZ6")), "InvalidContract"),
        (order_of("zero", qty=0), ""),
        (order_of("negative", qty=-3), ""),
        (order_of("huge", qty=10**12), ""),
        (order_of("stop", order_type=OrderType.STOP, limit=Ticks(20000)), "InvalidPrice"),
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

    with_gateway(login_at(exchange), story)


def test_a_contract_that_the_broker_never_showed_cannot_be_closed(exchange: RunningExchange) -> None:
    async def story(watch: Watch) -> None:
        close = ClosePosition(account=ACCOUNT, client_order_id=ClientOrderId("y"), symbol=Symbol("ZZZ9"))
        denied = watch.gateway.send(close)
        assert isinstance(denied, Denied)
        assert denied.reason is RefusalReason.UNKNOWN_INSTRUMENT

    with_gateway(login_at(exchange), story)


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
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        planned = Planned(trouble=trouble, endpoint="order/placeorder", seconds=3)
        user = login.user_id or 0
        await asyncio.to_thread(exchange.call, lambda found: found.faults.plan(user, planned))
        watch.gateway.send(order_of(f"t-{trouble}", order_type=OrderType.LIMIT, limit=Ticks(19000)))
        found = await watch.until(outcome, client_order_id=f"t-{trouble}")
        assert getattr(found, "code", None) == code

    with_gateway(login, story)


def test_what_the_socket_missed_is_found_in_the_lists(
    exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "ANSWER_LIMIT", 0.6)
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        def trouble(found: Any) -> None:
            found.faults.plan(login.user_id, Planned(trouble=Trouble.SILENCE, endpoint="order/placeorder"))
            found.faults.disturb(login.user_id, Mischief.MISS, 20)

        await asyncio.to_thread(exchange.call, trouble)
        watch.gateway.send(order_of("lost", order_type=OrderType.LIMIT, limit=Ticks(19000)))
        await watch.until(Unresolved, client_order_id="lost")
        watch.gateway.look_again()
        listed = await watch.until(OrdersListed)
        assert "lost" in listed.client_order_ids
        await watch.until(OrderWorking, client_order_id="lost")

    with_gateway(login, story)


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
    login = login_at(exchange)

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

    with_gateway(login, story)


def test_a_look_that_finds_nothing_lost_leaves_the_session_alone(
    exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists_module, "ON_ITS_WAY", 0)
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        await asyncio.to_thread(_by_hand, exchange, login, orderType="Market")
        await watch.until(OrderFilled)
        watch.gateway.look_again()
        await watch.until(OrdersListed)
        assert watch.gateway.is_ready

    with_gateway(login, story)


def test_commands_that_are_out_when_the_link_falls_are_in_doubt(exchange: RunningExchange) -> None:
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        planned = Planned(trouble=Trouble.LOSE, endpoint="order/placeorder", seconds=30)
        await asyncio.to_thread(exchange.call, lambda found: found.faults.plan(login.user_id or 0, planned))
        watch.gateway.send(order_of("cut"))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(
            exchange.call, lambda found: [each.close() for each in found.hub.of_user(login.user_id or 0)]
        )
        await watch.until(LinkLost)
        await watch.until(Unresolved, client_order_id="cut")
        denied = watch.gateway.send(order_of("after"))
        assert isinstance(denied, Denied)
        assert denied.reason is RefusalReason.FOLLOWER_OFFLINE

    with_gateway(login, story)


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
        watch.gateway.send(order_of("still"))
        await watch.until(Confirmed, client_order_id="still")

    with_gateway(login_at(exchange), story)


def test_a_shutdown_and_a_close_frame_end_the_session(exchange: RunningExchange) -> None:
    for raw in (b'a[{"e":"shutdown","d":{"reasonCode":"Maintenance"}}]', b'c[3000,"Go away!"]'):

        async def story(watch: Watch, raw: bytes = raw) -> None:
            watch.gateway.on_frame(memoryview(raw))
            await watch.until(LinkLost)

        with_gateway(login_at(exchange), story)
