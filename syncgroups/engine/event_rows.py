"""What each kind of event becomes as rows: the broker's facts, lineage, lines of the log.

`recorder` calls these inside its batch's transaction; each returns which parts of the pages it changes.
"""

from collections.abc import Callable
from typing import Any

from brokers.models import Connection
from brokers.services import facts
from brokers.services.budgets import record_silence
from brokers.services.health import record_drop
from brokers.services.limits import record_limits
from syncgroups.core.threads import thread_of
from syncgroups.models import ActivityKind, Severity, SyncGroup
from syncgroups.services import lineage, lines, outcomes
from syncgroups.services.lines import Names
from tradehaven.domain.commands import Confirmed, Denied, Rejected, Unresolved
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import (
    BalanceReported,
    LimitsReported,
    LinkLost,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrderWorking,
    PositionReported,
    SilenceAsked,
    SnapshotTaken,
)
from tradehaven.domain.ids import GroupId, OwnerId
from tradehaven.live.messages import Topic


def _working(owner: OwnerId, event: OrderWorking, names: Names) -> tuple[Topic, ...]:
    facts.record_working(event)
    outcomes.copy_working(event)
    _leader_line(owner, event, names)
    return (Topic.ACTIVITY,)


def _changed(_owner: OwnerId, event: OrderChanged, _names: Names) -> tuple[Topic, ...]:
    facts.record_changed(event)
    outcomes.copy_changed(event)
    return ()


def _filled(owner: OwnerId, event: OrderFilled, names: Names) -> tuple[Topic, ...]:
    facts.record_fills([event])
    outcomes.copy_filled(owner, event, names)
    return (Topic.OVERVIEW, Topic.ACCOUNTS, Topic.ACTIVITY)


def _ended(owner: OwnerId, event: OrderEnded, names: Names) -> tuple[Topic, ...]:
    facts.record_ended(event)
    outcomes.copy_ended(owner, event, names)
    return (Topic.ACTIVITY,)


def _position(_owner: OwnerId, event: PositionReported, _names: Names) -> tuple[Topic, ...]:
    facts.record_positions([event])
    return (Topic.ACCOUNTS, Topic.OVERVIEW)


def _balance(_owner: OwnerId, event: BalanceReported, _names: Names) -> tuple[Topic, ...]:
    facts.record_balance(event)
    return (Topic.ACCOUNTS, Topic.OVERVIEW)


def _limits(owner: OwnerId, event: LimitsReported, names: Names) -> tuple[Topic, ...]:
    before = record_limits(owner, event)
    if before is None or before == event.state:
        return (Topic.ACCOUNTS,)
    name, severity = names.account(event.account), Severity.WARNING
    if event.state is TradingState.ACTIVE:
        text, severity = f"{name}: the broker takes entries again", Severity.GOOD
    elif event.state is TradingState.REDUCING:
        text = f"{name}: the broker takes only orders that close ({event.because}). Entries are not copied"
    else:
        text, severity = f"{name}: the broker has locked it ({event.because})", Severity.DANGER
    lines.log(owner, ActivityKind.GUARDRAIL, event.at, text, names, account=event.account, severity=severity)
    return (Topic.ACCOUNTS, Topic.ACTIVITY)


def _confirmed(_owner: OwnerId, event: Confirmed, _names: Names) -> tuple[Topic, ...]:
    outcomes.copy_confirmed(event)
    return ()


def _rejected(owner: OwnerId, event: Rejected, names: Names) -> tuple[Topic, ...]:
    outcomes.copy_rejected(owner, event, names)
    return (Topic.ACTIVITY,)


def _denied(owner: OwnerId, event: Denied, names: Names) -> tuple[Topic, ...]:
    outcomes.copy_denied(owner, event, names)
    return (Topic.ACTIVITY,)


def _unresolved(owner: OwnerId, event: Unresolved, names: Names) -> tuple[Topic, ...]:
    outcomes.copy_unresolved(owner, event, names)
    return (Topic.ACTIVITY,)


