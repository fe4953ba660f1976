"""Requests that trade are carried out once for each name that their program gave them (API-03).

A claim and its answer are committed apart from the work between them, so that a second request sees the first
one while it is on its way, and a crash leaves a claim that is taken over once nobody can be working on it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import StoredAnswer, User
from tradehaven.domain.errors import InvalidInput, TradeHavenError

KEPT = timedelta(hours=24)
"""How long an answer is given again."""
ABANDONED = timedelta(seconds=60)
"""How long a claim is respected: longer than any request of ours may take."""


class InFlight(TradeHavenError):
    """The first request of this name has no answer yet."""


class NameUsed(InvalidInput):
    """The name was given to another request before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request was answered: HTTP status and body."""

    status: int
    body: bytes


def claim(*, owner: User, name: str, request_hash: str, now: datetime) -> StoredAnswer | Answer:
    """Return this request's claim, to be answered or given up, or the answer that it got before.

    Raise `InFlight` while another process works on it, `NameUsed` when the name stands for another request.
    """
    StoredAnswer.objects.filter(owner=owner, expires_at__lte=now).delete()
    row, new = StoredAnswer.objects.get_or_create(
        owner=owner,
        name=name,
        defaults={"request_hash": request_hash, "claimed_at": now, "expires_at": now + KEPT},
    )
    if new:
        return row
    if row.request_hash != request_hash:
        raise NameUsed("Idempotency-Key", "This key was used for another request; use a new one for this.")
    if row.status is not None and row.body is not None:
        return Answer(status=row.status, body=bytes(row.body))
    late = StoredAnswer.objects.filter(pk=row.pk, status=None, claimed_at__lte=now - ABANDONED)
    if not late.update(claimed_at=now):
        raise InFlight("The first request with this key has no answer yet; ask again in a second.")
    row.claimed_at = now
    return row


def settle(*, row: StoredAnswer, answer: Answer) -> None:
    """Keep a request's answer for its repetitions."""
    StoredAnswer.objects.filter(pk=row.pk, claimed_at=row.claimed_at).update(
        status=answer.status, body=answer.body
    )


def give_up(*, row: StoredAnswer) -> None:
    """Forget a claim of which nothing came, so that the request may be sent again as it was or mended."""
    StoredAnswer.objects.filter(pk=row.pk, claimed_at=row.claimed_at, status=None).delete()
