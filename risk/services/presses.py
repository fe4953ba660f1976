"""A press of a kill switch, as every way of pressing makes it."""

from collections.abc import Iterable
from secrets import token_hex

from django.utils import timezone

from risk.services.gates import storable
from tradehaven.control.messages import Press
from tradehaven.domain.ids import GateId, Nanos, OwnerId, PressId


def press_of(*, owner: int, gates: Iterable[int], by: int | None, reason: str, flatten: bool) -> Press:
    """Return a new press of an owner's gates, as of now; `by` is the number of the person, if known."""
    return Press(
        press=PressId(token_hex(16)),
        owner=OwnerId(owner),
        gates=tuple(GateId(gate) for gate in gates),
        flatten=flatten,
        at=Nanos(int(timezone.now().timestamp() * 1_000_000) * 1000),
        by=by,
        reason=storable(reason),
    )
