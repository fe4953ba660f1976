"""A leader's new or changed order becomes the followers' orders, or the reason why not.

In Immediate mode an order is sized when it is seen working and again when the leader changes it; in
Confirmed mode that holds for resting exits only, and `confirm` answers the leader's fills.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from syncgroups.core.behind import NO_MORE, Later, ahead, room_to_come, waiting_of
from syncgroups.core.book import Book
from syncgroups.core.case import Case, case_of, seen_by
from syncgroups.core.converge import advance
from syncgroups.core.copies import Copy, put_off
from syncgroups.core.decision import NOTHING, Action, CopyStep, Decision, Weighed, joined
from syncgroups.core.expected import is_moving
from syncgroups.core.guarded import Refusal
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.share import Own, leader_order, ratio_of, reduction, share
from syncgroups.core.sizing import Sized
from syncgroups.core.waiting import Doubt, Waiting
from tradehaven.domain.enums import OrderType, RefusalReason, SyncMode
from tradehaven.domain.events import OrderChanged, OrderFilled, OrderWorking
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos, OrderId
from tradehaven.domain.orders import OrderSpec

_MAY_GROW = frozenset({RefusalReason.ROUNDS_TO_ZERO, RefusalReason.NOTHING_TO_REDUCE})
"""A size of nought may grow into an order; what was refused for another reason stays refused."""
_LIMITS = frozenset({RefusalReason.MAX_POSITION, RefusalReason.REDUCE_ONLY})
_SIZELESS = frozenset({RefusalReason.FOLLOWER_OFFLINE, RefusalReason.LEADER_BALANCE_UNKNOWN})
COPY_ENDED = Refusal(reason=RefusalReason.COPY_ENDED, detail="its own order has ended already")


def new_order(plan: OwnerPlan, book: Book, event: OrderWorking) -> Decision:
    """Return the followers' orders for an order of a leader that has just been seen working."""
    group = _running_group(plan, event)
    if group is None:
        return NOTHING
    case = case_of(plan, book, group, leader_order(book, event.account, event.order_id, event.at))
    for follower in group.followers:
        key = case.key_of(follower)
        if not book.is_decided(key) and (seen := seen_by(case, follower, key)) is not None:
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


def place_share(case: Case, follower: FollowerPlan, key: ClientOrderId) -> None:
    """Place a follower's order, or wait with it, or refuse it."""
    sized, refusal, own, weighed = _share(case, follower)
    later = NO_MORE
    if own.doubts and (refusal is None or refusal.reason is RefusalReason.ROUNDS_TO_ZERO):
        later = room_to_come(case, follower, sized.enter, own)
    if refusal is not None and not later.enter:
        case.refuse(key, follower, Action.PLACE, refusal, weighed)
    sized = _held_back(case, follower, key, sized, own, later)
    if sized.qty:
        case.send(key, follower, sized, weighed)


def send_share(case: Case, follower: FollowerPlan, key: ClientOrderId) -> Refusal | None:
    """Place what a follower may send by now of an order that is no news; return why that is not all."""
    sized, refusal, _, weighed = _share(case, follower)
    if sized.qty:
        case.send(key, follower, sized, weighed)
    return refusal


def _share(
    case: Case, follower: FollowerPlan, but: Copy | None = None
) -> tuple[Sized, Refusal | None, Own, Weighed | None]:
    accounts = case.plan.accounts
    return share(accounts, case.book, case.group, follower, case.order, case.barred, but, case.others)


