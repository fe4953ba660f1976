"""The engine's decisions become rows: copies with their times, the activity log, holdings (COPY-08, DASH-05).

Every function may run twice with the same record. The recorder calls them, inside its transaction.
What the broker answers stands in `outcomes`.
"""

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from brokers.services.facts import moment
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.decision import CopyRefused, Remark, RemarkKind, Weighed
from syncgroups.core.keys import is_repair
from syncgroups.core.threads import is_command
from syncgroups.models import (
    ActivityKind,
    CopiedOrder,
    Holding,
    ManualShare,
    Severity,
)
from syncgroups.services.commands import command_written, record_commands
from syncgroups.services.drift import record_drift
from syncgroups.services.lines import Names, log
from tradehaven.domain.contracts import product_of
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos, OwnerId, Symbol
from tradehaven.domain.orders import OrderSpec

REMARKS = {
    RemarkKind.DRIFT: (ActivityKind.DRIFT, Severity.WARNING),
    RemarkKind.DRIFT_OVER: (ActivityKind.DRIFT, Severity.GOOD),
    RemarkKind.EXIT_FAILED: (ActivityKind.DRIFT, Severity.DANGER),
    RemarkKind.BROKERS_WORD: (ActivityKind.DRIFT, Severity.WARNING),
    RemarkKind.QUARANTINED: (ActivityKind.DRIFT, Severity.DANGER),
    RemarkKind.REPAIR_REFUSED: (ActivityKind.DRIFT, Severity.DANGER),
    RemarkKind.MISSED: (ActivityKind.MISSED, Severity.DANGER),
    RemarkKind.FLAT: (ActivityKind.FLAT, Severity.GOOD),
    RemarkKind.COMMAND_STUCK: (ActivityKind.UNRESOLVED, Severity.DANGER),
    RemarkKind.LOCKED: (ActivityKind.GUARDRAIL, Severity.DANGER),
    RemarkKind.NEAR_LIMIT: (ActivityKind.GUARDRAIL, Severity.WARNING),
    RemarkKind.FLAT_DUE: (ActivityKind.GUARDRAIL, Severity.WARNING),
    RemarkKind.LEFT_OPEN: (ActivityKind.GUARDRAIL, Severity.DANGER),
    RemarkKind.NAKED: (ActivityKind.GUARDRAIL, Severity.DANGER),
    RemarkKind.PROTECTED: (ActivityKind.GUARDRAIL, Severity.INFO),
    RemarkKind.DOUBLED: (ActivityKind.UNRESOLVED, Severity.DANGER),
    RemarkKind.OVERFILLED: (ActivityKind.DRIFT, Severity.DANGER),
}


def describe(symbol: Symbol, spec: OrderSpec) -> str:
    """Return an order's type and prices as a trader says them."""
    traded = product_of(symbol)
    parts = [str(spec.order_type).replace("_", " ")]
    if spec.stop is not None:
        parts.append(f"at {traded.display(spec.stop)}")
    if spec.limit is not None:
        parts.append(
            f"limit {traded.display(spec.limit)}"
            if spec.stop is not None
            else f"at {traded.display(spec.limit)}"
        )
    if spec.trail is not None:
        parts.append(f"trailing by {spec.trail} ticks")
    return " ".join(parts)


class Step(Protocol):
    """A step as the journal keeps it: the copy, the command that it sent, what it was decided on."""

    copy: Copy | None
    command: str
    command_id: ClientOrderId | None
    weighed: Weighed | None


def record_copies(
    owner: OwnerId, steps: Iterable[Step], received: Nanos, decided: Nanos, names: Names
) -> None:
    """Store copies as they are after the steps of one decision, and a line for each command that was sent.

    However many followers a decision reaches, its new rows are one statement.
    """
    made = [(step.copy, step) for step in steps if step.copy is not None]
    found = CopiedOrder.objects.filter(key__in={copy.key for copy, _ in made})
    known = set(found.values_list("key", flat=True))
    fresh: list[CopiedOrder] = []
    later: list[tuple[Copy, Step]] = []
    for copy, step in made:
        if copy.key in known:
            later.append((copy, step))
        else:
            known.add(copy.key)
            fresh.append(_new_row(owner, copy, step, received, decided, names))
    CopiedOrder.objects.bulk_create(fresh)
    for copy, step in later:
        _change_row(copy, step, decided)
    record_commands((step for _, step in made), received, decided)
    for copy, step in made:
        _log_command(owner, copy, step.command, decided, names)


def _new_row(
    owner: OwnerId, copy: Copy, step: Step, received: Nanos, decided: Nanos, names: Names
) -> CopiedOrder:
    return CopiedOrder(
        key=copy.key,
        owner_id=owner,
        group_id=names.group(copy.group),
        leader_id=copy.leader,
        leader_order_id=copy.leader_order,
        follower_id=copy.follower,
        symbol=copy.symbol,
        leads=copy.leads,
        side=copy.side,
        state=copy.state,
        # Of one that only its name told of, after a lost disk, this is the first record: it may have traded.
        broker_order_id=copy.order_id,
        filled=copy.filled,
        received_at=moment(received),
        decided_at=moment(decided),
        **_changing(copy, step),
    )


