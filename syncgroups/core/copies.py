"""One follower's answer to one leader's order: what should work, what the broker was told, what came of it.

A copy converges: whatever happened, `next_command` says what is still to be sent, one command at a time.
So changes of the leader merge to the latest by themselves, and a command that was lost is found missing.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from syncgroups.core.keys import command_id
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Command
from tradehaven.domain.enums import Side
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec

MAX_REFUSALS = 5
"""How often a change or cancel may be turned down before a person must look."""


class CopyState(StrEnum):
    """Where a copy stands. SENDING, LIVE and UNRESOLVED may still trade, ENDED and MISSED never will.

    FILLING has traded already: the broker says so, and its fills are still on the way.
    """

    SENDING = "sending"
    LIVE = "live"
    UNRESOLVED = "unresolved"
    FILLING = "filling"
    ENDED = "ended"
    MISSED = "missed"


HoldingKey = tuple[GroupId, AccountId, Symbol, Symbol]
"""What a follower holds because of one group: contracts of one symbol, for one of the leader's."""
OPEN_STATES = frozenset({CopyState.SENDING, CopyState.LIVE, CopyState.UNRESOLVED, CopyState.FILLING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A follower's order. `target` None means that nothing should work; quantities are contracts.

    `enters` is how much of the target opens new exposure; the rest closes what the follower holds.
    `leads` is the leader's contract, which may be another than `symbol`, and `reverse` says that it stands
    against the leader's order. `fill` is the one fill that it answers; the leader cannot take that back.
    `chased` says that another order takes its place once it is cancelled.
    """

    key: ClientOrderId
    group: GroupId
    leader: AccountId
    leader_order: OrderId
    follower: AccountId
    symbol: Symbol
    side: Side
    target: OrderSpec | None
    sent: OrderSpec
    enters: int
    leads: Symbol = Symbol("")
    reverse: bool = False
    fill: FillId | None = None
    state: CopyState = CopyState.SENDING
    order_id: OrderId | None = None
    in_flight: ClientOrderId | None = None
    chased: bool = False
    commands: int = 0
    refusals: int = 0
    filled: int = 0

    def __post_init__(self) -> None:
        """Name the leader's contract: the same one, unless it was said."""
        if not self.leads:
            object.__setattr__(self, "leads", self.symbol)

    @property
    def holding(self) -> HoldingKey:
        """Return what its fills count toward."""
        return self.group, self.follower, self.symbol, self.leads

    @property
    def is_open(self) -> bool:
        """Say whether this order may still trade."""
        return self.state in OPEN_STATES

    @property
    def outstanding(self) -> int:
        """Return the most contracts that may still trade, whichever of its last two sizes is in force."""
        most = self.sent.qty if self.target is None else max(self.sent.qty, self.target.qty)
        return max(0, most - self.filled) if self.is_open else 0

    @property
    def unfilled(self) -> int:
        """Return the signed contracts that may still trade."""
        return (self.sent.qty - self.filled) * self.side.sign if self.is_open else 0


def next_command(copy: Copy, *, retry: bool = False) -> tuple[Copy, Command | None]:
    """Return what is still to be told to the broker, and the copy as it is once that is on its way.

    A command that was turned down is repeated only when `retry` says that time has passed, and only
    `MAX_REFUSALS` times.
    """
    order_id = copy.order_id
    if order_id is None or copy.in_flight is not None or copy.state is not CopyState.LIVE:
        return copy, None
    as_wished = copy.target is not None and copy.target.means(copy.sent)
    if as_wished or (copy.refusals and not retry) or copy.refusals >= MAX_REFUSALS:
        return copy, None
    number = copy.commands + 1
    client_id = command_id(copy.key, number)
    sending = replace(copy, in_flight=client_id, commands=number)
    if copy.target is None or copy.target.qty <= copy.filled:
        cancel = CancelOrder(account=copy.follower, client_order_id=client_id, order_id=order_id)
        return replace(sending, target=None), cancel
    change = ChangeOrder(
        account=copy.follower,
        client_order_id=client_id,
        order_id=order_id,
        symbol=copy.symbol,
        # Of a trailing stop only the quantity can be told: its prices are where the market drew them.
        spec=replace(copy.sent, qty=copy.target.qty) if copy.target.trails else copy.target,
    )
    return sending, change
