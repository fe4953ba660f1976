"""Exits that failed: kept, retried and said aloud until the follower holds no more than it should.

To answer a leader's exit is copying, not repair, so this holds under every drift policy; only a shut gate
makes it wait. What is owed is a difference like any other, so that rows remember it over a crash.
"""

from collections.abc import Iterable
from dataclasses import replace

from risk.core.guard import strictest
from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.case import case_of, seen_by
from syncgroups.core.converge import DONE
from syncgroups.core.copies import Copy
from syncgroups.core.decision import NOTHING, CopyRefused, Decision, Remark, RemarkKind, Step, joined
from syncgroups.core.differences import Difference, DriftKind
from syncgroups.core.drift import Found
from syncgroups.core.expected import Pair, entitled, excess, is_sure, pair_of
from syncgroups.core.keys import CopyKey, client_order_id, is_repair, parse_key, repair_id
from syncgroups.core.mending import closing, pause, placed_again, quarantined
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.share import leader_order, ratio_of, reduction
from tradehaven.domain.commands import Confirmed, Denied, Rejected, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, TradingState
from tradehaven.domain.events import OrderEnded
from tradehaven.domain.ids import Nanos
from tradehaven.domain.transitions import is_final

SECOND = 1_000_000_000
SHOUT_EVERY = 60 * SECOND
End = Confirmed | Rejected | Denied | Unresolved | OrderEnded


def failed(plan: OwnerPlan, book: Book, event: End) -> Decision:
    """Return what is owed after an order of ours came to nothing."""
    copy = _failed_copy(book, event)
    pair = pair_of(plan.led.get(copy.leader), copy.holding, book) if copy is not None else None
    if copy is None or pair is None or copy.target is None:
        return NOTHING
    left = copy.sent.qty - copy.enters - copy.filled
    key = pair.key(DriftKind.FAILED_EXIT, copy.leader_order)
    known = book.differences.get(key)
    if left <= 0 or pair.own * copy.side.sign >= 0 or (is_repair(copy.key) and known is None):
        return NOTHING
    return _keep(pair, known, replace(_owed(pair, copy, left, event.at), detail=_why(event)))


def _failed_copy(book: Book, event: End) -> Copy | None:
    if isinstance(event, Rejected | Denied):
        copy = book.copies.get(event.client_order_id)  # a change or cancel has a name of its own
        return None if copy is not None and copy.is_unsent and copy.held_until else copy
    if isinstance(event, OrderEnded) and event.status is OrderStatus.REJECTED:
        return book.copy_of_order(event.account, event.order_id)
    return None


def _why(event: End) -> str:
    if isinstance(event, Denied):
        return f"the exit was not sent: {event.text}"
    said = f"{event.code} {event.text}" if isinstance(event, Rejected) else getattr(event, "reason", "")
    return f"the broker turned the exit down: {said}".strip()


def _owed(pair: Pair, copy: Copy, qty: int, at: Nanos) -> Difference:
    key = pair.key(DriftKind.FAILED_EXIT, copy.leader_order)
    return _difference(pair, Difference(key=key, expected=0, actual=0, since=at, detail="", qty=qty))


def _difference(pair: Pair, owed: Difference) -> Difference:
    sign = 1 if pair.own > 0 else -1
    left = min(owed.qty, abs(pair.own)) * sign
    return replace(owed, expected=pair.own - left, actual=pair.own)


def _keep(pair: Pair, known: Difference | None, new: Difference) -> Decision:
    """Keep an exit that failed, aloud the first time; a retry that failed as well waits longer."""
    if known is not None:
        again = replace(known, qty=known.qty + new.qty, detail=new.detail)
        return Decision(differences=(_difference(pair, again),))
    remedy = f"retried at the market until {_left_of(new)}"
    kept = replace(new, said=True, remedy=remedy, shouted_at=new.since, due=Nanos(new.since + pause(0)))
    return Decision(differences=(kept,), remarks=(_shout(kept),))


def _left_of(owed: Difference) -> str:
    return f"{owed.expected:+d} is left" if owed.expected else "it is flat"


def _shout(owed: Difference) -> Remark:
    tries = f"; tried {owed.attempts} times since" if owed.attempts else ""
    detail = f"an exit failed, {owed.actual:+d} is still held: {owed.detail}{tries}"
    return _remark(RemarkKind.EXIT_FAILED, owed, detail)


def _remark(kind: RemarkKind, owed: Difference, detail: str) -> Remark:
    key = owed.key
    return Remark(
        kind=kind,
        account=key.account,
        group=key.group,
        symbol=key.symbol,
        detail=detail,
        difference=owed,
    )


def refused(plan: OwnerPlan, book: Book, refusals: Iterable[CopyRefused], at: Nanos) -> Decision:
    """Return what is owed by followers that could not be reached when their leader left."""
    kept: list[Decision] = []
    for refusal in refusals:
        group = plan.led.get(refusal.leader)
        record = book.orders.get((refusal.leader, refusal.leader_order))
        if refusal.reason is not RefusalReason.FOLLOWER_OFFLINE or record is None:
            continue
        pair = pair_of(group, (refusal.group, refusal.follower, refusal.symbol, record.symbol), book)
        qty = _unanswered(plan, book, pair, refusal, at) if pair is not None else 0
        if pair is not None and qty:
            key = pair.key(DriftKind.FAILED_EXIT, refusal.leader_order)
            detail = "its login was down when the leader's exit came"
            owed = Difference(key=key, expected=0, actual=0, since=at, detail=detail, qty=qty)
            known = book.differences.get(key)
            more = max(0, qty - known.qty) if known is not None else qty
            kept.append(_keep(pair, known, _difference(pair, replace(owed, qty=more))))
    return joined(*kept)


