"""What became of a copy: the broker's answers, fills and ends as rows (COPY-08, DASH-05).

Every function may run twice with the same event. The recorder calls them, inside its transaction.
What was decided stands in `lineage`.
"""

from typing import Any

from brokers.models import Fill
from brokers.services.facts import moment
from syncgroups.core.copies import CopyState
from syncgroups.core.threads import is_command
from syncgroups.models import ActivityKind, CopiedOrder, Severity
from syncgroups.services.commands import command_answered, command_left_open
from syncgroups.services.lineage import spec_columns
from syncgroups.services.lines import Names, log
from tradehaven.domain.commands import Confirmed, Denied, Rejected, Unresolved
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderStatus, RefusalReason
from tradehaven.domain.events import OrderChanged, OrderEnded, OrderFilled, OrderState, OrderWorking
from tradehaven.domain.ids import AccountId, GroupId, Nanos, OwnerId
from tradehaven.domain.transitions import is_final


def copy_confirmed(event: Confirmed) -> None:
    """Store the broker's answer to a new order, or to a command about one."""
    if is_command(event.client_order_id):
        command_answered(event.client_order_id, event.at)
        return
    found = CopiedOrder.objects.filter(key=event.client_order_id)
    found.filter(acknowledged_at=None).update(acknowledged_at=moment(event.at))
    if event.order_id is not None:
        found.update(broker_order_id=event.order_id)


def copy_working(event: OrderWorking) -> None:
    """Store that a copy is live at the broker."""
    if event.client_order_id:
        CopiedOrder.objects.filter(key=event.client_order_id).exclude(state=CopyState.ENDED).update(
            state=CopyState.LIVE, broker_order_id=event.order_id
        )


def copy_stated(account: AccountId, order: OrderState, at: Nanos) -> None:
    """Store how a snapshot shows one of our orders: what happened while nobody looked."""
    if not order.client_order_id:
        return
    found = CopiedOrder.objects.filter(key=order.client_order_id, follower_id=account)
    for copy in found.exclude(state=CopyState.ENDED):
        fills = Fill.objects.filter(account_id=account, broker_order_id=order.order_id)
        copy.broker_order_id = order.order_id
        copy.filled = sum(fills.values_list("qty", flat=True))
        copy.state = CopyState.ENDED if is_final(order.status) else CopyState.LIVE
        if copy.state == CopyState.ENDED:
            copy.outcome, copy.ended_at = str(order.status), moment(at)
        copy.save(update_fields=["broker_order_id", "filled", "state", "outcome", "ended_at"])


def copy_changed(event: OrderChanged) -> None:
    """Store a copy's parameters in force."""
    _copy(event.account, event.order_id).update(**spec_columns(event.spec))


def copy_filled(owner: OwnerId, event: OrderFilled, names: Names) -> None:
    """Store an execution of a copy. `filled` is counted from the fills, so that a repeat adds nothing."""
    for copy in _copy(event.account, event.order_id):
        fills = Fill.objects.filter(account_id=event.account, broker_order_id=event.order_id)
        copy.filled = sum(fills.values_list("qty", flat=True))
        copy.filled_at = copy.filled_at or moment(event.at)
        copy.save(update_fields=["filled", "filled_at"])
        price = product_of(event.symbol).display(event.price)
        text = f"{names.account(event.account)}: {event.side} {event.qty} {event.symbol} filled @ {price}"
        _line(owner, ActivityKind.COPY_FILLED, copy, event.at, text, names, Severity.GOOD)


def copy_ended(owner: OwnerId, event: OrderEnded, names: Names) -> None:
    """Store the end of a copy, and a line when the broker turned it down."""
    found = _copy(event.account, event.order_id)
    if event.client_order_id:
        found = found | CopiedOrder.objects.filter(key=event.client_order_id)
    for copy in found.exclude(state=CopyState.ENDED):
        _end(copy, event.reason or str(event.status), event.at)
        if event.status is OrderStatus.REJECTED:
            _log_rejection(owner, copy, event.reason, event.at, names)


def copy_rejected(owner: OwnerId, event: Rejected, names: Names) -> None:
    """Store that the broker turned an order, a change or a cancel down at once."""
    if is_command(event.client_order_id):
        command_answered(event.client_order_id, event.at, f"{event.code}: {event.text}".removesuffix(": "))
        return
    for copy in CopiedOrder.objects.filter(key=event.client_order_id).exclude(state=CopyState.ENDED):
        reason = f"{event.code}: {event.text}" if event.text else event.code
        _end(copy, reason, event.at)
        _log_rejection(owner, copy, reason, event.at, names)


def copy_denied(owner: OwnerId, event: Denied, names: Names) -> None:
    """Store that an order was decided but not sent, and why. An exit without budget is owed: it waits."""
    if is_command(event.client_order_id):
        command_left_open(event.client_order_id, f"not sent: {event.text}")
        return
    for copy in CopiedOrder.objects.filter(key=event.client_order_id).exclude(state=CopyState.ENDED):
        waits = event.reason is RefusalReason.RATE_LIMITED and not copy.body["enters"]
        if waits:
            CopiedOrder.objects.filter(pk=copy.pk).update(outcome=f"waits: {event.text}"[:300])
        else:
            _end(copy, f"not sent: {event.text}", event.at)
        did = "waits with an exit of" if waits else "did not place"
        text = f"{names.account(event.account)} {did} {copy.symbol}: {event.text}"
        _line(
            owner,
            ActivityKind.COPY_REFUSED,
            copy,
            event.at,
            text,
            names,
            Severity.WARNING,
            reason=event.reason,
        )


def copy_unresolved(owner: OwnerId, event: Unresolved, names: Names) -> None:
    """Store that nobody knows yet whether the broker has the order."""
    if is_command(event.client_order_id):
        command_left_open(event.client_order_id, f"no answer: {event.text}")
        return
    for copy in CopiedOrder.objects.filter(key=event.client_order_id, broker_order_id=None):
        copy.state, copy.outcome = CopyState.UNRESOLVED, event.text[:300]
        copy.save(update_fields=["state", "outcome"])
        text = (
            f"{names.account(event.account)}: no answer for {copy.symbol}, asking the broker ({event.text})"
        )
        _line(owner, ActivityKind.UNRESOLVED, copy, event.at, text, names, Severity.WARNING)


def _copy(account: AccountId, order_id: int) -> Any:
    return CopiedOrder.objects.filter(follower_id=account, broker_order_id=order_id)


def _end(copy: CopiedOrder, outcome: str, at: Nanos) -> None:
    copy.state, copy.outcome, copy.ended_at = CopyState.ENDED, outcome[:300], moment(at)
    copy.save(update_fields=["state", "outcome", "ended_at"])


def _log_rejection(owner: OwnerId, copy: CopiedOrder, reason: str, at: Nanos, names: Names) -> None:
    account = names.account(AccountId(copy.follower_id))
    text = f"{account}: the broker rejected {copy.side} {copy.qty} {copy.symbol}: {reason}"
    _line(owner, ActivityKind.COPY_REJECTED, copy, at, text, names, Severity.DANGER)


def _line(
    owner: OwnerId,
    kind: ActivityKind,
    copy: CopiedOrder,
    at: Nanos,
    text: str,
    names: Names,
    severity: Severity,
    *,
    reason: str = "",
) -> None:
    """Write a line of the log about one copy."""
    log(
        owner,
        kind,
        at,
        text,
        names,
        severity=severity,
        reason=reason,
        account=AccountId(copy.follower_id),
        group=GroupId(copy.group_id) if copy.group_id else None,
        key=copy.key,
        symbol=copy.symbol,
    )
