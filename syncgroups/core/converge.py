"""Bringing a follower's live orders to where the leader's stand: changes, cancels, and what they become.

Nothing here opens exposure. A step without a command waits: for the order's name, for an answer that is
still out, or for the link to come back.
"""

from collections.abc import Iterable
from dataclasses import replace

from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.copies import Copy, next_command
from syncgroups.core.decision import (
    NOTHING,
    Action,
    CopyRefused,
    CopyStep,
    Decision,
    Remark,
    RemarkKind,
    joined,
)
from syncgroups.core.expected import is_moving, is_seen
from syncgroups.core.guarded import Refusal
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.stated import within
from tradehaven.domain.commands import ChangeOrder
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, TradingState
from tradehaven.domain.events import OrderEnded, OrderFilled
from tradehaven.domain.ids import AccountId, Symbol
from tradehaven.domain.transitions import is_final

KEPT = Refusal(
    reason=RefusalReason.KILL_SWITCH, detail="the kill switch is on: this exit stays in the market"
)
DONE = frozenset({OrderStatus.FILLED, OrderStatus.COMPLETED})


def is_withdrawn(record: OrderRecord) -> bool:
    """Say whether an order was taken back before any of it had traded."""
    return is_final(record.status) and record.status not in DONE and not record.filled


def advance(plan: OwnerPlan, book: Book, copy: Copy, *, retry: bool = False) -> CopyStep:
    """Return the next step of a copy; without a link there is no command, and the wish is kept.

    Behind a shut gate nothing is told that does not make an order smaller, also not what was wished before;
    behind a lock nothing that lets it open more.
    """
    if not is_seen(plan, book, copy.follower):
        return CopyStep(copy=copy, command=None)
    if book.risk.is_locked(copy.follower):
        copy = grown_to_close(copy)
    after, command = next_command(copy, retry=retry)
    if isinstance(command, ChangeOrder) and command.spec.qty >= copy.sent.qty:
        if is_halted(plan, book, copy.follower):
            return CopyStep(copy=copy, command=None)
    return CopyStep(copy=after, command=command)


def grown_to_close(copy: Copy) -> Copy:
    """Return a copy that wishes to be larger than it is only by what it closes."""
    if copy.target is None:
        return copy
    most = max(copy.sent.qty, copy.target.qty - copy.enters)
    cut = max(0, copy.target.qty - most)
    return copy.changed(target=replace(copy.target, qty=most), enters=copy.enters - cut) if cut else copy


def ended_order(plan: OwnerPlan, book: Book, event: OrderEnded) -> Decision:
    """Return the cancels that follow from the end of a leader's order."""
    record = book.orders.get((event.account, event.order_id))
    if event.status not in DONE:
        copies = book.copies_of_order(event.account, event.order_id)
        return withdrawn(plan, book, [copy for copy in copies if copy.fill is None])
    return leader_flat(plan, book, event.account, record.symbol) if record is not None else NOTHING


def leader_flat(plan: OwnerPlan, book: Book, account: AccountId, symbol: Symbol) -> Decision:
    """Return the cancels of entries that still rest although their leader is out of the contract."""
    group = plan.led.get(account)
    if group is None or not is_out(book, account, symbol):
        return NOTHING
    orphans = [
        copy
        for follower in group.followers
        for copy in book.open_copies_of(follower.account)
        if copy.group == group.group and copy.leads == symbol and copy.enters and _leader_is_done(book, copy)
    ]
    return withdrawn(plan, book, orphans)


def left_resting(plan: OwnerPlan, book: Book) -> Decision:
    """Return the cancels of entries whose leader has filled and is out by now, though no fill has said so.

    A bust, or fills that were lost: the broker's word on its position has settled that (F18, F11).
    """
    orphans = [
        copy
        for copy in map(book.copies.__getitem__, book.resting_since)
        if copy.enters and _follows(plan, copy) and _is_out_for_certain(plan, book, copy)
    ]
    return withdrawn(plan, book, orphans)


def _follows(plan: OwnerPlan, copy: Copy) -> bool:
    group = plan.led.get(copy.leader)
    if group is None or group.group != copy.group:
        return False
    return any(follower.account == copy.follower for follower in group.followers)


