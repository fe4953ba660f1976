"""What one follower may send for one order of its leader, and why it is less than its share where it is.

Here sizing meets the book and the guard. Whether that becomes a new order or a change of one is not
decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from risk.core.guard import Allowed, Changed, Proposal, Refused, review, strictest
from syncgroups.core.book import Book
from syncgroups.core.copies import Copy
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan
from syncgroups.core.sizing import NOTHING, Sized, balance_ratio, follower_order
from tradehaven.domain.calendar import in_hours
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, RefusalReason, SessionHours, Side, SizingMode
from tradehaven.domain.ids import AccountId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec

COPIED_TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderOrder:
    """A leader's order, with the leader's position as it would be without it.

    `before` and `change` are signed contracts: the position, and the whole order.
    """

    account: AccountId
    order_id: OrderId
    symbol: Symbol
    side: Side
    spec: OrderSpec
    before: int
    change: int
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one follower is left out; becomes a `CopyRefused` once its order's names are added.

    `room` is what a limit would still let it open, in contracts: an order that is there already may keep
    as much.
    """

    reason: RefusalReason
    detail: str = ""
    room: int = 0


OFFLINE = Refusal(reason=RefusalReason.FOLLOWER_OFFLINE, detail="no connection to its broker")
NO_BALANCE = Refusal(
    reason=RefusalReason.LEADER_BALANCE_UNKNOWN, detail="the leader's balance is unknown or not positive"
)
HOLDS_NOTHING = Refusal(
    reason=RefusalReason.NOTHING_TO_REDUCE, detail="it holds nothing that this exit closes"
)


def leader_order(book: Book, account: AccountId, order_id: OrderId, at: Nanos) -> LeaderOrder:
    """Return an order that the book knows, with its leader's position around it."""
    record = book.orders[account, order_id]
    sign = record.side.sign
    others = book.flying(account, record.symbol, but=order_id)
    return LeaderOrder(
        account=account,
        order_id=order_id,
        symbol=record.symbol,
        side=record.side,
        spec=record.spec,
        before=book.positions[account, record.symbol] - record.filled * sign + others,
        change=record.spec.qty * sign,
        at=at,
    )


def group_refusal(group: GroupPlan, order: LeaderOrder) -> Refusal | None:
    """Return why nobody in the group may enter on this order; exits pass every filter of this kind."""
    if order.spec.order_type not in COPIED_TYPES:
        detail = f"{order.spec.order_type} orders are not copied yet"
        return Refusal(reason=RefusalReason.ORDER_TYPE_UNSUPPORTED, detail=detail)
    if group.instruments and product_of(order.symbol).symbol not in group.instruments:
        detail = f"{order.symbol} is not in the filter"
        return Refusal(reason=RefusalReason.INSTRUMENT_FILTERED, detail=detail)
    if group.hours is not SessionHours.ALL:
        when = datetime.fromtimestamp(order.at / 1e9, UTC)
        if not in_hours(when, product_of(order.symbol), group.hours):
            return Refusal(reason=RefusalReason.OUTSIDE_HOURS, detail=f"the group copies {group.hours} only")
    return None


def share(
    accounts: Mapping[AccountId, AccountPlan],
    book: Book,
    group: GroupPlan,
    follower: FollowerPlan,
    order: LeaderOrder,
    barred: Refusal | None,
    but: Copy | None = None,
) -> tuple[Sized, Refusal | None]:
    """Return what one follower may send. `barred` is the group's refusal; `but` is the copy that changes."""
    if barred is not None and barred.reason is RefusalReason.ORDER_TYPE_UNSUPPORTED:
        return NOTHING, barred
    if accounts[follower.account].connection not in book.links:
        return NOTHING, OFFLINE
    ratio = (
        follower.ratio if follower.sizing is not SizingMode.BALANCE else _by_balance(book, group, follower)
    )
    if ratio is None:
        return NOTHING, NO_BALANCE
    own = _own(book, group, follower.account, order.symbol, but)
    sized = follower_order(plan=follower, ratio=ratio, own=own, leader=order.before, change=order.change)
    if sized.qty == 0:
        return NOTHING, _why_nothing(order, own)
    if barred is not None and sized.enter:
        return Sized(reduce=sized.reduce, enter=0), barred
    return _guarded(book, follower, order, sized, but)


def _why_nothing(order: LeaderOrder, own: int) -> Refusal:
    if order.before * order.change < 0 and own == 0:
        return HOLDS_NOTHING
    detail = f"its share of {order.spec.qty} rounds down to 0 contracts"
    return Refusal(reason=RefusalReason.ROUNDS_TO_ZERO, detail=detail)


def _by_balance(book: Book, group: GroupPlan, follower: FollowerPlan) -> Fraction | None:
    leader = book.sizing_balances.get(group.leader)
    own = book.sizing_balances.get(follower.account)
    return balance_ratio(own, leader) if leader is not None and own is not None else None


def _own(book: Book, group: GroupPlan, account: AccountId, symbol: Symbol, but: Copy | None) -> int:
    """Return what the follower holds because of this group, never more than it really holds."""
    copied = book.copied.get((group.group, account, symbol), 0)
    actual = book.positions.get((account, symbol), 0)
    if book.market_copies.get(account) or book.market_orders.get(account):
        copied += book.flying_copies(group.group, account, symbol)
        actual += book.flying(account, symbol)
    if but is not None:  # a changed order is sized as if it had not been there
        mine = but.filled * but.side.sign
        mine += but.unfilled if but.sent.order_type is OrderType.MARKET else 0
        copied, actual = copied - mine, actual - mine
    if copied * actual <= 0:
        return 0
    return min(copied, actual, key=abs)


def _guarded(
    book: Book, follower: FollowerPlan, order: LeaderOrder, sized: Sized, but: Copy | None
) -> tuple[Sized, Refusal | None]:
    state = strictest(book.states_of(follower.gates))
    exposure = _exposure(book, follower.account, order, but) if follower.limits.max_position else 0
    proposal = Proposal(reduce=sized.reduce, enter=sized.enter, exposure=exposure)
    verdict = review(proposal, follower.limits, state)
    match verdict:
        case Allowed():
            return sized, None
        case Changed():
            less = Refusal(reason=verdict.reason, detail=verdict.detail, room=verdict.room)
            return Sized(reduce=verdict.qty, enter=0), less
        case Refused():
            return NOTHING, Refusal(reason=verdict.reason, detail=verdict.detail, room=verdict.room)


def _exposure(book: Book, account: AccountId, order: LeaderOrder, but: Copy | None) -> int:
    """Return what is held on the order's side if everything else that works there filled; may be negative.

    Two exits of the same contracts both count: they may both fill.
    """
    sign = order.side.sign
    worst = book.positions.get((account, order.symbol), 0) * sign
    if but is not None:
        worst -= but.filled  # it is weighed as a whole, what it has filled included
    for order_id in book.working.get(account, ()):
        record = book.orders[account, order_id]
        if record.symbol == order.symbol and (account, order_id) not in book.by_order:
            worst += max(0, record.unfilled * sign)
    for copy in book.open_copies_of(account):
        same = copy.symbol == order.symbol and copy.side is order.side
        if same and (but is None or copy.key != but.key):
            worst += copy.outstanding
    return worst
