"""An exit that must wait: what the leader did, and which orders of the follower have no known end yet.

A follower's own entry may be on its way, or sent and unheard of after a crash. Closing what it might bring
could open the other side; so only what is certain is closed at once, and the rest when the doubt ends.
"""

from dataclasses import dataclass
from fractions import Fraction

from tradehaven.domain.enums import Side
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.values import Value

ONE = Fraction(1)
"""The factor between contracts of one size; known by identity where each follower asks."""


class LeaderOrder(Value, frozen=True, kw_only=True):
    """A leader's order, with the leader's position as it would be without it.

    `before` and `change` are signed contracts: the position, and the whole order. Before a follower it is
    told in the follower's terms: its contract, its ticks, its side where that is reversed; quantities stay
    the leader's, and `factor` says how many contracts of the follower's make one of those. `fill` and its
    `price` are there when this is a single fill, answered by itself. `unsure` is what of `before` may never
    have been: in a chain, orders of the leader's own that nobody has answered for.
    """

    account: AccountId
    order_id: OrderId
    symbol: Symbol
    leads: Symbol
    side: Side
    spec: OrderSpec
    before: int
    change: int
    at: Nanos
    reverse: bool = False
    factor: Fraction = ONE
    fill: FillId | None = None
    price: Ticks | None = None
    unsure: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """An order of a follower whose end is not known yet: `left` signed contracts may still trade.

    `closes` says that it trades the way the exit does; `filled` is what it had traded by then.
    """

    key: ClientOrderId
    left: int
    filled: int
    closes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An exit of the leader that a follower may not answer in full before its own orders in doubt end.

    `own` is the signed holding that was certain when the order came; `placed` is how many contracts were
    closed on it so far, by `rests` orders besides the first; `enter` is what it opens at the end, if it is
    a flip. `ahead` are exits that waited already, each with what it had closed by then: the rest of that is
    not there any more for this one. No doubts left means that it is over.
    """

    key: ClientOrderId
    order: LeaderOrder
    group: GroupId
    follower: AccountId
    own: int
    doubts: tuple[Doubt, ...]
    placed: int = 0
    enter: int = 0
    rests: int = 0
    ahead: tuple[tuple[ClientOrderId, int], ...] = ()
