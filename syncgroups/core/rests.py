"""A follower that still rests although its leader has filled: how long, and what then, says its group.

An order that is to be replaced is cancelled first. Its successor goes out only when the cancel is known and
late fills have had a second to arrive, so that nothing is bought twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from syncgroups.core.book import Book
from syncgroups.core.case import Case, case_of
from syncgroups.core.converge import advance, is_halted
from syncgroups.core.copies import Copy
from syncgroups.core.decision import Action, CopyStep, Decision, Weighed, copies_of, joined
from syncgroups.core.expected import is_contradicted
from syncgroups.core.guarded import Refusal, guarded
from syncgroups.core.keys import chase_id, is_chase
from syncgroups.core.place import settings_of
from syncgroups.core.plan import FollowerPlan, OwnerPlan, RestPolicy
from syncgroups.core.share import own_of, quarantine
from syncgroups.core.sizing import Sized
from syncgroups.core.symbols import moved
from syncgroups.core.telling import order_of
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, RefusalReason, RestRule
from tradehaven.domain.ids import ClientOrderId, Nanos
from tradehaven.domain.money import limit_rounding
from tradehaven.domain.orders import OrderSpec

SECOND = 1_000_000_000
LATE_FILLS = SECOND
"""How long after its end an order's fills may still arrive: the broker tells both by themselves (7.3)."""
LIMIT = 60 * SECOND
"""How long a successor waits for its follower's link."""
GONE = Refusal(reason=RefusalReason.STALE, detail="its leader has left the contract in the meantime")
NO_PRICE = Refusal(reason=RefusalReason.STALE, detail="the leader's price is not known any more")
TOO_LATE = Refusal(reason=RefusalReason.STALE, detail="its account was out of reach for too long")
UNSURE = Refusal(
    reason=RefusalReason.UNRESOLVED, detail="its fills and its position do not agree: look at the account"
)


@dataclass(frozen=True, slots=True)
class _Chase:
    """An order that takes the place of one that rested, with the settings it is sent under."""

    copy: Copy
    case: Case
    follower: FollowerPlan
    rests: RestPolicy


def time_passed(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    """Return the cancels of what rested for too long, and the orders that take its place."""
    decisions = [Decision(steps=tuple(_overdue(plan, book, at)))]
    others: dict[ClientOrderId, Copy] = {}
    for key in book.chasing:
        succeeded = _succeeded(plan, book, key, at, others)
        others.update(copies_of(succeeded))
        decisions.append(succeeded)
    return joined(*decisions)


def _overdue(plan: OwnerPlan, book: Book, at: Nanos) -> Iterator[CopyStep]:
    for key, since in book.resting_since.items():
        copy = book.copies[key]
        settings = settings_of(plan, copy.leader, copy.group, copy.follower)
        if settings is None:
            continue
        rests = settings[0].rests
        rule = rests.entries if copy.enters else rests.exits
        if rule is RestRule.WAIT or at - since < rests.after * SECOND or is_halted(plan, book, copy.follower):
            continue
        yield advance(plan, book, copy.changed(target=None, chased=rule is not RestRule.CANCEL))


def _succeeded(
    plan: OwnerPlan, book: Book, key: ClientOrderId, at: Nanos, others: Mapping[ClientOrderId, Copy]
) -> Decision:
    """Return the order that takes the place of a cancelled one; nothing while it is too early.

    `others` are successors that the same second has made already: two exits of one position share it.
    """
    copy, ended = book.copies[key], book.chasing[key]
    settings = settings_of(plan, copy.leader, copy.group, copy.follower)
    if settings is None or book.is_decided(chase_id(key)):
        return Decision(chased=(key,))
    if at - ended < LATE_FILLS:
        return Decision()
    group, follower = settings
    chase = _Chase(copy, case_of(plan, book, group, _order(book, copy, at)), follower, group.rests)
    if plan.accounts[copy.follower].connection not in book.links:
        return Decision() if at - ended < LIMIT else _refused(chase, TOO_LATE)
    if is_contradicted(book, copy.follower, copy.symbol):  # what it had traded might be traded once more
        return Decision() if at - ended < LIMIT else _refused(chase, UNSURE)
    sized = _what_is_left(chase, others)
    if not sized.qty:
        return _refused(chase, GONE)
    held = book.copied.get(copy.holding, 0)
    order = chase.case.order
    barred = chase.case.barred or quarantine(book, group, follower, order) if sized.enter else None
    if barred is not None:
        return _refused(chase, barred)
    sized, refusal, weighed = guarded(plan.accounts, book, follower, order, sized, held, None, others)
    if refusal is not None:
        return _refused(chase, refusal, weighed)
    spec = _spec(chase, sized.qty)
    if spec is None:
        return _refused(chase, NO_PRICE)
    chase.case.send_as(chase_id(key), follower, sized, spec, weighed)
    return chase.case.decision().changed(chased=(key,))


def _refused(chase: _Chase, refusal: Refusal, weighed: Weighed | None = None) -> Decision:
    key = chase.copy.key
    chase.case.refuse(chase_id(key), chase.follower, Action.PLACE, refusal, weighed)
    return chase.case.decision().changed(chased=(key,))


def _order(book: Book, copy: Copy, at: Nanos) -> LeaderOrder:
    spec = OrderSpec(order_type=OrderType.MARKET, qty=copy.sent.qty)
    held = book.positions[copy.leader, copy.leads] * (-1 if copy.reverse else 1)
    return order_of(copy, spec, at).changed(before=held, reverse=copy.reverse, fill=copy.fill)


def _what_is_left(chase: _Chase, others: Mapping[ClientOrderId, Copy]) -> Sized:
    """Return the contracts that the old order left: of an exit what is held, of an entry what is wanted."""
    copy, order = chase.copy, chase.case.order
    left = copy.sent.qty - copy.filled
    if copy.enters:
        return Sized(reduce=0, enter=left if order.before * copy.side.sign > 0 else 0)
    held = own_of(chase.case.book, copy.group, copy.follower, order).certain
    free = -held * copy.side.sign - _leaving(chase, others)
    return Sized(reduce=max(0, min(left, free)), enter=0)


def _leaving(chase: _Chase, others: Mapping[ClientOrderId, Copy]) -> int:
    """Return the contracts that other successors close, and that nothing has counted yet."""
    copy, market = chase.copy, OrderType.MARKET
    limited = (one for one in chase.case.book.open_copies_of(copy.follower) if is_chase(one.key))
    under_way = {one.key: one for one in limited if one.sent.order_type is not market} | dict(others)
    return sum(
        one.outstanding for one in under_way.values() if one.holding == copy.holding and one.side is copy.side
    )


def _spec(chase: _Chase, qty: int) -> OrderSpec | None:
    """Return the successor's spec; None where it may not be worse than a price that nobody knows."""
    copy, rests = chase.copy, chase.rests
    rule = rests.entries if copy.enters else rests.exits
    record = chase.case.book.orders.get((copy.leader, copy.leader_order))
    price = record.price if record is not None else None
    limit = price  # of one contract it is the same whether anybody knows that or not
    if copy.leads != copy.symbol:
        limit = moved(price, limit_rounding(copy.side), product_of(copy.leads), product_of(copy.symbol))
    if limit is None and rule is RestRule.MARKET_WITHIN and copy.enters:
        return None
    if limit is None or rule is RestRule.MARKET:
        return OrderSpec(order_type=OrderType.MARKET, qty=qty)
    worst = type(limit)(limit + rests.slack * copy.side.sign)
    return OrderSpec(order_type=OrderType.LIMIT, qty=qty, limit=worst)
