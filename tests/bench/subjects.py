"""What is measured, each in a fresh process: the floor, our engine, and what open copiers do.

Every subject gets the same frames. The floor decides nothing and sends frames made in advance; the
engine is the real one, from the transport's callback through journal and book to the last write; the
sequential one places one blocking REST call for each follower.
"""

import asyncio
import gc
import os
import resource
import select
import socket
import tempfile
import time
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import requests
import uvloop
import websocket

from brokers.clock import process_clock
from brokers.core.budget import CallLimits
from brokers.core.governor import Governor
from brokers.link import Link
from brokers.ports import Clock, Login
from brokers.tradovate.gateway import TradovateGateway
from brokers.tradovate.mapping import AccountName, place_body
from brokers.tradovate.wire import request
from risk.core.rules import NO_RULES, Caps, DayLimit, Drawdown, Rules, Trail
from syncgroups.core.book import Book
from syncgroups.core.decision import Step
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.engine.awake import Awake
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.mailbox import Mailbox
from syncgroups.tests.plans import open_gates
from tests.bench.broker import LEADER, follower_account
from tradehaven.domain.commands import Denied, PlaceOrder
from tradehaven.domain.enums import Environment, OrderType, Side
from tradehaven.domain.events import BalanceReported, PriceMoved
from tradehaven.domain.ids import (
    AccountId,
    ClientOrderId,
    ConnectionId,
    GateId,
    GroupId,
    Nanos,
    OwnerId,
    Symbol,
)
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec


def _order(index: int) -> bytes:
    command = PlaceOrder(
        account=AccountId(2),
        client_order_id=ClientOrderId(f"th1.g1.l1.o600000000000.f{index}"),
        symbol=Symbol("ESZ6"),
        side=Side.BUY,
        spec=OrderSpec(order_type=OrderType.LIMIT, qty=2, limit=Ticks(26321)),
    )
    number = follower_account(index)
    return place_body(command, AccountName(number=number, name=f"BENCH{number}"))


# -- the floor --------------------------------------------------------------------------------------


def _masked(payload: bytes) -> bytes:
    key = b"\x11\x22\x33\x44"
    size = len(payload)
    head = b"\x81" + (bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big"))
    return head + key + bytes(byte ^ key[place & 3] for place, byte in enumerate(payload))


def _dial(port: int, path: str) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port))
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.sendall(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += found.recv(4096)
    found.setblocking(False)
    return found


def floor(conn: object, ports: tuple[int, int], followers: int, events: int) -> None:
    """Raw sockets, frames made in advance, no decision: what the machine itself costs."""
    sockets = [_dial(ports[0], f"/{follower_account(index)}") for index in range(followers)]
    frames = [_masked(request("order/placeorder", 3, _order(index))) for index in range(followers)]
    leader = _dial(ports[0], f"/{LEADER}")
    poll = select.epoll()
    for found in (*sockets, leader):
        poll.register(found, select.EPOLLIN)
    pairs = list(zip(sockets, frames, strict=True))
    spent: list[int] = []
    by_number = {found.fileno(): found for found in (*sockets, leader)}
    conn.send("ready")  # type: ignore[attr-defined]
    while len(spent) < events:
        for number, _ in poll.poll():
            data = by_number[number].recv(65536)
            if number == leader.fileno() and len(data) > 100:
                began = time.monotonic_ns()
                for found, frame in pairs:
                    found.send(frame)
                spent.append(time.monotonic_ns() - began)
    conn.send({"inside": spent})  # type: ignore[attr-defined]


# -- what open copiers do ---------------------------------------------------------------------------


def sequential(conn: object, ports: tuple[int, int], followers: int, events: int) -> None:
    """One blocking REST call for each follower, one after another."""
    sessions = [requests.Session() for _ in range(followers)]
    bodies = [_order(index) for index in range(followers)]
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + "x" * 200}
    address = f"http://127.0.0.1:{ports[1]}/v1/order/placeorder"
    spent: list[int] = []
    leader = websocket.create_connection(f"ws://127.0.0.1:{ports[0]}/{LEADER}", timeout=30)
    leader.recv()
    conn.send("ready")  # type: ignore[attr-defined]
    while len(spent) < events:
        msgspec.json.decode(leader.recv()[1:])
        began = time.monotonic_ns()
        for session, body in zip(sessions, bodies, strict=True):
            session.post(address, data=body, headers=headers, timeout=5).json()
        spent.append(time.monotonic_ns() - began)
    conn.send({"inside": spent})  # type: ignore[attr-defined]


# -- the engine -------------------------------------------------------------------------------------


LIMITS = Rules(
    daily_loss=DayLimit(amount=Decimal(1_000)),
    drawdown=Drawdown(trail=Trail.INTRADAY, amount=Decimal(2_500), start=Decimal(50_000)),
    caps=Caps(instrument=100_000, account=100_000),
)
"""What a prop firm's account has; the caps are wide, because nothing of a run ever fills or ends."""


