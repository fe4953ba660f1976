"""The generic read operations: item, items, list, find, deps, ldeps, suggest (protocol 5.1 and 5.3)."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import TypeVar

from brokers.paper.catalogue import Catalogue, Listing
from brokers.paper.codec import Json, to_wire
from brokers.paper.entities import Account, Entity
from brokers.paper.kinds import SESSION_KINDS, Kind
from brokers.paper.params import Params
from brokers.paper.records import Row
from brokers.paper.state import State

Payload = Json | list[Json]

# Operations by entity type; those without entities here answer with nothing but exist.
_FULL = "find item items list deps ldeps suggest"
_OWNED = "item items list deps ldeps"
_NAMED = "find item items list suggest"
OPERATIONS: dict[str, str] = {
    "account": _FULL,
    "accountRiskStatus": _OWNED,
    "adminAlert": _NAMED,
    "adminAlertSignal": _OWNED,
    "alert": _OWNED,
    "alertSignal": _OWNED,
    "cashBalance": _OWNED,
    "cashBalanceLog": "item items deps ldeps",
    "chat": _OWNED,
    "chatMessage": "item items deps ldeps",
    "clearingHouse": _NAMED,
    "command": _OWNED,
    "commandReport": _OWNED,
    "contactInfo": "item items deps ldeps",
    "contract": "find item items deps ldeps suggest",
    "contractGroup": _NAMED,
    "contractMargin": "item items deps ldeps",
    "contractMaturity": "item items deps ldeps",
    "currency": _NAMED,
    "currencyRate": _OWNED,
    "entitlement": "item items list",
    "exchange": _NAMED,
    "executionReport": _FULL,
    "fill": _OWNED,
    "fillFee": _OWNED,
    "fillPair": _OWNED,
    "marginSnapshot": _OWNED,
    "marketDataSubscription": _OWNED,
    "marketDataSubscriptionExchangeScope": _NAMED,
    "marketDataSubscriptionPlan": _NAMED,
    "order": _OWNED,
    "orderStrategy": _OWNED,
    "orderStrategyLink": _OWNED,
    "orderStrategyType": _NAMED,
    "orderVersion": _OWNED,
    "organization": _NAMED,
    "permissionedAccountAutoLiq": _OWNED,
    "position": "find item items list deps ldeps",
    "product": _FULL,
    "productMargin": _OWNED,
    "productSession": "item items deps ldeps",
    "property": _NAMED,
    "secondMarketDataSubscription": _OWNED,
    "spreadDefinition": "item items",
    "tradingPermission": _OWNED,
    "tradovateSubscription": _OWNED,
    "tradovateSubscriptionPlan": _NAMED,
    "user": _NAMED,
    "userAccountAutoLiq": _OWNED,
    "userAccountPositionLimit": "item items deps ldeps",
    "userAccountRiskParameter": "item items deps ldeps",
    "userPlugin": _OWNED,
    "userProperty": "item items deps ldeps",
    "userSession": "item items",
    "userSessionStats": _OWNED,
}
T = TypeVar("T")
_SPELLING = {name.lower(): name for name in OPERATIONS}
_KINDS = {kind.value: kind for kind in Kind}
_SUGGEST_LIMIT = 50


class NotFoundError(Exception):
    """Nothing has the id or name that was asked for."""


def operation(endpoint: str) -> tuple[str, str] | None:
    """Return entity type and operation of an endpoint in lower case, or None when there is none."""
    name, _, verb = endpoint.partition("/")
    entity = _SPELLING.get(name)
    return (entity, verb) if entity and verb in OPERATIONS[entity].split() else None


def answer(state: State, user_id: int, entity: str, verb: str, params: Params) -> Payload:
    """Return what a read operation shows to a user; raises NotFoundError and ViolationError."""
    source = _source(state, user_id, _KINDS.get(entity))
    if verb in _ONE:
        return to_wire(_ONE[verb](source, params))
    return [to_wire(item) for item in _MANY[verb](source, params)]


def visible(state: State, user_id: int, row: Row) -> bool:
    """Return whether a user may see an entity: its own, and of the session where that matters."""
    if row.kind is Kind.USER:
        return row.entity.id == user_id
    account = state.records.get(Account, row.account_id)
    current = row.kind not in SESSION_KINDS or row.session == state.session
    return account is not None and account.user_id == user_id and current


class Source:
    """Entities of one type as one user sees them."""

    def peek(self, number: int) -> Entity | None:
        """Return the entity with an id, if there is one."""
        return next((item for item in self.everything() if item.id == number), None)

    def item(self, number: int) -> Entity:
        """Return the entity with an id; raises NotFoundError."""
        found = self.peek(number)
        if found is None:
            raise NotFoundError
        return found

    def everything(self) -> Iterable[Entity]:
        """Return all entities."""
        return ()

    def deps(self, master_id: int) -> Iterable[Entity]:
        """Return the entities of a master."""
        return ()

    def find(self, name: str) -> Entity:
        """Return the entity of a name; raises NotFoundError."""
        found = next((item for item in self.everything() if getattr(item, "name", None) == name), None)
        if found is None:
            raise NotFoundError
        return found

    def suggest(self, text: str, limit: int) -> Iterable[Entity]:
        """Return the entities whose name begins with a text."""
        found = [
            item
            for item in self.everything()
            if str(getattr(item, "name", "")).lower().startswith(text.lower())
        ]
        return found[:limit]


class _Recorded(Source):
    def __init__(self, state: State, user_id: int, kind: Kind) -> None:
        self._state, self._user_id, self._kind = state, user_id, kind

    def peek(self, number: int) -> Entity | None:
        row = self._state.records.row(self._kind, number)
        return row.entity if row and visible(self._state, self._user_id, row) else None

    def everything(self) -> Iterable[Entity]:
        return self._shown(self._state.records.rows(self._kind))

    def deps(self, master_id: int) -> Iterable[Entity]:
        return self._shown(self._state.records.rows_of_master(self._kind, master_id))

    def _shown(self, rows: Iterable[Row]) -> list[Entity]:
        return [row.entity for row in rows if visible(self._state, self._user_id, row)]


class _Fixed(Source):
    def __init__(self, items: Iterable[Entity], master: str = "") -> None:
        self._items, self._master = list(items), master

    def everything(self) -> Iterable[Entity]:
        return self._items

    def deps(self, master_id: int) -> Iterable[Entity]:
        return [item for item in self._items if self._master and getattr(item, self._master) == master_id]


class _Contracts(Source):
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def peek(self, number: int) -> Entity | None:
        return self._one(self._catalogue.listing_of_id(number))

    def deps(self, master_id: int) -> Iterable[Entity]:
        found = self._one(self._catalogue.listing_of_maturity(master_id))
        return [found] if found else []

    def find(self, name: str) -> Entity:
        found = self._one(self._catalogue.find(name))
        if found is None:
            raise NotFoundError
        return found

    def suggest(self, text: str, limit: int) -> Iterable[Entity]:
        return [self._catalogue.contract(item) for item in self._catalogue.suggest(text, limit)]

    def _one(self, listing: Listing | None) -> Entity | None:
        return self._catalogue.contract(listing) if listing else None


class _Maturities(Source):
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def peek(self, number: int) -> Entity | None:
        listing = self._catalogue.listing_of_maturity(number)
        return self._catalogue.maturity(listing) if listing else None

    def deps(self, master_id: int) -> Iterable[Entity]:
        spec = self._catalogue.spec_of_id(master_id)
        return [self._catalogue.maturity(item) for item in self._catalogue.listed(spec)] if spec else []


def _source(state: State, user_id: int, kind: Kind | None) -> Source:
    catalogue = state.catalogue
    if kind is None:
        return Source()
    if kind in _REFERENCE:
        items, master = _REFERENCE[kind]
        return _Fixed(items(catalogue), master)
    match kind:
        case Kind.CONTRACT:
            return _Contracts(catalogue)
        case Kind.CONTRACT_MATURITY:
            return _Maturities(catalogue)
        case _:
            return _Recorded(state, user_id, kind)


def _ids(params: Params, name: str) -> list[int]:
    return _needed(params.integers(name))


def _needed(value: T | None) -> T:
    # Reads without their parameter are answered like reads of an unknown id.
    if value is None:
        raise NotFoundError
    return value


# Reference data that never changes, with the member that names its master.
_REFERENCE: dict[Kind, tuple[Callable[[Catalogue], Iterable[Entity]], str]] = {
    Kind.PRODUCT: (lambda catalogue: map(catalogue.product, catalogue.specs()), "exchange_id"),
    Kind.PRODUCT_MARGIN: (lambda catalogue: map(catalogue.margin, catalogue.specs()), "id"),
    Kind.EXCHANGE: (Catalogue.exchanges, ""),
    Kind.CONTRACT_GROUP: (Catalogue.groups, ""),
    Kind.CLEARING_HOUSE: (Catalogue.clearing_houses, ""),
    Kind.CURRENCY: (Catalogue.currencies, ""),
    Kind.ORDER_STRATEGY_TYPE: (Catalogue.strategy_types, ""),
}
# What each operation asks of a source: for one entity, or for several.
_ONE: dict[str, Callable[[Source, Params], Entity]] = {
    "item": lambda source, params: source.item(_needed(params.integer("id"))),
    "find": lambda source, params: source.find(_needed(params.text("name"))),
}
_MANY: dict[str, Callable[[Source, Params], Iterable[Entity]]] = {
    "items": lambda source, params: filter(None, map(source.peek, _ids(params, "ids"))),
    "list": lambda source, params: source.everything(),
    "deps": lambda source, params: source.deps(_needed(params.integer("masterid"))),
    "ldeps": lambda source, params: chain.from_iterable(map(source.deps, _ids(params, "masterids"))),
    "suggest": lambda source, params: source.suggest(
        params.text("t") or "", min(params.integer("l") or 10, _SUGGEST_LIMIT)
    ),
}
