"""The market data of the drill: quotes to the engine, late, gone, in silence, or wild (F40).

One session for each engine life. A quote is the market's price when it left; bid and ask are a tick apart.
"""

from collections.abc import Callable
from random import Random

from tests.drill.agenda import SECOND, Agenda
from tests.drill.history import History, Quoted
from tests.drill.script import Wild
from tests.drill.venue import Venue
from tradehaven.domain.enums import Environment
from tradehaven.domain.events import Event, PriceMoved, PricesLost
from tradehaven.domain.ids import Symbol
from tradehaven.domain.money import Ticks

BREATH = 1.0
"""Seconds after which a market is quoted again although nothing happened."""
LATEST = 0.03


class Feed:
    """Tells an engine the prices of every contract in which anybody has traded."""

    def __init__(
        self,
        agenda: Agenda,
        venue: Venue,
        history: History,
        chance: Random,
        sink: Callable[[Event], None],
    ) -> None:
        self._agenda = agenda
        self._venue = venue
        self._history = history
        self._chance = chance
        self._sink = sink
        self._session = 0
        self._open = False
        self._free_at = 0
        self._blind_until = 0
        venue.moved = self.moved

    def connect(self) -> None:
        """Begin a session for an engine that has just started; the newest prices come first."""
        self._session += 1
        session = self._session

        def opened() -> None:
            if session == self._session and self._agenda.now >= self._blind_until:
                self._open = True
                self._all()

        self._agenda.after(0.1 + self._chance.random() * 0.4, opened)

    def close(self) -> None:
        """End with the engine."""
        self._session += 1
        self._open = False

    def breathe(self, until: float) -> None:
        """Quote every market each second, for as long as there is trouble."""
        self._all()
        if self._agenda.seconds < until:
            self._agenda.after(BREATH, lambda: self.breathe(until))

    def moved(self, symbol: Symbol) -> None:
        """Tell that the market has moved."""
        self._quote(symbol, self._venue.prices[symbol], wild=False)

    def wild(self, wild: Wild) -> None:
        """Print a price that the market never saw."""
        price = self._venue.prices[wild.symbol]
        self._quote(wild.symbol, Ticks(price + price * wild.parts // 1000), wild=True)

    def go_blind(self, seconds: float, *, silently: bool) -> None:
        """Tell no price for a while."""
        if not self._open:
            return
        self.close()
        self._blind_until = self._agenda.now + int(seconds * SECOND)
        if not silently:
            at = self._agenda.nanos()
            self._sink(PricesLost(environment=Environment.PAPER, at=at))
        self._agenda.after(seconds, self.connect)

    def _all(self) -> None:
        for symbol in sorted(self._venue.prices):
            self.moved(symbol)

    def _quote(self, symbol: Symbol, price: Ticks, *, wild: bool) -> None:
        if not self._open:
            return
        session = self._session
        delay = int(self._chance.random() * LATEST * SECOND)
        self._free_at = max(self._free_at, self._agenda.now + delay)

        def tell() -> None:
            if session != self._session:
                return
            at = self._agenda.nanos()
            self._history.add(Quoted(at, symbol, price, wild))
            self._sink(
                PriceMoved(
                    environment=Environment.PAPER,
                    symbol=symbol,
                    bid=price,
                    ask=Ticks(price + 1),
                    last=price,
                    at=at,
                )
            )

        self._agenda.after((self._free_at - self._agenda.now) / SECOND, tell)
