"""`python -m tests.bench.paper`: the paper exchange beside a bare server on the same stack, as ratios.

Market data: 20 contracts, 50 moves a second each, to 100 sockets that want them all; the bare server
sends frames made in advance. Orders: one socket with 32 requests under way; the bare server echoes.
"""

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

import requests
from aiohttp import WSMsgType, web

from brokers.paper.testing import PASSWORD, running_exchange

CONTRACTS = 20
MOVES = 50
CLIENTS = 100
UNDER_WAY = 32
_ROOTS = (
    "ES",
    "MES",
    "NQ",
    "MNQ",
    "YM",
    "MYM",
    "RTY",
    "M2K",
    "EMD",
    "6E",
    "6J",
    "6B",
    "6A",
    "6C",
    "6S",
    "ZB",
    "ZN",
    "ZF",
    "ZT",
    "NKD",
)
_FRAME = "a[" + ",".join(["x" * 560] * CONTRACTS) + "]"


def serve_exchange(pipe: Connection, moving: bool) -> None:
    """Run the exchange until told to stop; answer with the processor seconds that it took."""
    with running_exchange(
        logins={"bench": {"BENCH-1": 50_000_000}},
        paused=not moving,
        tick_seconds=1 / MOVES,
        max_order_qty=10**6,
    ) as exchange:
        pipe.send(exchange.server.base_url.rsplit(":", 1)[1].split("/")[0])
        _until_told(pipe)


def serve_bare(pipe: Connection, moving: bool) -> None:
    """Run a server that only sends or only echoes."""
    asyncio.run(_bare(pipe, moving))


async def _bare(pipe: Connection, moving: bool) -> None:
    sockets: set[web.WebSocketResponse] = set()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str("o")
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            parts = message.data.split("\n", 3)
            if len(parts) == 4:
                body = json.loads(parts[3]) if parts[3].startswith("{") else {}
                answer = {"s": 200, "i": int(parts[1]), "d": body}
                await socket.send_str(f"a[{json.dumps(answer, separators=(',', ':'))}]")
            if parts[0] == "md/subscribequote":
                sockets.add(socket)
        return socket

    async def fan_out() -> None:
        due = time.monotonic()
        while True:
            due += 1 / MOVES
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            for socket in list(sockets):
                await socket.send_str(_FRAME)

    app = web.Application()
    app.router.add_get("/v1/websocket", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    task = asyncio.create_task(fan_out()) if moving else None
    pipe.send(str(runner.addresses[0][1]))
    await asyncio.to_thread(_until_told, pipe)
    if task is not None:
        task.cancel()
    await runner.cleanup()


def _until_told(pipe: Connection) -> None:
    while (word := pipe.recv()) != "bye":
        pipe.send(time.process_time() if word == "time" else None)


@dataclass(eq=False)
class Reader(asyncio.Protocol):
    """A socket client that does as little as it can: it counts frames, and looks into one in fifty."""

    heard: Callable[[bytes], None] | None = None
    frames: int = 0
    taken: int = 0
    lags: list[float] = field(default_factory=list)
    _buffer: bytearray = field(default_factory=bytearray)
    _open: bool = False
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Ask for the socket."""
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /v1/websocket HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def send(self, text: str) -> None:
        """Send one text frame, masked with zeros."""
        data = text.encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self.transport.write(b"\x81" + length + b"\0\0\0\0" + data)

    def data_received(self, data: bytes) -> None:
        """Take frames off the wire."""
        self._buffer += data
        if not self._open:
            _, mark, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not mark:
                return
            self._open = True
            self._buffer = bytearray(rest)
        at = 0
        for start, end in self._whole():
            at = end
            self._frame(bytes(self._buffer[start:end]))
        del self._buffer[:at]

    def _whole(self) -> Iterator[tuple[int, int]]:
        at, size = 0, len(self._buffer)
        while size - at >= 2:
            length, start = self._buffer[at + 1], at + 2
            if length >= 126:
                wide = 2 if length == 126 else 8
                if size - start < wide:
                    return
                length, start = int.from_bytes(self._buffer[start : start + wide], "big"), start + wide
            if size - start < length:
                return
            at = start + length
            yield start, at

    def _frame(self, frame: bytes) -> None:
        self.taken += len(frame)
        if self.heard is not None:
            self.heard(frame)
        if len(frame) > 1000:
            self.frames += 1
            if self.frames % 50 == 0 and (at := frame.find(b'"timestamp":"')) > 0:
                stamp = datetime.fromisoformat(frame[at + 13 : at + 37].decode())
                self.lags.append((datetime.now(UTC) - stamp).total_seconds() * 1000)  # noqa: TID251 - a clock


@dataclass(frozen=True, kw_only=True)
class Found:
    """One measurement: what was done each second, and processor seconds of the server for it."""

    rate: float
    cost: float
    lag: float = 0.0


@contextmanager
def serving(target: Callable[[Connection, bool], None], moving: bool) -> Iterator[tuple[int, Connection]]:
    """Run a server in a process of its own; yield its port and the line to it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=target, args=(there, moving), daemon=True)
    process.start()
    try:
        if not here.poll(60):
            raise RuntimeError("the server did not come up")
        yield int(here.recv()), here
    finally:
        here.send("bye")
        process.join(5)
        process.kill()


