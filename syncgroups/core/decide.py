"""What follows from an event: which follower gets which order, and who is left out for which reason.

`decide` reads the plan and the book after the event was folded in, and answers with a `Decision`. On the
way down it asks, in order: chains (own orders), sizing, the guard, keys. What it does for one follower
never depends on another.
"""

from syncgroups.core import (
    beyond,
    brackets,
    confirm,
    converge,
    guardrails,
    held,
    manual,
    owed,
    place,
    recover,
    repair,
    rests,
    resume,
    telling,
    watch,
)
from syncgroups.core.book import Book
from syncgroups.core.decision import NOTHING, Decision, copies_of, joined, once
from syncgroups.core.plan import OwnerPlan
from tradehaven.domain.commands import Confirmed, Denied, Outcome, Rejected, Unresolved
from tradehaven.domain.enums import Ask
from tradehaven.domain.events import (
    AccountLocked,
    BalanceReported,
    Event,
    GateChanged,
    HaltPressed,
    LimitsReported,
    LinkLost,
    OrderAsked,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderWorking,
    PersonAsked,
    PositionReported,
    PriceMoved,
    PricesLost,
    SilenceAsked,
    SnapshotTaken,
    TimePassed,
)


def decide(plan: OwnerPlan, book: Book, event: Event) -> Decision:
    """Return what to send, whom to leave out and what to remark because of one event."""
    copied = _copying(plan, book, event)
    if not plan.watched and not book.risk.guards:
        return once(copied)
    found = guardrails.after(plan, book, event, copied)
    if found.locks and copied.steps:
        # What an event has locked opens nothing because of that event either (F38).
        with book.risk.behind(found.locks):
            copied = _copying(plan, book, event)
            found = guardrails.after(plan, book, event, copied)
    return once(joined(copied, found))


def _copying(plan: OwnerPlan, book: Book, event: Event) -> Decision:
    match event:
        case OrderWorking():
            mine = recover.own_order(plan, book, event)
            placed = place.new_order(plan, book, event)
            return joined(placed, owed.refused(plan, book, placed.refusals, event.at), mine)
        case OrderChanged():
            mine = telling.own_order(plan, book, event)
            return joined(place.changed_order(plan, book, event), mine)
        case OrderFilled():
            return _filled(plan, book, event)
        case OrderEnded():
            return _ended(plan, book, event)
        case SnapshotTaken():
            seen = recover.after_snapshot(plan, book, event)
            guarded = brackets.all_looked_at(plan, book, copies_of(seen))
            late = beyond.overfilled_unseen(book)
            return joined(seen, resume.resumed(plan, book, event.at, seen), guarded, late)
        case OrdersListed():
            gone = recover.missed(book)
            left = joined(converge.out_after_all(plan, book, gone), place.settled(plan, book, gone, event.at))
            waited = resume.resumed(plan, book, event.at, left)
            return joined(recover.after_listing(book), left, waited)
        case GateChanged() | HaltPressed():
            return joined(watch.gate_turned(plan, book, event), recover.reopened(plan, book, event))
        case TimePassed():
            watched = watch.time_passed(plan, book, event)
            rested = rests.time_passed(plan, book, event.at)
            due = held.released(plan, book, event.at)
            seen = recover.after_settling(plan, book, event.at)
            waited = resume.resumed(plan, book, event.at)
            back = recover.rejoined(plan, book, event.at)
            told = joined(watched, converge.left_resting(plan, book), rested, due, seen, back)
            told = joined(told, place.outgrown(plan, book, event.at, copies_of(told)))
            return joined(told, waited, brackets.all_looked_at(plan, book, copies_of(told), again=True))
        case AccountLocked():
            return watch.locked(plan, event)
        case PersonAsked() | OrderAsked():
            return _asked(plan, book, event)
        case Confirmed() | Rejected() | Denied() | Unresolved():
            return _answered(plan, book, event)
        case _:
            return _nothing(event)


def _nothing(
    _event: PositionReported
    | BalanceReported
    | LimitsReported
    | PriceMoved
    | PricesLost
    | LinkLost
    | SilenceAsked,
) -> Decision:
    """Answer facts that no copy follows from; a new kind of event does not fit into this signature."""
    return NOTHING


def _filled(plan: OwnerPlan, book: Book, event: OrderFilled) -> Decision:
    flat = joined(
        converge.leader_flat(plan, book, event.account, event.symbol),
        converge.done_protecting(plan, book, event),
    )
    answered = confirm.filled(plan, book, event)
    waited = resume.resumed(plan, book, event.at, answered)
    grown = place.resized(plan, book, event, copies_of(joined(answered, waited)))
    kept = owed.refused(plan, book, answered.refusals, event.at)
    guarded = brackets.looked_at(plan, book, event.account)
    late = joined(beyond.overfilled(book, event), watch.opened_late(plan, book, event))
    return joined(flat, answered, waited, grown, kept, guarded, late)


def _ended(plan: OwnerPlan, book: Book, event: OrderEnded) -> Decision:
    ended = converge.ended_order(plan, book, event)
    kept = owed.failed(plan, book, event)
    own = book.copy_of_order(event.account, event.order_id)
    left = place.settled(plan, book, [own] if own else [], event.at)
    guarded = joined(brackets.failed(book, event), brackets.looked_at(plan, book, event.account))
    waited = resume.resumed(plan, book, event.at, left)
    return joined(ended, kept, left, waited, guarded)


def _asked(plan: OwnerPlan, book: Book, event: PersonAsked | OrderAsked) -> Decision:
    if isinstance(event, OrderAsked):
        return manual.ordered(plan, book, event)
    if event.ask is Ask.FLATTEN:
        return watch.flatten_asked(plan, book, event)
    return repair.asked(plan, book, event)


def _answered(plan: OwnerPlan, book: Book, outcome: Outcome) -> Decision:
    answered = telling.after_outcome(plan, book, outcome)
    late = held.held_back(plan, book, outcome)
    kept = owed.failed(plan, book, outcome)
    named = book.copies.get(outcome.client_order_id)
    gone = [named] if named else []
    left = joined(converge.out_after_all(plan, book, gone), place.settled(plan, book, gone, outcome.at))
    waited = resume.resumed(plan, book, outcome.at, left)
    return joined(answered, late, kept, left, waited, brackets.failed(book, outcome))
