"""The table of manual copies in a drill: rows that outlive every engine, read while they are fresh."""

from collections.abc import Mapping

from tests.drill.agenda import SECOND, Agenda
from tests.drill.history import Asked, History
from tests.drill.script import Ask
from tradehaven.domain.enums import OrderType
from tradehaven.domain.events import OrderAsked
from tradehaven.domain.ids import Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

FRESH = 60 * SECOND
"""How old a row may be that an engine still reads (`engine/plans.py`)."""


class Till:
    """What `services/manual.py` writes and `engine/plans.py` reads, without a database."""

    def __init__(self, agenda: Agenda, history: History, prices: Mapping[Symbol, Ticks]) -> None:
        self._agenda = agenda
        self._history = history
        self._prices = prices
        self._asked: list[OrderAsked] = []

    def ask(self, deed: Ask) -> OrderAsked:
        """Write a row; return what the engine reads."""
        price = self._prices[deed.symbol]
        event = OrderAsked(
            number=deed.number,
            leader=deed.leader,
            followers=deed.followers,
            symbol=deed.symbol,
            side=deed.side,
            spec=OrderSpec(
                order_type=deed.order_type,
                qty=deed.qty,
                limit=Ticks(price + deed.away) if deed.order_type is OrderType.LIMIT else None,
                stop=Ticks(price + deed.away) if deed.order_type is OrderType.STOP else None,
            ),
            stop_loss=deed.stop_loss,
            take_profit=deed.take_profit,
            at=self._agenda.nanos(),
        )
        self._asked.append(event)
        self._history.add(Asked(self._agenda.now, event))
        return event

    def fresh(self) -> list[OrderAsked]:
        """Return what an engine reads that starts, or reads its settings anew."""
        return [event for event in self._asked if self._agenda.now - event.at < FRESH]
