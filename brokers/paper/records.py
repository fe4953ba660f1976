"""All entities in memory, and the journal in which one step of the venue writes down its changes.

Every change becomes an event of some frame; the shells send frames to clients and store them, so
what is not in a frame neither leaves the process nor survives it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar, cast

from brokers.paper.entities import Entity, Order
from brokers.paper.kinds import KIND_OF, MASTER_MEMBER, Kind
from brokers.paper.words import EventType

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entity changed; `account_id` says who may see it, `session` which day it belongs to."""

    event_type: EventType
    kind: Kind
    entity: Entity
    account_id: int
    session: date


Frame = tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entity with its owner and the session of its last change."""

    kind: Kind
    entity: Entity
    account_id: int
    session: date


class Records:
    """Every entity of the venue by kind and id, with an index by master."""

    def __init__(self) -> None:
        self._rows: dict[Kind, dict[int, Row]] = defaultdict(dict)
        self._deps: dict[tuple[Kind, int], dict[int, None]] = defaultdict(dict)
        self._open: dict[int, dict[int, None]] = defaultdict(dict)

    def put(self, row: Row) -> bool:
        """Store or replace an entity; return whether it was unknown."""
        rows = self._rows[row.kind]
        new = row.entity.id not in rows
        rows[row.entity.id] = row
        if new and (member := MASTER_MEMBER.get(row.kind)):
            self._deps[row.kind, getattr(row.entity, member)][row.entity.id] = None
        if isinstance(row.entity, Order):
            self._index_open(row.entity)
        return new

    def drop(self, kind: Kind, entity_id: int) -> None:
        """Forget an entity, if it is known."""
        row = self._rows[kind].pop(entity_id, None)
        if row is not None and (member := MASTER_MEMBER.get(kind)):
            self._deps[kind, getattr(row.entity, member)].pop(entity_id, None)
        if kind is Kind.ORDER and row is not None:
            self._open[row.account_id].pop(entity_id, None)

    def open_orders(self, account_id: int) -> list[Order]:
        """Return the account's orders that are not final, oldest first."""
        return [self.need(Order, number) for number in self._open[account_id]]

    def get(self, cls: type[E], entity_id: int) -> E | None:
        """Return the entity of a class with an id."""
        row = self._rows[KIND_OF[cls]].get(entity_id)
        return cast(E, row.entity) if row else None

    def need(self, cls: type[E], entity_id: int) -> E:
        """Return an entity that must be there; raises KeyError otherwise."""
        return cast(E, self._rows[KIND_OF[cls]][entity_id].entity)

    def all(self, cls: type[E]) -> Iterator[E]:
        """Yield every entity of a class, oldest first."""
        for row in self._rows[KIND_OF[cls]].values():
            yield cast(E, row.entity)

    def of_master(self, cls: type[E], master_id: int) -> list[E]:
        """Return the entities of a class that belong to one master, oldest first."""
        return [self.need(cls, number) for number in self._deps[KIND_OF[cls], master_id]]

    def row(self, kind: Kind, entity_id: int) -> Row | None:
        """Return an entity with its owner."""
        return self._rows[kind].get(entity_id)

    def rows(self, kind: Kind) -> Iterable[Row]:
        """Return every entity of a kind with its owner, oldest first."""
        return self._rows[kind].values()

    def rows_of_master(self, kind: Kind, master_id: int) -> list[Row]:
        """Return the entities of one master with their owners."""
        return [self._rows[kind][number] for number in self._deps[kind, master_id]]

    def _index_open(self, order: Order) -> None:
        if order.ord_status.final:
            self._open[order.account_id].pop(order.id, None)
        else:
            self._open[order.account_id][order.id] = None


@dataclass(slots=True)
class Journal:
    """What one step changes: writes go to the records at once and are kept in frames."""

    records: Records
    now: datetime
    session: date
    frames: list[Frame] = field(default_factory=list)
    _open: list[Event] = field(default_factory=list)

    def write(self, entity: Entity, account_id: int, kind: Kind | None = None) -> None:
        """Create or replace an entity; the event type follows from whether it was known."""
        kind = kind or KIND_OF[type(entity)]
        new = self.records.put(Row(kind=kind, entity=entity, account_id=account_id, session=self.session))
        event_type = EventType.CREATED if new else EventType.UPDATED
        self._append(event_type, kind, entity, account_id)

    def cut(self) -> None:
        """End the frame; what follows goes into the next one."""
        if self._open:
            self.frames.append(tuple(self._open))
            self._open.clear()

    def finish(self) -> tuple[Frame, ...]:
        """Return all frames."""
        self.cut()
        return tuple(self.frames)

    def _append(self, event_type: EventType, kind: Kind, entity: Entity, account_id: int) -> None:
        self._open.append(
            Event(
                event_type=event_type, kind=kind, entity=entity, account_id=account_id, session=self.session
            )
        )
