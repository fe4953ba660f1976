"""The other side of the benchmark: a broker that pushes leader orders and stamps what the followers get.

It speaks just enough of the protocol for our gateway to come up, on one loop, with answers made in
advance, so that what it costs is the same for every subject.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

LEADER = 1
CONTRACT = 3_400_501
FIRST_ORDER = 600_000_000_000
TEXT = WSMsgType.TEXT


def follower_account(index: int) -> int:
    """Return the broker's number of a follower's account."""
    return 1000 + index


def push_frame(order: int, qty: int = 2) -> bytes:
    """Return the frame that tells of a leader's limit order, as the broker sends it: all its parts."""
    stamp = "2026-11-18T16:00:00.000Z"
    entity = {"id": order, "accountId": LEADER, "contractId": CONTRACT, "timestamp": stamp, "action": "Buy"}
    entity |= {
        "ordStatus": "Working",
        "executionProviderId": 1,
        "archived": False,
        "external": False,
        "admin": False,
    }
    command = {"id": order, "orderId": order, "timestamp": stamp, "commandType": "New"}
    command |= {"commandStatus": "AtExecution", "senderId": 1, "userSessionId": 1, "isAutomated": False}
    version = {
        "id": order,
        "orderId": order,
        "orderQty": qty,
        "orderType": "Limit",
        "price": 6580.25,
        "timeInForce": "Day",
    }
    parts = [("command", command), ("orderVersion", version), ("order", entity)]
    events = [
        {"e": "props", "d": {"entityType": kind, "eventType": "Created", "entity": body}}
        for kind, body in parts
    ]
    return b"a" + msgspec.json.encode(events)


def _snapshot(account: int) -> dict[str, object]:
    return {
        "users": [],
        "accounts": [{"id": account, "name": f"BENCH{account}", "active": True}],
        "contracts": [{"id": CONTRACT, "name": "ESZ6", "contractMaturityId": 1}],
        "contractGroups": [],
    }


@dataclass
class Bench:
    """What the sockets share: who is connected, and the stamps of the event that is under way."""

    expected: int
    leader: WSTransport | None = None
    ready: set[int] = field(default_factory=set)
    arrived: int = 0
    pushed_at: int = 0
    last_at: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)
    orders: int = FIRST_ORDER + 1_000_000

    def order_came(self) -> None:
        """Count a follower's order; the last one of an event stops the watch."""
        self.arrived += 1
        if self.arrived == self.expected:
            self.last_at = time.monotonic_ns()
            self.done.set()


class Listener(WSListener):
    """One login's socket: it authorizes, states an empty account, and takes orders."""

    def __init__(self, bench: Bench, account: int) -> None:
        self._bench = bench
        self._account = account

    def on_ws_connected(self, transport: WSTransport) -> None:
        if self._account == LEADER:
            self._bench.leader = transport
        transport.send(TEXT, b"o")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != TEXT:
            return
        text = frame.get_payload_as_bytes()
        if text == b"[]":
            return
        endpoint, number, _, _ = text.split(b"\n", 3)
        if endpoint == b"order/placeorder":
            self._bench.order_came()
            self._bench.orders += 10
            transport.send(TEXT, b'a[{"s":200,"i":%b,"d":{"orderId":%d}}]' % (number, self._bench.orders))
        elif endpoint == b"authorize":
            transport.send(TEXT, b'a[{"s":200,"i":%b}]' % number)
        elif endpoint == b"user/syncrequest":
            body = msgspec.json.encode(_snapshot(self._account))
            transport.send(TEXT, b'a[{"s":200,"i":%b,"d":%b}]' % (number, body))
            self._bench.ready.add(self._account)


class _Http(asyncio.Protocol):
    """Answers `order/placeorder` by REST, for those who copy with a call for each follower."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, _, body = self._data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        if b"\r\n\r\n" in self._data and len(body) >= length:
            self._data = b""
            self._bench.order_came()
            self._transport.write(  # type: ignore[attr-defined]
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
                b'{"orderId":1}'
            )


async def _turn() -> None:
    """Keep the loop from sleeping.

    A broker is across a network: a write to it wakes nobody here. A sleeping process at the other end of a
    local socket would have each write pay for its wake-up, and a machine of two cores most of all.
    """
    while True:
        await asyncio.sleep(0)


async def _serve(conn: object, followers: int, events: int) -> None:
    bench = Bench(expected=followers)

    def listener(request: WSUpgradeRequest) -> Listener:
        return Listener(bench, int(request.path.rsplit(b"/", 1)[-1]))

    loop = asyncio.get_running_loop()
    sockets = await ws_create_server(listener, "127.0.0.1", 0)
    http = await loop.create_server(lambda: _Http(bench), "127.0.0.1", 0)
    ports = (sockets.sockets[0].getsockname()[1], http.sockets[0].getsockname()[1])
    conn.send(ports)  # type: ignore[attr-defined]
    await loop.run_in_executor(None, conn.recv)  # type: ignore[attr-defined]  # the subject says that it is up
    turning = asyncio.create_task(_turn())
    wire: list[int] = []
    for number in range(events):
        frame = push_frame(FIRST_ORDER + number * 10)
        bench.arrived, bench.done = 0, asyncio.Event()
        bench.pushed_at = time.monotonic_ns()
        if bench.leader is None:
            raise RuntimeError("the subject brought no leader socket up")
        bench.leader.send(TEXT, frame)
        await asyncio.wait_for(bench.done.wait(), 30)
        wire.append(bench.last_at - bench.pushed_at)
        await asyncio.sleep(0.004)
    turning.cancel()
    conn.send(wire)  # type: ignore[attr-defined]
    with contextlib.suppress(EOFError):
        await loop.run_in_executor(None, conn.recv)  # type: ignore[attr-defined]
    sockets.close()
    http.close()


def serve(conn: object, followers: int, events: int) -> None:
    """Run the broker in its own process: tell the ports, wait for the subject, push, tell the times."""
    uvloop.run(_serve(conn, followers, events))
