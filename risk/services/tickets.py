"""Tickets for the kill switch that needs no log-in table: what a page may press, signed when it is rendered.

A ticket can stop and flatten, and nothing else. It is good for half a day and for the gates that it names.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing

from tradehaven.domain.ids import GateId, OwnerId

LIFE = timedelta(hours=12)
STEP = timedelta(minutes=15)
"""How fine a ticket tells time: a partial that has not changed renders to the same text."""
_SIGNER = "risk.tickets"


class BadTicket(Exception):
    """Nobody's ticket, or one that has run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Whose gates may be shut; `subject` is what people call them."""

    owner: OwnerId
    gates: tuple[GateId, ...]
    subject: str


def issue(*, owner: int, gates: Iterable[int], subject: str, now: datetime) -> str:
    """Return a ticket for gates of one owner as a page carries it, made at a moment (UTC)."""
    step = int(now.timestamp() // STEP.total_seconds())
    body = {"o": owner, "g": sorted(gates), "s": subject, "t": step}
    return signing.Signer(salt=_SIGNER).sign_object(body, compress=True)


def read(text: str, now: datetime) -> Ticket:
    """Return what a ticket allows at a moment (UTC); raise `BadTicket`."""
    try:
        body = signing.Signer(salt=_SIGNER).unsign_object(text)
    except signing.BadSignature:
        raise BadTicket("This page is not one of ours, or its kill switch was changed.") from None
    made = body["t"] * STEP.total_seconds()
    if not 0 <= now.timestamp() - made < (LIFE + STEP).total_seconds():
        raise BadTicket("This page is too old to be trusted with the kill switch.")
    return Ticket(
        owner=OwnerId(body["o"]), gates=tuple(GateId(gate) for gate in body["g"]), subject=body["s"]
    )
