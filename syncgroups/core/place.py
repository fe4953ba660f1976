"""A leader's new or changed order becomes the followers' orders, or the reason why not.

Only Immediate mode: an order is sized when it is seen working and again when the leader changes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

from risk.core.guard import Allowed, Changed, Proposal, Refused, review, strictest
from syncgroups.core.book import Book
from syncgroups.core.converge import advance
from syncgroups.core.copies import Copy
from syncgroups.core.decision import NOTHING as NO_DECISION
from syncgroups.core.decision import Action, CopyRefused, CopyStep, Decision
from syncgroups.core.keys import client_order_id
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.sizing import NOTHING, Sized, balance_ratio, follower_order
from tradehaven.domain.calendar import in_hours
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, RefusalReason, SessionHours, Side, SizingMode
from tradehaven.domain.events import OrderChanged, OrderFilled, OrderWorking
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec

_MAY_GROW = frozenset({RefusalReason.ROUNDS_TO_ZERO, RefusalReason.NOTHING_TO_REDUCE})
"""A size of nought may grow into an order; what was refused for another reason stays refused."""
COPIED_TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderOrder:
    """A leader's order with the leader's position around it: before it, without its own fills."""

    account: AccountId
    order_id: OrderId
    symbol: Symbol
    side: Side
    spec: OrderSpec
    before: int
    at: Nanos

    @property
    def change(self) -> int:
        """Return the signed contracts of the whole order."""
        return self.spec.qty * self.side.sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one follower is left out; becomes a `CopyRefused` once its order's names are added."""

    reason: RefusalReason
    detail: str = ""


def new_order(plan: OwnerPlan, book: Book, event: OrderWorking) -> Decision:
    """Return the followers' orders for an order of a leader that has just been seen working."""
    groups = plan.led.get(event.account, ())
    if not groups:
        return NO_DECISION
    order = leader_order(book, event.account, event.order_id, event.at)
    found: list[CopyStep | CopyRefused] = []
    for group in groups:
        if group.active:
            found.extend(_place_in_group(plan, book, group, order))
    return _decision(found)


def changed_order(plan: OwnerPlan, book: Book, event: OrderChanged) -> Decision:
    """Return what the followers are told when a leader's order has other parameters."""
    groups = plan.led.get(event.account, ())
    if not groups:
        return NO_DECISION
    order = leader_order(book, event.account, event.order_id, event.at)
    found: list[CopyStep | CopyRefused] = []
    for group in groups:
        if group.active:
            found.extend(_change_in_group(plan, book, group, order))
    return _decision(found)


def _decision(found: list[CopyStep | CopyRefused]) -> Decision:
    return Decision(
        steps=tuple(item for item in found if isinstance(item, CopyStep)),
        refusals=tuple(item for item in found if isinstance(item, CopyRefused)),
    )


def leader_order(book: Book, account: AccountId, order_id: OrderId, at: Nanos) -> LeaderOrder:
    """Return an order that the book knows, with the leader's position as it would be without it."""
    record = book.orders[account, order_id]
    others = book.flying(account, record.symbol, but=order_id)
    return LeaderOrder(
        account=account,
        order_id=order_id,
        symbol=record.symbol,
        side=record.side,
        spec=record.spec,
        before=book.positions[account, record.symbol] - record.filled * record.side.sign + others,
        at=at,
    )


# -- a new order ------------------------------------------------------------------------------------


def _place_in_group(
    plan: OwnerPlan, book: Book, group: GroupPlan, order: LeaderOrder
) -> Iterator[CopyStep | CopyRefused]:
    refusal = _group_refusal(group, order)
    specs: dict[int, OrderSpec] = {order.spec.qty: order.spec}  # followers of one size share one spec
    for follower in group.followers:
        key = client_order_id(group.group, order.account, order.order_id, follower.account)
        if not book.is_decided(key):
            yield from _place_for(plan, book, group, follower, order, key, refusal, specs)


def _place_for(
    plan: OwnerPlan,
    book: Book,
    group: GroupPlan,
    follower: FollowerPlan,
    order: LeaderOrder,
    key: ClientOrderId,
    group_refusal: Refusal | None,
    specs: dict[int, OrderSpec],
) -> Iterator[CopyStep | CopyRefused]:
    sized, refusal = _sized(plan, book, group, follower, order, group_refusal)
    if refusal is not None:
        yield refused(key, group, follower, order, Action.PLACE, refusal)
    if sized.qty == 0:
        return
    spec = specs.get(sized.qty)
    if spec is None:
        spec = specs[sized.qty] = replace(order.spec, qty=sized.qty)
    copy = Copy(
        key=key,
        group=group.group,
        leader=order.account,
        leader_order=order.order_id,
        follower=follower.account,
        symbol=order.symbol,
        side=order.side,
        target=spec,
        sent=spec,
        enters=sized.enter,
        in_flight=key,
    )
    command = PlaceOrder(
        account=follower.account, client_order_id=key, symbol=order.symbol, side=order.side, spec=spec
    )
    yield CopyStep(copy=copy, command=command)


