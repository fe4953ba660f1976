"""The closed vocabularies of the wire, spelt exactly as the protocol spells them.

Only words belong here; the entities that use them stand in `entities`.
"""

from enum import StrEnum


class Action(StrEnum):
    """Direction of an order or fill."""

    BUY = "Buy"
    SELL = "Sell"

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self is Action.BUY else -1

    @property
    def opposite(self) -> "Action":
        """Return the other direction."""
        return Action.SELL if self is Action.BUY else Action.BUY


class OrderType(StrEnum):
    """How an order waits for its price."""

    LIMIT = "Limit"
    LIMIT_IF_TOUCHED = "LimitIfTouched"
    MIT = "MIT"
    MARKET = "Market"
    QTS = "QTS"
    STOP = "Stop"
    STOP_LIMIT = "StopLimit"
    TRAILING_STOP = "TrailingStop"
    TRAILING_STOP_LIMIT = "TrailingStopLimit"


class OrderStrategyStatus(StrEnum):
    """Where an order strategy stands."""

    ACTIVE = "ActiveStrategy"
    FAILED = "ExecutionFailed"
    FINISHED = "ExecutionFinished"
    INTERRUPTED = "ExecutionInterrupted"


class TotalBy(StrEnum):
    """What a position limit adds up; the broker knows more of them than this exchange holds."""

    CONTRACT = "Contract"
    PRODUCT = "Product"
    OVERALL = "Overall"


class TimeInForce(StrEnum):
    """How long an order waits."""

    DAY = "Day"
    FOK = "FOK"
    GTC = "GTC"
    GTD = "GTD"
    IOC = "IOC"


class OrdStatus(StrEnum):
    """Life of an order."""

    CANCELED = "Canceled"
    COMPLETED = "Completed"
    EXPIRED = "Expired"
    FILLED = "Filled"
    PENDING_CANCEL = "PendingCancel"
    PENDING_NEW = "PendingNew"
    PENDING_REPLACE = "PendingReplace"
    REJECTED = "Rejected"
    SUSPENDED = "Suspended"
    UNKNOWN = "Unknown"
    WORKING = "Working"

    @property
    def final(self) -> bool:
        """Return whether no later status can follow."""
        return self in _FINAL


_FINAL = frozenset(
    {OrdStatus.CANCELED, OrdStatus.COMPLETED, OrdStatus.EXPIRED, OrdStatus.FILLED, OrdStatus.REJECTED}
)


class CommandType(StrEnum):
    """What a command asks for."""

    CANCEL = "Cancel"
    MODIFY = "Modify"
    NEW = "New"


class CommandStatus(StrEnum):
    """How far a command has come."""

    AT_EXECUTION = "AtExecution"
    EXECUTION_REJECTED = "ExecutionRejected"
    EXECUTION_STOPPED = "ExecutionStopped"
    EXECUTION_SUSPENDED = "ExecutionSuspended"
    ON_HOLD = "OnHold"
    PENDING = "Pending"
    PENDING_EXECUTION = "PendingExecution"
    REPLACED = "Replaced"
    RISK_PASSED = "RiskPassed"
    RISK_REJECTED = "RiskRejected"

    @property
    def refused(self) -> bool:
        """Return whether the command had no effect."""
        return self in (CommandStatus.RISK_REJECTED, CommandStatus.EXECUTION_REJECTED)

    @property
    def in_flight(self) -> bool:
        """Return whether the exchange has not answered the command yet."""
        return self in (CommandStatus.PENDING, CommandStatus.RISK_PASSED, CommandStatus.PENDING_EXECUTION)


class ExecType(StrEnum):
    """What an execution report reports."""

    CANCELED = "Canceled"
    EXPIRED = "Expired"
    NEW = "New"
    ORDER_STATUS = "OrderStatus"
    REJECTED = "Rejected"
    REPLACED = "Replaced"
    STOPPED = "Stopped"
    SUSPENDED = "Suspended"
    TRADE = "Trade"


class RejectReason(StrEnum):
    """Why an order or command was refused."""

    ACCOUNT_CLOSED = "AccountClosed"
    ADVANCED_TRAILING_STOP_UNSUPPORTED = "AdvancedTrailingStopUnsupported"
    ANOTHER_COMMAND_PENDING = "AnotherCommandPending"
    BACK_MONTH_PROHIBITED = "BackMonthProhibited"
    EXECUTION_PROVIDER_NOT_CONFIGURED = "ExecutionProviderNotConfigured"
    EXECUTION_PROVIDER_UNAVAILABLE = "ExecutionProviderUnavailable"
    INVALID_CONTRACT = "InvalidContract"
    INVALID_PRICE = "InvalidPrice"
    KEY_INFORMATION_DOCUMENT_REQUIRED = "KeyInformationDocumentRequired"
    LIQUIDATION_ONLY = "LiquidationOnly"
    LIQUIDATION_ONLY_BEFORE_EXPIRATION = "LiquidationOnlyBeforeExpiration"
    MAX_ORDER_QTY_IS_NOT_SPECIFIED = "MaxOrderQtyIsNotSpecified"
    MAX_ORDER_QTY_LIMIT_REACHED = "MaxOrderQtyLimitReached"
    MAX_POS_LIMIT_MISCONFIGURED = "MaxPosLimitMisconfigured"
    MAX_POS_LIMIT_REACHED = "MaxPosLimitReached"
    MAX_TOTAL_POS_LIMIT_REACHED = "MaxTotalPosLimitReached"
    MULTIPLE_ACCOUNT_PLAN_REQUIRED = "MultipleAccountPlanRequired"
    NOT_ENOUGH_LIQUIDITY = "NotEnoughLiquidity"
    NO_QUOTE = "NoQuote"
    OTHER_EXECUTION_RELATED = "OtherExecutionRelated"
    PARENT_REJECTED = "ParentRejected"
    RISK_CHECK_TIMEOUT = "RiskCheckTimeout"
    SESSION_CLOSED = "SessionClosed"
    SSF_RISK_DISCLOSURE_ACKNOWLEDGMENT_REQUIRED = "SSFRiskDisclosureAcknowledgmentRequired"
    SUCCESS = "Success"
    TOO_LATE = "TooLate"
    TRADING_LOCKED = "TradingLocked"
    TRAILING_STOP_NON_ORDER_QTY_MODIFY = "TrailingStopNonOrderQtyModify"
    UNAUTHORIZED = "Unauthorized"
    UNKNOWN_REASON = "UnknownReason"
    UNSUPPORTED = "Unsupported"


class CashChangeType(StrEnum):
    """Why cash changed."""

    COMMISSION = "Commission"
    MANUAL_ADJUSTMENT = "ManualAdjustment"
    NEW_SESSION = "NewSession"
    TRADE_PAIRED = "TradePaired"


class AdminAction(StrEnum):
    """Lock state of an account, set by the operator or the risk desk."""

    LIQUIDATE_IMMEDIATELY = "LiquidateImmediately"
    LIQUIDATE_ONLY_MODE_IMMEDIATELY = "LiquidateOnlyModeImmediately"
    LOCK_TRADING_IMMEDIATELY = "LockTradingImmediately"
    NORMAL = "Normal"


class Standing(StrEnum):
    """How an account stands under its rule set; a word of this exchange, not of the wire."""

    ACTIVE = "active"
    DAY_LOCKED = "day_locked"
    FAILED = "failed"
    PASSED = "passed"


class EventType(StrEnum):
    """What happened to an entity."""

    CREATED = "Created"
    UPDATED = "Updated"