def _is_out_for_certain(plan: OwnerPlan, book: Book, copy: Copy) -> bool:
    where = copy.leader, copy.leads
    return is_out(book, *where) and is_seen(plan, book, copy.leader) and not is_moving(book, *where)


def out_after_all(plan: OwnerPlan, book: Book, settled: Iterable[Copy]) -> Decision:
    """Return what follows for a chain where an order of its own leader's is in doubt no more."""
    return joined(*(leader_flat(plan, book, copy.follower, copy.symbol) for copy in settled))


def is_out(book: Book, account: AccountId, symbol: Symbol) -> bool:
    """Say whether an account holds nothing of a contract and has nothing at the market for it."""
    return not book.positions.get((account, symbol), 0) and not book.flying(account, symbol)


def _leader_is_done(book: Book, copy: Copy) -> bool:
    record = book.orders.get((copy.leader, copy.leader_order))
    return record is None or (is_final(record.status) and not _is_ahead_of_fills(record))


def _is_ahead_of_fills(record: OrderRecord) -> bool:
    return record.status is OrderStatus.FILLED and record.filled < record.spec.qty


def withdrawn(plan: OwnerPlan, book: Book, copies: Iterable[Copy]) -> Decision:
    """Return the cancels of these copies. Behind a shut gate an exit stays: it is the only protection."""
    steps: list[CopyStep] = []
    refusals: list[CopyRefused] = []
    for copy in copies:
        if not copy.is_open or copy.target is None or _still_protects(book, copy):
            continue
        if copy.enters == 0 and is_halted(plan, book, copy.follower):
            refusals.append(KEPT.about(copy, Action.CANCEL))
        else:
            steps.append(advance(plan, book, copy.changed(target=None)))
    return Decision(steps=tuple(steps), refusals=tuple(refusals))


def _still_protects(book: Book, copy: Copy) -> bool:
    """Say whether an exit is needed by a follower that is left with what its leader got rid of already.

    The leader's target filled and took its stop away; the follower's target did not.
    """
    held = book.copied.get(copy.holding, 0)
    return not copy.enters and held * copy.side.sign < 0 and is_out(book, copy.leader, copy.leads)


def done_protecting(plan: OwnerPlan, book: Book, event: OrderFilled) -> Decision:
    """Return what is taken back of exits that outlived their leader's, where less is left to exit."""
    steps: list[CopyStep] = []
    for copy in book.open_copies_of(event.account):
        record = book.orders.get((copy.leader, copy.leader_order))
        ended = record is None or is_final(record.status)
        if ended and not copy.is_manual:  # what belongs to a manual one is kept in line by `brackets`
            fits = fitted(book, copy)
            if fits is not copy:
                steps.append(advance(plan, book, fits))
    return Decision(steps=tuple(steps))


def fitted(book: Book, copy: Copy) -> Copy:
    """Return an exit whose leader's order has ended as it may go on resting: never beyond what is held.

    Nobody resizes it any more. What it would trade beyond the position would open the other side (I5).
    """
    if copy.enters or copy.target is None or copy.sent.order_type is OrderType.MARKET:
        return copy
    held = within(book.copied.get(copy.holding, 0), book.positions.get((copy.follower, copy.symbol), 0))
    room = max(0, -held * copy.side.sign)
    if copy.outstanding <= room:
        return copy
    return copy.changed(target=replace(copy.target, qty=copy.filled + room) if room else None)


def is_halted(plan: OwnerPlan, book: Book, account: AccountId) -> bool:
    """Say whether nothing may be copied to an account now."""
    known = plan.accounts.get(account)
    gates = known.gates if known is not None else ()
    return book.gates.strictest_of(gates) is TradingState.HALTED


def stuck(copy: Copy, detail: str) -> Remark:
    """Return the remark that a person must look at an order."""
    return Remark(
        kind=RemarkKind.COMMAND_STUCK,
        account=copy.follower,
        group=copy.group,
        symbol=copy.symbol,
        detail=detail,
    )
