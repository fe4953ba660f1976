"""One process of a fleet: what it does with its engines when leases come, go and run out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connections

from brokers.core.shards import FleetView
from brokers.lease import Leases, ShardLease
from brokers.models import EngineProcess, Lease
from brokers.ports import Clock
from syncgroups.engine import fleet
from syncgroups.engine import switch as switching
from syncgroups.engine.fleet import Fleet
from syncgroups.engine.lapsed import Legacy
from syncgroups.engine.latches import Latches
from tradehaven.control.messages import Press
from tradehaven.domain.events import GateChanged, HaltPressed
from tradehaven.domain.ids import GateId, Nanos, OwnerId, PressId

pytestmark = pytest.mark.django_db(transaction=True)


class Idle:
    """An engine that leads nobody: it waits for its end and remembers how that came."""

    def __init__(
        self,
        lease: ShardLease,
        folder: Path,
        chance: Random,
        is_mine: Callable[[OwnerId], bool],
        over: Callable[[OwnerId], list[HaltPressed]],
    ) -> None:
        self.lease = lease
        self.is_mine = is_mine
        self.has_failed = False
        self.was_cut = False
        self.breaks = False
        self.mailboxes = (lease.shard,)  # names will do: they are counted here
        self._end = asyncio.Event()

    @property
    def is_leaving(self) -> bool:
        """Say whether the end has begun."""
        return self._end.is_set()

    async def run(self) -> None:
        """Live until told otherwise."""
        await self._end.wait()
        if self.breaks:
            raise RuntimeError("broken on purpose")

    def stop(self) -> None:
        """Begin to leave."""
        self._end.set()

    def cut(self) -> None:
        """Leave, because the lease is gone."""
        self.was_cut = True
        self._end.set()

    def press(self, owner: OwnerId, event: HaltPressed) -> None:
        """Lead nobody."""

    def settled(self, owner: OwnerId, gates: tuple[GateChanged, ...]) -> None:
        """Lead nobody."""

    def legacies(self) -> list[Legacy]:
        """Know nobody."""
        return []

    def fail(self) -> None:
        """Break."""
        self.breaks = True
        self._end.set()


class Cut(Leases):
    """Leases whose database may be out of reach."""

    is_cut = False

    def _reach(self) -> None:
        if self.is_cut:
            raise DatabaseError("no route to the database")

    def look(self) -> FleetView:
        """Look, if the database is there."""
        self._reach()
        return super().look()

    def renew(self, lease: ShardLease) -> bool:
        """Renew, if the database is there."""
        self._reach()
        return super().renew(lease)


class Stage:
    """A fleet's process with idle engines."""

    def __init__(self, folder: Path, name: str = "one", shards: int = 2) -> None:
        self.leases = Cut(name, shards, 1, time.monotonic)
        self.engines: list[Idle] = []
        self.fleet = Fleet(self.leases, folder, Random(1), self._new)

    def _new(self, *given: Any) -> Any:
        self.engines.append(Idle(*given))
        return self.engines[-1]


async def until(found: Callable[[], bool], seconds: float = 5) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def play(stage: Stage, story: Callable[[], Awaitable[None]], *, awake: bool = False) -> None:
    """Run a fleet's process through a story; afterwards it has left."""

    async def main() -> None:
        life = asyncio.create_task(stage.fleet.run(awake=awake))
        try:
            await story()
        finally:
            stage.fleet._stopping.set()
            await asyncio.wait_for(life, 10)

    asyncio.run(main())
    connections.close_all()