def _group_refusal(group: GroupPlan, order: LeaderOrder) -> Refusal | None:
    """Return why nobody in the group may enter on this order; exits pass every filter."""
    if order.spec.order_type not in COPIED_TYPES:
        detail = f"{order.spec.order_type} orders are not copied yet"
        return Refusal(reason=RefusalReason.ORDER_TYPE_UNSUPPORTED, detail=detail)
    if group.instruments and product_of(order.symbol).symbol not in group.instruments:
        return Refusal(
            reason=RefusalReason.INSTRUMENT_FILTERED, detail=f"{order.symbol} is not in the filter"
        )
    if group.hours is not SessionHours.ALL:
        when = datetime.fromtimestamp(order.at / 1e9, UTC)
        if not in_hours(when, product_of(order.symbol), group.hours):
            return Refusal(reason=RefusalReason.OUTSIDE_HOURS, detail=f"the group copies {group.hours} only")
    return None


def _sized(
    plan: OwnerPlan,
    book: Book,
    group: GroupPlan,
    follower: FollowerPlan,
    order: LeaderOrder,
    group_refusal: Refusal | None,
    *,
    but: Copy | None = None,
) -> tuple[Sized, Refusal | None]:
    """Return what one follower may send, and why it is less than its share where it is."""
    if group_refusal is not None and group_refusal.reason is RefusalReason.ORDER_TYPE_UNSUPPORTED:
        return NOTHING, group_refusal
    if plan.accounts[follower.account].connection not in book.links:
        return NOTHING, Refusal(reason=RefusalReason.FOLLOWER_OFFLINE, detail="no connection to its broker")
    ratio = _ratio(book, group, follower)
    if ratio is None:
        detail = "the leader's balance is unknown or not positive"
        return NOTHING, Refusal(reason=RefusalReason.LEADER_BALANCE_UNKNOWN, detail=detail)
    own = _own(book, group, follower, order.symbol, but)
    sized = follower_order(plan=follower, ratio=ratio, own=own, leader=order.before, change=order.change)
    if sized.qty == 0:
        return NOTHING, _why_nothing(order, own)
    if group_refusal is not None and sized.enter:
        return Sized(reduce=sized.reduce, enter=0), group_refusal
    return _guarded(book, follower, order, sized, but)


def _why_nothing(order: LeaderOrder, own: int) -> Refusal:
    if order.before * order.change < 0 and own == 0:
        return Refusal(
            reason=RefusalReason.NOTHING_TO_REDUCE, detail="it holds nothing that this exit closes"
        )
    detail = f"its share of {order.spec.qty} rounds down to 0 contracts"
    return Refusal(reason=RefusalReason.ROUNDS_TO_ZERO, detail=detail)


def _ratio(book: Book, group: GroupPlan, follower: FollowerPlan) -> Fraction | None:
    if follower.sizing is not SizingMode.BALANCE:
        return follower.ratio
    leader = book.sizing_balances.get(group.leader)
    own = book.sizing_balances.get(follower.account)
    return balance_ratio(own, leader) if leader is not None and own is not None else None


def _own(book: Book, group: GroupPlan, follower: FollowerPlan, symbol: Symbol, but: Copy | None) -> int:
    """Return what the follower holds because of this group, never more than it really holds."""
    account = follower.account
    copied = book.copied.get((group.group, account, symbol), 0)
    copied += book.flying_copies(group.group, account, symbol)
    actual = book.positions.get((account, symbol), 0) + book.flying(account, symbol)
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
    match review(proposal, follower.limits, state):
        case Allowed():
            return sized, None
        case Changed() as less:
            return Sized(reduce=less.qty, enter=0), Refusal(reason=less.reason, detail=less.detail)
        case Refused() as no:
            return NOTHING, Refusal(reason=no.reason, detail=no.detail)


