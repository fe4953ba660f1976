"""Reads of differences, quarantines, and orders that followers missed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.models import User
from brokers.models import Order, Position
from syncgroups.core.keys import parse_key
from syncgroups.models import Activity, ActivityKind, CopiedOrder, Drift, Quarantine, SyncGroup
from tradehaven.domain.enums import OrderStatus, RefusalReason, Side
from tradehaven.domain.transitions import is_final

MISSED_FOR = timedelta(hours=24)
MISSED_SHOWN = 20


def open_drifts_of(user: User) -> QuerySet[Drift]:
    """Return what differs in a person's accounts now: what copying is about first, then what is foreign."""
    found = Drift.objects.filter(owner=user, closed_at=None)
    return found.select_related("account", "group").order_by(
        "ignored", F("group").desc(nulls_last=True), "since", "pk"
    )


def open_drifts(group: SyncGroup) -> QuerySet[Drift]:
    """Return what differs in a group now, and in its followers' accounts as a whole."""
    members = group.followers.values("account")
    whole = Q(group=None, account__in=members)
    return open_drifts_of(group.owner).filter(Q(group=group) | whole)


def drift_for(user: User, pk: int) -> Drift:
    """Return one of the user's own differences; a stranger's does not exist."""
    return get_object_or_404(Drift.objects.filter(owner=user).select_related("account", "group"), pk=pk)


def quarantine_for(user: User, pk: int) -> Quarantine:
    """Return one of the user's own quarantines; a stranger's does not exist."""
    rows = Quarantine.objects.filter(group__owner=user).select_related("account", "group__owner")
    return get_object_or_404(rows, pk=pk)


def quarantines_of(group: SyncGroup) -> QuerySet[Quarantine]:
    """Return the contracts of a group's followers that may not be entered."""
    return group.quarantines.select_related("account").order_by("since", "pk")


def missed_of(group: SyncGroup, now: datetime) -> list[Activity]:
    """Return orders that followers missed because somebody was not there, and that still mean something.

    The leader's order works still, or what it entered is held still; nothing was placed for it since.
    """
    lines = Activity.objects.filter(
        group=group,
        kind=ActivityKind.COPY_REFUSED,
        reason__in=[RefusalReason.FOLLOWER_OFFLINE, RefusalReason.ENGINE_OFFLINE],
        at__gte=now - MISSED_FOR,
    )
    newest: dict[str, Activity] = {}
    for line in lines.select_related("account").order_by("-at", "-pk"):
        if parse_key(line.key) is not None:
            newest.setdefault(line.key, line)
    sent, alive = _sent(newest), _alive(group, [_order_of(key) for key in newest])
    found = [line for key, line in newest.items() if key not in sent and _order_of(key) in alive]
    return found[:MISSED_SHOWN]


def _sent(keys: Iterable[str]) -> set[str]:
    again = {f"{key}.r1": key for key in keys}
    rows = CopiedOrder.objects.filter(key__in=[*again, *again.values()]).exclude(written_at=None)
    return {again.get(key, key) for key in rows.values_list("key", flat=True)}


def _order_of(key: str) -> int:
    named = parse_key(key)
    return named.leader_order if named is not None else 0


def _alive(group: SyncGroup, orders: Iterable[int]) -> set[int]:
    """Return those of the leader's orders that work, or that entered what it still holds."""
    held = dict(Position.objects.filter(account_id=group.leader_id).values_list("symbol", "net"))
    return {
        order.broker_order_id
        for order in Order.objects.filter(account_id=group.leader_id, broker_order_id__in=orders)
        if not is_final(OrderStatus(order.status)) or held.get(order.symbol, 0) * Side(order.side).sign > 0
    }


def missed_for(user: User, key: str) -> Activity:
    """Return the line of an order that a follower of the user's own missed; a stranger's does not exist."""
    lines = Activity.objects.filter(owner=user, key=key, kind=ActivityKind.COPY_REFUSED)
    found = lines.exclude(group=None).exclude(account=None).order_by("-at", "-pk").first()
    if found is None:
        raise Http404
    return found
