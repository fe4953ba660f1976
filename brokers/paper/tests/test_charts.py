"""Charts and histograms as an unrelated client sees them."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client, Socket
from brokers.paper.tests.conftest import LOGINS

MINUTES = {"underlyingType": "MinuteBar", "elementSize": 1, "elementSizeUnit": "UnderlyingUnits"}
TICKS = {**MINUTES, "underlyingType": "Tick"}
ALL = {"asMuchAsElements": 100}


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def moving(clock: Clock) -> Iterator[RunningExchange]:
    with running_exchange(logins=LOGINS, clock=clock, tick_seconds=3600) as exchange:
        for price in ("5050.00", "5050.50", "5049.75"):
            exchange.set_price("MESZ6", price)
            clock.now += timedelta(seconds=25)
        yield exchange


@pytest.fixture
def socket(moving: RunningExchange) -> Iterator[Socket]:
    with Client(moving, "alice") as alice:
        yield alice.socket(sync=False)


def charts(socket: Socket, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = socket.message()
        assert message["e"] == "chart"
        found += message["d"]["charts"]
    return found


def ask(socket: Socket, description: dict[str, Any], span: dict[str, Any] = ALL, number: int = 5) -> Any:
    body = {"symbol": "MESZ6", "chartDescription": description, "timeRange": span}
    return socket.ask("md/getChart", number, body=body)


def test_minutes_come_as_history_end_mark_and_growing_bar(
    moving: RunningExchange, socket: Socket, clock: Clock
) -> None:
    reply = ask(socket, MINUTES)
    history, end = charts(socket, 2)
    assert history["id"] == end["id"] == reply["realtimeId"] != reply["historicalId"]
    assert end == {"id": reply["realtimeId"], "eoh": True}
    assert history["td"] == 20261118
    assert history["bars"] == [
        {
            "timestamp": "2026-11-18T15:00:00.000Z",
            "open": 5050,
            "high": 5050.5,
            "low": 5049.75,
            "close": 5049.75,
            "upVolume": 2,
            "downVolume": 1,
            "upTicks": 2,
            "downTicks": 1,
            "bidVolume": 0,
            "offerVolume": 3,
        }
    ]
    moving.set_price("MESZ6", "5051.00")
    assert charts(socket, 1)[0]["bars"][0]["timestamp"] == "2026-11-18T15:01:00.000Z"
    moving.set_price("MESZ6", "5052.00")
    grown = charts(socket, 1)[0]["bars"]
    assert [(bar["open"], bar["high"]) for bar in grown] == [(5051, 5052)]


def test_ticks_are_packed_relative_to_the_first(moving: RunningExchange, socket: Socket) -> None:
    ask(socket, TICKS)
    packet, _ = charts(socket, 2)
    assert (packet["s"], packet["ts"]) == ("db", 0.25)
    assert [(packet["bp"] + item["p"]) * packet["ts"] for item in packet["tks"]] == [5050, 5050.5, 5049.75]
    moments = [
        datetime.fromtimestamp((packet["bt"] + item["t"]) / 1000, UTC).second for item in packet["tks"]
    ]
    assert moments == [0, 25, 50]
    assert [item["id"] for item in packet["tks"]] == [1, 2, 3]
    assert all(item["a"] >= item["b"] and item["bs"] and item["as"] for item in packet["tks"])
    moving.set_price("MESZ6", "5051.00")
    live = charts(socket, 1)[0]
    assert "s" not in live
    assert (live["bp"] + live["tks"][0]["p"]) * live["ts"] == 5051


@pytest.mark.parametrize("name", ["realtimeId", "historicalId"])
def test_chart_ends_by_either_id(moving: RunningExchange, socket: Socket, name: str) -> None:
    reply = ask(socket, MINUTES)
    charts(socket, 2)
    assert socket.ask("md/cancelChart", 6, body={"subscriptionId": reply[name]}) == {}
    moving.set_price("MESZ6", "5060.00")
    assert socket.quiet()


def test_several_charts_of_one_contract_live_side_by_side(moving: RunningExchange, socket: Socket) -> None:
    first = ask(socket, MINUTES)
    charts(socket, 2)
    second = ask(socket, {**MINUTES, "underlyingType": "Custom", "elementSizeUnit": "Range"}, number=6)
    charts(socket, 2)
    moving.set_price("MESZ6", "5060.00")
    assert {item["id"] for item in charts(socket, 2)} == {first["realtimeId"], second["realtimeId"]}


@pytest.mark.parametrize(
    ("description", "span"),
    [
        ({**MINUTES, "underlyingType": "DOM"}, ALL),
        ({**MINUTES, "elementSizeUnit": "PointAndFigure"}, ALL),
        ({**MINUTES, "elementSize": 0}, ALL),
        (MINUTES, {}),
        (MINUTES, {"asMuchAsElements": -1}),
    ],
)
def test_chart_that_is_not_built_is_refused_with_a_text(
    socket: Socket, description: dict[str, Any], span: dict[str, Any]
) -> None:
    assert ask(socket, description, span)["errorText"]


def test_unknown_symbol_has_no_chart_and_no_histogram(socket: Socket) -> None:
    body = {"symbol": "NOPE", "chartDescription": MINUTES, "timeRange": ALL}
    assert socket.ask("md/getChart", 5, body=body)["errorCode"] == "UnknownSymbol"
    assert socket.ask("md/subscribeHistogram", 6, body={"symbol": "NOPE"})["errorCode"] == "UnknownSymbol"


def test_histogram_is_whole_first_and_then_only_what_changed(moving: RunningExchange, socket: Socket) -> None:
    socket.ask("md/subscribeHistogram", 5, body={"symbol": "MESZ6"})
    whole = socket.message()["d"]["histograms"][0]
    assert (whole["refresh"], whole["base"]) == (True, 5050)
    assert whole["items"] == {"-1": 1, "0": 1, "2": 1}
    moving.set_price("MESZ6", "5050.50")
    part = socket.message()["d"]["histograms"][0]
    assert (part["refresh"], part["items"]) == (False, {"2": 2})
    socket.ask("md/unsubscribeHistogram", 6, body={"symbol": "MESZ6"})
    moving.set_price("MESZ6", "5051.00")
    assert socket.quiet()


def test_quote_has_all_nine_entries_and_the_book_ten_levels(socket: Socket) -> None:
    socket.ask("md/subscribeQuote", 5, body={"symbol": "MESZ6"})
    quote = socket.message()["d"]["quotes"][0]
    assert len(quote["entries"]) == 9
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", quote["timestamp"])
    socket.ask("md/subscribeDOM", 6, body={"symbol": "MESZ6"})
    book = socket.message()["d"]["doms"][0]
    assert len(book["bids"]) == len(book["offers"]) == 10
    assert book["bids"][0]["price"] <= book["offers"][0]["price"]


def test_closed_connection_is_forgotten(moving: RunningExchange, socket: Socket) -> None:
    ask(socket, MINUTES)
    charts(socket, 2)
    socket.close()

    def waits() -> int:
        return moving.call(lambda exchange: len(exchange.hub.connections))

    while waits():
        time.sleep(0.01)
    moving.set_price("MESZ6", "5060.00")
    assert moving.call(lambda exchange: len(exchange.desk.views)) == 0
