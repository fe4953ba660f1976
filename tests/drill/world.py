"""One drill from its script to its history: broker, lines, disk, engine lives, and the quiet at the end."""

import shutil
import tempfile
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random

from brokers.core.budget import CallLimits
from brokers.core.governor import Governor
from syncgroups.tests.plans import open_gates
from tests.drill.agenda import Agenda
from tests.drill.engine import Engine, Killed
from tests.drill.feed import Feed
from tests.drill.hands import Hands
from tests.drill.history import Began, Died, History, Journalled, Planned, Trouble, Turned
from tests.drill.lines import Line
from tests.drill.rest import rest_of
from tests.drill.rows import Rows
from tests.drill.script import (
    Ask,
    Blind,
    Crash,
    Drop,
    Fault,
    FullDisk,
    Gap,
    Limit,
    Overfill,
    Press,
    Refuse,
    Script,
    Settle,
    Stop,
    Storm,
    Strange,
    Timed,
    Turn,
    Wild,
)
from tests.drill.switch import Switch
from tests.drill.till import Till
from tests.drill.venue import News, Venue
from tests.drill.weather import Weather
from tradehaven.domain.events import Event, GateChanged, HaltPressed
from tradehaven.domain.ids import AccountId, ConnectionId, GateId

QUIET = 75.0
"""Seconds without trouble before the laws are applied: a minute to converge (I19), and the links' way up."""
SLOWLY = 240.0
"""Seconds more that it takes where a login may be asked only a few things in a minute."""
RECORDER_LAG = 0.05
MEMORY = Path("/dev/shm")


