"""A leader's new or changed order becomes the followers' orders, or the reason why not.

In Immediate mode an order is sized when it is seen working and again when the leader changes it; in
Confirmed mode that holds for resting exits only, and `confirm` answers the leader's fills.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from syncgroups.core.book import Book
from syncgroups.core.converge import advance
from syncgroups.core.copies import Copy
from syncgroups.core.decision import NOTHING, Action, CopyRefused, CopyStep, Decision, joined
from syncgroups.core.keys import client_order_id, entry_id, fill_key, is_repair
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.share import Own, Refusal, group_refusal, leader_order, ratio_of, reduction, share
from syncgroups.core.sizing import Sized
from syncgroups.core.symbols import terms_of, translated
from syncgroups.core.waiting import LeaderOrder, Waiting
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, RefusalReason, SyncMode
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.events import OrderChanged, OrderFilled, OrderWorking
from tradehaven.domain.ids import ClientOrderId, GroupId, OrderId
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

_MAY_GROW = frozenset({RefusalReason.ROUNDS_TO_ZERO, RefusalReason.NOTHING_TO_REDUCE})
"""A size of nought may grow into an order; what was refused for another reason stays refused."""
_LIMITS = frozenset({RefusalReason.MAX_POSITION, RefusalReason.REDUCE_ONLY})
NO_MIRROR = Refusal(
    reason=RefusalReason.ORDER_TYPE_UNSUPPORTED,
    detail="an order of this type cannot be reversed; in Confirmed mode its fills are",
)
COPY_ENDED = Refusal(reason=RefusalReason.COPY_ENDED, detail="its own order has ended already")


@dataclass(frozen=True, slots=True)
class Case:
    """One leader's order before one group, and the answer for its followers as it grows.

    Followers of one size share one spec: `specs` keeps them by quantity. `others` are copies that the same
    event has changed already and the book does not know of.
    """

    plan: OwnerPlan
    book: Book
    group: GroupPlan
    order: LeaderOrder
    barred: Refusal | None
    steps: list[CopyStep] = field(default_factory=list)
    refusals: list[CopyRefused] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    specs: dict[int, OrderSpec] = field(default_factory=dict)
    others: dict[ClientOrderId, Copy] = field(default_factory=dict)

    def key_of(self, follower: FollowerPlan) -> ClientOrderId:
        """Return the id of the one order that a follower may place for this one."""
        order = self.order
        key = client_order_id(self.group.group, order.account, order.order_id, follower.account)
        return key if order.fill is None else fill_key(key, order.fill)

    def copy_of(self, follower: FollowerPlan) -> Copy | None:
        """Return what answers this order for a follower: its copy, or what was placed after that failed."""
        copy = self.book.copies.get(self.key_of(follower))
        if copy is None or copy.is_open:
            return copy
        again = self.book.copies_of_order(self.order.account, self.order.order_id)
        mended = (one for one in again if one.is_open and one.follower == copy.follower)
        return next((one for one in mended if is_repair(one.key) and one.group == copy.group), copy)

    def spec_of(self, qty: int) -> OrderSpec:
        """Return the leader's spec with another quantity."""
        spec = self.specs.get(qty)
        if spec is None:
            leaders = self.order.spec
            spec = self.specs[qty] = leaders if leaders.qty == qty else replace(leaders, qty=qty)
        return spec

    def refuse(self, key: ClientOrderId, follower: FollowerPlan, action: Action, refusal: Refusal) -> None:
        """Leave a follower out, with its reason."""
        order = self.order
        self.refusals.append(
            CopyRefused(
                key=key,
                group=self.group.group,
                leader=order.account,
                leader_order=order.order_id,
                follower=follower.account,
                symbol=order.symbol,
                action=action,
                reason=refusal.reason,
                detail=refusal.detail,
            )
        )

    def send(self, key: ClientOrderId, follower: FollowerPlan, sized: Sized) -> None:
        """Place a follower's order of this size; an entry within a limit goes beside what it closes."""
        slack, price = self.group.entry_slack, self.order.price
        if slack is None or price is None or not sized.enter:
            self.send_as(key, follower, sized, self.spec_of(sized.qty))
            return
        if sized.reduce:
            self.send_as(key, follower, Sized(reduce=sized.reduce, enter=0), self.spec_of(sized.reduce))
            key = entry_id(key)
        limit = Ticks(price + slack * self.order.side.sign)
        spec = OrderSpec(order_type=OrderType.LIMIT, qty=sized.enter, limit=limit)
        self.send_as(key, follower, Sized(reduce=0, enter=sized.enter), spec)

    def send_as(self, key: ClientOrderId, follower: FollowerPlan, sized: Sized, spec: OrderSpec) -> None:
        """Place a follower's order with a spec of its own."""
        order, account = self.order, follower.account
        copy = Copy(
            key=key,
            group=self.group.group,
            leader=order.account,
            leader_order=order.order_id,
            follower=account,
            symbol=order.symbol,
            side=order.side,
            target=spec,
            sent=spec,
            enters=sized.enter,
            leads=order.leads,
            reverse=order.reverse,
            fill=order.fill,
            in_flight=key,
        )
        command = PlaceOrder(
            account=account, client_order_id=key, symbol=order.symbol, side=order.side, spec=spec
        )
        self.steps.append(CopyStep(copy=copy, command=command))

    def decision(self) -> Decision:
        """Return the answer."""
        if not self.steps and not self.refusals and not self.waiting:
            return NOTHING
        return Decision(steps=tuple(self.steps), refusals=tuple(self.refusals), waiting=tuple(self.waiting))


