"""Who is connected and what they asked to hear.

Turns frames of events and quotes into texts for the connections that may see them. A connection's
socket stands in `sockets`; here it is an outbox.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from brokers.paper.codec import Json, to_wire
from brokers.paper.kinds import Kind
from brokers.paper.records import Event, Frame
from brokers.paper.tokens import Caller

Delivery = tuple["Connection", str]


def dump(value: Any) -> str:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def array(*messages: Json) -> str:
    """Return messages as one array frame."""
    return f"a{dump(list(messages))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What a synchronised connection hears: accounts it chose (all it may see when None) and entity types."""

    accounts: frozenset[int] | None = None
    kinds: frozenset[str] | None = None

    def hears(self, event: Event) -> bool:
        """Return whether the selection covers an event."""
        in_accounts = self.accounts is None or event.account_id in self.accounts
        return in_accounts and (self.kinds is None or event.kind.value in self.kinds)


@dataclass(slots=True, eq=False)
class Connection:
    """One socket: its caller once authorised, its selection, its market-data subscriptions.

    `close` cuts the line at once, `end` says goodbye after what is still to be sent, `freeze` neither
    reads nor writes any more but keeps the line open for that many seconds.
    """

    send: Callable[[str], None]
    close: Callable[[], None]
    end: Callable[[], None]
    caller: Caller | None = None
    sync: Sync | None = None
    quotes: set[int] = field(default_factory=set)
    doms: set[int] = field(default_factory=set)
    freeze: Callable[[float], None] = lambda seconds: None

    def say_goodbye(self, reason: str) -> None:
        """Announce the end with its reason (protocol 7.6), then end."""
        self.send(array({"e": "shutdown", "d": {"reasonCode": reason}}))
        self.end()


class Hub:
    """All connections."""

    def __init__(self) -> None:
        self.connections: dict[Connection, None] = {}

    def of_user(self, user_id: int) -> list[Connection]:
        """Return the connections of one user."""
        return [item for item in self.connections if item.caller and item.caller.user_id == user_id]

    def address(self, frames: Iterable[Frame], owner_of: Callable[[int], int | None]) -> list[Delivery]:
        """Return what each synchronised connection is to be sent, in order."""
        found: list[Delivery] = []
        # Each event is encoded once, however many listen.
        for frame in frames:
            texts = [(event, owner_of(event.account_id), dump(props(event))) for event in frame]
            for connection, sync, user_id in list(self._synced()):
                heard = [text for event, owner, text in texts if owner == user_id and sync.hears(event)]
                if heard:
                    found.append((connection, f"a[{','.join(heard)}]"))
        return found

    def market(self, quotes: Sequence[Json], doms: Sequence[Json]) -> list[Delivery]:
        """Return the market data that each connection is to be sent."""
        quote_text = {item["contractId"]: dump({"e": "md", "d": {"quotes": [item]}}) for item in quotes}
        dom_text = {item["contractId"]: dump({"e": "md", "d": {"doms": [item]}}) for item in doms}
        found: list[Delivery] = []
        for connection in self.connections:
            texts = [quote_text[number] for number in sorted(connection.quotes & quote_text.keys())]
            texts += [dom_text[number] for number in sorted(connection.doms & dom_text.keys())]
            if texts:
                found.append((connection, f"a[{','.join(texts)}]"))
        return found

    def watched(self) -> set[int]:
        """Return the contracts that some connection wants market data of."""
        found: set[int] = set()
        return found.union(*(item.quotes | item.doms for item in self.connections))

    def _synced(self) -> Iterator[tuple[Connection, Sync, int]]:
        for connection in self.connections:
            if connection.sync is not None and connection.caller is not None:
                yield connection, connection.sync, connection.caller.user_id


def props(event: Event) -> Json:
    """Return the wire form of an event."""
    data = {
        "entityType": event.kind.value,
        "eventType": event.event_type.value,
        "entity": to_wire(event.entity),
    }
    return {"e": "props", "d": data}


def turned_round(text: str) -> str:
    """Return an array frame with its entity types in the opposite order, each type's own order kept."""
    messages = json.loads(text[1:])
    order: dict[Any, int] = {}
    for message in messages:
        order.setdefault(_type_of(message), -len(order))
    return array(*sorted(messages, key=lambda message: order[_type_of(message)]))


def _type_of(message: Json) -> object:
    data = message.get("d")
    return data.get("entityType") if isinstance(data, dict) else None


def known_kinds(names: Iterable[str]) -> frozenset[str]:
    """Return entity types in the protocol's spelling; unknown names are kept and match nothing."""
    spelling = {kind.value.lower(): kind.value for kind in Kind}
    return frozenset(spelling.get(name.lower(), name) for name in names)
