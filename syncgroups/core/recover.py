"""After a snapshot: what happened while nobody looked. A snapshot is never a reason to open anything.

Live copies are brought in line with their leader's order as it is now; what the leader did unseen is
logged as missed for each follower; copies that the broker never had are said to be missed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from syncgroups.core import telling
from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.case import Case, case_of, seen_by
from syncgroups.core.confirm import fill_order
from syncgroups.core.converge import DONE, advance, fitted, is_out, withdrawn
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.decision import (
    NOTHING,
    Action,
    CopyRefused,
    CopyStep,
    Decision,
    Remark,
    RemarkKind,
    Step,
    joined,
)
from syncgroups.core.expected import is_seen
from syncgroups.core.guarded import Refusal
from syncgroups.core.keys import client_order_id, is_repair
from syncgroups.core.place import follow, settings_of
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.share import is_resting_exit, leader_order
from tradehaven.domain.enums import OrderType, RefusalReason, SyncMode, TradingState
from tradehaven.domain.events import AccountSnapshot, GateChanged, HaltPressed, OrderWorking, SnapshotTaken
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos
from tradehaven.domain.transitions import is_final

UNSEEN = Refusal(
    reason=RefusalReason.ENGINE_OFFLINE, detail="the leader's order came while the leader could not be seen"
)


def after_snapshot(plan: OwnerPlan, book: Book, event: SnapshotTaken) -> Decision:
    """Return the cancels and changes that bring live copies in line, and what was missed."""
    seen = {account.account for account in event.accounts}
    others: dict[ClientOrderId, Copy] = {}
    decisions = [_in_line(plan, book, copy, event.at, others) for copy in _touched(book, seen)]
    missed = [_missed_orders(plan, book, account) for account in event.accounts]
    remarks = tuple(_never_accepted(book))
    protected = _protected(plan, book, seen, event.at)
    return joined(*decisions, *missed, protected, Decision(remarks=remarks))


def reopened(plan: OwnerPlan, book: Book, event: GateChanged | HaltPressed) -> Decision:
    """Return what brings live orders behind a gate in line again once it is open: nothing was told meanwhile.

    What was refused behind it stays refused: they move, or become less.
    """
    if isinstance(event, HaltPressed):
        return NOTHING
    # Behind a gate that opens by half what rests stays as it is.
    behind = (one for one in plan.accounts.values() if event.gate in one.gates)
    free = {one.account for one in behind if book.gates.strictest_of(one.gates) is TradingState.ACTIVE}
    return _again(plan, book, free, event.at)


def rejoined(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    """Return the same for those to whom copying has just begun again."""
    return _again(plan, book, book.back, at)


def _again(plan: OwnerPlan, book: Book, accounts: Iterable[AccountId], at: Nanos) -> Decision:
    others: dict[ClientOrderId, Copy] = {}
    seen = {account for account in accounts if is_seen(plan, book, account)}
    live = [copy for account in sorted(seen) for copy in book.open_copies_of(account)]
    return joined(*(_no_larger(plan, book, copy, _in_line(plan, book, copy, at, others)) for copy in live))


def _no_larger(plan: OwnerPlan, book: Book, copy: Copy, decision: Decision) -> Decision:
    """Return a decision by which an order moves or becomes less: a size that was refused stays refused."""
    steps: list[Step] = []
    for step in decision.steps:
        aimed = step.copy.target if isinstance(step, CopyStep) else None
        if aimed is None or copy.target is None or aimed.qty <= copy.target.qty:
            steps.append(step)
        elif (moved := copy.changed(target=replace(aimed, qty=copy.target.qty))) != copy:
            steps.append(advance(plan, book, moved))
    return decision.changed(steps=tuple(steps))


def own_order(plan: OwnerPlan, book: Book, event: OrderWorking) -> Decision:
    """Return what is to be said of an order of ours that is seen for the first time.

    Where a disk has lost that it was sent, only its name tells of it, and its leader's order may be over.
    """
    copy = book.copy_of_order(event.account, event.order_id)
    record = book.orders.get((copy.leader, copy.leader_order)) if copy is not None else None
    if copy is None or record is None or not is_final(record.status) or _stands_alone(plan, book, copy):
        return telling.own_order(plan, book, event)
    return _outlived(plan, book, copy, record, event.at)


def after_listing(book: Book) -> Decision:
    """Return the remarks that follow when the broker's lists lack what we sent."""
    return Decision(remarks=tuple(_never_accepted(book)))


def _touched(book: Book, accounts: set[AccountId]) -> list[Copy]:
    return [
        book.copies[key]
        for keys in book.open_copies.values()
        for key in sorted(keys)
        if book.copies[key].follower in accounts or book.copies[key].leader in accounts
    ]


