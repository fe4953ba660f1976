"""Entity types by the names that paths and events use, with the class and the master of each."""

from enum import StrEnum

from brokers.paper.entities import (
    Account,
    AccountRiskStatus,
    CashBalance,
    CashBalanceLog,
    Command,
    CommandReport,
    Entity,
    Evaluation,
    ExecutionReport,
    Fill,
    FillFee,
    FillPair,
    MarginSnapshot,
    Order,
    OrderStrategy,
    OrderStrategyLink,
    OrderVersion,
    Position,
    User,
    UserAccountAutoLiq,
    UserAccountPositionLimit,
    UserAccountRiskParameter,
)
from brokers.paper.reference import (
    Contract,
    ContractMaturity,
    Currency,
    Named,
    OrderStrategyType,
    Product,
    ProductMargin,
)


class Kind(StrEnum):
    """Entity types under the name that paths and events use."""

    USER = "user"
    ACCOUNT = "account"
    ACCOUNT_RISK_STATUS = "accountRiskStatus"
    USER_ACCOUNT_AUTO_LIQ = "userAccountAutoLiq"
    USER_ACCOUNT_POSITION_LIMIT = "userAccountPositionLimit"
    USER_ACCOUNT_RISK_PARAMETER = "userAccountRiskParameter"
    MARGIN_SNAPSHOT = "marginSnapshot"
    CASH_BALANCE = "cashBalance"
    CASH_BALANCE_LOG = "cashBalanceLog"
    ORDER = "order"
    ORDER_VERSION = "orderVersion"
    ORDER_STRATEGY = "orderStrategy"
    ORDER_STRATEGY_LINK = "orderStrategyLink"
    COMMAND = "command"
    COMMAND_REPORT = "commandReport"
    EXECUTION_REPORT = "executionReport"
    FILL = "fill"
    FILL_FEE = "fillFee"
    FILL_PAIR = "fillPair"
    POSITION = "position"
    CONTRACT = "contract"
    CONTRACT_MATURITY = "contractMaturity"
    PRODUCT = "product"
    EXCHANGE = "exchange"
    CONTRACT_GROUP = "contractGroup"
    CLEARING_HOUSE = "clearingHouse"
    CURRENCY = "currency"
    PRODUCT_MARGIN = "productMargin"
    ORDER_STRATEGY_TYPE = "orderStrategyType"
    EVALUATION = "paperEvaluation"


CLASS_OF: dict[Kind, type[Entity]] = {
    Kind.USER: User,
    Kind.ACCOUNT: Account,
    Kind.ACCOUNT_RISK_STATUS: AccountRiskStatus,
    Kind.USER_ACCOUNT_AUTO_LIQ: UserAccountAutoLiq,
    Kind.USER_ACCOUNT_POSITION_LIMIT: UserAccountPositionLimit,
    Kind.USER_ACCOUNT_RISK_PARAMETER: UserAccountRiskParameter,
    Kind.MARGIN_SNAPSHOT: MarginSnapshot,
    Kind.CASH_BALANCE: CashBalance,
    Kind.CASH_BALANCE_LOG: CashBalanceLog,
    Kind.ORDER: Order,
    Kind.ORDER_VERSION: OrderVersion,
    Kind.ORDER_STRATEGY: OrderStrategy,
    Kind.ORDER_STRATEGY_LINK: OrderStrategyLink,
    Kind.COMMAND: Command,
    Kind.COMMAND_REPORT: CommandReport,
    Kind.EXECUTION_REPORT: ExecutionReport,
    Kind.FILL: Fill,
    Kind.FILL_FEE: FillFee,
    Kind.FILL_PAIR: FillPair,
    Kind.POSITION: Position,
    Kind.CONTRACT: Contract,
    Kind.CONTRACT_MATURITY: ContractMaturity,
    Kind.PRODUCT: Product,
    Kind.EXCHANGE: Named,
    Kind.CONTRACT_GROUP: Named,
    Kind.CLEARING_HOUSE: Named,
    Kind.CURRENCY: Currency,
    Kind.PRODUCT_MARGIN: ProductMargin,
    Kind.ORDER_STRATEGY_TYPE: OrderStrategyType,
    Kind.EVALUATION: Evaluation,
}

KIND_OF: dict[type[Entity], Kind] = {cls: kind for kind, cls in CLASS_OF.items() if cls is not Named}

# What belongs to one session: lists show the current one only.
SESSION_KINDS = frozenset(
    {
        Kind.CASH_BALANCE,
        Kind.CASH_BALANCE_LOG,
        Kind.ORDER,
        Kind.ORDER_VERSION,
        Kind.ORDER_STRATEGY,
        Kind.ORDER_STRATEGY_LINK,
        Kind.COMMAND,
        Kind.COMMAND_REPORT,
        Kind.EXECUTION_REPORT,
        Kind.FILL,
        Kind.FILL_FEE,
        Kind.FILL_PAIR,
    }
)

# The member through which `deps` and `ldeps` find the entities of one master.
MASTER_MEMBER: dict[Kind, str] = {
    Kind.ACCOUNT: "user_id",
    Kind.ACCOUNT_RISK_STATUS: "id",
    Kind.USER_ACCOUNT_AUTO_LIQ: "id",
    Kind.USER_ACCOUNT_POSITION_LIMIT: "account_id",
    Kind.USER_ACCOUNT_RISK_PARAMETER: "user_account_position_limit_id",
    Kind.MARGIN_SNAPSHOT: "id",
    Kind.CASH_BALANCE: "account_id",
    Kind.CASH_BALANCE_LOG: "account_id",
    Kind.ORDER: "account_id",
    Kind.ORDER_VERSION: "order_id",
    Kind.ORDER_STRATEGY: "account_id",
    Kind.ORDER_STRATEGY_LINK: "order_strategy_id",
    Kind.COMMAND: "order_id",
    Kind.COMMAND_REPORT: "command_id",
    Kind.EXECUTION_REPORT: "command_id",
    Kind.FILL: "order_id",
    Kind.FILL_FEE: "id",
    Kind.FILL_PAIR: "position_id",
    Kind.POSITION: "account_id",
    Kind.CONTRACT: "contract_maturity_id",
    Kind.CONTRACT_MATURITY: "product_id",
    Kind.PRODUCT: "exchange_id",
    Kind.PRODUCT_MARGIN: "id",
}
