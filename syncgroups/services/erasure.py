"""Deletes for good what a person had, ninety days after the plan ended, and proves it (ACC-07).

Two steps on two days: the logins are let go first, so that no engine and no recorder writes about rows
that are about to vanish. What stays is the person, the subscription, the proof, and the audit log.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction

from accounts.billing import selectors, services
from accounts.models import Erasure
from brokers.models import (
    Account,
    AccountTag,
    Connection,
    ConnectionStatus,
    Fill,
    LinkDrop,
    Order,
    Position,
    StatedLimits,
)
from brokers.services import connections
from brokers.services.stamps import touch
from risk.models import AccountRisk, AccountStanding, Gate, GateChange, Lockout, RuleBook, RuleChange
from syncgroups.models import (
    Activity,
    AlertsSeen,
    AuditEntry,
    CopiedOrder,
    CopyCommand,
    Drift,
    Follower,
    Holding,
    ManualCopy,
    ManualShare,
    ProductRule,
    Quarantine,
    Request,
    SyncGroup,
)

log = logging.getLogger(__name__)

LET_GO_BEFORE = timedelta(days=1)
STILL_FOR = timedelta(hours=1)
"""For so long no engine must have heard from a login whose rows are deleted."""
_LET_GO = models.Q(status=ConnectionStatus.DISCONNECTED)
Rows = Callable[[int], "models.QuerySet[Any]"]


def _by(model: type[models.Model], path: str) -> tuple[type[models.Model], Rows]:
    return model, lambda owner: model._default_manager.filter(**{path: owner})


OWNED: tuple[tuple[type[models.Model], Rows], ...] = (
    _by(ManualShare, "copy__owner_id"),
    _by(ManualCopy, "owner_id"),
    _by(Request, "owner_id"),
    _by(Quarantine, "group__owner_id"),
    _by(Drift, "owner_id"),
    _by(Holding, "group__owner_id"),
    _by(ProductRule, "follower__group__owner_id"),
    _by(Follower, "group__owner_id"),
    _by(CopyCommand, "copy__owner_id"),
    _by(CopiedOrder, "owner_id"),
    _by(Activity, "owner_id"),
    _by(AlertsSeen, "owner_id"),
    _by(AuditEntry, "owner_id"),
    _by(SyncGroup, "owner_id"),
    _by(AccountStanding, "account__connection__owner_id"),
    _by(Lockout, "account__connection__owner_id"),
    _by(AccountRisk, "account__connection__owner_id"),
    _by(RuleChange, "book__owner_id"),
    _by(RuleBook, "owner_id"),
    _by(GateChange, "gate__owner_id"),
    _by(Gate, "owner_id"),
    _by(Order, "account__connection__owner_id"),
    _by(Fill, "account__connection__owner_id"),
    _by(Position, "account__connection__owner_id"),
    _by(AccountTag, "account__connection__owner_id"),
    _by(StatedLimits, "account__connection__owner_id"),
    _by(Account, "connection__owner_id"),
    _by(LinkDrop, "connection__owner_id"),
    _by(Connection, "owner_id"),
)
"""Everything that hangs on a person's logins and groups; who points at something goes before it."""


def erase_due(now: datetime) -> list[int]:
    """Let go the logins of those whose time comes tomorrow, and erase those whose time has come."""
    for owner in selectors.due_for_erasure(now + LET_GO_BEFORE):
        _let_go(owner)
    return [owner for owner in selectors.due_for_erasure(now) if erase(owner, now) is not None]


def _let_go(owner_id: int) -> None:
    for connection in Connection.objects.filter(owner_id=owner_id).exclude(_LET_GO):
        connections.disconnect(connection, reason="Your plan ended ninety days ago.")


@transaction.atomic
def erase(owner_id: int, now: datetime) -> Erasure | None:
    """Delete all of a person's rows, in one piece; None where they came back or a login still runs."""
    if not services.still_due(owner_id, now):
        return None
    heard = Connection.objects.filter(owner_id=owner_id, heard_at__gt=now - STILL_FOR)
    if heard.exists() or Connection.objects.filter(owner_id=owner_id).exclude(_LET_GO).exists():
        log.warning("owner %s: a login is still in use; the deletion waits for the next day", owner_id)
        return None
    found = _counted(owner_id)
    deleted = {model._meta.label: _delete(rows(owner_id), model) for model, rows in OWNED}
    left = _counted(owner_id)
    touch(owner_id)
    proof = services.record_erasure(owner_id, found=found, deleted=deleted, left=left, now=now)
    log.info("owner %s: %s", owner_id, proof)
    return proof


def _counted(owner_id: int) -> dict[str, int]:
    return {model._meta.label: rows(owner_id).count() for model, rows in OWNED}


def _delete(rows: "models.QuerySet[Any]", model: type[models.Model]) -> int:
    # Only rows of this kind are counted: had anything else gone with them, the figures would not agree.
    _, by_kind = rows.delete()
    return by_kind.get(model._meta.label, 0)
