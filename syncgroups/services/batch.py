"""One act for many accounts: stop, flatten, pause, resume, change limits (COPY-13). All of it, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from accounts import audit
from accounts.access import require_verified
from accounts.models import User
from brokers.services.stamps import touch
from syncgroups.models import ActivityKind, Request, Severity
from syncgroups.selectors.spans import Reach
from syncgroups.services import gates
from syncgroups.services.activity import note
from syncgroups.services.gates import Halted
from tradehaven.control.messages import Heard
from tradehaven.domain.enums import Ask, AuditAction, BatchAct
from tradehaven.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an act came to: a sentence, how many it changed, and what the engines said."""

    text: str
    changed: int
    heard: tuple[Heard, ...] = ()


def carry_out(act: BatchAct, reach: Reach, *, by: User, reason: str = "", qty: int | None = None) -> Done:
    """Do one act to a reach; raise `InvalidInput` where there is nothing to do it to."""
    match act:
        case BatchAct.STOP | BatchAct.FLATTEN:
            halted = stop(reach, by=by, reason=reason, flatten=act is BatchAct.FLATTEN)
            text = f"Kill switch is on for {reach.name}."
            return Done(text=text, changed=int(halted.changed), heard=halted.heard)
        case BatchAct.CLOSE:
            count = close(reach, by=by)
            return Done(text=f"{_accounts(count)} of {reach.name} asked to be made flat.", changed=count)
        case BatchAct.PAUSE:
            count = pause(reach, by=by)
            return Done(text=f"Entries are paused for {reach.name}; exits pass.", changed=count)
        case BatchAct.RESUME:
            count = resume(reach, by=by)
            text = "Entries pass again" if count else "Nothing was paused"
            return Done(text=f"{text} for {reach.name}.", changed=count)
        case BatchAct.LIMIT:
            count = limit(reach, qty=qty, by=by)
            return Done(text=f"{_accounts(count)} of {reach.name} changed.", changed=count)


def _accounts(count: int) -> str:
    return f"{count} account{'' if count == 1 else 's'}"


def stop(reach: Reach, *, by: User, reason: str, flatten: bool) -> Halted:
    """Shut every gate of a reach at once, with one word to the engines; flatten behind them if asked."""
    _check_gates(reach)
    return gates.halt_all(gates=reach.gates, by=by, reason=reason, flatten=flatten)


@transaction.atomic
def close(reach: Reach, *, by: User) -> int:
    """Ask the engine to cancel and close all in these accounts, and go on copying; return how many.

    An engine that finds this later than a minute does nothing any more.
    """
    require_verified(by)
    if not reach.accounts:
        raise InvalidInput("do", f"There is no account in {reach.name}.")
    for account in reach.accounts:
        Request.objects.create(owner=by, ask=Ask.FLATTEN, subject=str(account.pk))
        text = f"{account} is to be made flat, copying goes on; asked for by {by}"
        note(by.pk, ActivityKind.GATE, text, severity=Severity.WARNING, account=account)
    said = f"Flattening without a stop of {reach.name}: {len(reach.accounts)} accounts, by {by}"
    audit.record(owner=by, actor=by, action=AuditAction.GATE_CHANGED, subject=said)
    touch(by.pk)
    return len(reach.accounts)


@transaction.atomic
def pause(reach: Reach, *, by: User) -> int:
    """Let only exits through every open gate of a reach; return how many were open."""
    _check_gates(reach)
    return _count(reach, lambda gate: gates.pause(gate=gate, by=by))


@transaction.atomic
def resume(reach: Reach, *, by: User) -> int:
    """End the pauses of a reach; return how many there were. Kill switches stay on."""
    require_verified(by)
    _check_gates(reach)
    return _count(reach, lambda gate: gates.resume(gate=gate, by=by))


@transaction.atomic
def disarm(reach: Reach, *, by: User, intent: str) -> Done:
    """Open every gate of a reach that a kill switch has shut, or none; raise `GateLocked` before its time."""
    _check_gates(reach)
    count = _count(reach, lambda gate: gates.disarm(gate=gate, by=by, reason="", intent=intent))
    return Done(text=f"Kill switch is off for {reach.name}.", changed=count)


@transaction.atomic
def limit(reach: Reach, *, qty: int | None, by: User) -> int:
    """Set the largest position of every account of a reach, None for no limit; return how many changed."""
    if not reach.accounts:
        raise InvalidInput("max_position", f"There is no account in {reach.name}.")
    return sum(gates.set_max_position(account=account, qty=qty, by=by) for account in reach.accounts)


def _count(reach: Reach, turn: Callable[..., bool]) -> int:
    return sum(turn(gate) for gate in sorted(reach.gates, key=lambda gate: gate.pk))


def _check_gates(reach: Reach) -> None:
    if not reach.gates:
        raise InvalidInput("subject", f"There is nothing to stop in {reach.name}.")
