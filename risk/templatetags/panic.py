"""Tickets in pages: `{% panic gate subject %}` for one gate, `{% panic_everything user %}` for all."""

from django import template
from django.utils import timezone

from accounts.models import User
from risk.models import Gate
from risk.selectors import owner_gate
from risk.services.tickets import issue

register = template.Library()


@register.simple_tag
def panic(gate: Gate, subject: object) -> str:
    """Return a ticket for the gate that a button is about."""
    return issue(owner=gate.owner_id, gates=[gate.pk], subject=str(subject), now=timezone.now())


@register.simple_tag
def panic_everything(user: User) -> str:
    """Return a ticket for the gate over everything; nothing for a person who has none yet."""
    gate = owner_gate(user)
    return panic(gate, "everything") if gate is not None else ""
