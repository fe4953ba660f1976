"""The kill switch as people use it: the gate is turned, and the activity log says by whom (RISK-04)."""

from django.db import transaction

from accounts import audit, notify
from accounts.models import User
from brokers.models import Account
from risk.models import Gate, GateKind
from risk.services import gates, limits
from syncgroups.models import ActivityKind, Severity, SyncGroup
from syncgroups.services.activity import note
from tradehaven.domain.enums import AuditAction, NoticeKind


@transaction.atomic
def halt(*, gate: Gate, by: User, reason: str, flatten: bool) -> bool:
    """Stop copying behind a gate, and flatten if asked; say whether anything changed."""
    changed = gates.halt(gate=gate, by=by, reason=reason, flatten=flatten)
    if changed:
        also = ", flattening" if flatten else ""
        because = f": {reason}" if reason else ""
        text = f"Kill switch on for {subject_of(gate)}{also}, by {by}{because}"
        _note(gate, text, Severity.DANGER, by=by)
        words = {"subject": subject_of(gate), "text": f"{text}."}
        # After the commit and on its own: nothing about a mail may undo a halt.
        transaction.on_commit(lambda: notify.tell(gate.owner, NoticeKind.GUARDRAIL, **words), robust=True)
    return changed


@transaction.atomic
def disarm(*, gate: Gate, by: User, reason: str) -> bool:
    """Let orders through a gate again; say whether it was shut."""
    changed = gates.disarm(gate=gate, by=by, reason=reason)
    if changed:
        _note(gate, f"Kill switch off for {subject_of(gate)}, by {by}", Severity.WARNING, by=by)
    return changed


@transaction.atomic
def set_max_position(*, account: Account, qty: int | None, by: User) -> None:
    """Set an account's largest position and write it down."""
    if limits.set_max_position(account=account, qty=qty, by=by):
        said = f"{qty} contracts of one instrument" if qty else "no limit"
        text = f"Largest position of {account}: {said}, by {by}"
        note(by.pk, ActivityKind.GATE, text, account=account)
        audit.record(owner=by, actor=by, action=AuditAction.LIMITS_CHANGED, subject=text)


def subject_of(gate: Gate) -> str:
    """Name what a gate stands over."""
    match gate.kind:
        case GateKind.OWNER:
            return "everything"
        case GateKind.GROUP:
            return f"group {gate.sync_group}"
        case _:
            return f"account {gate.account_risk.account}"


def _note(gate: Gate, text: str, severity: Severity, *, by: User) -> None:
    account: Account | None = None
    group: SyncGroup | None = None
    if gate.kind == GateKind.GROUP:
        group = gate.sync_group
    elif gate.kind == GateKind.ACCOUNT:
        account = gate.account_risk.account
    note(gate.owner_id, ActivityKind.GATE, text, severity=severity, account=account, group=group)
    audit.record(owner=gate.owner, actor=by, action=AuditAction.GATE_CHANGED, subject=text)