def case_of(plan: OwnerPlan, book: Book, group: GroupPlan, order: LeaderOrder) -> Case:
    """Return a case that nothing has been answered in yet."""
    return Case(plan, book, group, order, group_refusal(group, order))


def seen_by(case: Case, follower: FollowerPlan) -> tuple[Case, FollowerPlan] | None:
    """Return a case in one follower's terms, with what it has set for the product.

    None where its terms know no such order, which is then refused; where the leader's order stands as it
    is, that is the case itself.
    """
    mine = follower.for_product(product_of(case.order.leads).symbol) if follower.products else follower
    key = case.key_of(follower)
    try:
        terms, refusal = terms_of(case.book, case.group.group, mine, case.order, case.book.copies.get(key))
        if refusal is None and terms.symbol == case.order.leads and not terms.reverse:
            return case, mine
        order = translated(case.order, terms)
    except UnknownInstrument as error:
        _untold(case, mine, key, Refusal(reason=RefusalReason.UNKNOWN_INSTRUMENT, detail=str(error)))
        return None
    if order is None:
        _untold(case, mine, key, NO_MIRROR)
        return None
    return replace(case, order=order, barred=refusal or case.barred, specs={}), mine


def _untold(case: Case, follower: FollowerPlan, key: ClientOrderId, refusal: Refusal) -> None:
    if not case.book.is_decided(key):
        case.refuse(key, follower, Action.PLACE, refusal)


def new_order(plan: OwnerPlan, book: Book, event: OrderWorking) -> Decision:
    """Return the followers' orders for an order of a leader that has just been seen working."""
    group = _running_group(plan, event)
    if group is None:
        return NOTHING
    case = case_of(plan, book, group, leader_order(book, event.account, event.order_id, event.at))
    for follower in group.followers:
        key = case.key_of(follower)
        if not book.is_decided(key) and (seen := seen_by(case, follower)) is not None:
            place_share(*seen, key)
    return case.decision()


def changed_order(plan: OwnerPlan, book: Book, event: OrderChanged) -> Decision:
    """Return what the followers are told when a leader's order has other parameters."""
    group = _running_group(plan, event)
    if group is None:
        return NOTHING
    case = case_of(plan, book, group, leader_order(book, event.account, event.order_id, event.at))
    for follower in group.followers:
        key = case.key_of(follower)
        copy = case.copy_of(follower)
        if copy is not None and not copy.is_open and copy.sent.qty < case.order.spec.qty:
            case.refuse(key, follower, Action.CHANGE, COPY_ENDED)
        elif (seen := seen_by(case, follower)) is not None:
            follow(*seen)
    return case.decision()


def _running_group(plan: OwnerPlan, event: OrderWorking | OrderChanged) -> GroupPlan | None:
    group = plan.led.get(event.account)
    return group if group is not None and group.active else None


