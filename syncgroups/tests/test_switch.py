"""A press through one process: obeyed, stored, answered, and a row as soon as there are rows."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest
from django.db import DatabaseError, OperationalError

from syncgroups.engine import switch as switching
from syncgroups.engine.switch import Switch
from tradehaven.control.messages import Heard, HeardState, InFlight, Press
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged, HaltPressed
from tradehaven.domain.ids import AccountId, ClientOrderId, GateId, Nanos, OwnerId, PressId

ALICE, BOB = OwnerId(1), OwnerId(2)
PRESS = Press(press=PressId("ab" * 16), owner=ALICE, gates=(GateId(7),), flatten=True, at=Nanos(5))
TURNED = GateChanged(
    gate=GateId(7),
    state=TradingState.HALTED,
    flatten=False,
    version=1,
    at=Nanos(5),
    presses=(PRESS.press,),
)
FLYING = (InFlight(account=AccountId(4), client_order_id=ClientOrderId("th1.x")),)


class Leading:
    """An engine that leads one owner, and writes down the order of what happens."""

    def __init__(self, owner: OwnerId, folder: Path) -> None:
        self.owner = owner
        self.pressed: list[HaltPressed] = []
        self.turned: list[GateChanged] = []
        self.stored_before = False
        self._folder = folder

    def press(self, owner: OwnerId, event: HaltPressed) -> Heard | None:
        """Take a press of one's own owner."""
        if owner != self.owner:
            return None
        self.stored_before = bool(list(self._folder.glob("*")))
        self.pressed.append(event)
        return Heard(engine="main", state=HeardState.OBEYED, in_flight=FLYING, flattening=(AccountId(4),))

    def settled(self, owner: OwnerId, gates: tuple[GateChanged, ...]) -> None:
        """Take what the rows say."""
        if owner == self.owner:
            self.turned.extend(gates)


class Rows:
    """The database: there, away, or refusing one press."""

    def __init__(self) -> None:
        self.settled: list[PressId] = []
        self.raises: Exception | None = None

    def settle(self, press: Press) -> tuple[GateChanged, ...]:
        """Bring a press into the rows."""
        if self.raises is not None:
            raise self.raises
        self.settled.append(press.press)
        return (TURNED,)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    found = Rows()
    monkeypatch.setattr(switching, "settle", found.settle)
    return found


def a_switch(folder: Path, *engines: Leading) -> Switch:
    return Switch("host:1", folder, None, lambda: engines, lambda: Nanos(9))


def run(story: Awaitable[None]) -> None:
    async def main() -> None:
        await asyncio.wait_for(story, 20)

    asyncio.run(main())


def test_the_gates_are_shut_before_anything_is_written(tmp_path: Path, rows: Rows) -> None:
    engine = Leading(ALICE, tmp_path)
    switch = a_switch(tmp_path, engine)

    async def story() -> None:
        heard = await switch.press(PRESS)
        assert heard == Heard(
            engine="host:1",
            state=HeardState.OBEYED,
            is_stored=True,
            in_flight=FLYING,
            flattening=(AccountId(4),),
        )

    run(story())
    assert [(event.gates, event.flatten, event.at) for event in engine.pressed] == [((7,), True, 9)]
    assert not engine.stored_before
    assert list(tmp_path.glob("*.press"))


def test_who_does_not_lead_keeps_the_press_for_when_it_does(tmp_path: Path, rows: Rows) -> None:
    switch = a_switch(tmp_path, Leading(BOB, tmp_path))

    async def story() -> None:
        heard = await switch.press(PRESS)
        assert (heard.state, heard.is_stored) == (HeardState.KEPT, True)

    run(story())
    assert [event.press for event in switch.over(ALICE)] == [PRESS.press]


def test_the_engine_that_leads_answers_among_several(tmp_path: Path, rows: Rows) -> None:
    switch = a_switch(tmp_path, Leading(BOB, tmp_path), Leading(ALICE, tmp_path), Leading(BOB, tmp_path))

    async def story() -> None:
        assert (await switch.press(PRESS)).state is HeardState.OBEYED

    run(story())


def test_a_full_disk_is_said_in_the_answer(tmp_path: Path, rows: Rows) -> None:
    (tmp_path / "presses").write_text("in the way")
    switch = a_switch(tmp_path / "presses", Leading(ALICE, tmp_path))

    async def story() -> None:
        heard = await switch.press(PRESS)
        assert (heard.state, heard.is_stored) == (HeardState.OBEYED, False)

    run(story())


def test_a_press_becomes_a_row_at_once_and_is_dropped(tmp_path: Path, rows: Rows) -> None:
    engine = Leading(ALICE, tmp_path)
    switch = a_switch(tmp_path, engine)

    async def story() -> None:
        await switch.open()
        settling = asyncio.create_task(switch.run())
        await asyncio.sleep(0)
        await switch.press(PRESS)
        while not engine.turned:
            await asyncio.sleep(0.01)
        settling.cancel()
        await switch.close()

    run(story())
    assert rows.settled == [PRESS.press]
    assert engine.turned == [TURNED]
    assert not list(tmp_path.glob("*.press"))
    assert switch.over(ALICE) == []


def test_a_press_waits_for_a_database_that_is_away(
    tmp_path: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "SETTLE_EVERY", 0.01)
    engine = Leading(ALICE, tmp_path)
    switch = a_switch(tmp_path, engine)
    rows.raises = OperationalError("no route")

    async def story() -> None:
        settling = asyncio.create_task(switch.run())
        await switch.press(PRESS)
        await asyncio.sleep(0.1)
        assert [event.press for event in switch.over(ALICE)] == [PRESS.press]
        rows.raises = None
        while not engine.turned:
            await asyncio.sleep(0.01)
        settling.cancel()

    run(story())
    assert rows.settled == [PRESS.press]


def test_an_absent_database_is_an_error_and_nothing_is_settled(tmp_path: Path, rows: Rows) -> None:
    switch = a_switch(tmp_path)
    rows.raises = OperationalError("no route")

    async def story() -> None:
        await switch.press(PRESS)
        with pytest.raises(OperationalError):
            await switch.settle()
        assert not switch.is_settled()

    run(story())


@pytest.mark.parametrize("trouble", [DatabaseError("value too long"), RuntimeError("a mistake of ours")])
def test_a_press_that_no_row_can_hold_goes_on_holding_and_keeps_no_other_out(
    tmp_path: Path, rows: Rows, trouble: Exception
) -> None:
    switch = a_switch(tmp_path)
    rows.raises = trouble

    async def story() -> None:
        await switch.press(PRESS)
        assert not switch.is_settled()
        await switch.settle()
        assert switch.is_settled()  # as far as it can be
        assert [event.press for event in switch.over(ALICE)] == [PRESS.press]

    run(story())


def test_what_was_pressed_before_the_start_is_known_before_anybody_is_led(tmp_path: Path, rows: Rows) -> None:
    async def press() -> None:
        await a_switch(tmp_path).press(PRESS)

    run(press())
    after = a_switch(tmp_path)
    run(after.open())
    assert [event.press for event in after.over(ALICE)] == [PRESS.press]
    assert not after.is_settled()
    run(after.settle())
    assert after.is_settled()
    assert rows.settled == [PRESS.press]
