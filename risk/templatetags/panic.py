"""Gates in pages: `panic gate subject` is a ticket for one, `gate_over_everything user` the one over all."""

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
def gate_over_everything(user: User) -> Gate | None:
    """Return the gate over everything; None for a person who has none yet."""
    return owner_gate(user)