def test_one_process_leads_all_and_gives_all_up_when_it_leaves(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    async def story() -> None:
        await until(lambda: len(stage.engines) == 2)
        await asyncio.sleep(1.2)  # longer than a term: it keeps them
        assert all(engine.lease.is_fresh() for engine in stage.engines)
        owners = {OwnerId(number) for number in range(1, 9)}
        parts = [{owner for owner in owners if engine.is_mine(owner)} for engine in stage.engines]
        assert parts[0] | parts[1] == owners
        assert not parts[0] & parts[1]

    play(stage, story)
    assert not any(engine.was_cut or engine.lease.is_fresh() for engine in stage.engines)
    assert set(Lease.objects.values_list("holder", flat=True)) == {""}
    assert not EngineProcess.objects.exists()
    assert not stage.fleet.has_failed


@pytest.mark.parametrize("awake", [True, False])
def test_it_stays_awake_for_those_whom_it_leads_if_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, awake: bool
) -> None:
    stage, told = Stage(tmp_path), []

    class Noted:
        def __init__(self, _: Clock, mailboxes: Callable[[], Collection[object]]) -> None:
            self._mailboxes = mailboxes

        async def run(self) -> None:
            told.append(len(self._mailboxes()))
            await until(lambda: len(stage.engines) == 2)
            told.append(len(self._mailboxes()))

    monkeypatch.setattr(fleet, "Awake", Noted)

    async def story() -> None:
        await until(lambda: len(stage.engines) == 2)
        await asyncio.sleep(0.1)

    play(stage, story, awake=awake)
    assert told == ([0, 2] if awake else [])


def test_cut_from_the_database_it_ends_before_its_term_does_and_takes_up_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, shards=1)

    async def story() -> None:
        await until(lambda: len(stage.engines) == 1)
        stage.leases.is_cut = True
        began = time.monotonic()
        await until(lambda: stage.engines[0].was_cut)
        assert time.monotonic() - began < 1.0  # a term is a second: nobody else may write before its end
        assert not stage.engines[0].lease.is_fresh()
        stage.leases.is_cut = False
        await until(lambda: len(stage.engines) == 2)
        assert stage.engines[1].lease.epoch > stage.engines[0].lease.epoch

    play(stage, story)


def test_a_lease_that_another_one_took_ends_the_engine(tmp_path: Path) -> None:
    stage = Stage(tmp_path, shards=1)

    async def story() -> None:
        await until(lambda: len(stage.engines) == 1)
        await asyncio.to_thread(lambda: Lease.objects.update(epoch=77, holder="another"))
        await until(lambda: stage.engines[0].was_cut)

    play(stage, story)
    assert Lease.objects.get().holder == "another"


def test_a_part_that_fails_ends_the_process_and_frees_its_shards(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    async def story() -> None:
        await until(lambda: len(stage.engines) == 2)
        stage.engines[0].fail()
        await until(lambda: stage.fleet._stopping.is_set())

    play(stage, story)
    assert stage.fleet.has_failed
    assert set(Lease.objects.values_list("holder", flat=True)) == {""}


def test_a_second_process_gets_its_share(tmp_path: Path) -> None:
    first, second = Stage(tmp_path, "first"), Stage(tmp_path, "second")

    async def story() -> None:
        await until(lambda: len(first.engines) == 2)
        life = asyncio.create_task(second.fleet.run())
        await until(lambda: len(second.engines) == 1, 8)
        await asyncio.sleep(0.5)
        leading = [engine for engine in first.engines + second.engines if engine.lease.is_fresh()]
        assert len({engine.lease.shard for engine in leading}) == len(leading) == 2
        assert not any(engine.was_cut for engine in first.engines)
        second.fleet._stopping.set()
        await life

    play(first, story)


def test_nobody_is_led_before_the_rows_hold_what_was_pressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    press = Press(press=PressId("ab" * 16), owner=OwnerId(1), gates=(GateId(7),), flatten=False, at=Nanos(5))
    Latches(tmp_path / "presses", lambda: Nanos(9)).store(press)
    stage, tried, away = Stage(tmp_path), [], [True]

    def settle(pressed: Press) -> tuple[GateChanged, ...]:
        tried.append(pressed.press)
        if away[0]:
            raise OperationalError("no route to the database")
        return ()

    monkeypatch.setattr(switching, "settle", settle)
    monkeypatch.setattr(switching, "SETTLE_EVERY", 0.05)

    async def story() -> None:
        await until(lambda: len(tried) > 3)
        assert not stage.engines
        away[0] = False
        await until(lambda: len(stage.engines) == 2)

    play(stage, story)
    assert set(tried) == {press.press}
