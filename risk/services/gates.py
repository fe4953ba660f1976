"""Gates are shut and opened here and nowhere else: row, record, version, and word to the engines.

`syncgroups.services.gates` wraps these for people, and writes the activity log.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.access import NotAllowed
from accounts.models import User
from brokers.models import Account
from brokers.services.stamps import touch
from risk.models import AccountRisk, Gate, GateChange, GateKind, RuleBook, RuleScope
from tradehaven.domain.enums import TradingState
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


class GateLocked(NotAllowed):
    """A rule has shut this gate for a time, and nobody makes that time shorter (RISK-05)."""


@transaction.atomic
def halt(*, gate: Gate, by: User | None, reason: str, flatten: bool, press: str = "") -> bool:
    """Shut a gate; say whether anything changed. A halt that adds flattening to a halted gate counts.

    `press` names the click: the same one may arrive several ways, and counts once.
    """
    # Locked, so that a halt is never the one of two turns that comes too late.
    current = Gate.objects.select_for_update().get(pk=gate.pk)
    if press and current.changes.filter(press=press).exists():
        return False
    if current.is_halted and (current.flatten or not flatten):
        if press:  # on record all the same: else a later arrival would shut what was opened in between
            _record(current, current.version, by=by, reason=reason, press=press)
        return False
    return _turn(current, TradingState.HALTED, by=by, reason=reason, flatten=flatten, press=press)


@transaction.atomic
def pause(*, gate: Gate, by: User, reason: str) -> bool:
    """Let an open gate through only what reduces; say whether it was open."""
    current = Gate.objects.select_for_update().get(pk=gate.pk)
    if current.state != TradingState.ACTIVE:
        return False
    return _turn(current, TradingState.REDUCING, by=by, reason=reason, flatten=False)


@transaction.atomic
def resume(*, gate: Gate, by: User, now: datetime) -> bool:
    """Open a gate that lets reductions through; say whether it did. One that is shut has to be disarmed."""
    current = Gate.objects.select_for_update().get(pk=gate.pk)
    _check_unlocked(current, now)
    if current.state != TradingState.REDUCING:
        return False
    return _turn(current, TradingState.ACTIVE, by=by, reason="", flatten=False)


@transaction.atomic
def disarm(*, gate: Gate, by: User, reason: str, now: datetime) -> bool:
    """Open a gate again at a moment (UTC); say whether it was shut. Raise `GateLocked` before its time."""
    current = Gate.objects.select_for_update().get(pk=gate.pk)
    _check_unlocked(current, now)
    if current.state == TradingState.ACTIVE:
        return False
    return _turn(current, TradingState.ACTIVE, by=by, reason=reason, flatten=False)


@transaction.atomic
def lock(*, gate: Gate, until: datetime) -> bool:
    """Keep a gate that is not open from being opened before a moment (UTC); say whether that is later."""
    shut = Gate.objects.filter(pk=gate.pk).exclude(state=TradingState.ACTIVE)
    later = Q(locked_until=None) | Q(locked_until__lt=until)
    return bool(shut.filter(later).update(locked_until=until))


def ensure_owner_gate(owner_id: int) -> Gate:
    """Return the gate over everything of an owner; make it once."""
    gate, _ = Gate.objects.get_or_create(owner_id=owner_id, kind=GateKind.OWNER)
    return gate


@transaction.atomic
def ensure_account_risk(account: Account, owner_id: int) -> AccountRisk:
    """Return an account's gate and limits; make them once."""
    # The row lock lets two connects of the same login pass one after the other.
    Account.objects.select_for_update().get(pk=account.pk)
    found = AccountRisk.objects.filter(account=account).first()
    if found is not None:
        return found
    gate = Gate.objects.create(owner_id=owner_id, kind=GateKind.ACCOUNT)
    book = RuleBook.objects.create(owner_id=owner_id, scope=RuleScope.ACCOUNT)
    return AccountRisk.objects.create(account=account, gate=gate, book=book)


def new_group_gate(owner_id: int) -> Gate:
    """Return a fresh gate for a group."""
    return Gate.objects.create(owner_id=owner_id, kind=GateKind.GROUP)


def storable(reason: str) -> str:
    """Return a reason as rows can hold it: nothing that was typed may keep a switch from working."""
    return reason.replace("\0", "")[:200]


def _check_unlocked(gate: Gate, now: datetime) -> None:
    if gate.locked_until is not None and now < gate.locked_until:
        until = gate.locked_until.strftime("%b %-d, %H:%M UTC")
        raise GateLocked(
            f"A rule has locked this until {until}. A lockout cannot be shortened while it runs."
        )


def _turn(
    seen: Gate, state: TradingState, *, by: User | None, reason: str, flatten: bool, press: str = ""
) -> bool:
    # Guarded by the version that was seen: of two who turn a gate at once, one learns that he was late.
    values: dict[str, Any] = {"state": state, "flatten": flatten, "reason": storable(reason)}
    if state is TradingState.ACTIVE:
        values["locked_until"] = None
    turned = Gate.objects.filter(pk=seen.pk, version=seen.version)
    if not turned.update(**values, version=F("version") + 1, changed_at=Now()):
        return False
    seen.state, seen.flatten = state, flatten
    _record(seen, seen.version + 1, by=by, reason=reason, press=press)
    touch(seen.owner_id)
    publish(seen.owner_id, [Topic.OVERVIEW, Topic.ACCOUNTS, Topic.GROUPS, Topic.GATE])
    return True


def _record(gate: Gate, version: int, *, by: User | None, reason: str, press: str) -> None:
    GateChange.objects.create(
        gate=gate,
        state=gate.state,
        flatten=gate.flatten,
        version=version,
        by=by,
        reason=storable(reason),
        press=press,
    )
