"""The owner's audit trail: decisions with their figures, answers and fills, sealed in order (RISK-10)."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils import timezone

from syncgroups.core.seal import START, Break, Sealed, first_break, seal
from syncgroups.models import AuditEntry, CopiedOrder
from tradehaven.domain.ids import OwnerId


def append(owner: OwnerId, entries: Iterable[tuple[str, bytes]], at: datetime | None = None) -> int:
    """Seal records behind the owner's last one, in one insert; return how many.

    Must run in the transaction that writes the rows these records speak of. One recorder writes an owner's
    chain; two at once would meet at the constraint on the number, and one of them would fail.
    """
    last = AuditEntry.objects.filter(owner_id=owner).order_by("-number").values_list("number", "seal").first()
    number, before = last or (0, START)
    when = at or timezone.now()
    rows: list[AuditEntry] = []
    for kind, payload in entries:
        number += 1
        body = payload.decode()
        before = seal(before, number, body)
        rows.append(AuditEntry(owner_id=owner, number=number, at=when, kind=kind, body=body, seal=before))
    AuditEntry.objects.bulk_create(rows)
    return len(rows)


def chain_of(owner: OwnerId) -> Iterator[Sealed]:
    """Yield an owner's records from the first."""
    rows = AuditEntry.objects.filter(owner_id=owner).order_by("number").values_list("number", "body", "seal")
    for number, body, found in rows.iterator(chunk_size=2000):
        yield Sealed(number=number, body=body, seal=found)


def owners() -> list[int]:
    """Return everybody who has a trail."""
    return sorted(AuditEntry.objects.order_by().values_list("owner_id", flat=True).distinct())


def verify(owner: OwnerId) -> Break | None:
    """Return where an owner's chain is broken, or None."""
    return first_break(chain_of(owner))


def unexplained(owner: OwnerId) -> list[str]:
    """Return the follower orders since the chain began that no sealed decision speaks of (I17)."""
    first = AuditEntry.objects.filter(owner_id=owner).order_by("number").values_list("at", flat=True).first()
    if first is None:
        return []
    copies = CopiedOrder.objects.filter(owner_id=owner, received_at__gte=first).order_by("pk")
    said = "\n".join(
        AuditEntry.objects.filter(owner_id=owner, kind="decision").values_list("body", flat=True)
    )
    return [key for key in copies.values_list("key", flat=True) if f'"{key}"' not in said]
