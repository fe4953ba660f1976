"""Changes and cancels of copies become rows with times of their own (COPY-08). The recorder calls these.

Every function may run twice with the same record, and knows commands by their ids alone.
"""

from collections.abc import Iterable
from typing import Protocol

from brokers.services.facts import moment
from syncgroups.core.copies import Copy
from syncgroups.models import CommandKind, CopyCommand
from tradehaven.domain.ids import ClientOrderId, Nanos

KINDS = {"ChangeOrder": CommandKind.CHANGE, "CancelOrder": CommandKind.CANCEL}


class Step(Protocol):
    """A step as the journal keeps it: the copy, and the command that it sent with the command's id."""

    copy: Copy | None
    command: str
    command_id: ClientOrderId | None


def record_commands(steps: Iterable[Step], received: Nanos, decided: Nanos) -> None:
    """Store the changes and cancels of one decision, in one statement; none costs nothing."""
    rows = [
        _row(step.copy, step.command_id, KINDS[step.command], received, decided)
        for step in steps
        if step.copy is not None and step.command_id is not None and step.command in KINDS
    ]
    if rows:
        CopyCommand.objects.bulk_create(rows, ignore_conflicts=True)


def command_written(client_id: str, at: Nanos) -> None:
    """Store when a command left."""
    CopyCommand.objects.filter(client_order_id=client_id, written_at=None).update(written_at=moment(at))


def command_answered(client_id: str, at: Nanos, outcome: str = "") -> None:
    """Store the broker's answer, or ours where it was not sent; `outcome` says what spoke against it."""
    found = CopyCommand.objects.filter(client_order_id=client_id, acknowledged_at=None)
    found.update(acknowledged_at=moment(at), outcome=outcome[:300])


def command_left_open(client_id: str, outcome: str) -> None:
    """Store why a command has no answer: it was not sent, or nobody knows yet."""
    found = CopyCommand.objects.filter(client_order_id=client_id, acknowledged_at=None)
    found.update(outcome=outcome[:300])


def _row(
    copy: Copy, client_id: ClientOrderId, kind: CommandKind, received: Nanos, decided: Nanos
) -> CopyCommand:
    spec = copy.target if kind is CommandKind.CHANGE else None
    return CopyCommand(
        copy_id=copy.key,
        client_order_id=client_id,
        kind=kind,
        qty=spec.qty if spec is not None else None,
        limit_ticks=spec.limit if spec is not None else None,
        stop_ticks=spec.stop if spec is not None else None,
        received_at=moment(received),
        decided_at=moment(decided),
    )
