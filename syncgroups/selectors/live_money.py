"""Whether real money hangs on a group or a gate: then its owner may want to be asked for a code (ACC-04)."""

from django.db.models import Q, QuerySet

from brokers.models import Account
from risk.models import Gate, GateKind
from syncgroups.models import SyncGroup
from tradehaven.domain.enums import Environment


def group_is_live(group: SyncGroup) -> bool:
    """Say whether a group's leader or one of its followers is a live account."""
    return _of_group(group.pk).filter(connection__environment=Environment.LIVE).exists()


def gate_holds_live(gate: Gate) -> bool:
    """Say whether a live account stands behind a gate."""
    match gate.kind:
        case GateKind.OWNER:
            behind = Account.objects.filter(connection__owner_id=gate.owner_id)
        case GateKind.GROUP:
            behind = _of_group(gate.sync_group.pk)
        case _:
            behind = Account.objects.filter(pk=gate.account_risk.account_id)
    return behind.filter(connection__environment=Environment.LIVE).exists()


def _of_group(group: int) -> QuerySet[Account]:
    return Account.objects.filter(Q(led_group=group) | Q(follows__group=group))