def bench_plan(followers: int) -> OwnerPlan:
    """Return a leader with so many one-to-one followers, each on a login of its own and with its limits."""
    accounts = {AccountId(LEADER): _account(LEADER)}
    accounts |= {AccountId(10 + index): _account(10 + index, LIMITS) for index in range(followers)}
    members = tuple(
        FollowerPlan(
            account=AccountId(10 + index), gates=(GateId(1), GateId(2), GateId(10 + index)), ratio=Fraction(1)
        )
        for index in range(followers)
    )
    group = GroupPlan(group=GroupId(1), name="bench", leader=AccountId(LEADER), followers=members)
    return OwnerPlan(owner=OwnerId(1), accounts=accounts, groups=(group,))


def _account(number: int, rules: Rules = NO_RULES) -> AccountPlan:
    return AccountPlan(account=AccountId(number), connection=ConnectionId(number), gates=(), rules=rules)


def state_money(mailbox: Mailbox, at: Nanos) -> None:
    """Let every follower's balance and the market's price be known, without which limits let nothing in."""
    for account in mailbox.plan.watched:
        mailbox.post(BalanceReported(account=account, cash=Decimal(50_000), realized=Decimal(0), at=at))
    bid, ask = Ticks(26320), Ticks(26322)
    price = PriceMoved(
        environment=Environment.PAPER, symbol=Symbol("ESZ6"), bid=bid, ask=ask, last=None, at=at
    )
    mailbox.post(price)


def _memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def bench_link(login: Login, mailbox: Mailbox, clock: Clock, kind: type[TradovateGateway]) -> Link:
    """Return a login's link with a budget that the run cannot use up: counted, never refused."""

    async def credentials(_refused: bool) -> Login:
        return login

    governor = Governor(CallLimits(per_minute=10**6, per_hour=10**6))
    return Link(
        str(login.connection),
        credentials,
        mailbox.post,
        clock,
        Random(1),
        governor,
        lambda _: None,
        lambda: True,
        kind,
    )


class _Timed(Dispatch):
    """Knows when the last command of a decision was written."""

    written_at = 0

    def send(self, steps: Iterable[Step]) -> tuple[dict[ClientOrderId, Nanos], list[Denied]]:
        found = super().send(steps)
        self.written_at = time.monotonic_ns()
        return found


async def _engine(
    conn: object, ports: tuple[int, int], followers: int, events: int, *, awake: bool = False
) -> None:
    clock = process_clock()
    spent: list[int] = []
    links: dict[ConnectionId, Link] = {}
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), epoch=1)
        dispatch = _Timed(links, clock.nanos, lambda: True)
        mailbox = Mailbox(bench_plan(followers), Book(), journal, dispatch, clock.nanos)
        for gate in open_gates(mailbox.plan):
            mailbox.post(gate)
        before = _memory_kb()

        class Leader(TradovateGateway):
            def on_frame(self, frame: memoryview) -> None:
                began = time.monotonic_ns()
                super().on_frame(frame)
                if dispatch.written_at > began:
                    spent.append(dispatch.written_at - began)

        tasks: list[asyncio.Task[Any]] = []
        for number, ours in [(LEADER, LEADER), *((follower_account(i), 10 + i) for i in range(followers))]:
            login = Login(
                connection=ConnectionId(ours),
                socket_url=f"ws://127.0.0.1:{ports[0]}/{number}",
                token="t",
                user_id=None,
                accounts={number: AccountId(ours)},
            )
            kind = Leader if ours == LEADER else TradovateGateway
            links[ConnectionId(ours)] = link = bench_link(login, mailbox, clock, kind)
            tasks.append(asyncio.create_task(link.run()))
        if awake:
            tasks.append(asyncio.create_task(Awake(clock, lambda: [mailbox]).run()))
        while not all(link.is_ready for link in links.values()):
            await asyncio.sleep(0.02)
        state_money(mailbox, clock.nanos())
        memory = (_memory_kb() - before) / (followers + 1)
        gc.collect()
        gc.freeze()
        gc.disable()
        conn.send("ready")  # type: ignore[attr-defined]
        while len(spent) < events:
            await asyncio.sleep(0.05)
        conn.send({"inside": spent[:events], "memory_kb": memory, "failures": mailbox.failures})  # type: ignore[attr-defined]
        for task in tasks:
            task.cancel()


def engine(conn: object, ports: tuple[int, int], followers: int, events: int) -> None:
    """Our engine: gateway, mailbox, decide, guard, journal, dispatch, one socket for each login."""
    uvloop.run(_engine(conn, ports, followers, events))
    os._exit(0)


def engine_awake(conn: object, ports: tuple[int, int], followers: int, events: int) -> None:
    """Our engine with `ENGINE_AWAKE`: the same, on a core that does not sleep between orders."""
    uvloop.run(_engine(conn, ports, followers, events, awake=True))
    os._exit(0)


SUBJECTS = {
    "floor": floor,
    "engine": engine,
    "engine awake": engine_awake,
    "sequential REST": sequential,
}