def _exposure(book: Book, account: AccountId, order: LeaderOrder, but: Copy | None) -> int:
    """Return the contracts held on the order's side if everything that works there filled."""
    sign = order.side.sign
    worst = book.positions.get((account, order.symbol), 0) * sign
    for order_id in book.working.get(account, ()):
        record = book.orders[account, order_id]
        if record.symbol == order.symbol:
            worst += max(0, record.unfilled * sign)
    for copy in book.open_copies_of(account):
        unseen = copy.order_id is None or (account, copy.order_id) not in book.orders
        if unseen and copy.symbol == order.symbol:
            worst += max(0, copy.unfilled * sign)
    if but is not None:
        worst -= max(0, but.unfilled * sign) + max(0, but.filled * but.side.sign * sign)
    return max(0, worst)


# -- a changed order --------------------------------------------------------------------------------


def _change_in_group(
    plan: OwnerPlan, book: Book, group: GroupPlan, order: LeaderOrder
) -> Iterator[CopyStep | CopyRefused]:
    for follower in group.followers:
        key = client_order_id(group.group, order.account, order.order_id, follower.account)
        copy = book.copies.get(key)
        if copy is not None and not copy.is_open and copy.sent.qty < order.spec.qty:
            ended = Refusal(reason=RefusalReason.COPY_ENDED, detail="its own order has ended already")
            yield refused(key, group, follower, order, Action.CHANGE, ended)
        else:
            yield from follow(plan, book, group, follower, order)


def _change_for(
    plan: OwnerPlan,
    book: Book,
    group: GroupPlan,
    follower: FollowerPlan,
    order: LeaderOrder,
    copy: Copy,
    group_refusal: Refusal | None,
) -> Iterator[CopyStep | CopyRefused]:
    sized, refusal = _sized(plan, book, group, follower, order, group_refusal, but=copy)
    if refusal is not None and refusal.reason is not RefusalReason.FOLLOWER_OFFLINE:
        yield refused(copy.key, group, follower, order, Action.CHANGE, refusal)
        if refusal.reason is RefusalReason.KILL_SWITCH:
            return
    if refusal is not None and copy.target is not None:
        # A refused growth keeps its size; the leader's new price still holds for what works.
        qty = max(sized.qty, min(copy.target.qty, copy.sent.qty))
        enters = copy.enters
    else:
        qty, enters = sized.qty, sized.enter
    aimed = replace(copy, target=replace(order.spec, qty=qty) if qty else None, enters=enters)
    if aimed != copy:
        yield advance(plan, book, aimed)


# -- exits that waited for their entry --------------------------------------------------------------


def resized_exits(plan: OwnerPlan, book: Book, event: OrderFilled) -> Decision:
    """Return the exits that a follower may have now that one of its entries filled.

    The leader's stop works from the moment its own entry filled; a follower whose entry filled later, or
    in parts, gets that stop then, for what it really holds.
    """
    copy = book.copy_of_order(event.account, event.order_id)
    if copy is None or copy.enters == 0:
        return NO_DECISION
    found: list[CopyStep | CopyRefused] = []
    for group in plan.led.get(copy.leader, ()):
        follower = next((f for f in group.followers if f.account == copy.follower), None)
        if group.group == copy.group and group.active and follower is not None:
            for order_id in sorted(book.working[copy.leader]):
                record = book.orders[copy.leader, order_id]
                if record.symbol == copy.symbol and record.side is not copy.side:
                    order = leader_order(book, copy.leader, order_id, event.at)
                    found.extend(follow(plan, book, group, follower, order))
    return _decision(found)


def follow(
    plan: OwnerPlan, book: Book, group: GroupPlan, follower: FollowerPlan, order: LeaderOrder
) -> Iterator[CopyStep | CopyRefused]:
    """Return what one follower is told when a live order of its leader is looked at again."""
    key = client_order_id(group.group, order.account, order.order_id, follower.account)
    copy = book.copies.get(key)
    refusal = _group_refusal(group, order)
    if copy is None and book.refused.get(key) in _MAY_GROW:
        for item in _place_for(plan, book, group, follower, order, key, refusal, {}):
            if isinstance(item, CopyStep):  # that it is still too small was said already
                yield item
    elif copy is not None and copy.is_open:
        yield from _change_for(plan, book, group, follower, order, copy, refusal)


def refused(
    key: ClientOrderId,
    group: GroupPlan,
    follower: FollowerPlan,
    order: LeaderOrder,
    action: Action,
    refusal: Refusal,
) -> CopyRefused:
    """Return a refusal with the names of the order that it answers."""
    return CopyRefused(
        key=key,
        group=group.group,
        leader=order.account,
        leader_order=order.order_id,
        follower=follower.account,
        symbol=order.symbol,
        action=action,
        reason=refusal.reason,
        detail=refusal.detail,
    )
