"""What a gateway measures while it lives, against the paper exchange."""

import asyncio
from collections.abc import Iterator

import pytest

from brokers.clock import process_clock
from brokers.core.vitals import Vitals
from brokers.paper.testing import RunningExchange, running_exchange
from brokers.tradovate import gateway as room
from brokers.tradovate import wire
from brokers.tradovate.gateway import TradovateGateway
from brokers.tradovate.tests.watching import login_at, order_of
from tradehaven.domain.commands import Confirmed
from tradehaven.domain.events import Event, SnapshotTaken


@pytest.fixture
def exchange() -> Iterator[RunningExchange]:
    with running_exchange(logins={"lena": {"LENA-1": 50_000}}) as running:
        running.set_price("ESZ6", "5000.25")
        yield running


def test_heartbeats_and_answers_to_orders_are_timed(
    exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "BEAT_EVERY", 0.05)
    monkeypatch.setattr(room, "PING_EVERY", 0.05)
    vitals = Vitals()

    async def main() -> None:
        came: dict[type[Event], asyncio.Event] = {SnapshotTaken: asyncio.Event(), Confirmed: asyncio.Event()}

        def sink(event: Event) -> None:
            if type(event) in came:
                came[type(event)].set()

        gateway = TradovateGateway(login_at(exchange), sink, process_clock(), lambda: True, vitals)
        life = asyncio.create_task(gateway.run())
        await asyncio.wait_for(came[SnapshotTaken].wait(), 5)
        gateway.send(order_of("a"))
        await asyncio.wait_for(came[Confirmed].wait(), 5)
        while vitals.figures().beat_p50 is None:
            await asyncio.sleep(0.05)
        gateway.close()
        await asyncio.wait([life], timeout=5)

    asyncio.run(asyncio.wait_for(main(), 20))
    figures = vitals.figures()
    assert figures.heard_at > 0
    for figure in (figures.beat_p50, figures.beat_p99, figures.ack_p50, figures.ack_p99):
        assert figure is not None
        assert 0 < figure < 5