def place_share(case: Case, follower: FollowerPlan, key: ClientOrderId, *, quietly: bool = False) -> None:
    """Place a follower's order, or wait with it, or refuse it.

    `quietly` leaves out the refusal and the waiting: they were said when the order was new.
    """
    sized, refusal, own = _share(case, follower)
    if not quietly:
        if refusal is not None:
            case.refuse(key, follower, Action.PLACE, refusal)
        sized = _held_back(case, follower, key, sized, own)
    if sized.qty:
        case.send(key, follower, sized)


def _share(case: Case, follower: FollowerPlan, but: Copy | None = None) -> tuple[Sized, Refusal | None, Own]:
    accounts = case.plan.accounts
    return share(accounts, case.book, case.group, follower, case.order, case.barred, but, case.others)


def _held_back(case: Case, follower: FollowerPlan, key: ClientOrderId, sized: Sized, own: Own) -> Sized:
    """Return what may be sent at once; what may not is kept to wait.

    A flip opens its other side when this one is closed, and so does an entry that comes behind an exit
    that waits. A resting order needs no such care: it grows when there is more to close.
    """
    at_market = case.order.spec.order_type is OrderType.MARKET
    doubts = {doubt.key: doubt for doubt in own.doubts} if own.owes else {}
    if case.book.waiting:
        case.waiting.extend(_taken_back(case, follower, own.certain, sized.reduce))
        if sized.enter and at_market:
            doubts |= {doubt.key: doubt for waiting in _ahead(case, follower) for doubt in waiting.doubts}
    if not doubts or (sized.qty and not at_market):
        return sized
    case.waiting.append(
        Waiting(
            key=key,
            order=case.order,
            group=case.group.group,
            follower=follower.account,
            own=own.certain,
            doubts=tuple(doubts.values()),
            placed=sized.reduce,
            enter=sized.enter,
            ahead=tuple((waiting.key, waiting.placed) for waiting in _ahead(case, follower)),
        )
    )
    return replace(sized, enter=0)


def _ahead(case: Case, follower: FollowerPlan) -> Iterator[Waiting]:
    """Yield what a follower's orders in this contract and on this side wait for already."""
    for waiting in _waiting_of(case, follower):
        if waiting.order.side is case.order.side:
            yield waiting


def _waiting_of(case: Case, follower: FollowerPlan) -> Iterator[Waiting]:
    for waiting in case.book.waiting.values():
        ours = waiting.follower == follower.account and waiting.group == case.group.group
        same = waiting.order.symbol == case.order.symbol and waiting.order.leads == case.order.leads
        if ours and same:
            yield waiting


def _taken_back(case: Case, follower: FollowerPlan, own: int, closing: int) -> Iterator[Waiting]:
    """Yield entries that still wait, less what the leader closes of them already; the last one goes first.

    They are closed as if they had been made: together with what the follower holds on their side, of
    which `closing` contracts are closed at once.
    """
    ratio = ratio_of(case.book, case.group, follower, case.order)
    side = case.order.side.opposite
    opening = [
        waiting for waiting in _waiting_of(case, follower) if waiting.enter and waiting.order.side is side
    ]
    if ratio is None or not opening:
        return
    held = own if own * side.sign > 0 else 0
    all_of_it = held + sum(waiting.enter for waiting in opening) * side.sign
    left = reduction(follower, ratio, all_of_it, case.order) - closing
    for waiting in reversed(opening):
        taken = min(waiting.enter, max(0, left))
        left -= taken
        if taken:
            yield replace(waiting, enter=waiting.enter - taken)


def follow(case: Case, follower: FollowerPlan, *, quietly: bool = False) -> None:
    """Look again at a live order of the leader on behalf of one follower: change its copy, or let it grow."""
    key = case.key_of(follower)
    copy = case.copy_of(follower)
    if copy is None:
        if case.book.refused.get(key, _first_reason(case, key)) in _MAY_GROW:
            place_share(case, follower, key, quietly=True)
    elif copy.is_open:
        _change(case, follower, copy, quietly=quietly)


def _first_reason(case: Case, key: ClientOrderId) -> RefusalReason | None:
    """Return why an order that nobody was refused is not copied: in Confirmed mode it was no exit so far."""
    unasked = case.group.mode is SyncMode.CONFIRMED and key not in case.book.waiting
    return RefusalReason.NOTHING_TO_REDUCE if unasked else None


