"""After a snapshot: what happened while nobody looked. A snapshot is never a reason to open anything.

Live copies are brought in line with their leader's order as it is now; what the leader did unseen is
logged as missed for each follower; copies that the broker never had are said to be missed.
"""

from collections.abc import Iterator

from syncgroups.core.book import Book
from syncgroups.core.converge import DONE, advance, withdrawn
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.decision import (
    Action,
    CopyRefused,
    CopyStep,
    Decision,
    Remark,
    RemarkKind,
    joined,
)
from syncgroups.core.keys import is_repair
from syncgroups.core.place import case_of, follow, settings_of
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.share import Refusal, leader_order
from tradehaven.domain.enums import OrderType, RefusalReason
from tradehaven.domain.events import AccountSnapshot, OrdersListed, SnapshotTaken
from tradehaven.domain.ids import AccountId, Nanos
from tradehaven.domain.transitions import is_final

UNSEEN = Refusal(
    reason=RefusalReason.ENGINE_OFFLINE, detail="the leader's order came while the leader could not be seen"
)


def after_snapshot(plan: OwnerPlan, book: Book, event: SnapshotTaken) -> Decision:
    """Return the cancels and changes that bring live copies in line, and what was missed."""
    seen = {account.account for account in event.accounts}
    decisions = [_in_line(plan, book, copy, event.at) for copy in _touched(book, seen)]
    missed = [_missed_orders(plan, book, account) for account in event.accounts]
    remarks = tuple(_never_accepted(book, seen))
    return joined(*decisions, *missed, Decision(remarks=remarks))


def after_listing(book: Book, event: OrdersListed) -> Decision:
    """Return the remarks that follow when the broker's lists lack what we sent."""
    return Decision(remarks=tuple(_never_accepted(book, set(event.accounts))))


def _touched(book: Book, accounts: set[AccountId]) -> list[Copy]:
    return [
        book.copies[key]
        for keys in book.open_copies.values()
        for key in sorted(keys)
        if book.copies[key].follower in accounts or book.copies[key].leader in accounts
    ]


def _in_line(plan: OwnerPlan, book: Book, copy: Copy, at: Nanos) -> Decision:
    leader = plan.accounts.get(copy.leader)
    if leader is None or leader.connection not in book.links:
        return _step(advance(plan, book, copy))  # the leader cannot be seen: what was wished stays wished
    record = book.orders.get((copy.leader, copy.leader_order))
    if is_repair(copy.key) and copy.sent.order_type is OrderType.MARKET:
        return _step(advance(plan, book, copy))  # it answers no order that could have been withdrawn
    if record is None or (is_final(record.status) and record.status not in DONE):
        return withdrawn(plan, book, [copy]) if copy.target else _step(advance(plan, book, copy))
    settings = settings_of(plan, copy)
    if is_final(record.status) or settings is None:
        return _step(advance(plan, book, copy))
    group, follower = settings
    case = case_of(plan, book, group, leader_order(book, copy.leader, copy.leader_order, at))
    follow(case, follower)
    return case.decision() if case.steps else joined(case.decision(), _step(advance(plan, book, copy)))


def _step(step: CopyStep) -> Decision:
    return Decision(steps=(step,)) if step.command is not None else Decision()


def _missed_orders(plan: OwnerPlan, book: Book, account: AccountSnapshot) -> Decision:
    group = plan.led.get(account.account)
    if group is None or not group.active:
        return Decision()
    refusals: list[CopyRefused] = []
    for order in account.orders:
        if order.created_at < group.active_since:
            continue
        known = leader_order(book, account.account, order.order_id, order.created_at)
        case = case_of(plan, book, group, known)
        for follower in group.followers:
            key = case.key_of(follower)
            if not book.is_decided(key):
                case.refuse(key, follower, Action.PLACE, UNSEEN)
        refusals += case.refusals
    return Decision(refusals=tuple(refusals))


def _never_accepted(book: Book, accounts: set[AccountId]) -> Iterator[Remark]:
    for key in list(book.absent_since):
        copy = book.copies[key]
        if copy.state is CopyState.MISSED and copy.follower in accounts:
            yield Remark(
                kind=RemarkKind.MISSED,
                account=copy.follower,
                group=copy.group,
                symbol=copy.symbol,
                detail=f"{copy.side} {copy.sent.qty} {copy.symbol} was sent but never reached the broker",
                key=key,
            )
