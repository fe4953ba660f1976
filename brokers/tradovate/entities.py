"""The broker's entities, typed: the fields that we use and no others (protocol section 8).

Unknown fields are dropped by the decoder and unknown words stay text, because the broker adds both.
"""

import msgspec


class Entity(msgspec.Struct, gc=False):
    """What all entities share."""

    id: int


class Account(Entity):
    name: str
    active: bool = True
    closed: bool = False
    restricted: bool = False
    readonly: bool = False


class Contract(Entity):
    name: str


class Order(Entity):
    accountId: int
    timestamp: str
    action: str
    ordStatus: str
    contractId: int | None = None
    ocoId: int | None = None


class OrderVersion(Entity):
    orderId: int
    orderQty: int
    orderType: str
    price: float | None = None
    stopPrice: float | None = None
    pegDifference: float | None = None
    limitIfTouchedPrice: float | None = None
    timeInForce: str | None = None
    expireTime: str | None = None


class Command(Entity):
    orderId: int
    commandType: str
    commandStatus: str
    clOrdId: str | None = None


class CommandReport(Entity):
    commandId: int
    commandStatus: str
    rejectReason: str | None = None
    text: str | None = None


class ExecutionReport(Entity):
    commandId: int
    orderId: int
    execType: str
    rejectReason: str | None = None
    text: str | None = None


class Fill(Entity):
    orderId: int
    contractId: int
    timestamp: str
    action: str
    qty: int
    price: float
    active: bool = True


class Position(Entity):
    accountId: int
    contractId: int
    netPos: int
    netPrice: float | None = None
    prevPrice: float | None = None
    timestamp: str = ""


class CashBalance(Entity):
    accountId: int
    amount: float
    currencyId: int = 1
    realizedPnL: float | None = None
    timestamp: str = ""


class AccountRiskStatus(Entity):
    """Its id is the account's, as of the two kinds below (protocol 8.5)."""

    adminAction: str | None = None
    liquidateOnly: str | None = None
    userTriggeredLiqOnly: bool = False
    maxNetLiq: float | None = None
    minNetLiq: float | None = None


class AutoLiq(Entity):
    """Limits at which the broker closes an account: set by its owner, or by the firm over it."""

    changesLocked: bool = False
    dailyLossLiqOnly: float | None = None
    dailyLossAutoLiq: float | None = None
    weeklyLossAutoLiq: float | None = None
    dailyProfitAutoLiq: float | None = None
    weeklyProfitAutoLiq: float | None = None
    trailingMaxDrawdown: float | None = None
    trailingMaxDrawdownLimit: float | None = None
    trailingMaxDrawdownMode: str | None = None


class Snapshot(msgspec.Struct):
    """The answer to a user sync: every list may be missing where a permission is."""

    accounts: list[Account] = []
    contracts: list[Contract] = []
    orders: list[Order] = []
    orderVersions: list[OrderVersion] = []
    commands: list[Command] = []
    commandReports: list[CommandReport] = []
    executionReports: list[ExecutionReport] = []
    fills: list[Fill] = []
    positions: list[Position] = []
    cashBalances: list[CashBalance] = []
    accountRiskStatuses: list[AccountRiskStatus] = []
    userAccountAutoLiqs: list[AutoLiq] = []
    permissionedAccountAutoLiqs: list[AutoLiq] = []


SYNC_TYPES = (
    "account",
    "contract",
    "order",
    "orderVersion",
    "command",
    "commandReport",
    "executionReport",
    "fill",
    "position",
    "cashBalance",
)
"""What a sync asks for: the default of the broker is unclear, so all that is used is named (7.1)."""
RISK_TYPES = ("accountRiskStatus", "userAccountAutoLiq", "permissionedAccountAutoLiq")
"""Asked for as well where a login's permissions show them; without them nobody is kept out (7.7)."""


class Props(msgspec.Struct, gc=False):
    """An entity has changed; `entity` is one image or a list of them (protocol 7.3)."""

    entityType: str
    eventType: str
    entity: msgspec.Raw


class Placed(msgspec.Struct, gc=False):
    """The answer to a new order, or to a change or cancel of one."""

    orderId: int | None = None
    commandId: int | None = None