def _held_back(
    case: Case, follower: FollowerPlan, key: ClientOrderId, sized: Sized, own: Own, later: Later
) -> Sized:
    """Return what may be sent at once; what may not is kept to wait.

    A flip opens its other side when this one is closed, and so does an entry that comes behind an exit
    that waits, and what a cap lets in only `later`. A resting order needs no such care: it grows.
    """
    if not own.doubts and not case.book.waiting:
        return sized
    if case.book.waiting and _closes_now(case):
        case.waiting.extend(_taken_back(case, follower, own.filled, sized.reduce))
    doubts = _comes_behind(case, follower, own) if sized.qty or later.enter else _owing(own)
    frees = {doubt.key: doubt for doubt in later.doubts}
    rests = case.order.spec.order_type is not OrderType.MARKET
    if not (doubts or frees) or (sized.qty and rests):
        return sized
    at_once = sized.changed(enter=0) if doubts else sized
    case.waiting.append(
        Waiting(
            key=key,
            order=case.order,
            group=case.group.group,
            follower=follower.account,
            own=own.certain,
            doubts=tuple((doubts | frees).values()),
            placed=sized.reduce,
            enter=sized.enter - at_once.enter + later.enter,
            ahead=tuple((waiting.key, waiting.placed) for waiting in ahead(case, follower)),
        )
    )
    return at_once


def _owing(own: Own) -> dict[ClientOrderId, Doubt]:
    """Return the orders in doubt that an exit is not done with."""
    return {doubt.key: doubt for doubt in own.doubts} if own.owes else {}


def _comes_behind(case: Case, follower: FollowerPlan, own: Own) -> dict[ClientOrderId, Doubt]:
    """Return the orders in doubt that an order is not done with, or that exits before it wait for.

    An entry comes after those exits; an exit may close of what they have not yet closed themselves.
    """
    known = {doubt.key: doubt for doubt in own.doubts}
    found = _owing(own)
    for waiting in ahead(case, follower):
        found |= {doubt.key: known.get(doubt.key) or _as_of_now(case.book, doubt) for doubt in waiting.doubts}
    return found


def _as_of_now(book: Book, doubt: Doubt) -> Doubt:
    """Return a doubt that what is certain by now does not count on: what it trades from here changes that."""
    return replace(doubt, filled=book.copies[doubt.key].filled, closes=False)


def _closes_now(case: Case) -> bool:
    """Say whether an order trades as it is seen: at rest it may never, and in Confirmed mode its fills do."""
    order = case.order
    at_once = order.fill is not None or case.group.mode is not SyncMode.CONFIRMED
    return at_once and order.spec.order_type is OrderType.MARKET


def _taken_back(case: Case, follower: FollowerPlan, own: int, closing: int) -> Iterator[Waiting]:
    """Yield entries that still wait, less what the leader closes of them already; the last one goes first.

    They are closed as if they had been made: together with what the follower holds on their side once all
    that is on its way has filled, of which `closing` contracts are closed at once.
    """
    ratio = ratio_of(case.book, case.group, follower, case.order)
    if ratio is None:
        return
    side = case.order.side.opposite
    opening = [waiting for waiting in waiting_of(case, follower) if waiting.order.side is side]
    held = own if own * side.sign > 0 else 0
    all_of_it = held + sum(waiting.enter for waiting in opening) * side.sign
    left = reduction(case.book, follower, ratio, all_of_it, case.order) - closing
    for waiting in reversed(opening):
        taken = min(waiting.enter, max(0, left))
        left -= taken
        yield replace(waiting, enter=waiting.enter - taken)


def follow(case: Case, follower: FollowerPlan, *, quietly: bool = False) -> None:
    """Look again at a live order of the leader on behalf of one follower: change its copy, or let it grow."""
    key = case.key_of(follower)
    copy = case.copy_of(follower)
    if copy is None:
        if case.book.refused.get(key, _first_reason(case, key)) in _MAY_GROW:
            send_share(case, follower, key)
    elif copy.is_open:
        _change(case, follower, copy, quietly=quietly)


def _first_reason(case: Case, key: ClientOrderId) -> RefusalReason | None:
    """Return why an order that nobody was refused is not copied: in Confirmed mode it was no exit so far."""
    unasked = case.group.mode is SyncMode.CONFIRMED and key not in case.book.waiting
    return RefusalReason.NOTHING_TO_REDUCE if unasked else None


