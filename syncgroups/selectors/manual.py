"""What became of a manual copy, follower by follower."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from accounts.models import User
from brokers.models import Account, Order
from syncgroups.core.copies import CopyState
from syncgroups.core.keys import Leg, leg_id, manual_id, manual_order
from syncgroups.models import Activity, ActivityKind, CopiedOrder, ManualCopy, ManualShare
from tradehaven.domain.enums import OrderStatus, RefusalReason
from tradehaven.domain.ids import AccountId, ClientOrderId

UNSEEN_AFTER = timedelta(seconds=65)
"""The engine takes no order older than a minute; a few seconds more and its record would be here."""


class ManualStatus(StrEnum):
    """Where one follower's part of a manual copy stands."""

    WAITING = "waiting"
    STALE = "stale"
    SKIPPED = "skipped"
    SUBMITTED = "submitted"
    WORKING = "working"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualResult:
    """One follower's part: contracts ordered, filled and held now, and the broker's numbers of its orders.

    `reason` says in words why there is no order, or none any more; `code` names it where we left it out.
    """

    account: Account
    status: ManualStatus
    code: RefusalReason | None
    reason: str
    qty: int
    filled: int
    net: int
    key: ClientOrderId
    order_id: int | None
    stop_loss_order_id: int | None
    take_profit_order_id: int | None


def manual_copies_of(user: User) -> QuerySet[ManualCopy]:
    """Return a person's manual copies, the newest first."""
    return (
        ManualCopy.objects.filter(owner=user).select_related("leader", "group").order_by("-created_at", "-pk")
    )


def manual_copy_for(user: User, public_id: str) -> ManualCopy:
    """Return one of the user's own manual copies; a stranger's does not exist."""
    return get_object_or_404(manual_copies_of(user), public_id=public_id)


def results_of(copy: ManualCopy, now: datetime) -> list[ManualResult]:
    """Return what became of a manual copy for each follower that was chosen."""
    rows = CopiedOrder.objects.filter(owner_id=copy.owner_id, leader_order_id=manual_order(copy.pk))
    orders = {row.key: row for row in rows.order_by("pk")}
    shares = copy.shares.select_related("account").order_by("account_id")
    return [_result(copy, share, orders, now) for share in shares]


def _result(
    copy: ManualCopy, share: ManualShare, orders: dict[str, CopiedOrder], now: datetime
) -> ManualResult:
    account = AccountId(share.account_id)
    key = manual_id(copy.pk, AccountId(copy.leader_id), account, copy.stop_loss, copy.take_profit)
    entry = orders.get(key)
    code: RefusalReason | None = None
    if entry is not None:
        status, reason = _status(entry), entry.outcome
    else:
        status, code, reason = _unordered(copy, key, now)
    return ManualResult(
        account=share.account,
        status=status,
        code=code,
        reason=reason,
        qty=entry.qty if entry is not None else 0,
        filled=entry.filled if entry is not None else 0,
        net=share.net,
        key=key,
        order_id=entry.broker_order_id if entry is not None else None,
        stop_loss_order_id=_leg(orders, key, Leg.STOP_LOSS),
        take_profit_order_id=_leg(orders, key, Leg.TAKE_PROFIT),
    )


def _unordered(
    copy: ManualCopy, key: ClientOrderId, now: datetime
) -> tuple[ManualStatus, RefusalReason | None, str]:
    lines = Activity.objects.filter(owner_id=copy.owner_id, key=key, kind=ActivityKind.COPY_REFUSED)
    line = lines.order_by("-at", "-pk").first()
    if line is not None:
        return ManualStatus.SKIPPED, RefusalReason(line.reason), line.text
    if now - copy.created_at > UNSEEN_AFTER:
        late = "no engine took it within a minute; it will not be sent"
        return ManualStatus.STALE, RefusalReason.STALE, late
    return ManualStatus.WAITING, None, ""


_OPEN = {
    CopyState.SENDING: ManualStatus.SUBMITTED,
    CopyState.LIVE: ManualStatus.WORKING,
    CopyState.UNRESOLVED: ManualStatus.UNRESOLVED,
    CopyState.FILLING: ManualStatus.FILLED,
    CopyState.MISSED: ManualStatus.REJECTED,
}


def _status(entry: CopiedOrder) -> ManualStatus:
    state = CopyState(entry.state)
    if state in _OPEN:
        return _OPEN[state]
    if entry.filled >= entry.qty or entry.outcome == OrderStatus.FILLED:
        return ManualStatus.FILLED
    if entry.broker_order_id is None:
        return ManualStatus.REJECTED
    orders = Order.objects.filter(account_id=entry.follower_id, broker_order_id=entry.broker_order_id)
    rejected = orders.filter(status=OrderStatus.REJECTED).exists()
    return ManualStatus.REJECTED if rejected else ManualStatus.CANCELLED


def _leg(orders: dict[str, CopiedOrder], entry: ClientOrderId, leg: Leg) -> int | None:
    """Return the broker's number of the newest order that is this leg."""
    first = leg_id(entry, leg, 0)
    rows = [row for key, row in orders.items() if key == first or key.startswith(f"{first}.r")]
    return rows[-1].broker_order_id if rows else None