def _busy(pipe: Connection) -> float:
    pipe.send("time")
    return float(pipe.recv())


def _token(port: int, bare: bool) -> str:
    if bare:
        return "token"
    body = {"name": "bench", "password": PASSWORD}
    url = f"http://127.0.0.1:{port}/v1/auth/accesstokenrequest"
    return str(requests.post(url, json=body, timeout=5).json()["accessToken"])


async def _connect(port: int, token: str) -> Reader:
    _, reader = await asyncio.get_running_loop().create_connection(Reader, "127.0.0.1", port)
    await asyncio.sleep(0.02)
    reader.send(f"authorize\n0\n\n{token}")
    return reader


async def market_data(port: int, token: str, pipe: Connection, seconds: float) -> Found:
    """Count what arrives at every client in a stretch of time."""
    readers = [await _connect(port, token) for _ in range(CLIENTS)]
    for reader in readers:
        for number, root in enumerate(_ROOTS, 1):
            reader.send(f'md/subscribequote\n{number}\n\n{{"symbol":"@{root}"}}')
    await asyncio.sleep(2)
    for reader in readers:
        reader.frames = 0
        reader.lags.clear()
    busy, start = _busy(pipe), time.monotonic()
    await asyncio.sleep(seconds)
    took, cost = time.monotonic() - start, _busy(pipe) - busy
    frames = [reader.frames for reader in readers]
    lags = sorted(lag for reader in readers for lag in reader.lags)
    # The slowest client is the one that counts.
    lag = lags[int(len(lags) * 0.99)] if lags else 0.0
    return Found(rate=min(frames) * CONTRACTS / took, cost=cost / sum(frames), lag=lag)


async def orders(port: int, token: str, pipe: Connection, count: int) -> Found:
    """Send orders on one socket, always some under way, and count the replies."""
    reader = await _connect(port, token)
    await asyncio.sleep(0.2)
    done, sent, replies = asyncio.Event(), 0, 0

    def order() -> None:
        nonlocal sent
        sent += 1
        action = "Buy" if sent % 2 else "Sell"
        body = {"accountSpec": "BENCH-1", "action": action, "symbol": "MESZ6", "orderQty": 1}
        body |= {"orderType": "Market", "isAutomated": True}
        reader.send(f"order/placeorder\n{sent}\n\n{json.dumps(body, separators=(',', ':'))}")

    def heard(frame: bytes) -> None:
        nonlocal replies
        if b'"i":' in frame and b'"i":0' not in frame:
            replies += 1
            if sent < count:
                order()
            elif replies >= count:
                done.set()

    reader.heard = heard
    busy, start = _busy(pipe), time.monotonic()
    for _ in range(UNDER_WAY):
        order()
    await asyncio.wait_for(done.wait(), 120)
    return Found(rate=count / (time.monotonic() - start), cost=(_busy(pipe) - busy) / count)


def measure(seconds: float, count: int) -> dict[str, Found]:
    """Let the exchange and the bare server take turns."""
    found: dict[str, Found] = {}
    for name, target in (("bare", serve_bare), ("exchange", serve_exchange)):
        with serving(target, moving=True) as (port, pipe):
            token = _token(port, name == "bare")
            found[f"{name}, market data"] = asyncio.run(market_data(port, token, pipe, seconds))
        with serving(target, moving=False) as (port, pipe):
            token = _token(port, name == "bare")
            found[f"{name}, orders"] = asyncio.run(orders(port, token, pipe, count))
    return found


def main() -> int:
    """Take the arguments, measure, print; fails when market data falls behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.paper")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--orders", type=int, default=2000)
    chosen = parser.parse_args()
    found = measure(chosen.seconds, chosen.orders)
    write, wanted = sys.stdout.write, CONTRACTS * MOVES
    for name, item in found.items():
        write(f"{name:<24} {item.rate:>9.0f} a second {item.cost * 1e6:>8.0f} us each\n")
    data, orders_ = found["exchange, market data"], found["exchange, orders"]
    write(f"\nticks held at the slowest of {CLIENTS} clients: {data.rate / wanted:.2f} of {wanted} a second")
    write(f" (99th of age {data.lag:.0f} ms)\n")
    write(
        f"cost of a frame beside the bare server: {data.cost / found['bare, market data'].cost:.1f} times\n"
    )
    write(f"orders beside echoes: {orders_.rate / found['bare, orders'].rate:.2f} of the rate\n")
    return 0 if data.rate >= 0.97 * wanted else 1


if __name__ == "__main__":
    sys.exit(main())
