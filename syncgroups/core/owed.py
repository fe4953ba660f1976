"""Exits that failed: kept, retried and said aloud until the follower holds no more than it should.

To answer a leader's exit is copying, not repair, so this holds under every drift policy; only a shut gate
makes it wait. What is owed is a difference like any other, so that rows remember it over a crash.
"""

from collections.abc import Iterable
from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.case import case_of, seen_by
from syncgroups.core.converge import is_withdrawn
from syncgroups.core.copies import Copy
from syncgroups.core.decision import (
    NOTHING,
    CopyRefused,
    Decision,
    Remark,
    RemarkKind,
    Step,
    joined,
)
from syncgroups.core.differences import NO_ORDER, Difference, DriftKind
from syncgroups.core.drift import Found
from syncgroups.core.expected import Pair, entitled, excess, is_sure, pair_of
from syncgroups.core.keys import CopyKey, client_order_id, repair_id
from syncgroups.core.mending import closing, pause, placed_again, quarantined
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.share import leader_order, ratio_of, reduction
from tradehaven.domain.commands import Denied, Outcome, PlaceOrder, Rejected
from tradehaven.domain.enums import OrderStatus, RefusalReason
from tradehaven.domain.events import OrderEnded
from tradehaven.domain.ids import Nanos, OrderId

SECOND = 1_000_000_000
SHOUT_EVERY = 60 * SECOND
OUT_OF_REACH = "its login was down when the leader's exit came"


def failed(plan: OwnerPlan, book: Book, event: Outcome | OrderEnded) -> Decision:
    """Return what is owed after an order of ours came to nothing."""
    copy = _failed_copy(book, event)
    if copy is None or copy.target is None or copy.is_unsent:  # what was held back goes when there is room
        return NOTHING
    pair = pair_of(plan.led.get(copy.leader), copy.holding, book)
    if pair is None:
        return NOTHING
    left = copy.sent.qty - copy.enters - copy.filled
    key = pair.key(DriftKind.FAILED_EXIT, copy.leader_order)
    known = book.differences.get(key)
    if left <= 0 or pair.own * copy.side.sign >= 0 or copy.leader_order == NO_ORDER:
        return NOTHING
    return _keep(pair, known, _owed(pair, copy.leader_order, left, event.at, _why(event)))


def _failed_copy(book: Book, event: Outcome | OrderEnded) -> Copy | None:
    if isinstance(event, Rejected | Denied):
        return book.copies.get(event.client_order_id)  # a change or cancel has a name of its own
    if isinstance(event, OrderEnded) and event.status is OrderStatus.REJECTED:
        return book.copy_of_order(event.account, event.order_id)
    return None


def _why(event: Outcome | OrderEnded) -> str:
    if isinstance(event, Denied):
        return f"the exit was not sent: {event.text}"
    said = f"{event.code} {event.text}" if isinstance(event, Rejected) else getattr(event, "reason", "")
    return f"the broker turned the exit down: {said}".strip()


def _owed(pair: Pair, order: OrderId, qty: int, at: Nanos, detail: str) -> Difference:
    key, left = pair.key(DriftKind.FAILED_EXIT, order), _left(pair, qty)
    return Difference(key=key, expected=left, actual=pair.own, since=at, detail=detail, qty=qty)


def _as_held(pair: Pair, owed: Difference) -> Difference:
    return replace(owed, expected=_left(pair, owed.qty), actual=pair.own)


def _left(pair: Pair, qty: int) -> int:
    return pair.own - max(-qty, min(qty, pair.own))


def _keep(pair: Pair, known: Difference | None, new: Difference) -> Decision:
    """Keep an exit that failed, aloud the first time; a retry that failed as well waits longer."""
    if known is not None:
        again = replace(known, qty=known.qty + new.qty, detail=new.detail)
        return Decision(differences=(_as_held(pair, again),))
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
        pair = _left_behind(plan, book, refusal)
        if pair is None:
            continue
        qty = _unanswered(plan, book, pair, refusal, at)
        if qty:
            known = book.differences.get(pair.key(DriftKind.FAILED_EXIT, refusal.leader_order))
            more = max(0, qty - known.qty) if known is not None else qty
            kept.append(_keep(pair, known, _owed(pair, refusal.leader_order, more, at, OUT_OF_REACH)))
    return joined(*kept)


def _left_behind(plan: OwnerPlan, book: Book, refusal: CopyRefused) -> Pair | None:
    record = book.orders.get((refusal.leader, refusal.leader_order))
    if refusal.reason is not RefusalReason.FOLLOWER_OFFLINE or record is None:
        return None
    holding = refusal.group, refusal.follower, refusal.symbol, record.symbol
    return pair_of(plan.led.get(refusal.leader), holding, book)


def _unanswered(plan: OwnerPlan, book: Book, pair: Pair, refusal: CopyRefused, at: Nanos) -> int:
    """Return what an order that a follower missed would have closed for it."""
    order = leader_order(book, refusal.leader, refusal.leader_order, at)
    whole = client_order_id(refusal.group, refusal.leader, refusal.leader_order, refusal.follower)
    if refusal.key != whole:  # Confirmed mode: so far the order is what has filled
        filled = book.orders[refusal.leader, refusal.leader_order].filled
        order = order.changed(change=filled * order.side.sign)
    seen = seen_by(case_of(plan, book, pair.group, order), pair.follower)
    told = seen[0].order if seen is not None else order
    ratio = ratio_of(book, pair.group, pair.follower, told)
    return reduction(book, pair.follower, ratio, pair.own, told) if ratio is not None else 0


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
    rests = order_id in book.working[pair.group.leader]  # while one at the market works nothing is sure
    if rests and any(copy.is_open for copy in _copies(book, pair, owed)):
        return [], None
    if record is not None and is_withdrawn(record):
        return [], None
    qty = _due(book, pair, owed)
    if not rests and not qty:
        return [], None
    if at < owed.due:
        return [], _as_held(pair, owed)
    if rests:
        steps = _placed(plan, book, pair, owed, at)
    else:
        steps = closing(plan, book, pair, qty, at, order=order_id)
    if not steps:
        return [], _as_held(pair, owed)
    placed = (step.command for step in steps if isinstance(step.command, PlaceOrder))
    tries, sent = owed.attempts + 1, sum(command.spec.qty for command in placed)
    return steps, replace(owed, attempts=tries, due=Nanos(at + pause(tries)), qty=max(0, owed.qty - sent))


def _placed(plan: OwnerPlan, book: Book, pair: Pair, owed: Difference, at: Nanos) -> list[Step]:
    """Place a resting exit that failed anew, as the leader's stands now."""
    group, leader, order_id = pair.group, pair.group.leader, owed.key.order
    key = client_order_id(group.group, leader, order_id, pair.account)
    if key in book.copies:  # the broker has seen that name
        whose = CopyKey(group=group.group, leader=leader, leader_order=order_id, follower=pair.account)
        key = repair_id(whose, pair.symbol, pair.leads, at // SECOND)
    return list(placed_again(plan, book, pair, order_id, key, at).steps)


def _copies(book: Book, pair: Pair, owed: Difference) -> list[Copy]:
    copies = book.copies_of_order(pair.group.leader, owed.key.order)
    return [copy for copy in copies if copy.holding == pair.holding]


def _due(book: Book, pair: Pair, owed: Difference) -> int:
    leader, bound = entitled(book, pair)
    if leader * pair.own <= 0:
        return excess(book, pair)
    return min(owed.qty, abs(pair.own) if bound is None else excess(book, pair))
