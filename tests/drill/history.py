"""What happened, in the order in which it happened: the broker's own log and the engine's journal.

The laws read nothing else. An entry's place in the list is its number; `at` is simulated time.
"""

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from risk.core.standing import Lock
from syncgroups.core.plan import OwnerPlan
from syncgroups.engine.records import EventRecord, JournalRecord, event_of
from tradehaven.domain.commands import Command
from tradehaven.domain.enums import OrderStatus, Side
from tradehaven.domain.events import Event, GateChanged, OrderAsked, OrderFilled
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An order as the broker's books show it at one moment."""

    account: AccountId
    order_id: OrderId
    client_id: ClientOrderId | None
    symbol: Symbol
    side: Side
    spec: OrderSpec
    version: int
    status: OrderStatus
    created_at: Nanos
    reason: str = ""
    oco: OrderId | None = None
    closes: bool = False
    """Whether it came of our own request to close a position, which names no order."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker took an order, whoever placed it."""

    at: Nanos
    order: Image


@dataclass(frozen=True, slots=True)
class Amended:
    """Other parameters are in force."""

    at: Nanos
    order: Image


@dataclass(frozen=True, slots=True)
class Finished:
    """An order ended at the broker."""

    at: Nanos
    order: Image


@dataclass(frozen=True, slots=True)
class Traded:
    """An execution, and the account's position around it."""

    at: Nanos
    fill: OrderFilled
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request reached the broker; `refused` is its code, empty for a yes."""

    at: Nanos
    command: Command
    refused: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The engine wrote a request; `epoch` is the number of the engine's life."""

    at: Nanos
    epoch: int
    command: Command


@dataclass(frozen=True, slots=True)
class Journalled:
    """A record stood whole in the journal's file."""

    at: Nanos
    epoch: int
    record: JournalRecord


@dataclass(frozen=True, slots=True)
class Told:
    """A link told the engine something."""

    at: Nanos
    connection: ConnectionId
    event: Event


@dataclass(frozen=True, slots=True)
class Turned:
    """The engine has acknowledged a gate: from here it must be obeyed."""

    at: Nanos
    gate: GateChanged


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody ordered for chosen followers: the row is written, whoever lives to read it."""

    at: Nanos
    event: OrderAsked


@dataclass(frozen=True, slots=True)
class Planned:
    """Other settings are in force, or the first ones."""

    at: Nanos
    plan: OwnerPlan


@dataclass(frozen=True, slots=True)
class Began:
    """An engine started."""

    at: Nanos
    epoch: int


@dataclass(frozen=True, slots=True)
class Died:
    """An engine ended; `how` is a crash point or `stop`, `lost` the records that no disk kept."""

    at: Nanos
    epoch: int
    how: str
    lost: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault was let loose: for the reader, and for the count."""

    at: Nanos
    what: str


@dataclass(frozen=True, slots=True)
class Priced:
    """The market went somewhere, in ticks; told only in stories about money."""

    at: Nanos
    symbol: Symbol
    price: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """The engine was told a price; a `wild` one is a print that the market never saw."""

    at: Nanos
    symbol: Symbol
    price: int
    wild: bool


@dataclass(frozen=True, slots=True)
class Busted:
    """The exchange took an execution back."""

    at: Nanos
    fill: OrderFilled
    after: int


Entry = (
    Accepted
    | Amended
    | Finished
    | Traded
    | Arrived
    | Sent
    | Journalled
    | Told
    | Turned
    | Planned
    | Began
    | Died
    | Trouble
    | Priced
    | Quoted
    | Busted
    | Asked
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The engine's own picture when everything has come to rest; compared, never believed."""

    positions: dict[tuple[AccountId, Symbol], int]
    unknown: tuple[ClientOrderId, ...]
    waiting: tuple[ClientOrderId, ...]
    links_down: tuple[ConnectionId, ...]
    gates: dict[int, str]
    failures: int
    locks: dict[AccountId, Lock] = field(default_factory=dict)
    equities: dict[AccountId, Decimal] = field(default_factory=dict)
    floors: dict[AccountId, Decimal] = field(default_factory=dict)


@dataclass
class History:
    """Entries, what the database holds in the end, and the engine's picture at rest."""

    entries: list[Entry] = field(default_factory=list)
    recorded: list[JournalRecord] = field(default_factory=list)
    rest: Rest | None = None
    per_minute: int | None = None
    money: bool = False
    starts: dict[AccountId, Decimal] = field(default_factory=dict)
    """The cash of accounts at the beginning, in USD."""

    def add(self, entry: Entry) -> None:
        """Write down what has just happened."""
        self.entries.append(entry)

    def digest(self) -> str:
        """Return a fingerprint: two runs of one seed have the same."""
        found = hashlib.sha256()
        for entry in self.entries:
            found.update(type(entry).__name__.encode())
            plain = msgspec.to_builtins(_plain(entry), str_keys=True, order="sorted")
            found.update(msgspec.json.encode(plain))
        return found.hexdigest()


def _plain(entry: Entry) -> object:
    # An event inside a record stands there as the bytes that were written, whose sets have no order.
    if isinstance(entry, Journalled) and isinstance(entry.record, EventRecord):
        return (entry.at, entry.epoch, entry.record.name, event_of(entry.record), entry.record.holdings)
    if isinstance(entry, Planned):
        return (entry.at, repr(entry.plan))
    return entry