def _change(case: Case, follower: FollowerPlan, copy: Copy, *, quietly: bool) -> None:
    sized, refusal, own, weighed = _share(case, follower, copy)
    qty, enters = sized.qty, sized.enter
    if own.owes and not qty:  # it may be needed yet: it stays until that is known, at the new price
        qty, enters = (copy.target.qty, copy.enters) if copy.target is not None else (0, 0)
    if refusal is not None:
        if refusal.reason is not RefusalReason.FOLLOWER_OFFLINE and not quietly:
            case.refuse(copy.key, follower, Action.CHANGE, refusal, weighed)
        if refusal.reason is RefusalReason.KILL_SWITCH:
            return
        qty, enters = _what_stays(copy, sized.reduce, refusal, weighed)
    aimed = copy.changed(target=case.spec_of(qty) if qty else None, enters=enters)
    trailed = copy.target is not None and aimed.target is not None and aimed.target.means(copy.target)
    if aimed != copy and not (trailed and aimed.enters == copy.enters):
        aimed = aimed.changed(share_of=max(copy.share_of, case.share_of(follower, qty, enters)))
        step = advance(case.plan, case.book, put_off(aimed, case.order.at))
        case.steps.append(step.changed(weighed=weighed))


def _what_stays(copy: Copy, reduce: int, refusal: Refusal, weighed: Weighed | None) -> tuple[int, int]:
    """Return quantity and entering part of a copy that may not be what the leader's order makes of it.

    A limit leaves it what it still lets pass, and what lets nothing pass leaves it what it had, but never
    more than its share; where the share is nothing, nothing stays; and what says nothing about the size,
    such as a lost link, leaves the size alone: only the price follows.
    """
    had = copy.target.qty if copy.target is not None else 0
    if refusal.reason in _SIZELESS:
        return had, copy.enters
    room = refusal.room
    if weighed is not None and weighed.reason is not None and refusal.reason not in _LIMITS:
        room = weighed.enter
    told = min(had, max(copy.sent.qty, copy.asked))  # what it was to grow by as well is not there yet
    enters = min(room, max(0, told - reduce))
    return reduce + enters, enters


def resized(plan: OwnerPlan, book: Book, event: OrderFilled, others: dict[ClientOrderId, Copy]) -> Decision:
    """Return what follows for a follower's resting orders now that it holds something else.

    The leader's stop works from the moment its own entry filled; a follower whose entry filled later, or
    in parts, gets that stop then, for what it really holds. And what rests may not close more than is
    left, nor open more than a limit allows, once another order has closed it.
    """
    grown = _again(plan, book, _to_look_at(book, event), event.at, others)
    left = [copy for copy in book.open_copies_of(event.account) if copy.symbol == event.symbol]
    return joined(grown, Decision(steps=_cuts(plan, book, left)))


def _cuts(plan: OwnerPlan, book: Book, copies: Iterable[Copy]) -> tuple[CopyStep, ...]:
    steps = (_cut(plan, book, copy) for copy in copies)
    return tuple(step for step in steps if step is not None)


def _cut(plan: OwnerPlan, book: Book, copy: Copy) -> CopyStep | None:
    """Return what keeps an order that outlived its leader's, or the copying, from opening what it closes."""
    if copy.is_manual or copy.target is None or not _rests(copy.sent):
        return None
    stays = copy.enters + max(0, _closable(book, copy))
    if not stays or copy.target.qty - copy.filled <= stays:
        return None  # an exit that closes nothing any more is a difference, see `drift`
    if _lives(book, copy) and settings_of(plan, copy.leader, copy.group, copy.follower) is not None:
        return None  # it is sized with its leader's order
    aimed = copy.changed(target=replace(copy.target, qty=copy.filled + stays))
    if copy.filled + stays > copy.sent.qty:  # to grow it is told by the rules of then, see `telling`
        return CopyStep(copy=aimed, command=None)
    return advance(plan, book, aimed)


