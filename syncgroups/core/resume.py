"""Exits that waited for a follower's own orders in doubt: what is closed once those have ended.

Only what the doubt really brought is closed, never what the follower bought since.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from syncgroups.core.behind import freeing
from syncgroups.core.book import Book
from syncgroups.core.case import Case, case_of, seen_by
from syncgroups.core.converge import DONE, is_withdrawn
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.decision import NOTHING, Action, Decision, copies_of, joined
from syncgroups.core.guarded import Refusal, guarded
from syncgroups.core.keys import rest_id
from syncgroups.core.place import send_share, settings_of
from syncgroups.core.plan import FollowerPlan, OwnerPlan
from syncgroups.core.share import CAP_REACHED, leader_order, own_of, quarantine, ratio_of, reduction
from syncgroups.core.sizing import Sized
from syncgroups.core.waiting import Doubt, LeaderOrder, Waiting
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, TradingState
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.transitions import is_final

STALE = 2 * 1_000_000_000
"""How late an order may still open something (reliability anchors, F01)."""
LIMIT = 60 * 1_000_000_000
"""How long an exit waits for an order without a known end; what is left then is drift, and said."""

WITHDRAWN = Refusal(
    reason=RefusalReason.NOTHING_TO_REDUCE, detail="the leader withdrew the exit before it had to close"
)
HELD_NOTHING = Refusal(
    reason=RefusalReason.NOTHING_TO_REDUCE, detail="its own entry ended without a fill: nothing is to close"
)
TAKEN_BACK = Refusal(
    reason=RefusalReason.STALE, detail="the leader closed it again before it could be opened"
)
OUT_OF_TIME = Refusal(
    reason=RefusalReason.UNRESOLVED, detail="its own earlier order has no known end: look at the account"
)
TOO_LATE = Refusal(
    reason=RefusalReason.STALE, detail="its old position closed too late for the leader's new one"
)


def resumed(plan: OwnerPlan, book: Book, at: Nanos, after: Decision = NOTHING) -> Decision:
    """Return the orders that waiting exits may send now, and the reasons of those that need none.

    `after` is what the same event has had for an answer: the copies that it changes, and what it takes back
    of entries that wait.
    """
    decisions: list[Decision] = []
    # The next one counts on what this one closes, or what is placed already: it comes after.
    served: set[AccountId] = {step.account for step in after.steps if isinstance(step.command, PlaceOrder)}
    for waiting in (book.waiting | {waiting.key: waiting for waiting in after.waiting}).values():
        if waiting.follower not in served:
            decisions.append(_look(plan, book, waiting, at, copies_of(after)))
            served.update(step.account for step in decisions[-1].steps)
    return joined(*decisions)


def _look(
    plan: OwnerPlan, book: Book, waiting: Waiting, at: Nanos, others: Mapping[ClientOrderId, Copy]
) -> Decision:
    seen = _case(plan, book, waiting, at)
    if seen is None:
        return _over(waiting)  # the group was stopped, or the follower left it: positions stay as they are
    case, follower = seen
    if _was_withdrawn(book, waiting.order):
        return _ended(case, follower, waiting, WITHDRAWN)
    if plan.accounts[follower.account].connection not in book.links:
        return NOTHING
    case.others.update(others)
    why = CAP_REACHED if waiting.enter else HELD_NOTHING if _closes(waiting.order) else TAKEN_BACK
    if _rests(case):
        # An exit whose leader is out by now, by the other leg of its pair, would open something.
        if waiting.enter or _closes(case.order):
            why = send_share(case, follower, waiting.key) or why
        if case.steps:
            return joined(case.decision(), _over(waiting))  # from here it grows with each fill
    else:
        waiting = _close_more(case, follower, waiting, at)
    if _is_over(book, waiting):
        return _ended(case, follower, waiting, why)
    if _has_time(book, follower, waiting, at):
        return case.decision()
    return _ended(case, follower, waiting, OUT_OF_TIME)


def _was_withdrawn(book: Book, order: LeaderOrder) -> bool:
    """Say whether a leader took an order back before it traded, or it is not listed any more."""
    record = book.orders.get((order.account, order.order_id))
    return order.fill is None and (record is None or is_withdrawn(record))


def _has_time(book: Book, follower: FollowerPlan, waiting: Waiting, at: Nanos) -> bool:
    """Say whether a waiting goes on: for a minute, or while what it waits for is being told something."""
    # Behind a shut gate nothing is told any more, however long it was put off.
    shut = book.gates.strictest_of(follower.gates) is TradingState.HALTED
    told = not shut and any(_is_told(book, doubt) for doubt in waiting.doubts)
    return told or at - waiting.order.at < LIMIT


def _rests(case: Case) -> bool:
    order, book = case.order, case.book
    return order.spec.order_type is not OrderType.MARKET and order.order_id in book.working[order.account]


def _case(plan: OwnerPlan, book: Book, waiting: Waiting, at: Nanos) -> tuple[Case, FollowerPlan] | None:
    """Return what waits as it stands now: it may open by the rules of now alone, not of when it was seen."""
    account = waiting.order.account
    settings = settings_of(plan, account, waiting.group, waiting.follower)
    if settings is None:
        return None
    group, follower = settings
    record = book.orders.get((account, waiting.order.order_id))
    if record is None or waiting.order.fill is not None:
        return case_of(plan, book, group, waiting.order.changed(at=at)), follower
    order = leader_order(book, account, waiting.order.order_id, at)
    return seen_by(case_of(plan, book, group, _as_traded(book, order)), follower)


def _as_traded(book: Book, order: LeaderOrder) -> LeaderOrder:
    """Return an order that may have ended in part: what was taken back rests nowhere, what traded counts."""
    record = book.orders.get((order.account, order.order_id))
    if order.fill is not None or record is None or not is_final(record.status) or not record.filled:
        return order
    spec = order.spec if record.status in DONE else OrderSpec(order_type=OrderType.MARKET, qty=order.spec.qty)
    return order.changed(change=record.filled * order.side.sign, spec=spec)


def _was_cut_short(book: Book, order: LeaderOrder) -> bool:
    """Say whether a leader's order ended before all of it had traded."""
    record = book.orders.get((order.account, order.order_id))
    return order.fill is None and record is not None and is_final(record.status) and record.status not in DONE


