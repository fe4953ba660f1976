"""What gates and passing time ask for: flatten until flat, retry what was turned down, say what drifts."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from risk.core.flatten import flatten
from syncgroups.core import beyond, drift, flatness, owed, repair, telling
from syncgroups.core.book import Book
from syncgroups.core.copies import CopyState
from syncgroups.core.decision import (
    NOTHING,
    AccountStep,
    CopyRefused,
    CopyStep,
    Decision,
    Remark,
    RemarkKind,
    joined,
)
from syncgroups.core.differences import Difference
from syncgroups.core.drift import Found
from syncgroups.core.flatness import AGAIN
from syncgroups.core.keys import close_id
from syncgroups.core.plan import OwnerPlan
from tradehaven.domain.commands import CancelOrder, ClosePosition, Denied
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import (
    AccountLocked,
    GateChanged,
    HaltPressed,
    OrderFilled,
    PersonAsked,
    TimePassed,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, GateId, Nanos

SECOND = 1_000_000_000


def gate_turned(plan: OwnerPlan, book: Book, event: GateChanged | HaltPressed) -> Decision:
    """Return the flattening that a shut gate asks for; that it is shut is in the book already."""
    is_shut = isinstance(event, HaltPressed) or event.state is TradingState.HALTED
    if not is_shut or not event.flatten:
        return NOTHING
    gates = event.gates if isinstance(event, HaltPressed) else (event.gate,)
    behind = (known.account for known in plan.accounts.values() if not set(gates).isdisjoint(known.gates))
    return _begun(plan, book, behind, event.at)


def locked(plan: OwnerPlan, event: AccountLocked) -> Decision:
    """Return the flattening that a lock had begun in a life of the engine before this one (F05)."""
    if not event.flatten or event.account not in plan.accounts:
        return NOTHING
    return Decision(flattening=(event.account,))


def flatten_asked(plan: OwnerPlan, book: Book, event: PersonAsked) -> Decision:
    """Return the flattening of one account that a person asked for without shutting anything."""
    named = (account for account in plan.accounts if str(account) == event.subject)
    return _begun(plan, book, named, event.at)


def _begun(plan: OwnerPlan, book: Book, named: Iterable[AccountId], at: Nanos) -> Decision:
    # Whoever is becoming flat already is told again every few seconds: not twice at once.
    accounts = tuple(account for account in named if account not in book.flattening)
    steps = [step for account in accounts for step in flattening_steps(plan, book, account, at)]
    return Decision(steps=tuple(steps), flattening=accounts)


def in_flight(plan: OwnerPlan, book: Book, gates: Iterable[GateId]) -> list[tuple[AccountId, ClientOrderId]]:
    """Return what was sent behind these gates and has no answer yet: it may still become a trade."""
    over = set(gates)
    behind = sorted(known.account for known in plan.accounts.values() if not over.isdisjoint(known.gates))
    return [
        (account, copy.in_flight or copy.key)
        for account in behind
        for copy in book.open_copies_of(account)
        if copy.in_flight is not None or copy.state is CopyState.UNRESOLVED
    ]


def time_passed(plan: OwnerPlan, book: Book, event: TimePassed) -> Decision:
    """Return what about a second's wait makes due."""
    steps: list[AccountStep | CopyStep] = []
    remarks: list[Remark] = []
    refusals: list[CopyRefused] = []
    for account, tried_at in book.flattening.items():
        if not _is_seen(plan, book, account):
            continue  # what it holds is not known: it is looked at again when its link is back
        if flatness.is_flat(plan, book, account, event.at):
            remarks.append(_flat(account))
        elif event.at - tried_at >= AGAIN:
            steps.extend(flattening_steps(plan, book, account, event.at))
    for copies in book.open_copies.values():
        for key in copies:
            if book.copies[key].refusals:
                step, barred = telling.told(plan, book, book.copies[key], event.at, retry=True)
                if step.command is not None:
                    steps.append(step)
                    refusals.extend(barred)
    looked = _looked(plan, book, event.at)
    told = Decision(steps=tuple(steps), remarks=tuple(remarks), refusals=tuple(refusals))
    return joined(told, looked, beyond.taken_back(plan, book, event.at))


