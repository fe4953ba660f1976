"""The kill switch: from the press in another process's shoes to the acknowledgement and the last cancel.

`python -m tests.bench.kill` prints it beside its floor: a word over a bare socket, and frames made in advance
on bare sockets. The engine's side is real: door, mailbox, book, journal, disk.
"""

import argparse
import asyncio
import contextlib
import logging
import secrets
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from django.conf import settings

from brokers.tradovate.mapping import cancel_body
from brokers.tradovate.wire import request
from syncgroups.core.book import Book
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.door import Door
from syncgroups.engine.journal import Journal
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.process import Engine
from syncgroups.engine.switch import Switch
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import OWNER_GATE, follower, group_of, open_gates, plan_of
from tradehaven.control import direct
from tradehaven.control.messages import HeardState, Press
from tradehaven.domain.commands import CancelOrder
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import Nanos, OwnerId, PressId

OWNER = OwnerId(1)
GOAL_MS = 100


class Wires:
    """Every follower's gateway: makes the frame of a cancel and gives it to the kernel."""

    def __init__(self, count: int) -> None:
        self.pairs = [socket.socketpair() for _ in range(count)]
        self.last = 0
        self._sent = 0

    def __contains__(self, _connection: object) -> bool:
        return True

    def get(self, _connection: object) -> "Wires":
        """Return this one: it stands for all logins."""
        return self

    def send(self, command: Any) -> None:
        """Write a cancel; what made the resting orders is not the matter here."""
        if isinstance(command, CancelOrder):
            self.write(request("order/cancelorder", self._sent, cancel_body(command)))

    def write(self, frame: str | bytes) -> None:
        """Give the next login's frame to the kernel."""
        payload = frame if isinstance(frame, bytes) else frame.encode()
        self.pairs[self._sent % len(self.pairs)][0].send(payload)
        self._sent += 1
        self.last = time.monotonic_ns()

    def close(self) -> None:
        """Close all sockets."""
        for pair in self.pairs:
            for end in pair:
                end.close()


def _engine(folder: Path, followers: int, wires: Wires) -> Engine:
    """Return an engine whose owner has one resting copy at each follower."""
    lease: Any = SimpleNamespace(shard="bench", epoch=1, is_fresh=lambda: True)
    engine = Engine(lease, folder, Random(1), lambda _owner: True)
    world = Desk(plan_of(group_of(*(follower(2 + number) for number in range(followers)))))
    dispatch = Dispatch(wires, lambda: Nanos(world.now), lambda: True)  # type: ignore[arg-type]
    mailbox = Mailbox(world.plan, Book(), Journal(folder, epoch=1), dispatch, lambda: Nanos(world.now))
    engine._mailboxes[OWNER] = mailbox
    for gate in open_gates(world.plan):
        mailbox.post(gate)
    orders = Desk(world.plan)  # the broker's side: takes the orders and says so to the engine
    orders.step = mailbox.post  # type: ignore[method-assign,assignment]
    orders.connect()
    orders.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_000)
    for account in list(world.plan.accounts)[1:]:
        copy = next(iter(mailbox.book.open_copies_of(account)))
        orders.book = mailbox.book
        orders.step(orders._working(orders._accept(account, copy.key, copy.symbol, copy.side, copy.sent)))
    return engine


@contextlib.contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def _press() -> Press:
    return Press(
        press=PressId(secrets.token_hex(16)), owner=OWNER, gates=(OWNER_GATE,), flatten=True, at=Nanos(1)
    )


def switch(folder: Path, followers: int) -> tuple[int, int]:
    """Return the nanoseconds from a press to the acknowledgement, and to the last cancel on its socket."""
    wires = Wires(followers)
    engine = _engine(folder, followers, wires)
    wires.last = 0
    settings.DOORS_DIR, settings.ENGINE_DOORS = folder / "doors", []
    door = Door(settings.DOORS_DIR)
    found = Switch("bench", folder / "presses", door, lambda: [engine], lambda: Nanos(1))
    with _loop() as loop:
        asyncio.run_coroutine_threadsafe(found.open(), loop).result(5)
        began = time.monotonic_ns()
        (heard,) = direct.tell(_press())
        ended = time.monotonic_ns()
        asyncio.run_coroutine_threadsafe(found.close(), loop).result(5)
    wires.close()
    if heard.state is not HeardState.OBEYED or len(heard.flattening) != followers + 1 or not wires.last:
        raise RuntimeError(f"the press was not obeyed: {heard}")
    return ended - began, wires.last - began


def floor(folder: Path, followers: int) -> tuple[int, int]:
    """Return the same for a bare server that decides nothing, signs nothing and stores nothing."""
    wires = Wires(followers)
    frames = [request("order/cancelorder", number, b'{"orderId":600}') for number in range(followers)]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        for frame in frames:
            wires.write(frame)
        writer.write(b"ok\n")
        writer.close()

    path = str(folder / "floor.sock")
    with _loop() as loop:
        server = asyncio.run_coroutine_threadsafe(asyncio.start_unix_server(serve, path), loop).result(5)
        began = time.monotonic_ns()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(path)
            line.sendall(b"stop\n")
            line.recv(64)
        ended = time.monotonic_ns()
        loop.call_soon_threadsafe(server.close)
    wires.close()
    return ended - began, wires.last - began


def measure(rounds: int, followers: int) -> dict[str, list[tuple[int, int]]]:
    """Let switch and floor take turns."""
    found: dict[str, list[tuple[int, int]]] = {"switch": [], "floor": []}
    for _ in range(rounds):
        for name, subject in (("switch", switch), ("floor", floor)):
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(subject(Path(folder), followers))
    return found


def main() -> int:
    """Take the arguments, measure, print; fail beyond 100 ms."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.kill")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--followers", type=int, default=20)
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = measure(chosen.rounds, chosen.followers)
    out = sys.stdout.write
    out(f"kill switch, {chosen.followers} followers with a resting order each; milliseconds, median / 99th\n")
    medians: dict[tuple[str, int], float] = {}
    for name, times in found.items():
        for place, what in ((1, "last cancel written"), (0, "acknowledged, on disk")):
            values = sorted(pair[place] for pair in times)
            medians[name, place] = statistics.median(values)
            late = values[min(len(values) - 1, int(0.99 * len(values)))]
            out(f"{name:<8} {what:<22} {medians[name, place] / 1e6:8.2f} / {late / 1e6:.2f}\n")
    out(f"last cancel: {medians['switch', 1] / medians['floor', 1]:.1f} floors\n")
    worst = max(pair[0] for pair in found["switch"]) / 1e6
    verdict = "reached" if worst < GOAL_MS else "MISSED "
    out(f"{verdict}  acknowledged within {GOAL_MS} ms: {worst:.1f} at worst\n")
    return 0 if worst < GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