def drill(script: Script) -> History:
    """Play a script and return what happened."""
    folder = Path(tempfile.mkdtemp(prefix="drill-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        world = World(script, folder)
        world.play()
        return world.history
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Armed:
    """A crash that waits for its time at a point of the engine."""

    crash: Crash
    passed: int = 0


class World:
    """Everything around the engine, and the engine's lives one after another."""

    def __init__(self, script: Script, folder: Path) -> None:
        self.script = script
        self.history = History(per_minute=script.per_minute, money=script.money)
        self._folder = folder / "journal"
        self._agenda = Agenda()
        self.history.starts = {account: Decimal(cash) for account, cash in script.people.balances}
        self._venue = Venue(self._agenda, self.history, str(script.seed))
        self._venue.tell = self._news
        self._venue.splits, self._venue.slow_fills = script.splits, script.slow_fills
        self._hands = Hands(self._venue)
        self._people = script.people
        self._version = 1
        self._login_of = dict(script.people.logins)
        self._weather = {login: Weather() for login in sorted(set(self._login_of.values()))}
        for account, cash in script.people.balances:
            self._weather[self._login_of[account]].balances[account] = Decimal(cash)
        self._gates: dict[GateId, GateChanged] = {}
        self._switch = Switch(self._gates, self._agenda, self.history, self._tell_gate)
        self._till = Till(self._agenda, self.history, self._venue.prices)
        self._feed: Feed | None = None
        if script.money:
            self._venue.open_purses(self.history.starts)
            chance = Random(f"{script.seed}/feed")
            self._feed = Feed(self._agenda, self._venue, self.history, chance, self._take)
        self._rows = Rows()
        self._engine: Engine | None = None
        self._epoch = 0
        self._armed: list[Armed] = []
        self._governors: dict[ConnectionId, Governor] = {}
        self._lost = 0
        self._failures = 0

    def play(self) -> None:
        """Let everything happen, then let everything come to rest."""
        self.history.add(Planned(self._agenda.now, self._people.plan(self._version)))
        self._start()
        if self._feed is not None:
            self._feed.breathe(self.script.length)
        for item in self.script.items:
            self._agenda.after(item.second, lambda item=item: self._do(item))  # type: ignore[misc]
        self._agenda.until(self.script.length)
        self._calm()
        self._agenda.until(self.script.length + QUIET + (SLOWLY if self.script.per_minute else 0))
        self._end()

    # -- the engine's lives -------------------------------------------------------------------------

    def _start(self) -> None:
        self._epoch += 1
        self.history.add(Began(self._agenda.now, self._epoch))
        lines = {login: self._line(login) for login in self._weather}
        self._engine = Engine(
            self._people.plan(self._version),
            self._gates.values(),
            self._rows,
            self._folder,
            lines,
            self._agenda,
            self.history,
            self._epoch,
            self._strike,
            self._take,
            self._switch.pending(),
        )
        self._engine.start()
        if self._feed is not None:
            self._feed.connect()
        for gate in self._gates.values():
            self.history.add(Turned(self._agenda.now, gate))
        self._switch.remind()
        self._read_orders()

    def _line(self, login: ConnectionId) -> Line:
        accounts = tuple(account for account, found in self.script.people.logins if found == login)
        return Line(
            login,
            accounts,
            self._epoch,
            self._weather[login],
            self._venue,
            self._agenda,
            self.history,
            Random(f"{self.script.seed}/line/{login}/{self._epoch}"),
            self._take,
            self._governor(login),
        )

    def _governor(self, login: ConnectionId) -> Governor | None:
        """Return a login's budget in this life of the engine, with what the rows know of the one before."""
        if self.script.per_minute is None:
            return None
        now, before = self._agenda.nanos(), self._governors.get(login)
        governor = Governor(CallLimits(per_minute=self.script.per_minute))
        if before is not None:
            governor.remember(before.usage(now), now)
            governor.silence(before.silent_until, now)
        self._governors[login] = governor
        return governor

    def _take(self, event: Event) -> None:
        engine = self._engine
        if engine is None:
            return
        try:
            engine.take(event)
        except Killed as killed:
            self._died(killed.args[0])

    def _strike(self, point: str) -> None:
        for armed in self._armed:
            if armed.crash.point == point:
                armed.passed += 1
                if armed.passed == armed.crash.nth:
                    self._armed.remove(armed)
                    raise Killed(armed.crash)

    def _died(self, crash: Crash) -> None:
        engine, self._engine = self._engine, None
        if engine is None:
            return
        self._failures += engine.mailbox.failures
        engine.die()
        if self._feed is not None:
            self._feed.close()
        lost = self._wreck(crash)
        self.history.add(Died(self._agenda.now, engine.epoch, crash.point, lost))
        self._agenda.after(crash.seconds, self._start)

    def _wreck(self, crash: Crash) -> int:
        """Do to the disk what the crash does; return how many records are gone for good."""
        before = len(self._rows.records)
        if crash.disk == "lost":
            cutoff = self._agenda.now - int(RECORDER_LAG * 1e9)
            journalled = [e for e in self.history.entries if isinstance(e, Journalled)]
            safe = sum(1 for entry in journalled if entry.at <= cutoff) - self._lost
            self._rows.drain(self._folder, max(0, safe - before))
            shutil.rmtree(self._folder, ignore_errors=True)
        elif crash.disk == "torn":
            newest = max(self._folder.glob("*.log"))
            size = newest.stat().st_size
            last = self._last_record(newest)
            with newest.open("r+b") as file:
                file.truncate(size - max(1, int(last * crash.cut)) if last else size)
        self._rows.drain(self._folder)
        written = sum(1 for entry in self.history.entries if isinstance(entry, Journalled))
        lost = written - self._lost - len(self._rows.records)
        self._lost += lost
        return lost

    @staticmethod
    def _last_record(path: Path) -> int:
        """Return the bytes of the last record of a file."""
        data, offset, last = path.read_bytes(), 0, 0
        while offset < len(data):
            last = 8 + int.from_bytes(data[offset : offset + 4], "little")
            offset += last
        return last

    # -- what is in the script ----------------------------------------------------------------------

    def _do(self, item: Timed) -> None:
        if isinstance(item.what, Fault):
            self.history.add(Trouble(self._agenda.now, repr(item.what)))
            self._harm(item.what)
        elif isinstance(item.what, Turn):
            self._turn(item.what)
        elif isinstance(item.what, Press):
            self._switch.press(item.what)
        elif isinstance(item.what, Settle):
            self._settle(item.what)
        elif isinstance(item.what, Ask):
            self._take(self._till.ask(item.what))
        else:
            self._hands.do(item.what)

    def _turn(self, turn: Turn) -> None:
        known = self._gates.get(turn.gate)
        gate = GateChanged(
            gate=turn.gate,
            state=turn.state,
            flatten=turn.flatten,
            version=known.version + 1 if known is not None else 1,
            at=self._agenda.nanos(),
        )
        self._gates[turn.gate] = gate
        if self._tell_gate(gate):
            self.history.add(Turned(self._agenda.now, gate))

    def _tell_gate(self, event: GateChanged | HaltPressed) -> bool:
        """Let the engine see a turn or a press; say whether it lives to obey."""
        self._take(event)
        return self._engine is not None

    def _settle(self, settle: Settle) -> None:
        rules = settle.rules if settle.rules is not None else self._people.rules
        self._people = replace(self._people, groups=settle.groups, rules=rules)
        self._version += 1
        plan = self._people.plan(self._version)
        if self._engine is not None:
            self._engine.mailbox.replan(plan)
            for gate in open_gates(plan):
                self._engine.mailbox.post(gate)
        self.history.add(Planned(self._agenda.now, plan))
        self._read_orders()

    def _read_orders(self) -> None:
        """Let the engine read what was asked for a little while ago, as with all of an owner's settings."""
        for asked in self._till.fresh():
            self._take(asked)

    def _harm(self, fault: Fault) -> None:
        match fault:
            case Storm():
                setattr(self._weather[fault.login], fault.name, fault.value)
                self._agenda.after(fault.seconds, lambda: self._fair(fault))
            case Drop():
                self._drop(fault)
            case Gap():
                if self._engine is not None:
                    self._engine.lines[fault.login].go_deaf()
                    self._agenda.after(fault.seconds, lambda: self._drop(Drop(login=fault.login)))
            case Refuse():
                weather = self._weather[self._login_of[fault.account]]
                weather.refuses[fault.account] = fault.code
                self._agenda.after(fault.seconds, lambda: weather.relent(fault.account))
            case Crash():
                self._crash(fault)
            case Stop():
                self._stop(fault)
            case FullDisk():
                self._fill_disk(fault)
            case Limit():
                self._limit(fault)
            case Overfill() | Wild() | Blind() | Strange():
                self._puzzle(fault)

    def _crash(self, crash: Crash) -> None:
        if crash.point == "now":
            self._died(crash)
        else:
            self._armed.append(Armed(crash))

    def _puzzle(self, fault: Overfill | Wild | Blind | Strange) -> None:
        """Let the engine be told what is not so, or what makes no sense, or no price at all."""
        match fault:
            case Overfill():
                self._venue.generous.add(fault.account)
            case Wild() if self._feed is not None:
                self._feed.wild(fault)
            case Blind() if self._feed is not None:
                self._feed.go_blind(fault.seconds, silently=fault.silently)
            case Strange() if self._engine is not None:
                self._engine.lines[fault.login].tell_strange(fault.number)

    def _limit(self, limit: Limit) -> None:
        meant = [self._weather[limit.login]] if limit.login is not None else list(self._weather.values())
        for weather in meant:
            weather.silence = limit.seconds
            self._agenda.after(limit.seconds, lambda weather=weather: setattr(weather, "silence", 0.0))  # type: ignore[misc]

    def _fair(self, storm: Storm) -> None:
        setattr(self._weather[storm.login], storm.name, getattr(Weather(), storm.name))

    def _drop(self, drop: Drop) -> None:
        if self._engine is None:
            return
        line = self._engine.lines[drop.login]
        try:
            if drop.silently:
                line.go_dark()
            else:
                line.fall("the broker closed the session")
        except Killed as killed:
            self._died(killed.args[0])

    def _stop(self, stop: Stop) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            self._failures += engine.mailbox.failures
            engine.stop()
            if self._feed is not None:
                self._feed.close()
            self._rows.drain(self._folder)
            self.history.add(Died(self._agenda.now, engine.epoch, "stop", 0))
            self._agenda.after(stop.seconds, self._start)

    def _fill_disk(self, fault: FullDisk) -> None:
        engine = self._engine
        if engine is not None:
            engine.journal.full = True
            self._agenda.after(fault.seconds, lambda: setattr(engine.journal, "full", False))

    def _news(self, account: AccountId, news: News) -> None:
        if self._engine is not None:
            self._engine.lines[self._login_of[account]].hear(news)

    # -- the end ------------------------------------------------------------------------------------

    def _calm(self) -> None:
        self._armed.clear()
        for weather in self._weather.values():
            weather.clear()
        self.history.add(Trouble(self._agenda.now, "quiet"))
        # A market without splits and pauses trades what asks for the market, as any open market does.
        self._venue.splits = self._venue.slow_fills = 0.0
        for symbol, price in sorted(self._venue.prices.items()):
            self._venue.move(symbol, price)

    def _end(self) -> None:
        engine = self._engine
        assert engine is not None, "an engine came back"
        self._rows.drain(self._folder)
        self.history.recorded = self._rows.records
        self.history.rest = rest_of(engine, self._failures)
        engine.stop()