def opened_late(plan: OwnerPlan, book: Book, event: OrderFilled) -> Decision:
    """Return the close of what fills in an account that is made flat, if no close of that is under way.

    When it was last told to become flat there was nothing to close there, and its stop, too, was taken back.
    """
    account, symbol = event.account, event.symbol
    closing = event.at - book.at_work.closed_at.get((account, symbol), 0) < AGAIN
    held = book.positions.get((account, symbol), 0)
    if account not in book.flattening or not held or closing or not _is_seen(plan, book, account):
        return NOTHING
    name = close_id(account, symbol, event.at // SECOND)
    close = ClosePosition(account=account, client_order_id=name, symbol=symbol)
    return Decision(steps=(AccountStep(account=account, command=close, at=event.at),))


def put_off_flatten(book: Book, event: Denied) -> bool:
    """Let an account that could not be told to become flat be told again when there is room."""
    if event.retry_at is None or event.account not in book.flattening:
        return False
    book.flattening[event.account] = Nanos(event.retry_at - AGAIN)
    return True


def _is_seen(plan: OwnerPlan, book: Book, account: AccountId) -> bool:
    known = plan.accounts.get(account)
    return known is not None and known.connection in book.links


def flattening_steps(plan: OwnerPlan, book: Book, account: AccountId, at: Nanos) -> Iterator[AccountStep]:
    """Yield what makes an account flat, as far as it can be told now."""
    if not _is_seen(plan, book, account):
        return
    working = [(order, book.orders[account, order].symbol) for order in sorted(book.working[account])]
    todo = flatten(working, book.held_symbols(account))
    number = at // SECOND
    for order in todo.cancel:
        name = close_id(account, f"o{order}", number)
        cancel = CancelOrder(account=account, client_order_id=name, order_id=order)
        yield AccountStep(account=account, command=cancel, at=at)
    for symbol in todo.close:
        name = close_id(account, symbol, number)
        close = ClosePosition(account=account, client_order_id=name, symbol=symbol)
        yield AccountStep(account=account, command=close, at=at)


def _flat(account: AccountId) -> Remark:
    return Remark(
        kind=RemarkKind.FLAT, account=account, group=None, symbol=None, detail="the broker says: flat"
    )


# -- drift -------------------------------------------------------------------------------------------


def _looked(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    """Compare expectation and fact, mend what may be mended, and say what begins, changes and ends."""
    found = drift.find(plan, book, at)
    retries = owed.retried(plan, book, found, at)
    repairs = repair.mended(plan, book, found, at)
    remarks = tuple(_said(plan, book, found, at))
    said = Decision(look=found.look(), remarks=(*found.remarks, *remarks))
    return joined(retries, repairs, said)


def _said(plan: OwnerPlan, book: Book, found: Found, at: Nanos) -> Iterator[Remark]:
    for key, known in book.differences.items():
        if known.said and key not in found.differences:
            yield _drift(RemarkKind.DRIFT_OVER, known, "what is held and what should be agree again")
    for key, difference in list(found.differences.items()):
        if not difference.said and drift.is_established(difference, at):
            told = replace(difference, said=True, remedy=repair.remedy(plan, book, difference))
            found.differences[key] = told
            yield _drift(RemarkKind.DRIFT, told, told.detail)
        elif difference.said and _shown(difference) != _shown(book.differences[key]):
            told = replace(difference, remedy=repair.remedy(plan, book, difference))
            found.differences[key] = told
            yield _drift(RemarkKind.DRIFT_CHANGED, told, told.detail)


def _shown(difference: Difference) -> tuple[int, int, str, int]:
    return difference.expected, difference.actual, difference.detail, difference.attempts


def _drift(kind: RemarkKind, difference: Difference, detail: str) -> Remark:
    key = difference.key
    return Remark(
        kind=kind,
        account=key.account,
        group=key.group or None,
        symbol=key.symbol,
        detail=detail,
        difference=difference,
    )
