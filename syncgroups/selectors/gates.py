"""All gates of a person as they stand, each with the name under which the API knows what it stands over."""

from dataclasses import dataclass

from accounts.models import User
from risk.models import Gate, GateKind
from syncgroups.selectors.live_money import gate_holds_live
from tradehaven.domain.enums import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class GateNow:
    """A gate, what it spans and that thing's id: an account's number, a group's public id, or nothing."""

    gate: Gate
    span: Span
    subject: str
    name: str


def gates_now(user: User, *, real_money: bool) -> list[GateNow]:
    """Return a person's gates, everything first; without `real_money` those with no live account behind."""
    rows = Gate.objects.filter(owner=user).select_related("sync_group", "account_risk__account")
    found = [_named(gate) for gate in rows.order_by("pk") if _has_subject(gate)]
    order = list(Span)
    found.sort(key=lambda row: (row.span is not Span.EVERYTHING, order.index(row.span), row.gate.pk))
    return [row for row in found if real_money or not gate_holds_live(row.gate)]


def _has_subject(gate: Gate) -> bool:
    """Say whether what a gate stands over is there; that of a dissolved group outlives it."""
    match gate.kind:
        case GateKind.GROUP:
            return hasattr(gate, "sync_group")
        case GateKind.ACCOUNT:
            return hasattr(gate, "account_risk")
        case _:
            return True


def _named(gate: Gate) -> GateNow:
    match gate.kind:
        case GateKind.OWNER:
            return GateNow(gate=gate, span=Span.EVERYTHING, subject="", name="everything")
        case GateKind.GROUP:
            group = gate.sync_group
            return GateNow(gate=gate, span=Span.GROUP, subject=group.public_id, name=group.name)
        case _:
            account = gate.account_risk.account
            return GateNow(gate=gate, span=Span.ACCOUNT, subject=str(account.pk), name=account.name)
