"""What the login's budget held back: when it may be tried again, what of it is still wanted.

An order that opens something is never sent late. An exit is owed: it goes as soon as there is room, but
never for more than is still held by then. Changes and cancels go with the latest wish.
"""

from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.converge import advance, is_halted
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.decision import NOTHING, CopyStep, Decision, Step, joined
from syncgroups.core.expected import is_seen
from syncgroups.core.guarded import Refusal
from syncgroups.core.place import settings_of
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.share import own_of
from syncgroups.core.telling import order_of, told
from tradehaven.domain.commands import Denied, Outcome
from tradehaven.domain.enums import OrderType, RefusalReason, TradingState
from tradehaven.domain.ids import AccountId, Nanos, Symbol
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.transitions import is_final

GROUP_STOPPED = Refusal(
    reason=RefusalReason.GROUP_OFF, detail="copying was stopped before the exit could be sent"
)
HALTED = Refusal(reason=RefusalReason.KILL_SWITCH, detail="the kill switch is on")
CLOSED_ALREADY = Refusal(
    reason=RefusalReason.NOTHING_TO_REDUCE, detail="what it had to close was closed before it could be sent"
)


def held_back(plan: OwnerPlan, book: Book, outcome: Outcome) -> Decision:
    """Return what follows when an order found no room: the closing part of a flip goes alone, at once."""
    copy = book.copies.get(outcome.client_order_id)
    if not isinstance(outcome, Denied) or copy is None or not copy.is_unsent:
        return NOTHING
    if copy.held_until > outcome.at:
        return Decision(steps=(CopyStep(copy=copy, command=None),))  # written down, for a start to find
    detail = f"{outcome.text}; only what closes its position is sent"
    opening = Refusal(reason=RefusalReason.RATE_LIMITED, detail=detail)
    return joined(_again(plan, book, copy, outcome.at), Decision(refusals=(opening.about(copy),)))


def released(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    """Return the commands that may be tried again now, the most urgent first."""
    due = [book.copies[key] for key in sorted(book.held) if book.copies[key].held_until <= at]
    found: list[Decision] = []
    served: set[tuple[AccountId, Symbol]] = set()
    for copy in due:
        where = (copy.follower, copy.symbol)
        if copy.is_unsent and where in served:
            continue  # what this one may close depends on what the one before it does
        found.append(_again(plan, book, copy, at))
        if copy.is_unsent and found[-1].steps:
            served.add(where)
    answer = joined(*found)
    return answer.changed(steps=tuple(sorted(answer.steps, key=_urgency)))


def _urgency(step: Step) -> int:
    return step.command.lane if step.command is not None else 0


def _again(plan: OwnerPlan, book: Book, copy: Copy, at: Nanos) -> Decision:
    if copy.is_unsent and copy.target is not None:
        return _exit_again(plan, book, copy, copy.target, at)
    step, refusals = told(plan, book, copy, at, retry=True)
    if is_seen(plan, book, copy.follower):  # without a command it stands as wished by now
        step = step.changed(copy=step.copy.changed(held_until=Nanos(0)))
    if step.copy == copy:
        return NOTHING
    return Decision(steps=(step,), refusals=refusals)


def _exit_again(plan: OwnerPlan, book: Book, copy: Copy, target: OrderSpec, at: Nanos) -> Decision:
    if copy.is_manual:  # how much it may still close is kept up to date by `brackets`
        step = advance(plan, book, copy, retry=True)
        halted = is_halted(plan, book, copy.follower)
        return Decision(steps=(step,)) if step.command is not None and not halted else NOTHING
    settings = settings_of(plan, copy.leader, copy.group, copy.follower)
    if settings is None:
        return _given_up(copy, GROUP_STOPPED)
    if book.gates.strictest_of(settings[1].gates) is TradingState.HALTED:
        return _given_up(copy, HALTED)
    closable, in_doubt = _closable(book, copy, target, at)
    qty = min(target.qty, closable)
    if qty < target.qty and in_doubt:
        return NOTHING  # an order that closes the same may fill yet: it is looked at again when that is known
    if not qty:
        record = book.orders.get((copy.leader, copy.leader_order))
        lives = record is not None and not is_final(record.status)
        return NOTHING if lives else _given_up(copy, CLOSED_ALREADY)
    step = advance(plan, book, copy.changed(target=replace(target, qty=qty), enters=0), retry=True)
    return Decision(steps=(step,)) if step.command is not None else NOTHING


def _closable(book: Book, copy: Copy, target: OrderSpec, at: Nanos) -> tuple[int, bool]:
    """Return the contracts that an exit may certainly close now, and whether orders in doubt may change that.

    Other exits that wait as well do not count: they come after this one and are weighed then. Nor do entries
    that rest on behind their leader's: that may be for ever, and what they bring is closed by what waits for
    them (`resume`).
    """
    sign = copy.side.sign
    own = own_of(book, copy.group, copy.follower, order_of(copy, target, at), copy)
    doubtful = [(doubt, book.copies[doubt.key]) for doubt in own.doubts]
    certain = own.certain - sum(doubt.left for doubt, other in doubtful if other.is_unsent)
    return max(0, -sign * certain), any(not other.is_unsent and not _rests(other) for _, other in doubtful)


def _rests(copy: Copy) -> bool:
    return copy.target is not None and copy.sent.order_type is not OrderType.MARKET


def _given_up(copy: Copy, refusal: Refusal) -> Decision:
    step = CopyStep(copy=copy.changed(state=CopyState.ENDED), command=None)
    return Decision(steps=(step,), refusals=(refusal.about(copy),))