def _close_more(case: Case, follower: FollowerPlan, waiting: Waiting, at: Nanos) -> Waiting:
    """Close what the doubts have brought so far, at most what is certainly held now.

    A flip opens its other side only then, with the last of what it closes, and not when that comes late.
    Return the waiting as it goes on: what now stands in the way of the rest is waited for, too.
    """
    book, order = case.book, case.order.changed(before=waiting.order.before)
    ratio = ratio_of(book, case.group, follower, order)
    if ratio is None:
        return waiting
    own = _brought(book, waiting)
    room = _room(case, follower, waiting, order)
    wanted = reduction(book, follower, ratio, own, order) - waiting.placed
    wanted -= _closed_behind(book, follower, ratio, waiting, wanted)
    if wanted > room:
        waiting = _with_late_doubts(case, follower, waiting, order)
    reduce = max(0, min(room, wanted))
    first = waiting.key not in book.copies
    rests = waiting.rests if first else waiting.rests + 1
    key = waiting.key if first else rest_id(waiting.key, rests)
    enter, waiting = _opened(case, follower, waiting, key, at)
    if not reduce and not enter:
        return waiting
    asked = Sized(reduce=reduce, enter=enter)
    sized, refusal, weighed = guarded(
        case.plan.accounts, book, follower, order, asked, own, others=case.others
    )
    if refusal is not None:
        case.refuse(key, follower, Action.PLACE, refusal, weighed)
    if sized.qty:
        case.send(key, follower, sized, weighed)
    waiting = replace(waiting, placed=waiting.placed + reduce, rests=rests)
    case.waiting.append(waiting)
    return waiting


def _brought(book: Book, waiting: Waiting) -> int:
    """Return the signed holding that an exit counts on by now: less what those ahead have closed since."""
    own = waiting.own + sum(_gained(book, doubt) for doubt in waiting.doubts)
    closed = sum(_closed_by(book, key) - placed for key, placed in waiting.ahead)
    return own + closed * waiting.order.side.sign


def _closed_behind(
    book: Book, follower: FollowerPlan, ratio: Fraction, waiting: Waiting, closing: int
) -> int:
    """Return what the exits behind have closed beyond their share, now that this one closes so many.

    They closed what was certain then, of which this one had not had its part.
    """
    beyond = 0
    for behind in book.waiting.values():
        if any(key == waiting.key for key, _ in behind.ahead):
            order = _as_traded(book, behind.order)
            own = _brought(book, behind) + closing * order.side.sign
            beyond += max(0, behind.placed - reduction(book, follower, ratio, own, order))
    return beyond


def _opened(
    case: Case, follower: FollowerPlan, waiting: Waiting, key: ClientOrderId, at: Nanos
) -> tuple[int, Waiting]:
    """Return what goes now of what waits to open, and the waiting as it goes on; say why it may not."""
    if not waiting.enter or not _is_over(case.book, waiting):
        return 0, waiting
    over = _was_cut_short(case.book, case.order)  # what it had opened by then would be taken back no more
    late = over or at - waiting.order.at > STALE or not _still_stands(case.book, case.order)
    barred = TOO_LATE if late else case.barred or quarantine(case.book, case.group, follower, case.order)
    if barred is not None:
        case.refuse(key, follower, Action.PLACE, barred)
        return 0, waiting
    if follower.max_contracts is None:
        return waiting.enter, waiting
    return _within_cap(case, follower, waiting, follower.max_contracts)


