"""Between two orders: rehearsals and glances, as often as they should be, and nobody suffers from them."""

import asyncio
import gc
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from brokers.clock import process_clock
from syncgroups.engine.awake import Awake
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.rehearsal import Rehearsal
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, follower, gate_of, plan_of
from tradehaven.domain.commands import CancelOrder, Command, PlaceOrder
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol

TWO, THREE = AccountId(2), AccountId(3)
MES = Symbol("MESZ6")


class Asked:
    """A gateway that is asked and never sent anything."""

    is_ready = True

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.takes = True

    def could_send(self, command: Command) -> bool:
        """Note what is asked."""
        self.commands.append(command)
        return self.takes

    def send(self, command: Command) -> None:
        """Fail."""
        raise AssertionError(f"{command} was sent")

    def look_again(self) -> None:
        """Fail."""
        raise AssertionError("lists were asked for")

    def close(self) -> None:
        """End nothing."""

    async def run(self) -> str:
        """End at once."""
        return ""


class Scene:
    """A mailbox over a desk's book, whose followers' gateways are only asked."""

    def __init__(self, world: Desk, folder: Path) -> None:
        self.world = world
        self.has_lease = True
        plan = world.plan
        self.doors = {known.connection: Asked() for known in plan.accounts.values()}
        dispatch = Dispatch(self.doors, world.at, lambda: self.has_lease)
        self.mailbox = Mailbox(plan, world.book, Journal(folder, epoch=1), dispatch, world.at)

    def asked(self, account: AccountId) -> list[tuple[Symbol, Side, int]]:
        """Return what the gateway of an account was asked about."""
        commands = self.doors[self.world.plan.accounts[account].connection].commands
        placed = [command for command in commands if isinstance(command, PlaceOrder)]
        assert len(placed) == len(commands)
        return [(command.symbol, command.side, command.spec.qty) for command in placed]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    world = desk(follower(2), follower(3, ratio="2"))
    world.market(Side.BUY, 1)
    world.settle()
    return Scene(world, tmp_path)


def test_each_follower_is_asked_what_it_would_be_sent(scene: Scene) -> None:
    glances = scene.mailbox.glances()
    assert next(glances)
    assert (scene.asked(TWO), scene.asked(THREE)) == ([(ES, Side.BUY, 1)], [])
    assert list(glances) == [True]
    assert scene.asked(THREE) == [(ES, Side.BUY, 2)]


def test_the_contracts_of_the_leader_take_turns(scene: Scene) -> None:
    scene.world.trade(Side.SELL, 1, OrderType.LIMIT, limit=25_000, symbol=MES)
    for _ in range(4):
        list(scene.mailbox.glances())
    assert [symbol for symbol, _, _ in scene.asked(TWO)] in ([ES, MES, ES, MES], [MES, ES, MES, ES])


def test_who_would_not_be_reached_is_known(scene: Scene) -> None:
    door = scene.doors[scene.world.plan.accounts[TWO].connection]
    door.takes = False
    assert list(scene.mailbox.glances()) == [False, True]
    door.takes = True
    scene.has_lease = False
    assert list(scene.mailbox.glances()) == [False, False]
    scene.has_lease = True
    scene.world.shut(gate_of(TWO))
    assert list(scene.mailbox.glances()) == [False, True]
    scene.world.lose(THREE)
    assert list(scene.mailbox.glances()) == [False, False]
    nobody = CancelOrder(account=AccountId(99), client_order_id=ClientOrderId("c"), order_id=OrderId(1))
    assert not scene.mailbox._dispatch.could_send(nobody)


def test_nobody_is_asked_where_nothing_is_copied(scene: Scene, tmp_path: Path) -> None:
    scene.mailbox.replan(plan_of(replace(scene.world.plan.groups[0], active=False)))
    assert list(scene.mailbox.glances()) == []
    fresh = Scene(desk(follower(2)), tmp_path)
    assert list(fresh.mailbox.glances()) == []  # the leader has traded nothing yet


def test_what_was_asked_is_gone_without_the_collector(scene: Scene) -> None:
    for _ in range(10):
        list(scene.mailbox.glances())
    for door in scene.doors.values():
        door.commands.clear()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(200):
            list(scene.mailbox.glances())
            for door in scene.doors.values():
                door.commands.clear()
        after = len(gc.get_objects())
    finally:
        gc.enable()
    assert after - before < 100


async def _awake_for(seconds: float, *mailboxes: Mailbox) -> None:
    led: Collection[Mailbox] = mailboxes
    task = asyncio.create_task(Awake(process_clock(), lambda: led).run())
    await asyncio.sleep(seconds)
    assert not task.done()
    task.cancel()


@pytest.mark.parametrize(("needed", "least", "most"), [(True, 5, 60), (False, 0, 0)])
def test_it_is_rehearsed_now_and_then_while_somebody_is_led(
    monkeypatch: pytest.MonkeyPatch, scene: Scene, needed: bool, least: int, most: int
) -> None:
    plays: list[float] = []
    monkeypatch.setattr(Rehearsal, "play", lambda _: plays.append(1))
    asyncio.run(_awake_for(0.1, *([scene.mailbox] if needed else [])))
    assert least <= len(plays) <= most
    assert (len(scene.asked(TWO)) > 10) is needed


def test_a_rehearsal_that_fails_ends_rehearsing_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, scene: Scene
) -> None:
    plays: list[int] = []

    def play(_: Rehearsal) -> None:
        plays.append(1)
        raise RuntimeError("the stage fell down")

    monkeypatch.setattr(Rehearsal, "play", play)
    asyncio.run(_awake_for(0.05, scene.mailbox))
    assert len(plays) == 1
    assert "orders are copied all the same" in caplog.text
    assert len(scene.asked(TWO)) > 5


def test_a_glance_that_fails_ends_glancing_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, scene: Scene
) -> None:
    plays: list[int] = []
    monkeypatch.setattr(Rehearsal, "play", lambda _: plays.append(1))
    rounds: list[int] = []

    def glances(_: Mailbox) -> Iterator[bool]:
        rounds.append(1)
        yield True
        raise ValueError("a figure that nobody expected")

    monkeypatch.setattr(Mailbox, "glances", glances)
    asyncio.run(_awake_for(0.05, scene.mailbox))
    assert len(rounds) == 1
    assert len(plays) >= 5
    assert "they are copied all the same" in caplog.text
