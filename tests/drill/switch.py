"""The engine's own door in a drill: presses that are kept through crashes until the rows hold them."""

from collections.abc import Callable

from tests.drill.agenda import Agenda
from tests.drill.history import History, Turned
from tests.drill.script import Press
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged, HaltPressed
from tradehaven.domain.ids import GateId, PressId

Tell = Callable[[GateChanged | HaltPressed], bool]


class Switch:
    """What `engine/switch.py` and `engine/latches.py` do, without sockets and files.

    The history says that a gate is shut from the moment at which the press is acknowledged.
    """

    def __init__(
        self, gates: dict[GateId, GateChanged], agenda: Agenda, history: History, tell: Tell
    ) -> None:
        self._gates = gates
        self._agenda = agenda
        self._history = history
        self._tell = tell
        self._pending: list[HaltPressed] = []
        self._number = 0

    def press(self, press: Press) -> None:
        """Press; the row turns when the database is back."""
        self._number += 1
        event = HaltPressed(
            press=PressId(f"{self._number:032x}"),
            gates=(press.gate,),
            flatten=press.flatten,
            at=self._agenda.nanos(),
        )
        self._pending.append(event)
        if self._tell(event):
            self._acknowledged(event)
        self._agenda.after(press.away, lambda: self._settle(event))

    def pending(self) -> list[HaltPressed]:
        """Return what a start has to know besides the rows."""
        return list(self._pending)

    def remind(self) -> None:
        """Say that a new engine stands behind the gates that were pressed."""
        for event in self._pending:
            self._acknowledged(event)

    def _acknowledged(self, event: HaltPressed) -> None:
        for gate in event.gates:
            self._history.add(Turned(self._agenda.now, self._row(gate, event, turned=False)))

    def _settle(self, event: HaltPressed) -> None:
        self._pending.remove(event)
        for gate in event.gates:
            row = self._gates[gate] = self._row(gate, event, turned=True)
            if self._tell(row):
                self._history.add(Turned(self._agenda.now, row))

    def _row(self, gate: GateId, event: HaltPressed, *, turned: bool) -> GateChanged:
        known = self._gates.get(gate)
        version = known.version if known is not None else 0
        return GateChanged(
            gate=gate,
            state=TradingState.HALTED,
            flatten=event.flatten,
            version=version + 1 if turned else version,
            at=self._agenda.nanos(),
            presses=(event.press,),
        )
