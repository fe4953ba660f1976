"""One follower's answer to one leader's order: what should work, what the broker was told, what came of it.

A copy converges: whatever happened, `next_command` says what is still to be sent, one command at a time.
So changes of the leader merge to the latest by themselves, and a command that was lost is found missing.
"""

from dataclasses import replace
from enum import StrEnum

from msgspec import structs

from syncgroups.core.keys import command_id
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Command, Denied, Lane, PlaceOrder
from tradehaven.domain.enums import Side
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.values import Value

MAX_REFUSALS = 5
"""How often a change or cancel may be turned down before a person must look."""


HOLD = 1_000_000_000
"""How long a command is held back that nobody gave a time for. These are nanoseconds."""
QUIET = 300_000_000
"""How long a leader's order must stand still to count as dropped where it is."""
SHORT_WAIT = 250_000_000
PATIENCE = 10
"""A change that waits longer than the short wait, waits for its leader's hand to rest: so often at most."""


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


class Copy(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A follower's order. `target` None means that nothing should work; quantities are contracts.

    `enters` is how much of the target opens new exposure; the rest closes what the follower holds.
    `held_until` is when a command that the login's budget held back may be tried again, 0 is none; while
    its leader goes on moving it that is put off, to `held_at_most` at the latest.
    `leads` is the leader's contract, which may be another than `symbol`, and `reverse` says that it stands
    against the leader's order. `fill` is the one fill that it answers; the leader cannot take that back.
    `asked` is the size in changes whose effect has not been seen: it may be in force already.
    `chased` says that another order takes its place once it is cancelled. `cost` is what its fills sum to, in
    ticks times contracts. The group of a manual copy is a number below 0, see `keys.manual_group`.
    `moved` says that a hand has put one of its legs elsewhere: no offset says any more where it stands.
    `share_of` is how many contracts of its leader it is the share of, at most, as it was sized; 0 where that
    is not known.
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
    asked: int = 0
    chased: bool = False
    commands: int = 0
    refusals: int = 0
    filled: int = 0
    cost: int = 0
    held_until: Nanos = Nanos(0)
    held_at_most: Nanos = Nanos(0)
    moved: bool = False
    share_of: int = 0

    @property
    def is_unsent(self) -> bool:
        """Say whether the order itself was held back: it was decided, and the broker has not seen it."""
        return self.state is CopyState.SENDING and self.in_flight is None

    @property
    def is_manual(self) -> bool:
        """Say whether it belongs to a manual copy: it answers no order of a leader."""
        return self.group < 0

    def __post_init__(self) -> None:
        """Name the leader's contract: the same one, unless it was said."""
        if not self.leads:
            structs.force_setattr(self, "leads", self.symbol)

    @property
    def number(self) -> tuple[int, int, str]:
        """Return what puts the answers to one leader in the order of what they answer."""
        return self.leader_order, self.fill or 0, self.key

    def precedes(self, other: "Copy") -> bool:
        """Say whether it answers what came before; fills of two orders come in an order of their own."""
        if self.fill and other.fill and self.fill != other.fill:
            return self.fill < other.fill
        return self.number < other.number

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
        """Return the most contracts that may still trade, whichever size counts: told, asked or wished."""
        most = max(self.sent.qty, self.asked, self.target.qty if self.target is not None else 0)
        return max(0, most - self.filled) if self.is_open else 0

    @property
    def unfilled(self) -> int:
        """Return the signed contracts that may still trade."""
        return (self.sent.qty - self.filled) * self.side.sign if self.is_open else 0


def as_seen(copy: Copy, spec: OrderSpec) -> Copy:
    """Return a copy as its broker says that it is now: whatever was asked has been answered by that.

    A manual one is told nothing by a leader. What it was not asked to become, its owner's own hand made of
    it, and that stands: all of its entry, and the price of a leg, whose size is what there is to protect.
    """
    after = copy.changed(sent=spec, in_flight=None, asked=0, refusals=0)
    if not copy.is_manual or copy.target is None or copy.asked or spec == copy.sent:
        return after
    if copy.enters:
        return after.changed(target=spec, enters=spec.qty)
    by_hand = replace(spec, qty=copy.target.qty)
    return after if by_hand == copy.target else after.changed(target=by_hand, moved=True)


def held_back(copy: Copy, event: Denied, *, placing: bool) -> Copy:
    """Return a copy whose command found no room in its login's budget. Only what opens is given up."""
    until = event.retry_at or Nanos(event.at + HOLD)
    if not placing:
        wait = until - event.at
        most = Nanos(event.at + PATIENCE * wait) if wait > SHORT_WAIT else until
        return copy.changed(in_flight=None, asked=0, held_until=until, held_at_most=most)
    if copy.target is None or copy.target.qty <= copy.enters:
        return copy.changed(state=CopyState.ENDED, in_flight=None)
    closing = replace(copy.target, qty=copy.target.qty - copy.enters)
    return copy.changed(
        state=CopyState.SENDING,
        in_flight=None,
        target=closing,
        sent=closing,
        enters=0,
        held_until=event.at if copy.enters else until,  # exits have a reserve: that part may go at once
    )


def put_off(copy: Copy, at: Nanos) -> Copy:
    """Return a held copy whose leader moved again at `at`: where calls are short, it waits."""
    until = max(copy.held_until, min(Nanos(at + QUIET), copy.held_at_most))
    return copy.changed(held_until=until) if copy.held_until else copy


def next_command(copy: Copy, *, retry: bool = False) -> tuple[Copy, Command | None]:
    """Return what is still to be told to the broker, and the copy as it is once that is on its way.

    A command that was turned down is repeated only when `retry` says that time has passed, and only
    `MAX_REFUSALS` times. One that was held back is tried again then, always with the latest target; only
    what takes less risk than a changed price does not wait for it.
    """
    if copy.is_unsent:
        return _place_again(copy) if retry or copy.target is None else (copy, None)
    if copy.order_id is None or not _has_news(copy, retry=retry):
        return copy, None
    number = copy.commands + 1
    client_id = command_id(copy.key, number)
    sending = copy.changed(in_flight=client_id, commands=number, held_until=Nanos(0))
    if copy.target is None or copy.target.qty <= copy.filled:
        cancel = CancelOrder(account=copy.follower, client_order_id=client_id, order_id=copy.order_id)
        return sending.changed(target=None), cancel
    lane = _lane_of_change(copy, copy.target)
    if copy.held_until and not retry and lane is Lane.CHANGE:
        return copy, None
    change = ChangeOrder(
        account=copy.follower,
        client_order_id=client_id,
        order_id=copy.order_id,
        symbol=copy.symbol,
        # Of a trailing stop only the quantity can be told: its prices are where the market drew them.
        spec=replace(copy.sent, qty=copy.target.qty) if copy.target.trails else copy.target,
        lane=lane,
    )
    return sending.changed(asked=max(copy.asked, copy.target.qty)), change


def _has_news(copy: Copy, *, retry: bool) -> bool:
    """Say whether the broker is still to be told something, and may be told it now."""
    is_free = copy.state is CopyState.LIVE and copy.in_flight is None
    stands = copy.target is not None and copy.target.means(copy.sent)
    may_try = copy.refusals < MAX_REFUSALS if retry else not copy.refusals
    return is_free and not stands and may_try


def _lane_of_change(copy: Copy, target: OrderSpec) -> Lane:
    """Return how urgent a change is: an exit's size must fit what is held, and less is never risk."""
    resized = target.qty != copy.sent.qty
    less = target.qty < copy.sent.qty
    return Lane.PROTECTIVE if less or (resized and not copy.enters) else Lane.CHANGE


def _place_again(copy: Copy) -> tuple[Copy, Command | None]:
    if copy.target is None:  # withdrawn before it ever left
        return copy.changed(state=CopyState.ENDED, held_until=Nanos(0)), None
    place = PlaceOrder(
        account=copy.follower,
        client_order_id=copy.key,
        symbol=copy.symbol,
        side=copy.side,
        spec=copy.target,
        lane=Lane.PROTECTIVE,
    )
    return copy.changed(in_flight=copy.key, sent=copy.target, held_until=Nanos(0)), place