def _changing(copy: Copy, step: Step) -> dict[str, Any]:
    weighed = {"weighed": step.weighed._asdict()} if step.weighed is not None else {}
    return {"body": msgspec.to_builtins(copy), **spec_columns(copy.target or copy.sent), **weighed}


def _change_row(copy: Copy, step: Step, decided: Nanos) -> None:
    CopiedOrder.objects.filter(key=copy.key).update(**_changing(copy, step))
    if copy.state is CopyState.ENDED:
        left = CopiedOrder.objects.filter(key=copy.key).exclude(state=CopyState.ENDED)
        left.update(state=CopyState.ENDED, outcome="ended before it was sent", ended_at=moment(decided))


def _log_command(owner: OwnerId, copy: Copy, command: str, decided: Nanos, names: Names) -> None:
    kinds = {
        "PlaceOrder": (ActivityKind.COPY_SENT, "Copied"),
        "ChangeOrder": (ActivityKind.COPY_CHANGED, "Changed"),
        "CancelOrder": (ActivityKind.COPY_CANCELLED, "Cancelled"),
    }
    if command in kinds:
        kind, verb = kinds[command]
        if is_repair(copy.key) and command == "PlaceOrder":
            verb = "Repaired"
        spec = copy.target or copy.sent
        order = f"{copy.side} {spec.qty} {copy.symbol} {describe(copy.symbol, spec)}"
        text = f"{verb} for {names.account(copy.follower)}: {order}"
        where = {"account": copy.follower, "group": copy.group, "key": copy.key, "symbol": copy.symbol}
        log(owner, kind, decided, text, names, **where)  # type: ignore[arg-type]


def spec_columns(spec: OrderSpec) -> dict[str, Any]:
    """Return an order's parameters as a copy's row keeps them, prices in ticks."""
    return {
        "order_type": spec.order_type,
        "qty": spec.qty,
        "limit_ticks": spec.limit,
        "stop_ticks": spec.stop,
    }


def record_refusal(owner: OwnerId, refusal: CopyRefused, at: Nanos, names: Names) -> None:
    """Store why a follower was left out."""
    reason = str(refusal.reason).replace("_", " ")
    why = refusal.detail or reason
    text = f"{names.account(refusal.follower)} did not {refusal.action} {refusal.symbol}: {why}"
    log(
        owner,
        ActivityKind.COPY_REFUSED,
        at,
        text,
        names,
        severity=Severity.WARNING,
        reason=refusal.reason,
        weighed=refusal.weighed._asdict() if refusal.weighed is not None else None,
        account=refusal.follower,
        group=refusal.group,
        key=refusal.key,
        symbol=refusal.symbol,
    )


def record_remark(owner: OwnerId, remark: Remark, at: Nanos, names: Names) -> None:
    """Store what a person should know although no order came of it."""
    record_drift(owner, remark, at, frozenset(AccountId(pk) for pk in names.accounts))
    if remark.kind is RemarkKind.DRIFT_CHANGED:
        return  # its row says so; the log would only repeat itself
    kind, severity = REMARKS[remark.kind]
    text = f"{names.account(remark.account)} {remark.symbol or ''}: {remark.detail}".replace(" :", ":")
    log(
        owner,
        kind,
        at,
        text,
        names,
        severity=severity,
        account=remark.account,
        group=remark.group,
        key=remark.key or "",
        symbol=remark.symbol or "",
    )
    if remark.kind is RemarkKind.MISSED and remark.key:
        CopiedOrder.objects.filter(key=remark.key).update(
            state=CopyState.MISSED, outcome="never reached the broker", ended_at=moment(at)
        )


def record_written(at: dict[ClientOrderId, Nanos]) -> None:
    """Store when orders, changes and cancels left."""
    for key, when in at.items():
        if is_command(key):
            command_written(key, when)
            continue
        CopiedOrder.objects.filter(key=key, written_at=None).update(written_at=moment(when))


def record_holdings(holdings: list[tuple[GroupId, AccountId, Symbol, Symbol, int]], names: Names) -> None:
    """Store what followers hold because of their groups."""
    Holding.objects.bulk_create(
        [
            Holding(group_id=group, account_id=account, symbol=symbol, leads=leads, net=net)
            for group, account, symbol, leads, net in holdings
            if names.group(group) is not None
        ],
        update_conflicts=True,
        unique_fields=["group", "account", "symbol", "leads"],
        update_fields=["net"],
    )
    for group, account, symbol, _, net in holdings:
        if group < 0:  # the ledger of a manual copy, see `core.keys.manual_group`
            shares = ManualShare.objects.filter(copy_id=-group, account_id=account)
            shares.update(symbol=symbol, net=net)