def _within_cap(case: Case, follower: FollowerPlan, waiting: Waiting, cap: int) -> tuple[int, Waiting]:
    """Return what a cap lets in now of what waits to open, and the waiting as it goes on.

    While an exit is on its way that makes room for more, none of it goes.
    """
    own = own_of(case.book, waiting.group, follower.account, case.order)
    room = min(waiting.enter, max(0, cap - max(0, own.certain * case.order.side.sign)))
    late = freeing(case, follower, own) if room < waiting.enter else ()
    return (0, replace(waiting, doubts=waiting.doubts + late)) if late else (room, waiting)


def _closes(order: LeaderOrder) -> bool:
    return order.before * order.change < 0


def _still_stands(book: Book, order: LeaderOrder) -> bool:
    """Say whether the leader holds, or is about to hold, something on the side that it turned to."""
    where = order.account, order.leads
    net = book.positions[where] + book.flying(*where)
    return (-net if order.reverse else net) * order.side.sign > 0


def _with_late_doubts(case: Case, follower: FollowerPlan, waiting: Waiting, order: LeaderOrder) -> Waiting:
    """Return a waiting that also waits for orders which came into doubt since and may close the same."""
    first = case.book.copies.get(waiting.key)
    own = own_of(case.book, waiting.group, follower.account, order, first)
    known = {doubt.key for doubt in waiting.doubts}
    ours = f"{waiting.key}.r"
    late = tuple(
        # What it was certain of did not count on them: they change it by what they trade, and no more.
        replace(doubt, closes=False)
        for doubt in own.doubts
        if doubt.closes and doubt.key not in known and not doubt.key.startswith(ours)
    )
    waiting = replace(waiting, doubts=waiting.doubts + late)
    case.waiting.append(waiting)
    return waiting


def _closed_by(book: Book, key: ClientOrderId) -> int:
    """Return how many contracts the orders of one exit close: the first one and its rests."""
    closed, name, number = 0, key, 0
    while (copy := book.copies.get(name)) is not None:
        closed += copy.sent.qty if copy.is_open else copy.filled
        number += 1
        name = rest_id(key, number)
    return closed


def _room(case: Case, follower: FollowerPlan, waiting: Waiting, order: LeaderOrder) -> int:
    """Return the contracts that are certainly there to be closed now, beside those of its first order."""
    first = case.book.copies.get(waiting.key)
    held = own_of(case.book, waiting.group, follower.account, order, first).certain
    closing = 0
    if first is not None:  # one that has ended closes nothing beyond what it has traded
        closing = first.sent.qty if first.is_open else first.filled
    return max(0, -held * order.side.sign - closing)


def _gained(book: Book, doubt: Doubt) -> int:
    """Return the signed contracts by which the holding differs from what was certain, now that it ended."""
    if not _is_settled(book, doubt):
        return 0
    sign = 1 if doubt.left > 0 else -1
    traded = (book.copies[doubt.key].filled - doubt.filled) * sign
    return traded - doubt.left if doubt.closes else traded


def _is_over(book: Book, waiting: Waiting) -> bool:
    return all(_is_settled(book, doubt) for doubt in waiting.doubts)


def _is_told(book: Book, doubt: Doubt) -> bool:
    """Say whether an order in doubt is about to be told something, as soon as its login's budget allows."""
    copy = book.copies[doubt.key]
    held = copy.is_open and copy.held_until  # one that has ended meanwhile is told nothing any more
    return bool(held) or (copy.state is CopyState.LIVE and copy.in_flight is not None)


def _is_settled(book: Book, doubt: Doubt) -> bool:
    return not book.copies[doubt.key].outstanding


def _ended(case: Case, follower: FollowerPlan, waiting: Waiting, refusal: Refusal) -> Decision:
    """Return the end of a waiting, with its reason where nothing was ever sent and nothing said.

    What it was to open is named also where it has closed something: that was given up as a whole.
    """
    sent = waiting.key in case.book.copies or any(step.copy.key == waiting.key for step in case.steps)
    opens = waiting.enter > 0 and refusal is OUT_OF_TIME
    if (opens or not sent) and all(refused.key != waiting.key for refused in case.refusals):
        case.refuse(waiting.key, follower, Action.PLACE, refusal)
    return joined(case.decision(), _over(waiting))


def _over(waiting: Waiting) -> Decision:
    return Decision(waiting=(replace(waiting, doubts=()),))
