"""Frozen values of the wire entities: what clients read, receive as events and what is stored.

Member names in Python are the wire names in snake case. How a value becomes JSON stands in `codec`;
what happens to entities stands in `venue`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from brokers.paper.words import (
    Action,
    AdminAction,
    CashChangeType,
    CommandStatus,
    CommandType,
    ExecType,
    OrderStrategyStatus,
    OrderType,
    OrdStatus,
    RejectReason,
    Standing,
    TimeInForce,
    TotalBy,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Anything with an id that the wire shows."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Entity):
    """A login."""

    name: str
    timestamp: datetime
    email: str
    status: str = "Active"
    professional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Entity):
    """A trading account: `name` is the `accountSpec` of requests, `evaluation_size` its first balance."""

    name: str
    user_id: int
    timestamp: datetime
    account_type: str = "Customer"
    active: bool = True
    clearing_house_id: int = 1
    risk_category_id: int = 5
    auto_liq_profile_id: int = 1
    margin_account_type: str = "Speculator"
    legal_status: str = "Individual"
    evaluation_size: Decimal
    readonly: bool = False
    restricted: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRiskStatus(Entity):
    """Lock state of an account; its id is the account id."""

    admin_action: AdminAction = AdminAction.NORMAL
    admin_timestamp: datetime | None = None
    liquidate_only: datetime | None = None
    max_net_liq: Decimal | None = None
    min_net_liq: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccountAutoLiq(Entity):
    """Trader-set limits of an account; its id is the account id."""

    changes_locked: bool = False
    do_not_unlock: bool = False
    daily_loss_auto_liq: Decimal | None = None
    trailing_max_drawdown: Decimal | None = None
    trailing_max_drawdown_limit: Decimal | None = None
    trailing_max_drawdown_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccountPositionLimit(Entity):
    """Contracts that a trader allows an account, in one contract, in a product or in all."""

    account_id: int
    contract_id: int | None = None
    product_id: int | None = None
    active: bool = True
    total_by: TotalBy
    short_limit: int | None = None
    long_limit: int | None = None
    exposed_limit: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccountRiskParameter(Entity):
    """How a position limit is held: only a hard one rejects orders; quantities are per order."""

    user_account_position_limit_id: int
    max_opening_order_qty: int | None = None
    max_closing_order_qty: int | None = None
    hard_limit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Entity):
    """How an account stands under its rule set, in USD; its id is the account id. Never shown to clients.

    `net`, `best_day` and `days` count ended trading days only.
    """

    rule_set: str
    standing: Standing = Standing.ACTIVE
    start: Decimal
    high: Decimal
    floor: Decimal
    net: Decimal = Decimal(0)
    best_day: Decimal = Decimal(0)
    days: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginSnapshot(Entity):
    """Margin in use; its id is the account id."""

    timestamp: datetime
    risk_time_period_id: int = 1
    initial_margin: Decimal
    maintenance_margin: Decimal
    auto_liq_level: Decimal = Decimal(0)
    liq_only_level: Decimal = Decimal(0)
    total_used_margin: Decimal
    full_initial_margin: Decimal
    position_margin: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CashBalance(Entity):
    """Cash of one account in one currency and session."""

    account_id: int
    timestamp: datetime
    trade_date: date
    currency_id: int = 1
    amount: Decimal
    realized_pnl: Decimal = Decimal(0)
    week_realized_pnl: Decimal = Decimal(0)
    amount_sod: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CashBalanceLog(Entity):
    """One booking."""

    account_id: int
    timestamp: datetime
    trade_date: date
    currency_id: int = 1
    amount: Decimal
    realized_pnl: Decimal
    week_realized_pnl: Decimal
    cash_change_type: CashChangeType
    fill_pair_id: int | None = None
    fill_id: int | None = None
    comment: str | None = None
    delta: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Entity):
    """Identity and status of an order; its parameters stand in `OrderVersion`."""

    account_id: int
    contract_id: int
    timestamp: datetime
    action: Action
    ord_status: OrdStatus
    execution_provider_id: int = 1
    oco_id: int | None = None
    parent_id: int | None = None
    archived: bool = False
    external: bool = False
    admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderVersion(Entity):
    """Parameters of an order; its id is that of the command that made it."""

    order_id: int
    order_qty: int
    order_type: OrderType
    price: Decimal | None = None
    stop_price: Decimal | None = None
    max_show: int | None = None
    peg_difference: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    expire_time: datetime | None = None
    text: str | None = None
    limit_if_touched_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStrategy(Entity):
    """An entry with its brackets, run by the server; `params` is the client's text as it was sent."""

    account_id: int
    timestamp: datetime
    contract_id: int
    order_strategy_type_id: int
    action: Action
    params: str
    uuid: str | None = None
    status: OrderStrategyStatus
    failure_message: str | None = None
    sender_id: int
    custom_tag50: str | None = None
    user_session_id: int = 0
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStrategyLink(Entity):
    """An order of a strategy; its id is the order's. `label` is `256` for the entry."""

    order_strategy_id: int
    order_id: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Entity):
    """A wish about an order; the first one has the order's id."""

    order_id: int
    timestamp: datetime
    cl_ord_id: str | None = None
    activation_time: datetime | None = None
    command_type: CommandType
    command_status: CommandStatus
    sender_id: int
    user_session_id: int = 0
    custom_tag50: str | None = None
    is_automated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReport(Entity):
    """A status that a command reached."""

    command_id: int
    timestamp: datetime
    command_status: CommandStatus
    reject_reason: RejectReason | None = None
    text: str | None = None
    ord_status: OrdStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionReport(Entity):
    """What the matching engine reports about an order."""

    command_id: int
    name: str
    account_id: int
    contract_id: int
    timestamp: datetime
    trade_date: date
    order_id: int
    exec_type: ExecType
    ord_status: OrdStatus
    action: Action
    cum_qty: int | None = None
    avg_px: Decimal | None = None
    last_qty: int | None = None
    last_px: Decimal | None = None
    reject_reason: RejectReason | None = None
    text: str | None = None
    external_cl_ord_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill(Entity):
    """One execution; it has no account, readers go through the order."""

    order_id: int
    contract_id: int
    timestamp: datetime
    trade_date: date
    action: Action
    qty: int
    price: Decimal
    active: bool = True
    finally_paired: int = 0
    external: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFee(Entity):
    """Fees of a fill; its id is the fill id."""

    commission: Decimal
    commission_currency_id: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FillPair(Entity):
    """Contracts bought in one fill and sold in another."""

    position_id: int
    buy_fill_id: int
    sell_fill_id: int
    qty: int
    buy_price: Decimal
    sell_price: Decimal
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Entity):
    """Net position of one account in one contract, with the session's totals."""

    account_id: int
    contract_id: int
    timestamp: datetime
    trade_date: date
    net_pos: int = 0
    net_price: Decimal | None = None
    bought: int = 0
    bought_value: Decimal = Decimal(0)
    sold: int = 0
    sold_value: Decimal = Decimal(0)
    prev_pos: int = 0
    prev_price: Decimal | None = None