def _leader_line(owner: OwnerId, event: OrderWorking, names: Names) -> None:
    group = SyncGroup.objects.filter(leader_id=event.account, active=True).first()
    if group is None:
        return
    order = f"{event.side} {event.spec.qty} {event.symbol} {lineage.describe(event.symbol, event.spec)}"
    text = f"{names.account(event.account)} placed {order}"
    lines.log(
        owner,
        ActivityKind.LEADER_ORDER,
        event.at,
        text,
        names,
        account=event.account,
        group=GroupId(group.pk),
        symbol=event.symbol,
        thread=thread_of(event.account, event.order_id),
    )


def _link(owner: OwnerId, event: SnapshotTaken | LinkLost, names: Names) -> tuple[Topic, ...]:
    up = isinstance(event, SnapshotTaken)
    reason = "" if isinstance(event, SnapshotTaken) else event.reason
    before = Connection.objects.filter(pk=event.connection).values_list("link_up", "name").first()
    facts.record_link(event.connection, up=up, reason=reason, at=event.at)
    if isinstance(event, SnapshotTaken):
        for snapshot in event.accounts:
            facts.record_snapshot(snapshot)
            if snapshot.limits is not None:
                _limits(owner, snapshot.limits, names)
            for order in snapshot.orders:
                outcomes.copy_stated(snapshot.account, order, event.at)
    if before is not None and before[0] is not up:
        text = f"{before[1]} is connected" if up else f"{before[1]} lost its connection: {reason}"
        severity = Severity.GOOD if up else Severity.WARNING
        lines.log(owner, ActivityKind.LINK, event.at, text, names, severity=severity)
    if isinstance(event, LinkLost):
        _dropped(owner, event, names)
    return (Topic.ACCOUNTS, Topic.OVERVIEW, Topic.ACTIVITY, Topic.GROUPS)


def _dropped(owner: OwnerId, event: LinkLost, names: Names) -> None:
    count = record_drop(event.connection, facts.moment(event.at), event.reason)
    if count is None:
        return
    name = Connection.objects.filter(pk=event.connection).values_list("name", flat=True).first()
    text = (
        f"{name} lost its connection {count} times within an hour. Look at its token, at the broker's status "
        "page, and at firewalls and proxies on port 443"
    )
    lines.log(owner, ActivityKind.LINK, event.at, text, names, severity=Severity.DANGER)


def _silence(owner: OwnerId, event: SilenceAsked, names: Names) -> tuple[Topic, ...]:
    until = facts.moment(event.until)
    if record_silence(event.connection, until, event.reason):
        name = Connection.objects.filter(pk=event.connection).values_list("name", flat=True).first()
        text = f"{name}: {event.reason}. Until {until:%H:%M:%S} UTC entries are refused and changes wait"
        lines.log(owner, ActivityKind.LINK, event.at, text, names, severity=Severity.DANGER)
    return (Topic.ACCOUNTS, Topic.ACTIVITY)


KEPT = frozenset(
    kind.__name__
    for kind in (
        OrderWorking,
        OrderChanged,
        OrderFilled,
        OrderEnded,
        LinkLost,
        SilenceAsked,
        Confirmed,
        Rejected,
        Denied,
        Unresolved,
    )
)
WRITERS: dict[type, Callable[[OwnerId, Any, Names], tuple[Topic, ...]]] = {
    OrderWorking: _working,
    OrderChanged: _changed,
    OrderFilled: _filled,
    OrderEnded: _ended,
    PositionReported: _position,
    BalanceReported: _balance,
    LimitsReported: _limits,
    SnapshotTaken: _link,
    LinkLost: _link,
    SilenceAsked: _silence,
    Confirmed: _confirmed,
    Rejected: _rejected,
    Denied: _denied,
    Unresolved: _unresolved,
}
"""How each kind of event becomes rows. Gates and the passing of time come from rows, or from nowhere."""
