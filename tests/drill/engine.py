"""One life of the engine under test: the real mailbox, book, core, dispatch and journal, put together once.

What `engine.process` does with sockets, a lease and a database is done here with lines and rows. A part
that joins the engine (a governor, a repair of drift) joins it here as well.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from brokers.ports import Gateway
from syncgroups.core.forgetting import tidy
from syncgroups.core.plan import OwnerPlan
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.looks import Looks
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.records import decode
from syncgroups.tests.plans import open_gates
from tests.drill.agenda import SECOND, Agenda
from tests.drill.history import History, Journalled
from tests.drill.lines import Line
from tests.drill.rows import Rows
from tradehaven.domain.commands import Command, Confirmed
from tradehaven.domain.events import Event, GateChanged, HaltPressed, TimePassed
from tradehaven.domain.ids import ConnectionId, Nanos, OwnerId

TICK = 1.0
FORGET_AFTER = 30
"""Seconds; longer than any outage, as four days are for real."""


class Killed(BaseException):
    """`kill -9`: nothing catches it, nothing is tidied up."""


Strike = Callable[[str], None]
"""Called at every crash point with its name; may raise `Killed`."""


class DrilledJournal(Journal):
    """The real journal, which notes what it wrote and can die or fill up on either side of a write."""

    def __init__(self, folder: Path, epoch: int, history: History, agenda: Agenda, strike: Strike) -> None:
        super().__init__(folder, epoch=epoch)
        self.dead = False
        self.full = False
        self._history = history
        self._agenda = agenda
        self._strike = strike

    def intend(self, payload: bytes) -> None:
        """Write an intent; die before (P1) or behind it (P2)."""
        self._strike("P1")
        super().intend(payload)
        self._strike("P2")

    def flush(self) -> None:
        """Write what waits, unless this process is dead."""
        if not self.dead:
            super().flush()

    def _write(self, data: bytes) -> int:
        if self.full:
            raise OSError("no space left on the drill's disk")
        written = super()._write(data)
        for payload in _whole(data[:written]):
            self._history.add(Journalled(self._agenda.now, self._epoch, decode(payload)))
        return written


def _whole(data: bytes) -> Iterator[bytes]:
    """Yield the records that stand whole in what was written."""
    while len(data) >= 8 and len(data) >= 8 + (length := int.from_bytes(data[:4], "little")):
        yield data[8 : 8 + length]
        data = data[8 + length :]


class Engine:
    """Mailbox, journal and lines from a start to a crash or a stop."""

    def __init__(
        self,
        plan: OwnerPlan,
        gates: Iterable[GateChanged],
        rows: Rows,
        folder: Path,
        lines: Mapping[ConnectionId, Line],
        agenda: Agenda,
        history: History,
        epoch: int,
        strike: Strike,
        deliver: Callable[[Event], None],
        pressed: Iterable[HaltPressed] = (),
    ) -> None:
        self.owner: OwnerId = plan.owner
        self.epoch = epoch
        self.alive = True
        self.lines = lines
        self._agenda = agenda
        self._strike = strike
        self._deliver = deliver
        rows.drain(folder)
        self.journal = DrilledJournal(folder, epoch, history, agenda, strike)
        # A line has everything of a gateway that the engine calls; its life is driven by the agenda.
        dispatch = Dispatch(cast(Mapping[ConnectionId, Gateway], lines), agenda.nanos, lambda: True)
        self.mailbox = Mailbox(plan, rows.book(), self.journal, dispatch, agenda.nanos)
        for gate in (*open_gates(plan), *gates):
            self.mailbox.post(gate)
        for event in pressed:
            self.mailbox.post(event)
        for lock in rows.running_locks(agenda.nanos()):
            self.mailbox.post(lock)
        for line in lines.values():
            line.on_send = self._sending
            line.wake = self._wake
        self._looks = Looks()

    def start(self) -> None:
        """Open the links and let time pass."""
        for line in self.lines.values():
            line.connect()
        self._agenda.after(TICK, self._tick)

    def take(self, event: Event) -> None:
        """Take what a line tells."""
        if not self.alive:
            return
        if isinstance(event, Confirmed):
            self._strike("P5")
        self.mailbox.post(event)
        if isinstance(event, Confirmed):
            self._strike("P6")

    def die(self) -> None:
        """Stop existing, as a killed process does; the broker's side of each line learns nothing."""
        self.alive = False
        self.journal.dead = True
        for line in self.lines.values():
            line.close()
        self.journal.close()

    def stop(self) -> None:
        """Leave in order: no event any more, everything written down."""
        self.alive = False
        for line in self.lines.values():
            line.close()
        self.journal.close()

    def _sending(self, point: str, _command: Command) -> None:
        self._strike(point)

    def _wake(self, until: Nanos) -> None:
        self._agenda.after((until - self._agenda.nanos()) / SECOND, self._pass)

    def _pass(self) -> None:
        if self.alive:
            self._deliver(TimePassed(at=self._agenda.nanos()))

    def _tick(self) -> None:
        if not self.alive:
            return
        self._agenda.after(TICK, self._tick)
        # Days are half minutes here, so that a drill sees what is forgotten come again in every snapshot.
        tidy(self.mailbox.book, self._agenda.nanos(), FORGET_AFTER * SECOND)
        self._pass()
        if self.alive:
            for login in self._looks.due([(self.mailbox.plan, self.mailbox.book)], self._agenda.now / SECOND):
                self.lines[login].look_again()
