"""Every guardrail of an account as values: what may be lost, held, sent, and when. Nothing here decides.

Amounts are USD, sizes contracts, distances ticks, clock times Chicago's. A field that is None, empty or
False asks for nothing. What is made of these stands beside: `guard` before an order, `watch` on a price.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum

RESET_AT = time(17)
FLAT_AT = time(15, 55)


class Breach(StrEnum):
    """What becomes of an account that breaks a limit: no more entries, or flat as well."""

    STOP = "stop"
    FLATTEN = "flatten"


class LockUntil(StrEnum):
    """How long an account stays locked after a breach (RISK-05)."""

    RESET = "reset"
    SESSION = "session"
    DURATION = "duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout:
    """The end of a lock: the next limit day, the end of the session, or after some minutes."""

    until: LockUntil = LockUntil.RESET
    minutes: int = 60


NEXT_DAY = Lockout()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLimit:
    """An amount of today's profit and loss, fees and open positions included; always positive, in USD.

    `block_at` is the used share of a loss from which on entries are refused already.
    """

    amount: Decimal
    breach: Breach = Breach.FLATTEN
    lockout: Lockout = NEXT_DAY
    block_at: Decimal = Decimal("0.9")
    fatal: bool = False
    """Breaking it fails the account for good, as some firms have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack:
    """Keeps a good day: once today's profit has been at `after` USD, `amount` may be given back, no more."""

    after: Decimal
    amount: Decimal
    breach: Breach = Breach.FLATTEN
    lockout: Lockout = NEXT_DAY


class Trail(StrEnum):
    """What the floor of a drawdown follows: every moment's equity, a day's end, each close, or nothing."""

    INTRADAY = "intraday"
    END_OF_DAY = "end_of_day"
    CLOSED = "closed"
    STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """How far equity may fall below its high: `amount` under `start`, up to a floor of `lock` at most.

    `touch` says whether reaching the floor breaks the rule, which is the cautious reading. `reserve` is kept
    beyond it in USD, `reserve_ticks` for every open contract: marks are samples, the peak may lie between.
    `known` is the floor that the firm's page shows, for an account that has traded before we met it.
    `payout_locks` sets the floor to `lock` once money is paid out, as one firm does.
    """

    trail: Trail
    amount: Decimal
    start: Decimal
    lock: Decimal | None = None
    touch: bool = True
    reserve: Decimal = Decimal(0)
    reserve_ticks: int = 4
    breach: Breach = Breach.FLATTEN
    block_at: Decimal = Decimal("0.9")
    payout_locks: bool = False
    known: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """From this profit since the start on, this many mini-equivalents may be held."""

    profit: Decimal
    minis: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """A cap that grows with profit over `start` USD: of the last day's end, or of equity now (`live`).

    Below the first tier that one holds.
    """

    start: Decimal
    tiers: tuple[Tier, ...]
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most that may be at stake at once, if everything that works and is under way fills too.

    `instrument` counts one contract month, `products` one product root, `account` everything, `minis`
    everything in mini-equivalents (ten micros make one, by the product's own factor), `order` one order.
    """

    instrument: int | None = None
    account: int | None = None
    minis: Decimal | None = None
    order: int | None = None
    products: Mapping[str, int] = field(default_factory=dict)
    scaling: Scaling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collar:
    """How far from the market a price may lie, in percent by product group; 0 switches a group off.

    Groups that are not named have their usual one. `quote_age` is the oldest quote, in seconds, that an
    entry at the market may rest on; None needs none.
    """

    percent: Mapping[str, Decimal] = field(default_factory=dict)
    quote_age: int | None = 5
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `entries` new orders in `seconds`."""

    entries: int = 10
    seconds: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of the day in Chicago; one that ends before it starts goes over midnight. `end` is outside."""

    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsWindow:
    """A stretch of time, UTC, around an event of the owner's own calendar. No products: all of them."""

    label: str
    start: datetime
    end: datetime
    products: frozenset[str] = frozenset()
    flat: bool = False


class Unit(StrEnum):
    """What a protective distance is given in: ticks, percent of the entry price, USD for each contract."""

    TICKS = "ticks"
    PERCENT = "percent"
    USD = "usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """A distance from the entry, always positive."""

    value: Decimal
    unit: Unit = Unit.TICKS


class Naked(StrEnum):
    """What is done about a position without its stop."""

    ATTACH = "attach"
    FLATTEN = "flatten"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What every copied position must have: a stop, a target, or both, and what is done where it has none."""

    stop: Offset | None = None
    target: Offset | None = None
    naked: Naked = Naked.ATTACH


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """The daily time to be flat in Chicago. A market that ends earlier is left `lead` minutes before its end.

    `firm_at` is the firm's own time, which no other setting can put off.
    """

    at: time | None = FLAT_AT
    firm_at: time | None = None
    lead: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """The best day's largest share of all profit; `touch` says whether exactly that share is still kept.

    It never stops trading: it is shown.
    """

    best_day: Decimal
    touch: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All guardrails of one account, of a group's members, or of the sum over several accounts."""

    daily_loss: DayLimit | None = None
    daily_profit: DayLimit | None = None
    give_back: GiveBack | None = None
    reset_at: time = RESET_AT
    drawdown: Drawdown | None = None
    consistency: Consistency | None = None
    caps: Caps = Caps()
    collar: Collar | None = None
    rate: Rate | None = None
    repeats: int | None = None
    """Seconds in which the same entry may not come twice."""
    trades_a_day: int | None = None
    losses_in_row: int | None = None
    streak_lockout: Lockout = NEXT_DAY
    products: frozenset[str] = frozenset()
    """Roots that may be traded; empty: all."""
    hours: tuple[Window, ...] = ()
    news: tuple[NewsWindow, ...] = ()
    protection: Protection | None = None
    flat: Flat | None = None
    worst_case: bool = True
    """Refuse an entry whose stop would break a loss limit or the floor."""
    opposite: bool = True
    """May stand against another own account in the same market; many firms forbid it."""
    mixing: bool = True
    """May hold minis and micros at the same time as another own account; one firm forbids it."""
    fee: Decimal = Decimal("2.50")
    """What one contract costs on each side, in USD: owed for what is still open."""

    @property
    def minds_orders(self) -> bool:
        """Say whether a rule asks about an order itself, beside caps: product, price, pace, hour or stop."""
        return (
            self.protection is not None
            or self.collar is not None
            or self.rate is not None
            or self.repeats is not None
            or self.trades_a_day is not None
            or self.losses_in_row is not None
            or self.flat is not None
            or self.caps.order is not None
            or bool(self.products or self.hours or self.news)
            or not (self.opposite and self.mixing)
        )


NO_RULES = Rules()
