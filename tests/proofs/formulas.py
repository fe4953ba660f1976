"""Floors, daily limits and bands straight from their formulas, in fractions, slowly. Knows nothing of us.

Written against section 2 of the prop-firm reference; nothing of the product is imported, so that a mistake
in one shows in the other. Money is counted as cash: what was paid and got, and what closing would bring.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

CHICAGO = ZoneInfo("America/Chicago")
BANDS = (("warning", Fraction(1, 2)), ("danger", Fraction(7, 10)), ("locked", Fraction(9, 10)))


@dataclass(frozen=True)
class Terms:
    """What a firm asks: USD, but for the tick; `trail` is intraday, end_of_day or static."""

    trail: str
    start: Fraction
    drawdown: Fraction
    lock: Fraction | None
    daily: Fraction | None
    hard: bool
    touch: bool
    reserve_ticks: int
    tick: Fraction
    tick_value: Fraction
    fee: Fraction


@dataclass
class Checker:
    """One account through its days. `told` are (milliseconds, what happened), in order."""

    terms: Terms
    cash: Fraction = Fraction(0)
    held: int = 0
    high: Fraction = Fraction(0)
    floor: Fraction = Fraction(0)
    reference: Fraction = Fraction(0)
    day: str = ""
    worst: int = 0
    failed: bool = False
    shut: bool = False
    broken: set[str] = field(default_factory=set)
    told: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cash = self.high = self.reference = self.terms.start
        self.floor = self.high - self.terms.drawdown

    def look(self, ms: int, bid: Fraction, ask: Fraction, wish: int) -> None:
        """Take a quote: end the day if it is another one, trade toward `wish` contracts, then test."""
        day = limit_day(ms)
        if self.day and day != self.day:
            self._end(ms)
        self.day = day
        self._trade(0 if self.shut else wish, bid, ask)
        self._test(ms, bid, ask)
        if self.shut and self.held:
            self._trade(0, bid, ask)

    def _trade(self, wish: int, bid: Fraction, ask: Fraction) -> None:
        change = wish - self.held
        price = ask if change > 0 else bid
        self.cash -= change * price / self.terms.tick * self.terms.tick_value
        self.cash -= abs(change) * self.terms.fee
        self.held = wish

    def _worth(self, price: Fraction) -> Fraction:
        return self.cash + self.held * price / self.terms.tick * self.terms.tick_value

    def _test(self, ms: int, bid: Fraction, ask: Fraction) -> None:
        terms, size = self.terms, abs(self.held)
        careful, kind = (bid, ask) if self.held > 0 else (ask, bid)
        equity = self._worth(careful) - size * terms.fee
        if not self.failed:
            if terms.trail == "intraday":
                self._rise(self._worth(kind))
            if equity < self.floor or (equity == self.floor and terms.touch):
                self.failed = True
        reserve = terms.reserve_ticks * size * terms.tick_value
        room = equity - self.floor - reserve
        lost = self.reference - equity
        if self.failed or room < 0 or (room == 0 and terms.touch):
            self._break(ms, "drawdown")
        elif terms.daily is not None and lost >= terms.daily:
            self._break(ms, "daily_loss")
            if terms.hard:
                self.failed = True
                self.broken.add("drawdown")
        elif not self.shut:
            self._near(ms, room, lost)

    def _rise(self, equity: Fraction) -> None:
        self.high = max(self.high, equity)
        reach = self.high - self.terms.drawdown
        if self.terms.lock is not None:
            reach = min(reach, self.terms.lock)
        self.floor = max(self.floor, reach)

    def _break(self, ms: int, what: str) -> None:
        """Tell each limit once a day, and the floor, whose end is final, before the day's."""
        if what not in self.broken:
            self.told.append((ms, what))
            self.broken.add(what)
        self.shut, self.worst = True, len(BANDS)

    def _near(self, ms: int, room: Fraction, lost: Fraction) -> None:
        used = 1 - room / self.terms.drawdown
        if self.terms.daily is not None:
            used = max(used, lost / self.terms.daily)
        for rank, (name, share) in enumerate(BANDS, start=1):
            inside = used > share if name == "locked" else used >= share
            if inside and rank > self.worst:
                self.worst = rank
                self.told.append((ms, name))

    def _end(self, ms: int) -> None:
        if not self.failed and self.terms.trail == "end_of_day":
            self._rise(self.cash)
        self.told.append((ms, f"day over, floor {float(self.floor):.2f}"))
        self.reference, self.worst = self.cash, 0
        self.shut = self.failed
        if not self.failed:
            self.broken.clear()


def limit_day(ms: int) -> str:
    """Return the date of the limit day of an instant: it begins at 17:00 in Chicago."""
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(CHICAGO)
    return str((local + timedelta(hours=7)).date())
