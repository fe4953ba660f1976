"""The kill switch as people use it: the gate is turned, and the activity log says by whom (RISK-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit, notify
from accounts.models import User
from brokers.models import Account
from risk.models import Gate, GateKind
from risk.services import gates as turning
from risk.services import limits
from risk.services.gates import storable
from risk.services.presses import press_of
from syncgroups.models import ActivityKind, Severity, SyncGroup
from syncgroups.services.activity import note
from tradehaven.control import direct
from tradehaven.control.messages import Heard
from tradehaven.domain.enums import AuditAction, NoticeKind
from tradehaven.domain.errors import InvalidInput

INTENT = "DISARM"
"""What is typed to open a gate that a kill switch has shut."""


LONGEST_HOLD = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """What a press did: whether rows changed, and what each engine said at its door."""

    changed: bool
    heard: tuple[Heard, ...]


def halt(*, gate: Gate, by: User, reason: str, flatten: bool) -> Halted:
    """Stop copying behind a gate, and flatten if asked."""
    return halt_all(gates=[gate], by=by, reason=reason, flatten=flatten)


def halt_all(*, gates: Sequence[Gate], by: User, reason: str, flatten: bool) -> Halted:
    """Stop copying behind gates of one owner at once: first every engine's own door, then the rows."""
    named = [gate.pk for gate in gates]
    press = press_of(owner=gates[0].owner_id, gates=named, by=by.pk, reason=reason, flatten=flatten)
    heard = direct.tell(press)
    changed = shut(gates=gates, by=by, reason=reason, flatten=flatten, press=press.press)
    return Halted(changed=changed, heard=heard)


@transaction.atomic
def shut(*, gates: Sequence[Gate], by: User | None, reason: str, flatten: bool, press: str) -> bool:
    """Turn the rows of gates that a press shuts; say whether anything changed. May run twice."""
    changed = False
    for gate in sorted(gates, key=lambda gate: gate.pk):  # locks in one order
        changed |= _shut(gate, by=by, reason=reason, flatten=flatten, press=press)
    return changed


def _shut(gate: Gate, *, by: User | None, reason: str, flatten: bool, press: str) -> bool:
    if not turning.halt(gate=gate, by=by, reason=reason, flatten=flatten, press=press):
        return False
    also = ", flattening" if flatten else ""
    because = f": {storable(reason)}" if reason else ""
    text = f"Kill switch on for {subject_of(gate)}{also}, by {by or 'a press at the engine'}{because}"
    _note(gate, text, Severity.DANGER, by=by)
    words = {"subject": subject_of(gate), "text": f"{text}."}
    # After the commit and on its own: nothing about a mail may undo a halt.
    transaction.on_commit(lambda: notify.tell(gate.owner, NoticeKind.GUARDRAIL, **words), robust=True)
    return True


@transaction.atomic
def pause(*, gate: Gate, by: User) -> bool:
    """Let only exits through an open gate; say whether it was open."""
    changed = turning.pause(gate=gate, by=by, reason="paused")
    if changed:
        _note(gate, f"Entries paused for {subject_of(gate)}, by {by}; exits pass", Severity.WARNING, by=by)
    return changed


@transaction.atomic
def resume(*, gate: Gate, by: User) -> bool:
    """End a pause; say whether there was one. A kill switch that is on stays on."""
    changed = turning.resume(gate=gate, by=by, now=timezone.now())
    if changed:
        _note(gate, f"Entries pass again for {subject_of(gate)}, by {by}", Severity.INFO, by=by)
    return changed


@transaction.atomic
def hold(*, gate: Gate, by: User, hours: str, now: datetime) -> datetime | None:
    """Let nobody disarm a shut gate for some hours, 1 to 72; return until when (UTC).

    None for anything else that was typed, and where it is held longer already: no press fails for this.
    """
    if not (hours.isascii() and hours.isdigit() and len(hours) < 3 and 1 <= int(hours) <= LONGEST_HOLD):
        return None
    until = now + timedelta(hours=int(hours))
    if not turning.lock(gate=gate, until=until):
        return None
    text = f"Nobody disarms {subject_of(gate)} before {until:%b %-d, %H:%M} UTC, by {by}"
    _note(gate, text, Severity.WARNING, by=by)
    return until


@transaction.atomic
def disarm(*, gate: Gate, by: User, reason: str, intent: str) -> bool:
    """Let orders through a gate again; say whether it was shut. Raise `GateLocked` before its time.

    `intent` is the word that says that this is no slip; without it `InvalidInput` is raised.
    """
    if intent.strip().upper() != INTENT:
        raise InvalidInput("intent", f"Type {INTENT} to let orders through again.")
    changed = turning.disarm(gate=gate, by=by, reason=reason, now=timezone.now())
    if changed:
        _note(gate, f"Kill switch off for {subject_of(gate)}, by {by}", Severity.WARNING, by=by)
    return changed


@transaction.atomic
def set_max_position(*, account: Account, qty: int | None, by: User) -> bool:
    """Set an account's largest position and write it down; say whether it changed."""
    changed = limits.set_max_position(account=account, qty=qty, by=by)
    if changed is None:
        return False
    said = f"{qty} contracts of one instrument" if qty else "no limit"
    when = f" from {changed.later_at:%b %-d, %H:%M} UTC on" if changed.later_at is not None else ""
    text = f"Largest position of {account}: {said}{when}, by {by}"
    note(by.pk, ActivityKind.GATE, text, account=account)
    audit.record(owner=by, actor=by, action=AuditAction.LIMITS_CHANGED, subject=text)
    return True


def subject_of(gate: Gate) -> str:
    """Name what a gate stands over."""
    match gate.kind:
        case GateKind.OWNER:
            return "everything"
        case GateKind.GROUP:
            return f"group {gate.sync_group}"
        case _:
            return f"account {gate.account_risk.account}"


def _note(gate: Gate, text: str, severity: Severity, *, by: User | None) -> None:
    account: Account | None = None
    group: SyncGroup | None = None
    if gate.kind == GateKind.GROUP:
        group = gate.sync_group
    elif gate.kind == GateKind.ACCOUNT:
        account = gate.account_risk.account
    note(gate.owner_id, ActivityKind.GATE, text, severity=severity, account=account, group=group)
    audit.record(owner=gate.owner, actor=by, action=AuditAction.GATE_CHANGED, subject=text)
