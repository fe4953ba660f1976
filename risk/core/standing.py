"""Where an account stands by its rules now: money, the day, the floor, what it did. Values only.

`money` is the account's own as far as known, in USD; `day` is what a limit day counts and its end clears;
`floor` is what a drawdown rule remembers for ever. Instants are UTC nanoseconds.
"""

from decimal import Decimal
from enum import StrEnum

from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.ids import Nanos, Symbol
from tradehaven.domain.values import Value

ZERO = Decimal(0)
FOREVER = Nanos(2**63 - 1)
"""The end of a lock that only a person opens."""


class Band(StrEnum):
    """How near a limit is: below half of it used, from 50 percent, from 70, and above 90."""

    SAFE = "safe"
    WARNING = "warning"
    DANGER = "danger"
    LOCKED = "locked"


class Survival(StrEnum):
    """Whether a drawdown rule still holds. `FAILED` is for good: only a person starts the account anew."""

    ACTIVE = "active"
    FAILED = "failed"


class Money(Value, frozen=True, kw_only=True):
    """An account's closed balance and its open profit at careful prices (`low`) and at kind ones (`high`).

    `low` takes longs at the bid and shorts at the ask and owes the closing fees; `high` is for the peak of a
    drawdown that trails every moment. Both are the same while nothing is open. `tick` is what one tick
    against every open contract costs.
    """

    balance: Decimal
    low: Decimal = ZERO
    high: Decimal = ZERO
    contracts: int = 0
    tick: Decimal = ZERO

    @property
    def equity(self) -> Decimal:
        """Return what would be left if everything were closed now."""
        return self.balance + self.low


class Floor(Value, frozen=True, kw_only=True):
    """A drawdown's memory: the high-water mark, the floor, which never falls, and the daily nets in USD.

    `certain` is False while the peak before we met the account is not known, `gaps` True after prices were
    missed with a position open: both until the broker, or the owner, has stated the floor.
    `failed_at` is the equity at which a failed account failed.
    """

    high: Decimal
    floor: Decimal
    survival: Survival = Survival.ACTIVE
    nets: tuple[Decimal, ...] = ()
    certain: bool = True
    gaps: bool = False
    failed_at: Decimal | None = None


class Lock(Value, frozen=True, kw_only=True):
    """No entries until then, and why. It is never shortened while it runs (RISK-05)."""

    reason: RefusalReason
    detail: str
    since: Nanos
    until: Nanos


class Entry(Value, frozen=True, kw_only=True):
    """One entry that was sent: for the rate, the repeats and the day's count. `qty` is what was asked."""

    symbol: Symbol
    side: Side
    qty: int
    at: Nanos


class Day(Value, frozen=True, kw_only=True):
    """What today counts: from `reference`, the balance it began with, until `ends`.

    `best` is the day's highest profit at careful prices, `trades` counts entries, `losses` the trades lost
    in a row; the day's end clears all three. `entries` are the latest, oldest first.
    """

    reference: Decimal
    ends: Nanos
    best: Decimal = ZERO
    trades: int = 0
    losses: int = 0
    entries: tuple[Entry, ...] = ()


class Standing(Value, frozen=True, kw_only=True):
    """All that the rules know of one account.

    `tripped` are the limits that were acted on while the lock runs, so that each is acted on once.
    """

    money: Money
    day: Day
    floor: Floor | None = None
    lock: Lock | None = None
    tripped: frozenset[RefusalReason] = frozenset()