def settled(plan: OwnerPlan, book: Book, ended: Iterable[Copy], at: Nanos) -> Decision:
    """Return what follows for resting exits once it is known what orders beside them have not brought.

    They stayed for what an entry might bring, or were cut to what an exit on its way would leave.
    """
    left = {
        copy.key: copy
        for one in ended
        if not one.is_open
        for copy in book.open_copies_of(one.follower)
        if copy.symbol == one.symbol and _lives(book, copy)
    }
    pairs = [(copy, copy.leader_order) for copy in left.values()]
    return _again(plan, book, pairs, at, {})


def outgrown(plan: OwnerPlan, book: Book, at: Nanos, others: dict[ClientOrderId, Copy]) -> Decision:
    """Return what follows for resting exits that do not fit what is held, where no fill says so to `resized`.

    A bust or another hand has taken a part, and they would open something; or they close too little. Exits
    that close nothing at all are a difference, see `drift`.
    """
    copies = [copy for account in book.open_copies for copy in book.open_copies_of(account)]
    pairs = [
        (copy, copy.leader_order)
        for copy in copies
        if _lives(book, copy)
        and (_is_too_large(book, copy) or _covers_too_little(book, copy))
        and not is_moving(book, copy.follower, copy.symbol)
    ]
    cut = _cuts(plan, book, copies)
    calm = tuple(step for step in cut if not is_moving(book, step.copy.follower, step.copy.symbol))
    return joined(Decision(steps=calm), _again(plan, book, pairs, at, others))


def _covers_too_little(book: Book, copy: Copy) -> bool:
    """Say whether an exit of all that its leader holds closes a part only of what the follower holds.

    Its leader got there by trades whose share rounds to nothing, and no fill of the follower's says so.
    """
    return (
        not copy.enters
        and 0 < copy.outstanding < _closable(book, copy)
        and _closes_all(book, copy)
        and not is_moving(book, copy.leader, copy.leads)
    )


def _closes_all(book: Book, copy: Copy) -> bool:
    """Say whether a copy's leader is out of the contract once its own order has filled."""
    held, record = book.positions[copy.leader, copy.leads], book.orders[copy.leader, copy.leader_order]
    return held * record.unfilled < 0 and abs(held) <= abs(record.unfilled)


def _is_too_large(book: Book, copy: Copy) -> bool:
    return not copy.enters and 0 < _closable(book, copy) < abs(copy.unfilled)


def _closable(book: Book, copy: Copy) -> int:
    """Return the contracts that stand against an order's side; below 0 it would add to them."""
    return -book.positions[copy.follower, copy.symbol] * copy.side.sign


def _again(
    plan: OwnerPlan,
    book: Book,
    pairs: Iterable[tuple[Copy, OrderId]],
    at: Nanos,
    others: dict[ClientOrderId, Copy],
) -> Decision:
    decisions: list[Decision] = []
    for copy, leader_order_id in pairs:
        settings = settings_of(plan, copy.leader, copy.group, copy.follower)
        if settings is not None:
            group, follower = settings
            order = leader_order(book, copy.leader, leader_order_id, at)
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
            opposite = (record.side is filled.side) is filled.reverse
            if record.symbol == filled.leads and opposite and _rests(record.spec):
                found[filled.group, order_id] = filled
    for copy in book.open_copies_of(event.account):
        if copy.symbol == event.symbol and copy.order_id != event.order_id and _lives(book, copy):
            found[copy.group, copy.leader_order] = copy
    return [(found[where], where[1]) for where in sorted(found)]


def _lives(book: Book, copy: Copy) -> bool:
    return copy.leader_order in book.working[copy.leader] and _rests(copy.sent)


def _rests(spec: OrderSpec) -> bool:
    # What an order at the market could not close at once, `resume` closes under a name of its own.
    return spec.order_type is not OrderType.MARKET


def settings_of(
    plan: OwnerPlan, leader: AccountId, number: GroupId, account: AccountId
) -> tuple[GroupPlan, FollowerPlan] | None:
    """Return the running group and the follower that an order belongs to, if both still stand."""
    group = plan.led.get(leader)
    if group is None or group.group != number or not group.active:
        return None
    follower = next((found for found in group.followers if found.account == account), None)
    return (group, follower) if follower is not None else None
