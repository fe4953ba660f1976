"""One shard's engine goes on while its database is away."""

import asyncio
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError

from brokers.services import tokens
from syncgroups.core.book import Book
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.process import Engine
from syncgroups.services import logins
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import OWNER_GATE, follower, gate_of, group_of, open_gates, plan_of
from tradehaven.control.messages import HeardState
from tradehaven.domain.enums import Side, TradingState
from tradehaven.domain.events import GateChanged, HaltPressed
from tradehaven.domain.ids import AccountId, ConnectionId, GateId, Nanos, OwnerId, PressId


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Return an engine that leads a shard; nothing of it runs."""
    lease: Any = SimpleNamespace(shard="main", epoch=1, is_fresh=lambda: True)
    return Engine(lease, tmp_path, Random(1), lambda _owner: True)


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("the connection is closed")])
@pytest.mark.parametrize("refused", [False, True])
def test_a_token_that_cannot_be_read_is_asked_for_again_later(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception, refused: bool
) -> None:
    def away(*_given: Any, **_named: Any) -> None:
        raise error

    monkeypatch.setattr(logins, "refresh_login", away)
    monkeypatch.setattr(tokens, "login_for_engine", away)
    credentials = engine._credentials(ConnectionId(1))
    assert asyncio.run(credentials(refused)) is None


def test_a_slow_renewal_of_a_token_holds_up_no_settings(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "login_for_engine", lambda _connection: None)

    async def story() -> str:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(*_given: Any, **_named: Any) -> None:
            asyncio.run_coroutine_threadsafe(done.wait(), loop).result(5)

        monkeypatch.setattr(logins, "refresh_login", slow)
        renewing = asyncio.create_task(engine._credentials(ConnectionId(1))(True))
        await asyncio.sleep(0)
        found = await asyncio.wait_for(engine._database.ask(lambda: "settings"), 2)
        done.set()
        await renewing
        return found

    assert asyncio.run(story()) == "settings"


# -- the switch ----------------------------------------------------------------------------------------

ALICE = OwnerId(1)
TWO, THREE = AccountId(2), AccountId(3)


class Wires:
    """Gateways of every login that take all and answer nothing."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def __contains__(self, _connection: object) -> bool:
        return True

    def get(self, _connection: ConnectionId) -> "Wires":
        """Return this one: there is only one."""
        return self

    def send(self, command: Any) -> None:
        """Keep a command."""
        self.sent.append(command)


@pytest.fixture
def wires() -> Wires:
    return Wires()


@pytest.fixture
def world(engine: Engine, tmp_path: Path, wires: Wires) -> Desk:
    """Return a desk whose events go to the engine's mailbox of an owner with two followers."""
    found = Desk(plan_of(group_of(follower(2), follower(3))))
    dispatch = Dispatch(wires, lambda: Nanos(found.now), lambda: True)  # type: ignore[arg-type]
    journal = Journal(tmp_path / "j", epoch=1)
    mailbox = Mailbox(found.plan, Book(), journal, dispatch, lambda: Nanos(found.now))
    engine._mailboxes[ALICE] = mailbox
    for gate in open_gates(found.plan):
        mailbox.post(gate)
    found.step = mailbox.post  # type: ignore[method-assign,assignment]
    found.connect()
    return found


def _pressed(*gates: GateId, flatten: bool = False) -> HaltPressed:
    return HaltPressed(press=PressId("ab" * 16), gates=gates, flatten=flatten, at=Nanos(1))


def test_what_an_engine_answers_has_happened(engine: Engine, world: Desk, wires: Wires) -> None:
    heard = engine.press(ALICE, _pressed(OWNER_GATE))
    assert heard is not None
    assert (heard.state, heard.in_flight, heard.flattening) == (HeardState.OBEYED, (), ())
    world.trade(Side.BUY, 1)
    assert not wires.sent


def test_the_answer_names_what_is_in_flight_behind_the_gates(
    engine: Engine, world: Desk, wires: Wires
) -> None:
    world.trade(Side.BUY, 1)
    heard = engine.press(ALICE, _pressed(gate_of(TWO), flatten=True))
    assert heard is not None
    (mine,) = [command for command in wires.sent if command.account == TWO]
    assert [(found.account, found.client_order_id) for found in heard.in_flight] == [
        (TWO, mine.client_order_id)
    ]
    assert heard.flattening == (TWO,)


def test_an_owner_whom_the_engine_does_not_lead_is_not_answered_for(engine: Engine, world: Desk) -> None:
    assert engine.press(OwnerId(2), _pressed(OWNER_GATE)) is None
    engine.settled(OwnerId(2), ())


def test_an_engine_that_is_leaving_answers_for_nobody(engine: Engine, world: Desk) -> None:
    engine.stop()
    assert engine.press(ALICE, _pressed(OWNER_GATE)) is None


def test_the_rows_rule_once_they_hold_the_press(engine: Engine, world: Desk, wires: Wires) -> None:
    engine.press(ALICE, _pressed(OWNER_GATE))
    opened = GateChanged(
        gate=OWNER_GATE,
        state=TradingState.ACTIVE,
        flatten=False,
        version=2,
        at=Nanos(2),
        presses=(PressId("ab" * 16),),
    )
    engine.settled(ALICE, (opened,))
    world.trade(Side.BUY, 1)
    assert {command.account for command in wires.sent} == {TWO, THREE}


def test_a_press_that_the_mailbox_could_not_take_is_not_acknowledged(
    engine: Engine, world: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = engine._mailboxes[ALICE]
    monkeypatch.setattr(mailbox, "_handle", lambda _event: 1 / 0)
    assert engine.press(ALICE, _pressed(OWNER_GATE)) is None
    assert mailbox.failures == 1
