"""Every closed list of words; model choices and wire mappings are made from these.

Values are what the database and the journal store, so they never change once released.
"""

from enum import StrEnum


class Environment(StrEnum):
    """Where a login lives. Ids of one environment mean nothing in another."""

    LIVE = "live"
    DEMO = "demo"
    PAPER = "paper"


class Side(StrEnum):
    """Direction of an order or fill."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How an order waits for its price."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    MIT = "mit"
    LIMIT_IF_TOUCHED = "limit_if_touched"
    TRAILING_STOP = "trailing_stop"
    TRAILING_STOP_LIMIT = "trailing_stop_limit"


class TimeInForce(StrEnum):
    """How long an order waits."""

    DAY = "day"
    GTC = "gtc"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"


class OrderStatus(StrEnum):
    """Life of an order at the broker; which may follow which stands in `transitions`."""

    PENDING = "pending"
    WORKING = "working"
    SUSPENDED = "suspended"
    PENDING_REPLACE = "pending_replace"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    COMPLETED = "completed"
    UNKNOWN = "unknown"


class Span(StrEnum):
    """What one act of a person is about: an account, a group's followers, a label's accounts, or all."""

    ACCOUNT = "account"
    GROUP = "group"
    TAG = "tag"
    FOLDER = "folder"
    EVERYTHING = "everything"


class BatchAct(StrEnum):
    """What a person may do to many accounts at once. FLATTEN stops copying as well, CLOSE does not."""

    STOP = "stop"
    FLATTEN = "flatten"
    CLOSE = "close"
    PAUSE = "pause"
    RESUME = "resume"
    LIMIT = "limit"


class TradingState(StrEnum):
    """What a gate lets through: everything, only reductions, or nothing that copies."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class SyncMode(StrEnum):
    """Copy the leader's orders as they work, or its fills as they happen."""

    IMMEDIATE = "immediate"
    CONFIRMED = "confirmed"


class RestRule(StrEnum):
    """What becomes of a follower's order that still rests although the leader's has filled."""

    WAIT = "wait"
    MARKET = "market"
    MARKET_WITHIN = "market_within"
    CANCEL = "cancel"


class SizingMode(StrEnum):
    """How a follower's quantity comes from the leader's."""

    RATIO = "ratio"
    FIXED = "fixed"
    BALANCE = "balance"


class SessionHours(StrEnum):
    """Which part of the trading day a group copies in."""

    ALL = "all"
    RTH = "rth"
    ETH = "eth"


class DriftPolicy(StrEnum):
    """What a group does about a follower that does not hold what it should: say it, offer, or act."""

    OBSERVE = "observe"
    PROPOSE = "propose"
    REPAIR = "repair"


class Ask(StrEnum):
    """What a person may ask an engine to do once."""

    REPAIR = "repair"
    IGNORE = "ignore"
    REPLAY = "replay"
    FLATTEN = "flatten"


class RefusalReason(StrEnum):
    """Why a follower did not get an order. Shown, counted and tested by name."""

    FOLLOWER_OFFLINE = "follower_offline"
    ENGINE_OFFLINE = "engine_offline"
    GROUP_OFF = "group_off"
    SETTINGS_CHANGED = "settings_changed"
    INSTRUMENT_FILTERED = "instrument_filtered"
    OUTSIDE_HOURS = "outside_hours"
    ROUNDS_TO_ZERO = "rounds_to_zero"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    LEADER_BALANCE_UNKNOWN = "leader_balance_unknown"
    KILL_SWITCH = "kill_switch"
    REDUCE_ONLY = "reduce_only"
    MAX_POSITION = "max_position"
    DAILY_LOSS = "daily_loss"
    DAILY_PROFIT = "daily_profit"
    GIVE_BACK = "give_back"
    DRAWDOWN = "drawdown"
    LOCKED_OUT = "locked_out"
    BROKER_LOCK = "broker_lock"
    MAX_ACCOUNT = "max_account"
    MAX_PRODUCT = "max_product"
    MAX_MINIS = "max_minis"
    SCALING_PLAN = "scaling_plan"
    ORDER_SIZE = "order_size"
    PRICE_COLLAR = "price_collar"
    STALE_QUOTE = "stale_quote"
    ORDER_RATE = "order_rate"
    REPEATED = "repeated"
    MAX_TRADES = "max_trades"
    LOSING_STREAK = "losing_streak"
    NOT_PERMITTED = "not_permitted"
    CLOSED_HOURS = "closed_hours"
    NEWS = "news"
    FLAT_TIME = "flat_time"
    WORST_CASE = "worst_case"
    OPPOSITE = "opposite"
    MIXED_SIZES = "mixed_sizes"
    STANDING_UNKNOWN = "standing_unknown"
    NO_STOP = "no_stop"
    ORDER_TYPE_UNSUPPORTED = "order_type_unsupported"  # said before every type was copied; still on record
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    INVALID_ORDER = "invalid_order"
    COPY_ENDED = "copy_ended"
    UNRESOLVED = "unresolved"
    STALE = "stale"
    JOURNAL_FAILED = "journal_failed"
    RATE_LIMITED = "rate_limited"
    QUARANTINED = "quarantined"
    LEASE_LOST = "lease_lost"
    OTHER_SIDE = "other_side"


