"""A mailbox, real links with real governors, and a broker in memory, on a clock that stands still.

All followers share one login unless told otherwise; `calls` has every command that left, with its time.
"""

from bisect import bisect_left
from collections.abc import Coroutine, Generator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from brokers.core.budget import CallLimits
from brokers.core.governor import Governor
from brokers.link import Link
from brokers.ports import Clock, Login
from syncgroups.core.book import Book
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.mailbox import Mailbox
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import SECOND, follower, group_of, open_gates, plan_of
from tradehaven.domain.commands import Command, Lane
from tradehaven.domain.events import LinkLost, SilenceAsked, SnapshotTaken, TimePassed
from tradehaven.domain.ids import AccountId, ConnectionId, Nanos

SHARED = ConnectionId(5000)


class _Forever:
    def __await__(self) -> Generator[None, None, None]:
        yield


class Wire:
    """A gateway that is up for good and hands what it gets to the broker in memory."""

    is_ready = True

    def __init__(self, room: "Room") -> None:
        self._room = room

    def send(self, command: Command) -> None:
        """Take a command."""
        if command.account in self._room.accounts:
            self._room.calls.append((self._room.world.now, command))
        self._room.world.outbox.append(command)

    def could_send(self, _command: Command) -> bool:
        """Take anything at any time."""
        return True

    def look_again(self) -> None:
        """Ask for nothing."""

    def close(self) -> None:
        """Stay up."""

    async def run(self) -> str:
        """Live for ever."""
        await _Forever()
        return "unreachable"


class Room:
    """One owner's engine around a desk."""

    def __init__(
        self, folder: Path, *, followers: int = 20, one_login: bool = True, limits: CallLimits | None = None
    ) -> None:
        self.accounts = [AccountId(10 + number) for number in range(followers)]
        plan = plan_of(group_of(*(follower(account) for account in self.accounts)))
        if one_login:
            shared = {a: replace(plan.accounts[a], connection=SHARED) for a in self.accounts}
            plan = replace(plan, accounts={**plan.accounts, **shared})
        self.world = Desk(plan)
        self.calls: list[tuple[int, Command]] = []
        self.rings: set[int] = set()
        self.clock = Clock(nanos=lambda: Nanos(self.world.now), monotonic=lambda: self.world.now / SECOND)
        self.governors = {
            account.connection: Governor(limits or CallLimits()) for account in plan.accounts.values()
        }
        self.links: dict[ConnectionId, Link] = {}
        dispatch = Dispatch(self.links, self.clock.nanos, lambda: True)
        self.mailbox = Mailbox(plan, Book(), Journal(folder, epoch=1), dispatch, self.clock.nanos)
        for gate in open_gates(plan):
            self.mailbox.post(gate)
        self.world.step = self.mailbox.post  # type: ignore[method-assign,assignment]
        self._lives: list[Coroutine[Any, Any, str]] = []
        for connection, governor in self.governors.items():
            self._link_up(connection, governor)
        self.connect()

    def _link_up(self, connection: ConnectionId, governor: Governor) -> None:
        async def credentials(_refused: bool) -> Login:
            return Login(connection=connection, socket_url="", token="", user_id=None, accounts={})

        link = Link(
            str(connection),
            credentials,
            self.mailbox.post,
            self.clock,
            Random(1),
            governor,
            self.rings.add,
            lambda: True,
            lambda *_: Wire(self),
        )
        life = link.run()
        life.send(None)  # as far as the gateway, which lives for ever
        self._lives.append(life)
        self.links[connection] = link

    @property
    def book(self) -> Book:
        """Return the engine's book."""
        return self.mailbox.book

    # -- the broker's side --------------------------------------------------------------------------

    def connect(self) -> None:
        """Show every login's snapshot."""
        for connection in self.governors:
            mine = [a for a, plan in self.world.plan.accounts.items() if plan.connection == connection]
            states = [state for account in mine for state in self.world.snapshot(account).accounts]
            at = self.world.at()
            self.mailbox.post(SnapshotTaken(connection=connection, accounts=tuple(states), at=at))

    def lose(self) -> None:
        """Cut the followers' login."""
        self.mailbox.post(LinkLost(connection=SHARED, reason="test", at=self.world.at()))

    def ask_silence(self, seconds: float) -> None:
        """Let the broker ask the followers' login for silence."""
        at = self.world.at()
        until = Nanos(at + int(seconds * SECOND))
        self.links[SHARED].take(SilenceAsked(connection=SHARED, until=until, reason="429", at=at))

    def wait(self, seconds: float, *, settle: bool = True) -> None:
        """Let time pass: each second and at each ring the mailbox looks, and the broker answers."""
        end = self.world.now + int(seconds * SECOND)
        while self.world.now < end:
            second = (self.world.now // SECOND + 1) * SECOND
            self.world.now = min(end, second, *(ring for ring in self.rings if ring > self.world.now), end)
            self.rings = {ring for ring in self.rings if ring > self.world.now}
            self.mailbox.post(TimePassed(at=Nanos(self.world.now)))
            if settle:
                self.world.settle()

    # -- what came of it ----------------------------------------------------------------------------

    def sent(self, kind: type, lane: Lane | None = None) -> list[Any]:
        """Return the followers' commands of a kind and lane that left, in order."""
        found = [command for _, command in self.calls if isinstance(command, kind)]
        return [command for command in found if lane is None or command.lane is lane]

    def nets(self) -> set[int]:
        """Return what the followers hold, each figure once."""
        return {self.world.held(account) for account in self.accounts}

    def stops(self) -> set[int | None]:
        """Return where the followers' stops stand, each price once."""
        return {order.spec.stop for account in self.accounts for order in self.world.resting(account)}

    def busiest(self, seconds: int = 60) -> int:
        """Return the most calls that any span of so many seconds holds."""
        times = [at for at, _ in self.calls]
        spans = (
            times[place : bisect_left(times, first + seconds * SECOND)] for place, first in enumerate(times)
        )
        return max((len(span) for span in spans), default=0)
