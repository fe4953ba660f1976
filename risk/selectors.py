"""Reads of gates. The functions that take a user are the only way from a page to a row."""

from django.http import Http404

from accounts.models import User
from risk.models import Gate, GateKind


def gate_for(user: User, pk: int) -> Gate:
    """Return one of the user's own gates; a stranger's does not exist."""
    gate = Gate.objects.filter(owner=user, pk=pk).first()
    if gate is None:
        raise Http404
    return gate


def owner_gate(user: User) -> Gate | None:
    """Return the gate over everything of a person; None before the first login came in."""
    return Gate.objects.filter(owner=user, kind=GateKind.OWNER).first()