def _in_line(
    plan: OwnerPlan, book: Book, copy: Copy, at: Nanos, others: dict[ClientOrderId, Copy]
) -> Decision:
    if _stands_alone(plan, book, copy):
        return telling.wished(plan, book, copy, at)
    record = book.orders.get((copy.leader, copy.leader_order))
    if record is None or is_final(record.status):
        return _outlived(plan, book, copy, record, at)
    settings = settings_of(plan, copy.leader, copy.group, copy.follower)
    if settings is None:
        return telling.wished(plan, book, copy, at)
    group, follower = settings
    case = case_of(plan, book, group, leader_order(book, copy.leader, copy.leader_order, at))
    if (seen := seen_by(replace(case, others=others), follower)) is not None:
        follow(*seen)
    others.update((step.copy.key, step.copy) for step in case.steps)
    return case.decision() if case.steps else joined(case.decision(), telling.wished(plan, book, copy, at))


def _stands_alone(plan: OwnerPlan, book: Book, copy: Copy) -> bool:
    """Say whether a copy answers no order of a leader that could be looked at now: its wish stays.

    What a leader filled it cannot take back, and what mends a difference answers no order at all.
    """
    mends = is_repair(copy.key) and copy.sent.order_type is OrderType.MARKET
    return copy.is_manual or copy.fill is not None or mends or not is_seen(plan, book, copy.leader)


def _outlived(plan: OwnerPlan, book: Book, copy: Copy, record: OrderRecord | None, at: Nanos) -> Decision:
    """Return what becomes of a copy whose leader's order has ended: an exit may stay, to protect."""
    done = record is not None and record.status in DONE
    # Filled, and the leader is out all the same: it came and went unseen.
    over = not done or (copy.enters and is_out(book, copy.leader, copy.leads))
    gone = withdrawn(plan, book, [copy]) if over else NOTHING
    if gone:
        return gone
    step, refusals = telling.told(plan, book, fitted(book, copy), at)
    return Decision(steps=(step,) if step.command is not None else (), refusals=refusals)


def _missed_orders(plan: OwnerPlan, book: Book, account: AccountSnapshot) -> Decision:
    group = plan.led.get(account.account)
    if group is None or not group.active:
        return Decision()
    if group.mode is SyncMode.CONFIRMED:
        return _missed_fills(plan, book, group, account)
    refusals: list[CopyRefused] = []
    for order in account.orders:
        if order.created_at < group.active_since or book.is_forgotten(account.account, order.order_id):
            continue
        known = leader_order(book, account.account, order.order_id, order.created_at)
        case = case_of(plan, book, group, known)
        for follower in group.followers:
            _missed(case, follower)
        refusals += case.refusals
    return Decision(refusals=tuple(refusals))


def _missed(case: Case, follower: FollowerPlan) -> None:
    key = case.key_of(follower)
    if not case.book.is_decided(key) and (seen := seen_by(case, follower)) is not None:
        seen[0].refuse(key, follower, Action.PLACE, UNSEEN)  # in the follower's own contract


def _missed_fills(plan: OwnerPlan, book: Book, group: GroupPlan, account: AccountSnapshot) -> Decision:
    """Return what the followers of a Confirmed group missed of their leader's fills."""
    refusals: list[CopyRefused] = []
    for fill in account.fills:
        if fill.traded_at < group.active_since or book.is_forgotten(account.account, fill.order_id):
            continue
        case = case_of(plan, book, group, fill_order(fill, 0))
        for follower in group.followers:
            mirrored = client_order_id(group.group, fill.account, fill.order_id, follower.account)
            if mirrored not in book.copies:
                _missed(case, follower)
        refusals += case.refusals
    return Decision(refusals=tuple(refusals))


def after_settling(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    """Return the exits for accounts that have been in sight long enough after a start."""
    if not book.settled:
        return Decision()
    accounts = {known.account for known in plan.accounts.values() if known.connection in book.settled}
    return _protected(plan, book, accounts, at)


def _protected(plan: OwnerPlan, book: Book, seen: set[AccountId], at: Nanos) -> Decision:
    """Return the leaders' resting exits as orders of those who hold something: that opens nothing.

    Right after a start an account has to wait: where every record was lost, the same exit may be on its way
    already, and not yet in the broker's lists.
    """
    decisions: list[Decision] = []
    for group in plan.groups:
        if not group.active:
            continue
        everybody = group.leader in seen
        for order in sorted(book.working[group.leader]):
            case = case_of(plan, book, group, leader_order(book, group.leader, order, at))
            if group.mode is not SyncMode.CONFIRMED and not is_resting_exit(case.order):
                continue  # it would open something; in Confirmed mode its fills would
            for follower in group.followers:
                if case.key_of(follower) in book.copies or not (everybody or follower.account in seen):
                    continue  # what has a copy was brought in line with the rest
                if plan.accounts[follower.account].connection in book.settling:
                    continue
                if (known := seen_by(case, follower)) is not None:
                    follow(*known)
            decisions.append(case.decision())
    return joined(*decisions)


def missed(book: Book) -> list[Copy]:
    """Return the copies of which it has just become certain that the broker never had them."""
    copies = (book.copies[key] for key in book.absent_since)
    return [copy for copy in copies if copy.state is CopyState.MISSED]


def _never_accepted(book: Book) -> Iterator[Remark]:
    for copy in missed(book):
        yield Remark(
            kind=RemarkKind.MISSED,
            account=copy.follower,
            group=copy.group,
            symbol=copy.symbol,
            detail=f"{copy.side} {copy.sent.qty} {copy.symbol} was sent but never reached the broker",
            key=copy.key,
        )