def _unanswered(plan: OwnerPlan, book: Book, pair: Pair, refusal: CopyRefused, at: Nanos) -> int:
    """Return what an order that a follower missed would have closed for it."""
    order = leader_order(book, refusal.leader, refusal.leader_order, at)
    named = parse_key(refusal.key)
    if named is not None and named.fill is not None:  # Confirmed mode: so far the order is what has filled
        filled = book.orders[refusal.leader, refusal.leader_order].filled
        order = replace(order, change=filled * order.side.sign)
    seen = seen_by(case_of(plan, book, pair.group, order), pair.follower)
    ratio = ratio_of(book, pair.group, pair.follower, seen[0].order) if seen is not None else None
    return reduction(book, pair.follower, ratio, pair.own, seen[0].order) if seen is not None and ratio else 0


# -- until it is done --------------------------------------------------------------------------------


def retried(plan: OwnerPlan, book: Book, found: Found, at: Nanos) -> Decision:
    """Return the retries that are due; what is done is taken out of `found`, the rest brought up to date."""
    steps: list[Step] = []
    remarks: list[Remark] = []
    served: set[object] = set()
    for key, owed in sorted(found.differences.items()):
        if key.kind is not DriftKind.FAILED_EXIT:
            continue
        group = next((group for group in plan.groups if group.group == key.group), None)
        pair = pair_of(group, key.holding, book)
        if pair is None or not pair.own:
            del found.differences[key]  # the group was stopped or nothing is held: nobody is owed anything
            continue
        if not is_sure(plan, book, pair) or key.holding in served:
            continue
        sent, after = _retry(plan, book, pair, owed, at)
        if after is None:
            del found.differences[key]
            continue
        served.add(key.holding)
        steps += sent
        found.differences[key], said = _aloud(after, at)
        remarks += said
    return Decision(steps=tuple(steps), remarks=tuple(remarks))


def _aloud(owed: Difference, at: Nanos) -> tuple[Difference, list[Remark]]:
    owed, remarks = quarantined(owed)
    if at - owed.shouted_at >= SHOUT_EVERY:
        owed = replace(owed, shouted_at=at)
        remarks.append(_shout(owed))
    return owed, remarks


def _retry(
    plan: OwnerPlan, book: Book, pair: Pair, owed: Difference, at: Nanos
) -> tuple[list[Step], Difference | None]:
    """Return what is sent now, and what is still owed after it; None when it is done."""
    order_id = owed.key.order
    record = book.orders.get((pair.group.leader, order_id))
    rests = record is not None and not is_final(record.status) and not _is_market(record)
    if rests and any(copy.is_open for copy in _copies(book, pair, owed)):
        return [], None
    if record is not None and is_final(record.status) and record.status not in DONE and not record.filled:
        return [], None  # the leader withdrew the exit
    qty = _due(book, pair, owed)
    if not rests and not qty:
        return [], None
    halted = strictest(book.states_of(pair.follower.gates)) is TradingState.HALTED
    if halted or at < owed.due:
        return [], _difference(pair, owed)
    if rests:
        steps, sent = _placed(plan, book, pair, owed, at), 0
    else:
        steps, sent = closing(plan, book, pair, qty, at, order=order_id)
    if not steps:
        return [], _difference(pair, owed)
    tries = owed.attempts + 1
    return steps, replace(owed, attempts=tries, due=Nanos(at + pause(tries)), qty=max(0, owed.qty - sent))


def _placed(plan: OwnerPlan, book: Book, pair: Pair, owed: Difference, at: Nanos) -> list[Step]:
    """Place a resting exit that failed anew, as the leader's stands now."""
    group, leader, order_id = pair.group, pair.group.leader, owed.key.order
    key = client_order_id(group.group, leader, order_id, pair.account)
    if key in book.copies:  # the broker has seen that name
        whose = CopyKey(group=group.group, leader=leader, leader_order=order_id, follower=pair.account)
        key = repair_id(whose, pair.symbol, pair.leads, at // SECOND)
    return list(placed_again(plan, book, pair, order_id, key, at).steps)


def _is_market(record: OrderRecord) -> bool:
    return record.spec.order_type is OrderType.MARKET


def _copies(book: Book, pair: Pair, owed: Difference) -> list[Copy]:
    copies = book.copies_of_order(pair.group.leader, owed.key.order)
    return [copy for copy in copies if copy.holding == pair.holding]


def _due(book: Book, pair: Pair, owed: Difference) -> int:
    leader, bound = entitled(book, pair)
    if leader * pair.own <= 0:
        return excess(book, pair)
    return min(owed.qty, abs(pair.own) if bound is None else excess(book, pair))
