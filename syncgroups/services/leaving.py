"""What happens to copying when a person asks for the end of the account: it stops at once."""

from accounts.farewell import register
from accounts.models import User
from risk.services.gates import ensure_owner_gate
from syncgroups.services import gates


@register
def stop_copying(user: User) -> None:
    """Turn the kill switch over everything on, without flattening: positions are their owner's business."""
    gate = ensure_owner_gate(user.pk)
    gates.halt(gate=gate, by=user, reason="the account is to be deleted", flatten=False)
