"""`python -m tests.bench.crowd`: one engine with a thousand idle logins, and how many orders it bears.

Idle is measured by memory, processor time, and how late the loop comes back from a short sleep, beside a
loop that has nothing to do. The bearable rate is that of a burst that waits in the socket: what comes faster
queues.
"""

import argparse
import asyncio
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from picows import WSUpgradeRequest, ws_create_server

from brokers.clock import process_clock
from brokers.link import Link
from brokers.ports import Login
from brokers.tradovate.gateway import TradovateGateway
from syncgroups.core.book import Book
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.mailbox import Mailbox
from syncgroups.tests.plans import open_gates
from tests.bench.broker import FIRST_ORDER, LEADER, TEXT, Bench, Listener, follower_account, push_frame
from tests.bench.subjects import bench_link, bench_plan, state_money
from tradehaven.domain.ids import AccountId, ConnectionId

BEAT = 2.5
NAP = 0.01
AT_A_TIME = 50
"""Logins that come up together."""
FOLLOWERS = 20


async def _serve(conn: Any, events: int) -> None:
    """Keep sockets alive; when told to, push so many orders of the leader in one go."""
    bench = Bench(expected=events * FOLLOWERS)
    open_now: list[Any] = []

    class Beating(Listener):
        def on_ws_connected(self, transport: Any) -> None:
            super().on_ws_connected(transport)
            open_now.append(transport)

    def listener(request: WSUpgradeRequest) -> Listener:
        return Beating(bench, int(request.path.rsplit(b"/", 1)[-1]))

    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT)
            for transport in open_now:
                transport.send(TEXT, b"h")

    loop = asyncio.get_running_loop()
    server = await ws_create_server(listener, "127.0.0.1", 0)
    beating = asyncio.create_task(beat())
    conn.send(server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, conn.recv)
    began = time.monotonic_ns()
    for number in range(events):
        bench.leader.send(TEXT, push_frame(FIRST_ORDER + number * 10))  # type: ignore[union-attr]
    await asyncio.wait_for(bench.done.wait(), 120)
    conn.send((bench.last_at - began) / 1e9)
    beating.cancel()


def _broker(conn: Any, events: int) -> None:
    uvloop.run(_serve(conn, events))


async def _late(seconds: float) -> list[float]:
    """Return by how many milliseconds the loop came back late from each of many short sleeps."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        await asyncio.sleep(NAP)
        found.append((time.monotonic() - began - NAP) * 1000)
    return found


async def _engine(conn: Any, port: int, logins: int, seconds: float) -> None:
    clock, before, alone = process_clock(), _memory(), await _late(3)
    links: dict[ConnectionId, Link] = {}
    tasks = []
    with tempfile.TemporaryDirectory() as folder:
        dispatch = Dispatch(links, clock.nanos, lambda: True)
        plan = bench_plan(FOLLOWERS)
        mailbox = Mailbox(plan, Book(), Journal(Path(folder), epoch=1), dispatch, clock.nanos)
        for gate in open_gates(plan):
            mailbox.post(gate)
        numbers = [(LEADER, LEADER), *((follower_account(i), 10 + i) for i in range(logins - 1))]
        for count, (number, ours) in enumerate(numbers, 1):
            login = Login(
                connection=ConnectionId(ours),
                socket_url=f"ws://127.0.0.1:{port}/{number}",
                token="t",
                user_id=None,
                accounts={number: AccountId(ours)},
            )
            links[ConnectionId(ours)] = link = bench_link(login, mailbox, clock, TradovateGateway)
            tasks.append(asyncio.create_task(link.run()))
            while count % AT_A_TIME == 0 and not link.is_ready:
                await asyncio.sleep(0.01)
        while not all(link.is_ready for link in links.values()):
            await asyncio.sleep(0.02)
        state_money(mailbox, clock.nanos())
        spent, memory = time.process_time(), _memory() - before
        late = await _late(seconds)
        busy = (time.process_time() - spent) / seconds
        conn.send({"memory": memory / logins, "late": late, "alone": alone, "busy": busy})
        await asyncio.get_running_loop().run_in_executor(None, conn.recv)
        conn.send(mailbox.failures)
        for task in tasks:
            task.cancel()


def _crowd(conn: Any, port: int, logins: int, seconds: float) -> None:
    uvloop.run(_engine(conn, port, logins, seconds))


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    """Take the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crowd")
    parser.add_argument("--logins", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--events", type=int, default=1000)
    chosen = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    (broker_here, broker_there), (crowd_here, crowd_there) = context.Pipe(), context.Pipe()
    broker = context.Process(target=_broker, args=(broker_there, chosen.events), daemon=True)
    broker.start()
    arguments = (crowd_there, broker_here.recv(), chosen.logins, chosen.seconds)
    crowd = context.Process(target=_crowd, args=arguments, daemon=True)
    crowd.start()
    idle = crowd_here.recv()
    broker_here.send("go")
    took = broker_here.recv()
    crowd_here.send("bye")
    failures = crowd_here.recv()
    out = sys.stdout.write
    out(f"{chosen.logins:,} idle logins: {idle['memory']:.0f} KB each, {idle['busy']:.0%} of a core\n")
    for name in ("alone", "late"):
        late = sorted(idle[name])
        median, worst = statistics.median(late), late[int(len(late) * 0.99)]
        whose = "a loop with nothing to do" if name == "alone" else "the engine's loop"
        out(f"{whose} comes back late by {median:.2f} / {worst:.2f} ms (median / 99th)\n")
    rate = chosen.events / took
    out(f"{chosen.events:,} orders for {FOLLOWERS} followers in one burst: {rate:,.0f} a second, ")
    out(f"{rate * FOLLOWERS:,.0f} followers' orders; {failures} failures\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
