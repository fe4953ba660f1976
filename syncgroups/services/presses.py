"""Presses that came by an engine's own door become rows here, once, whoever brings them and how often."""

from django.db import transaction

from accounts.models import User
from risk.models import Gate
from syncgroups.services.gates import shut
from tradehaven.control.messages import Press
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged
from tradehaven.domain.ids import GateId, Nanos


@transaction.atomic
def settle(press: Press) -> tuple[GateChanged, ...]:
    """Bring a press into the rows, and return its gates as they stand with it.

    A gate that was opened again after the press stays open; one that is gone, or a stranger's, is left out.
    """
    # Locked, so that what is returned holds the press for certain and nothing turns in between.
    gates = list(
        Gate.objects.select_for_update(of=("self",))
        .filter(owner_id=press.owner, pk__in=press.gates)
        .select_related("owner")
        .order_by("pk")
    )
    by = User.objects.filter(pk=press.by).first() if press.by is not None else None
    if gates:
        shut(gates=gates, by=by, reason=press.reason, flatten=press.flatten, press=press.press)
    for gate in gates:
        gate.refresh_from_db()
    return tuple(
        GateChanged(
            gate=GateId(gate.pk),
            state=TradingState(gate.state),
            flatten=False,  # whoever was told of the press has flattened already
            version=gate.version,
            at=Nanos(press.at),
            presses=(press.press,),
        )
        for gate in gates
    )