class CopyOutcome(StrEnum):
    """What came of telling a follower: an order went out, it was left out on purpose, or something failed."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class AuditAction(StrEnum):
    """What a person, a program in a person's name or an operator did. Shown to the owner by these names."""

    SIGNED_UP = "signed_up"
    LOGGED_IN = "logged_in"
    LOG_IN_FAILED = "log_in_failed"
    LOGGED_OUT = "logged_out"
    SESSION_REVOKED = "session_revoked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  a name of what happened, not a secret
    PASSWORD_RESET = "password_reset"  # noqa: S105
    ADDRESS_ADDED = "address_added"
    ADDRESS_CONFIRMED = "address_confirmed"
    ADDRESS_CHANGED = "address_changed"
    ADDRESS_REMOVED = "address_removed"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_FAILED = "factor_failed"
    CODES_RENEWED = "codes_renewed"
    CODE_SPENT = "code_spent"
    KEY_MADE = "key_made"
    KEY_CHANGED = "key_changed"
    KEY_REVOKED = "key_revoked"
    KEY_USED = "key_used"
    KEY_REFUSED = "key_refused"
    HOOK_MADE = "hook_made"
    HOOK_CHANGED = "hook_changed"
    HOOK_REMOVED = "hook_removed"
    CONNECTED = "connected"
    RECONNECTED = "reconnected"
    CONNECTION_LOST = "connection_lost"
    CONNECTION_CHANGED = "connection_changed"
    DISCONNECTED = "disconnected"
    ACCOUNT_CHANGED = "account_changed"
    GROUP_CHANGED = "group_changed"
    GATE_CHANGED = "gate_changed"
    LIMITS_CHANGED = "limits_changed"
    PROFILE_CHANGED = "profile_changed"
    PLAN_CHANGED = "plan_changed"
    PLAN_ENDED = "plan_ended"
    EXPORTED = "exported"
    DELETION_ASKED = "deletion_asked"
    DELETION_CANCELLED = "deletion_cancelled"
    OPERATOR_LOOKED = "operator_looked"
    OPERATOR_ADDED = "operator_added"
    OPERATOR_CHANGED = "operator_changed"
    OPERATOR_DELETED = "operator_deleted"


class AuditKind(StrEnum):
    """What the owner may filter the audit log by."""

    LOG_IN = "log_in"
    SECURITY = "security"
    KEYS = "keys"
    CONNECTIONS = "connections"
    SETTINGS = "settings"
    DATA = "data"
    OPERATORS = "operators"


class NoticeKind(StrEnum):
    """What people are told by mail."""

    CONNECTION_LOST = "connection_lost"
    LINK_DOWN = "link_down"
    PLAN_ENDED = "plan_ended"
    COPY_MISSED = "copy_missed"
    GUARDRAIL = "guardrail"
    DAILY_SUMMARY = "daily_summary"
    DELETION_ASKED = "deletion_asked"
    DELETION_CANCELLED = "deletion_cancelled"
