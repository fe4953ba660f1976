"""Everything that has happened, in the past tense. Events are facts: they are never changed or refused.

`at` is when this process read the frame (UTC nanoseconds); `Event` closes the list, so that a `match`
over it can end in `assert_never`. What we ask for stands in `commands`, with the answers to it.
"""

from dataclasses import dataclass
from decimal import Decimal

from tradehaven.domain.commands import Confirmed, Denied, Rejected, Unresolved
from tradehaven.domain.enums import Ask, Environment, OrderStatus, RefusalReason, Side, TradingState
from tradehaven.domain.ids import (
    AccountId,
    ClientOrderId,
    ConnectionId,
    FillId,
    GateId,
    Nanos,
    OrderId,
    PressId,
    Symbol,
)
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWorking:
    """An order is live at the broker; said once for each order. `oco` names the one that ends if it fills."""

    account: AccountId
    order_id: OrderId
    client_order_id: ClientOrderId | None
    symbol: Symbol
    side: Side
    spec: OrderSpec
    at: Nanos
    oco: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """Other parameters are in force for a live order; `spec.qty` counts what has filled too."""

    account: AccountId
    order_id: OrderId
    spec: OrderSpec
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """One execution: `qty` contracts at `price` ticks. `fill_id` makes a repeat recognisable."""

    account: AccountId
    order_id: OrderId
    fill_id: FillId
    symbol: Symbol
    side: Side
    qty: int
    price: Ticks
    at: Nanos
    traded_at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEnded:
    """An order will not trade any more; `status` is one of the final ones."""

    account: AccountId
    order_id: OrderId
    client_order_id: ClientOrderId | None
    status: OrderStatus
    reason: str
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReported:
    """The broker's own net position: signed contracts; `price` is the average entry, None when flat."""

    account: AccountId
    symbol: Symbol
    net: int
    price: Decimal | None
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceReported:
    """The broker's cash and realised profit of the trading day, in USD."""

    account: AccountId
    cash: Decimal
    realized: Decimal
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsReported:
    """What the broker's own risk desk says of an account: all that is known by now, not one change.

    `state` is what may be sent there, `because` the desk's word for it. Amounts are USD, None where it says
    nothing: `high` is its high-water mark, which `drawdown` follows up to a floor of `stops_at` at most, by
    the day's end or at every moment. `locked_in` says that its owner cannot loosen these before a reset.
    """

    account: AccountId
    at: Nanos
    state: TradingState = TradingState.ACTIVE
    because: str = ""
    high: Decimal | None = None
    low: Decimal | None = None
    drawdown: Decimal | None = None
    stops_at: Decimal | None = None
    by_day_end: bool = False
    daily_loss: Decimal | None = None
    weekly_loss: Decimal | None = None
    daily_profit: Decimal | None = None
    weekly_profit: Decimal | None = None
    locked_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """One order as a snapshot shows it."""

    order_id: OrderId
    client_order_id: ClientOrderId | None
    symbol: Symbol
    side: Side
    spec: OrderSpec
    status: OrderStatus
    created_at: Nanos
    oco: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """All that the broker says of one account at one moment; fills are those of the session."""

    account: AccountId
    orders: tuple[OrderState, ...]
    fills: tuple[OrderFilled, ...]
    positions: tuple[PositionReported, ...]
    balance: BalanceReported | None
    limits: LimitsReported | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken:
    """A login is up and this is its whole truth; nothing in it counts as new."""

    connection: ConnectionId
    accounts: tuple[AccountSnapshot, ...]
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersListed:
    """The broker listed a login's orders again; `client_order_ids` are all that it has of ours.

    `positions` are those listed with them. A list may lag behind the socket, so it replaces nothing that
    is known; it is the second look at what an earlier answer left out. None: they were not asked for.
    """

    connection: ConnectionId
    accounts: tuple[AccountId, ...]
    client_order_ids: frozenset[ClientOrderId]
    at: Nanos
    positions: tuple[PositionReported, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLost:
    """A login's socket is gone; its accounts can be neither seen nor traded."""

    connection: ConnectionId
    reason: str
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceAsked:
    """The broker takes no calls of a login before `until` (UTC): it counts too many of them."""

    connection: ConnectionId
    until: Nanos
    reason: str
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChanged:
    """Somebody opened, narrowed or shut a gate. A lower `version` than the known one is old news.

    `presses` are in the row as of this version: what they shut stands from now on as the row says.
    """

    gate: GateId
    state: TradingState
    flatten: bool
    version: int
    at: Nanos
    presses: tuple[PressId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltPressed:
    """Somebody pressed a kill switch, and said so to the engine itself: these gates are shut.

    They stay so, whatever older rows say, until a row is known to hold this very press.
    """

    press: PressId
    gates: tuple[GateId, ...]
    flatten: bool
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMoved:
    """The best prices of a contract in one environment, in ticks; None where none has been said yet."""

    environment: Environment
    symbol: Symbol
    bid: Ticks | None
    ask: Ticks | None
    last: Ticks | None
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesLost:
    """The market data of an environment are gone: what was quoted last may be old by now."""

    environment: Environment
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLocked:
    """An account takes no entries before `until` (UTC): a person or a rule has locked it, on record.

    `flatten` says that it had to become flat for that, and that the broker has not said so yet.
    """

    account: AccountId
    reason: RefusalReason
    detail: str
    until: Nanos
    at: Nanos
    flatten: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """About a second went by, or a moment came that something waits for; all that waits looks again."""

    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAsked:
    """Somebody pressed a button: `subject` names a difference, or the copy that never was.

    `request` is the number of the click: the same one may arrive several ways.
    """

    request: int
    ask: Ask
    subject: str
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAsked:
    """Somebody wants one order in these accounts, sized as if their leader had placed `spec` from flat.

    `number` names it for ever: the same one may arrive several ways. Stop loss and take profit are distances
    from each account's own average fill, in ticks of its own contract.
    """

    number: int
    leader: AccountId
    followers: tuple[AccountId, ...]
    symbol: Symbol
    side: Side
    spec: OrderSpec
    stop_loss: int | None
    take_profit: int | None
    at: Nanos


BrokerEvent = (
    OrderWorking
    | OrderChanged
    | OrderFilled
    | OrderEnded
    | PositionReported
    | BalanceReported
    | LimitsReported
    | SnapshotTaken
    | OrdersListed
    | LinkLost
    | SilenceAsked
)
Event = (
    BrokerEvent
    | GateChanged
    | AccountLocked
    | PriceMoved
    | PricesLost
    | HaltPressed
    | TimePassed
    | PersonAsked
    | OrderAsked
    | Confirmed
    | Rejected
    | Denied
    | Unresolved
)
