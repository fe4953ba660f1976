"""Limits as the broker sets them, on real sockets: 429, penalty tickets and captchas."""

import asyncio
import time
from typing import Any

import pytest

from brokers.paper.faults import Planned, Trouble
from brokers.paper.testing import RunningExchange
from brokers.ports import Login
from brokers.tradovate.tests.watching import Watch, login_at, order_of, with_gateway
from tradehaven.domain.commands import Confirmed, Denied, Lane, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason
from tradehaven.domain.events import LinkLost, OrdersListed, OrderWorking, SilenceAsked
from tradehaven.domain.money import Ticks


async def _plan(exchange: RunningExchange, login: Login, trouble: Trouble, **more: Any) -> None:
    planned = Planned(trouble=trouble, **{"endpoint": "order/place"} | more)
    await asyncio.to_thread(exchange.call, lambda found: found.faults.plan(login.user_id or 0, planned))


def _resting(key: str, lane: Lane = Lane.PROTECTIVE) -> PlaceOrder:
    return order_of(key, order_type=OrderType.LIMIT, limit=Ticks(19000)).changed(lane=lane)


async def _denied(watch: Watch, key: str) -> None:
    denied = await watch.until(Denied, client_order_id=key)
    assert denied.reason is RefusalReason.RATE_LIMITED
    kinds = [type(event) for event in watch.events]
    assert kinds.index(SilenceAsked) < kinds.index(Denied)


def test_a_429_asks_for_an_hours_silence_and_the_order_was_not_carried_out(exchange: RunningExchange) -> None:
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        await _plan(exchange, login, Trouble.LIMIT)
        watch.gateway.send(_resting("limited"))
        await _denied(watch, "limited")
        asked = await watch.until(SilenceAsked)
        assert (asked.until - asked.at) // 1_000_000_000 == 3600

    with_gateway(login, story)


def test_a_question_that_is_answered_429_asks_for_silence_as_well(exchange: RunningExchange) -> None:
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        await _plan(exchange, login, Trouble.LIMIT, endpoint="order/list")
        watch.gateway.look_again()
        await watch.until(SilenceAsked)

    with_gateway(login, story)


@pytest.mark.parametrize(("lane", "seconds"), [(Lane.ENTRY, 1), (Lane.PROTECTIVE, 3)])
def test_a_penalised_order_is_repeated_once_with_its_ticket(
    exchange: RunningExchange, lane: Lane, seconds: int
) -> None:
    login, key = login_at(exchange), f"ticket-{lane}"

    async def story(watch: Watch) -> None:
        await _plan(exchange, login, Trouble.PENALTY, seconds=seconds)
        began = time.monotonic()
        watch.gateway.send(_resting(key, lane))
        await watch.until(SilenceAsked)
        await watch.until(Confirmed, client_order_id=key)
        assert time.monotonic() - began >= seconds
        await watch.until(OrderWorking, client_order_id=key)
        working = [e for e in watch.events if isinstance(e, OrderWorking) and e.client_order_id == key]
        assert len(working) == 1

    with_gateway(login, story)
    sent = [entry for entry in exchange.log() if key in str(entry) and "p-ticket" in str(entry)]
    assert sent


@pytest.mark.parametrize(
    ("lane", "trouble"), [(Lane.ENTRY, {"seconds": 3}), (Lane.PROTECTIVE, {"seconds": 1, "captcha": True})]
)
def test_what_would_be_late_or_needs_a_person_is_not_repeated(
    exchange: RunningExchange, lane: Lane, trouble: dict[str, Any]
) -> None:
    login, key = login_at(exchange), f"never-{lane}"

    async def story(watch: Watch) -> None:
        await _plan(exchange, login, Trouble.PENALTY, **trouble)
        watch.gateway.send(_resting(key, lane))
        await _denied(watch, key)

    with_gateway(login, story)


def test_a_repeat_is_not_sent_by_an_engine_that_leads_no_more(exchange: RunningExchange) -> None:
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        await _plan(exchange, login, Trouble.PENALTY, seconds=0)
        watch.is_leading = False
        watch.gateway.send(_resting("too-late"))
        denied = await watch.until(Denied, client_order_id="too-late")
        assert denied.reason is RefusalReason.LEASE_LOST

    with_gateway(login, story)
    assert not [entry for entry in exchange.log() if "too-late" in str(entry) and "p-ticket" in str(entry)]


def test_a_repeat_that_is_penalised_again_is_given_up(exchange: RunningExchange) -> None:
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        await _plan(exchange, login, Trouble.PENALTY, seconds=0)
        await _plan(exchange, login, Trouble.PENALTY, seconds=0)
        watch.gateway.send(_resting("twice"))
        await _denied(watch, "twice")

    with_gateway(login, story)


def test_a_penalised_order_whose_link_falls_was_not_carried_out(exchange: RunningExchange) -> None:
    login = login_at(exchange)

    async def story(watch: Watch) -> None:
        await _plan(exchange, login, Trouble.PENALTY, seconds=60)
        watch.gateway.send(_resting("cut"))
        await watch.until(SilenceAsked)
        watch.gateway.look_again()
        listed = await watch.until(OrdersListed)
        assert "cut" in listed.client_order_ids  # on its way, so nobody must miss it
        watch.gateway.close()
        await _denied(watch, "cut")
        kinds = [type(event) for event in watch.events]
        assert kinds.index(LinkLost) < kinds.index(Denied)

    with_gateway(login, story)