def _change(case: Case, follower: FollowerPlan, copy: Copy, *, quietly: bool) -> None:
    sized, refusal, own = _share(case, follower, copy)
    qty, enters = sized.qty, sized.enter
    if own.owes and not qty:  # it may be needed yet: it stays until that is known, at the new price
        qty, enters = (copy.target.qty, copy.enters) if copy.target is not None else (0, 0)
    if refusal is not None:
        if refusal.reason is not RefusalReason.FOLLOWER_OFFLINE and not quietly:
            case.refuse(copy.key, follower, Action.CHANGE, refusal)
        if refusal.reason is RefusalReason.KILL_SWITCH:
            return
        qty, enters = _what_stays(copy, sized.reduce, refusal)
    aimed = replace(copy, target=case.spec_of(qty) if qty else None, enters=enters)
    trailed = copy.target is not None and aimed.target is not None and aimed.target.means(copy.target)
    if aimed != copy and not (trailed and aimed.enters == copy.enters):
        case.steps.append(advance(case.plan, case.book, aimed))


def _what_stays(copy: Copy, reduce: int, refusal: Refusal) -> tuple[int, int]:
    """Return quantity and entering part of a copy that may not be what the leader's order makes of it.

    A limit leaves it what it still lets pass; where the share is nothing, nothing stays; and what says
    nothing about the size, such as a lost link, leaves the size alone: only the price follows.
    """
    if refusal.reason in _MAY_GROW:
        return 0, 0
    had = copy.target.qty if copy.target is not None else 0
    if refusal.reason in _LIMITS:
        enters = min(refusal.room, max(0, had - reduce))
        return reduce + enters, enters
    return had, copy.enters


def resized(plan: OwnerPlan, book: Book, event: OrderFilled, others: dict[ClientOrderId, Copy]) -> Decision:
    """Return what follows for a follower's resting orders now that it holds something else.

    The leader's stop works from the moment its own entry filled; a follower whose entry filled later, or
    in parts, gets that stop then, for what it really holds. And what rests may not close more than is
    left, nor open more than a limit allows, once another order has closed it.
    """
    decisions: list[Decision] = []
    for copy, leader_order_id in _to_look_at(book, event):
        settings = settings_of(plan, copy)
        if settings is not None:
            group, follower = settings
            order = leader_order(book, copy.leader, leader_order_id, event.at)
            decisions.append(looked_at(case_of(plan, book, group, order), follower, others))
    return joined(*decisions)


def looked_at(case: Case, follower: FollowerPlan, others: dict[ClientOrderId, Copy]) -> Decision:
    """Return what follows for one follower now; `others` grows by the copies that this makes or changes."""
    seen = seen_by(replace(case, others=others), follower)
    if seen is not None:
        follow(*seen, quietly=True)
    others.update((step.copy.key, step.copy) for step in case.steps)
    return case.decision()


def _to_look_at(book: Book, event: OrderFilled) -> list[tuple[Copy, OrderId]]:
    """Return leader orders whose share may have changed, each with a copy that says for whom."""
    found: dict[tuple[GroupId, OrderId], Copy] = {}
    filled = book.copy_of_order(event.account, event.order_id)
    if filled is not None and filled.enters:  # its exits may be waiting for it, without a copy so far
        for order_id in book.working[filled.leader]:
            record = book.orders[filled.leader, order_id]
            if record.symbol == filled.leads and (record.side is filled.side) is filled.reverse:
                found[filled.group, order_id] = filled
    for copy in book.open_copies_of(event.account):
        lives = copy.leader_order in book.working[copy.leader]
        if copy.symbol == event.symbol and copy.order_id != event.order_id and lives:
            found[copy.group, copy.leader_order] = copy
    return [(copy, order_id) for (_, order_id), copy in sorted(found.items(), key=lambda item: item[0])]


def settings_of(plan: OwnerPlan, copy: Copy) -> tuple[GroupPlan, FollowerPlan] | None:
    """Return the running group and the follower that a copy belongs to, if both still stand."""
    group = plan.led.get(copy.leader)
    if group is None or group.group != copy.group or not group.active:
        return None
    follower = next((found for found in group.followers if found.account == copy.follower), None)
    return (group, follower) if follower is not None else None
