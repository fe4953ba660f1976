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
from syncgroups.core.keys import client_order_id
from syncgroups.core.place import Refusal, follow, leader_order, refused
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.events import AccountSnapshot, OrdersListed, SnapshotTaken
from tradehaven.domain.ids import AccountId, Nanos
from tradehaven.domain.transitions import is_final


def after_snapshot(plan: OwnerPlan, book: Book, event: SnapshotTaken) -> Decision:
    """Return the cancels and changes that bring live copies in line, and what was missed."""
    seen = {account.account for account in event.accounts}
    decisions = [_in_line(plan, book, copy, event.at) for copy in _touched(book, seen)]
    missed = tuple(
        refusal
        for account in event.accounts
        for group in plan.led.get(account.account, ())
        if group.active
        for refusal in _missed_orders(book, group, account)
    )
    remarks = tuple(_never_accepted(book, seen))
    return joined(*decisions, Decision(refusals=missed, remarks=remarks))


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
    if record is None or (is_final(record.status) and record.status not in DONE):
        return withdrawn(plan, book, [copy]) if copy.target else _step(advance(plan, book, copy))
    settings = _settings(plan, copy)
    if is_final(record.status) or settings is None:
        return _step(advance(plan, book, copy))
    order = leader_order(book, copy.leader, copy.leader_order, at)
    found = list(follow(plan, book, *settings, order))
    steps = tuple(item for item in found if isinstance(item, CopyStep))
    refusals = tuple(item for item in found if isinstance(item, CopyRefused))
    return Decision(steps=steps or _step(advance(plan, book, copy)).steps, refusals=refusals)


def _step(step: CopyStep) -> Decision:
    return Decision(steps=(step,)) if step.command is not None else Decision()


def _settings(plan: OwnerPlan, copy: Copy) -> tuple[GroupPlan, FollowerPlan] | None:
    for group in plan.led.get(copy.leader, ()):
        if group.group == copy.group and group.active:
            for follower in group.followers:
                if follower.account == copy.follower:
                    return group, follower
    return None


def _missed_orders(book: Book, group: GroupPlan, account: AccountSnapshot) -> Iterator[CopyRefused]:
    for order in account.orders:
        if order.created_at < group.active_since:
            continue
        known = leader_order(book, account.account, order.order_id, order.created_at)
        for follower in group.followers:
            key = client_order_id(group.group, account.account, order.order_id, follower.account)
            if not book.is_decided(key):
                detail = "the leader's order came while the leader could not be seen"
                refusal = Refusal(reason=RefusalReason.ENGINE_OFFLINE, detail=detail)
                yield refused(key, group, follower, known, Action.PLACE, refusal)


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
