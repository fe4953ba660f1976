"""Reads of gates, rules and locks. What takes a user is the only way from a page to a row."""

from datetime import datetime

from django.db.models import F, Q
from django.http import Http404

from accounts.models import User
from risk.core.rules import Rules
from risk.core.written import kept
from risk.models import Gate, GateKind, Lockout, RuleBook


def gate_for(user: User, pk: int) -> Gate:
    """Return one of the user's own gates; a stranger's does not exist."""
    gate = Gate.objects.filter(owner=user, pk=pk).first()
    if gate is None:
        raise Http404
    return gate


def owner_gate(user: User) -> Gate | None:
    """Return the gate over everything of a person; None before the first login came in."""
    return Gate.objects.filter(owner=user, kind=GateKind.OWNER).first()


def rules_in_force(book: RuleBook, now: datetime) -> Rules:
    """Return the rules that hold at a moment (UTC)."""
    loosened = book.later is not None and book.later_at is not None and now >= book.later_at
    return kept(book.later if loosened and book.later is not None else book.rules)


def rules_wished(book: RuleBook) -> Rules:
    """Return the rules that somebody has asked for last, in force or not yet."""
    return kept(book.later if book.later is not None else book.rules)


def running_locks(owner_id: int, now: datetime) -> dict[int, Lockout]:
    """Return the lock that holds for each of an owner's accounts at a moment: of several the longest."""
    rows = Lockout.objects.filter(account__connection__owner_id=owner_id)
    rows = rows.filter(Q(until=None) | Q(until__gt=now)).order_by(F("until").asc(nulls_last=True))
    return {row.account_id: row for row in rows}
