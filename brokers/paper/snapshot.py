"""The first reply to `user/syncrequest`: everything a user may see, by collection (protocol 7.2)."""

from brokers.paper.catalogue import Listing
from brokers.paper.codec import Json, to_wire
from brokers.paper.entities import Entity, Order, Position
from brokers.paper.hub import Sync
from brokers.paper.kinds import Kind
from brokers.paper.reads import visible
from brokers.paper.state import State

_RECORDED: dict[str, Kind] = {
    "users": Kind.USER,
    "accounts": Kind.ACCOUNT,
    "accountRiskStatuses": Kind.ACCOUNT_RISK_STATUS,
    "marginSnapshots": Kind.MARGIN_SNAPSHOT,
    "userAccountAutoLiqs": Kind.USER_ACCOUNT_AUTO_LIQ,
    "cashBalances": Kind.CASH_BALANCE,
    "cashBalanceLogs": Kind.CASH_BALANCE_LOG,
    "positions": Kind.POSITION,
    "fillPairs": Kind.FILL_PAIR,
    "orders": Kind.ORDER,
    "commands": Kind.COMMAND,
    "commandReports": Kind.COMMAND_REPORT,
    "executionReports": Kind.EXECUTION_REPORT,
    "orderVersions": Kind.ORDER_VERSION,
    "fills": Kind.FILL,
    "fillFees": Kind.FILL_FEE,
    "orderStrategies": Kind.ORDER_STRATEGY,
    "orderStrategyLinks": Kind.ORDER_STRATEGY_LINK,
}
_REFERENCE: dict[str, Kind] = {
    "contracts": Kind.CONTRACT,
    "contractMaturities": Kind.CONTRACT_MATURITY,
    "products": Kind.PRODUCT,
    "exchanges": Kind.EXCHANGE,
    "currencies": Kind.CURRENCY,
    "contractGroups": Kind.CONTRACT_GROUP,
    "orderStrategyTypes": Kind.ORDER_STRATEGY_TYPE,
}
_EMPTY = (
    "userProperties",
    "properties",
    "spreadDefinitions",
    "userPlugins",
    "annualReviews",
    "userReadStatuses",
    "userPromoCodes",
)


def snapshot(state: State, user_id: int, sync: Sync) -> Json:
    """Return every collection; those that the selection leaves out are empty."""
    # Clients read every collection without looking whether it is there.
    body: Json = {name: [] for name in (*_RECORDED, *_REFERENCE, *_EMPTY)}
    for name, kind in _RECORDED.items():
        if sync.kinds is None or kind.value in sync.kinds:
            body[name] = _rows(state, user_id, sync, kind)
    for name, kind in _REFERENCE.items():
        if sync.kinds is None or kind.value in sync.kinds:
            body[name] = [to_wire(item) for item in _reference(state, user_id, kind)]
    return body


def _rows(state: State, user_id: int, sync: Sync, kind: Kind) -> list[Json]:
    return [
        to_wire(row.entity)
        for row in state.records.rows(kind)
        if visible(state, user_id, row)
        and (sync.accounts is None or kind is Kind.USER or row.account_id in sync.accounts)
    ]


def _reference(state: State, user_id: int, kind: Kind) -> list[Entity]:
    catalogue = state.catalogue
    listings = _used(state, user_id)
    match kind:
        case Kind.CONTRACT:
            return [catalogue.contract(item) for item in listings]
        case Kind.CONTRACT_MATURITY:
            return [catalogue.maturity(item) for item in listings]
        case Kind.PRODUCT:
            specs = {item.spec.id: item.spec for item in listings}
            return [catalogue.product(spec) for spec in specs.values()]
        case Kind.EXCHANGE:
            return list(catalogue.exchanges())
        case Kind.CURRENCY:
            return list(catalogue.currencies())
        case Kind.CONTRACT_GROUP:
            return list(catalogue.groups())
        case _:
            return list(catalogue.strategy_types())


def _used(state: State, user_id: int) -> list[Listing]:
    numbers: dict[int, None] = {}
    for kind in (Kind.POSITION, Kind.ORDER):
        for row in state.records.rows(kind):
            if visible(state, user_id, row) and isinstance(row.entity, (Order, Position)):
                numbers[row.entity.contract_id] = None
    return [state.listing(number) for number in numbers]
