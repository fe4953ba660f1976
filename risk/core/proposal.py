"""An order before it is sent, and what the guard may say of it. Values only; the deciding is in `guard`."""

from dataclasses import dataclass
from decimal import Decimal

from risk.core.standing import ZERO
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import Nanos, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.values import Value


class Exposure(Value, frozen=True, kw_only=True):
    """What would be held on an order's side, before it, if everything that works or is under way filled.

    In contracts of the contract month, of its product, of everything, and in mini-equivalents; negative
    where the account stands on the other side. What is not the order's own contract counts by its worse side.
    """

    instrument: int = 0
    product: int = 0
    account: int = 0
    minis: Decimal = ZERO


NOTHING_HELD = Exposure()


class Quote(Value, frozen=True, kw_only=True):
    """The market's last prices in ticks, and when they came; a side that nobody quotes is None."""

    bid: Ticks | None
    ask: Ticks | None
    at: Nanos


class Proposal(Value, frozen=True, kw_only=True):
    """Contracts that reduce, contracts that open, and all that the rules ask about such an order.

    `limit` and `trigger` are its prices in ticks. `stop` and `target` are the distances in ticks of the
    protection it comes with. `at_risk` is what everything held or working would lose at its stops, in USD.
    `opposite` and `mixing` say what the order would make of it beside the owner's other accounts.
    """

    symbol: Symbol
    side: Side
    reduce: int
    enter: int
    exposure: Exposure = NOTHING_HELD
    order_type: OrderType = OrderType.MARKET
    limit: Ticks | None = None
    trigger: Ticks | None = None
    quote: Quote | None = None
    stop: int | None = None
    target: int | None = None
    at_risk: Decimal = ZERO
    opposite: bool = False
    mixing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What one rule has against an entry: `value` would pass `limit`, in the rule's own unit.

    `room` is how many contracts the rule would still let in, `until` when it may look different.
    """

    reason: RefusalReason
    detail: str
    limit: Decimal | None = None
    value: Decimal | None = None
    room: int = 0
    until: Nanos | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """Protection that an entry must be given: distances from its price in ticks, None for none."""

    stop: int | None = None
    target: int | None = None


NOTHING_TO_ATTACH = Attach()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Send it as it is, with what must be attached."""

    attach: Attach = NOTHING_TO_ATTACH


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Send `qty` contracts only, `enter` of which open something; the rest is refused for `because`."""

    qty: int
    enter: int
    because: Objection

    @property
    def reason(self) -> RefusalReason:
        """Return why it is less."""
        return self.because.reason

    @property
    def detail(self) -> str:
        """Return why it is less, in words."""
        return self.because.detail

    @property
    def room(self) -> int:
        """Return how many contracts could have been opened."""
        return self.because.room


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Send nothing, for `because`."""

    because: Objection

    @property
    def reason(self) -> RefusalReason:
        """Return why nothing is sent."""
        return self.because.reason

    @property
    def detail(self) -> str:
        """Return why nothing is sent, in words."""
        return self.because.detail

    @property
    def room(self) -> int:
        """Return how many contracts could have been opened."""
        return self.because.room


Verdict = Allowed | Changed | Refused
ALLOWED = Allowed()
