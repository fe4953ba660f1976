"""Trades of one contract as they are kept, and the bars made of them.

Prices are ticks, instants UTC. A bar merges with what follows it, so that minutes of history and
single live trades build the same chart. Nothing here knows the wire or a socket.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

TRADES_KEPT = 50_000
MINUTES_KEPT = 14 * 24 * 60
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """One trade with the market it met."""

    id: int
    at: datetime
    price: int
    size: int
    bid: int
    offer: int
    bid_size: int
    offer_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What happened in one stretch of a chart; volumes in contracts, `day` is its trading day."""

    at: datetime
    day: date
    open: int
    high: int
    low: int
    close: int
    up_volume: int = 0
    down_volume: int = 0
    up_ticks: int = 0
    down_ticks: int = 0
    bid_volume: int = 0
    offer_volume: int = 0

    @property
    def volume(self) -> int:
        """Return all contracts traded."""
        return self.up_volume + self.down_volume

    def merged(self, later: "Bar") -> "Bar":
        """Return the bar that covers this one and a later one."""
        return replace(
            self,
            high=max(self.high, later.high),
            low=min(self.low, later.low),
            close=later.close,
            up_volume=self.up_volume + later.up_volume,
            down_volume=self.down_volume + later.down_volume,
            up_ticks=self.up_ticks + later.up_ticks,
            down_ticks=self.down_ticks + later.down_ticks,
            bid_volume=self.bid_volume + later.bid_volume,
            offer_volume=self.offer_volume + later.offer_volume,
        )


class Unit(StrEnum):
    """What ends a bar: its clock, its trades, its volume or its price."""

    MINUTES = "minutes"
    DAYS = "days"
    TRADES = "trades"
    VOLUME = "volume"
    RANGE = "range"
    RENKO = "renko"

    @property
    def of_trades(self) -> bool:
        """Return whether bars can only be built of single trades, not of minutes."""
        return self not in (Unit.MINUTES, Unit.DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a chart is cut: `size` minutes, days, trades, contracts or ticks."""

    unit: Unit
    size: int


class Series:
    """The bars of one chart as they grow; the oldest ones give way to newer ones."""

    def __init__(self, rule: Rule, kept: int = MINUTES_KEPT) -> None:
        self._rule = rule
        self._trades = 0
        self.bars: deque[Bar] = deque(maxlen=kept)

    def add(self, piece: Bar) -> list[Bar]:
        """Add a later trade or bar; return the bars that it made or changed, oldest first."""
        piece = replace(piece, at=_start(self._rule, piece))
        last = self.bars[-1] if self.bars else None
        if last is None:
            return self._begin(piece)
        if self._rule.unit is Unit.RENKO:
            return self._bricks(last, piece)
        self._trades += 1
        if self._belongs(last, piece):
            self.bars[-1] = last.merged(piece)
            return [self.bars[-1]]
        return self._begin(piece)

    def _begin(self, piece: Bar) -> list[Bar]:
        self._trades = 1
        if self.bars and self._rule.unit.of_trades:
            # Bars that no clock cuts can start in one instant; readers tell bars apart by it.
            piece = replace(piece, at=max(piece.at, self.bars[-1].at + timedelta(milliseconds=1)))
        self.bars.append(piece)
        return [piece]

    def _belongs(self, last: Bar, piece: Bar) -> bool:
        size = self._rule.size
        match self._rule.unit:
            case Unit.MINUTES:
                return last.at == piece.at
            case Unit.DAYS:
                return (piece.day - last.day).days < size
            case Unit.TRADES:
                return self._trades <= size
            case Unit.VOLUME:
                return last.volume + piece.volume <= size
            case _:
                return max(last.high, piece.high) - min(last.low, piece.low) <= size

    def _bricks(self, last: Bar, piece: Bar) -> list[Bar]:
        """Add as many bricks of the chart's height as the price has gone beyond the last one."""
        size, made = self._rule.size, list[Bar]()
        self.bars[-1] = last.merged(replace(piece, high=last.high, low=last.low, close=last.close))
        while abs(piece.close - self.bars[-1].close) >= size:
            start = self.bars[-1].close
            end = start + size if piece.close > start else start - size
            brick = Bar(
                at=piece.at, day=piece.day, open=start, high=max(start, end), low=min(start, end), close=end
            )
            made += self._begin(brick)
        return made


class Tape:
    """The latest trades of one contract, its minutes, and what each price of the day has traded."""

    def __init__(self, day_of: Callable[[datetime], date]) -> None:
        self._day_of = day_of
        self._rising = True
        self._next_id = 1
        self.trades: deque[Traded] = deque(maxlen=TRADES_KEPT)
        self.minutes = Series(Rule(unit=Unit.MINUTES, size=1))
        self.day: date | None = None
        self.base = 0
        self.volumes: dict[int, int] = {}

    def add(self, traded: Traded) -> tuple[Traded, Bar]:
        """Keep a trade; return it with its number, and as a bar of its own."""
        traded = replace(traded, id=self._next_id)
        self._next_id += 1
        if self.trades and traded.price != self.trades[-1].price:
            self._rising = traded.price > self.trades[-1].price
        self.trades.append(traded)
        piece = self._piece(traded)
        self.minutes.add(piece)
        if piece.day != self.day:
            self.day, self.base, self.volumes = piece.day, traded.price, {}
        self.volumes[traded.price] = self.volumes.get(traded.price, 0) + traded.size
        return traded, piece

    def history(self, rule: Rule) -> Series:
        """Return a chart of everything that is kept, ready to grow on."""
        series = Series(rule)
        pieces: Iterable[Bar] = self._pieces() if rule.unit.of_trades else tuple(self.minutes.bars)
        for piece in pieces:
            series.add(piece)
        return series

    def _pieces(self) -> list[Bar]:
        rising, before, found = True, None, list[Bar]()
        for traded in self.trades:
            if before is not None and traded.price != before:
                rising = traded.price > before
            found.append(_piece(traded, self._day_of(traded.at), rising=rising))
            before = traded.price
        return found

    def _piece(self, traded: Traded) -> Bar:
        return _piece(traded, self._day_of(traded.at), rising=self._rising)


def within(
    bars: Sequence[Bar], *, until: datetime | None, since: datetime | None, count: int | None, most: int
) -> list[Bar]:
    """Return the newest bars up to one instant and from another, at most `count` and never above `most`."""
    found = [bar for bar in bars if (until is None or bar.at <= until) and (since is None or bar.at >= since)]
    return found[-max(0, min(most, most if count is None else count)) :] if count != 0 else []


def _piece(traded: Traded, day: date, *, rising: bool) -> Bar:
    size, price = traded.size, traded.price
    lifted = price >= traded.offer
    return Bar(
        at=traded.at,
        day=day,
        open=price,
        high=price,
        low=price,
        close=price,
        up_volume=size if rising else 0,
        down_volume=0 if rising else size,
        up_ticks=int(rising),
        down_ticks=int(not rising),
        bid_volume=0 if lifted else size,
        offer_volume=size if lifted else 0,
    )


def _start(rule: Rule, piece: Bar) -> datetime:
    """Return the instant that names the bar of a piece."""
    if rule.unit is Unit.DAYS:
        return datetime.combine(piece.day, time(), UTC)
    if rule.unit is Unit.MINUTES:
        epoch = datetime.combine(piece.at.date(), time(), UTC)
        return epoch + (piece.at - epoch) // (rule.size * _MINUTE) * (rule.size * _MINUTE)
    return piece.at
