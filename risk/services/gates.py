"""Gates are shut and opened here and nowhere else: row, record, version, and word to the engines.

`syncgroups.services.gates` wraps these for people, and writes the activity log.
"""

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import User
from brokers.models import Account
from brokers.services.stamps import touch
from risk.models import AccountRisk, Gate, GateChange, GateKind
from tradehaven.domain.enums import TradingState
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


def halt(*, gate: Gate, by: User | None, reason: str, flatten: bool) -> bool:
    """Shut a gate; say whether anything changed. A halt that adds flattening to a halted gate counts."""
    current = Gate.objects.get(pk=gate.pk)
    if current.is_halted and (current.flatten or not flatten):
        return False
    return _turn(current, TradingState.HALTED, by=by, reason=reason, flatten=flatten)


def disarm(*, gate: Gate, by: User, reason: str) -> bool:
    """Open a gate again; say whether it was shut."""
    current = Gate.objects.get(pk=gate.pk)
    if current.state == TradingState.ACTIVE:
        return False
    return _turn(current, TradingState.ACTIVE, by=by, reason=reason, flatten=False)


def ensure_owner_gate(owner_id: int) -> Gate:
    """Return the gate over everything of an owner; make it once."""
    gate, _ = Gate.objects.get_or_create(owner_id=owner_id, kind=GateKind.OWNER)
    return gate


@transaction.atomic
def ensure_account_risk(account: Account, owner_id: int) -> AccountRisk:
    """Return an account's gate and limits; make them once."""
    # The row lock lets two connects of the same login pass one after the other.
    Account.objects.select_for_update().get(pk=account.pk)
    found = AccountRisk.objects.filter(account=account).first()
    if found is not None:
        return found
    gate = Gate.objects.create(owner_id=owner_id, kind=GateKind.ACCOUNT)
    return AccountRisk.objects.create(account=account, gate=gate)


def new_group_gate(owner_id: int) -> Gate:
    """Return a fresh gate for a group."""
    return Gate.objects.create(owner_id=owner_id, kind=GateKind.GROUP)


@transaction.atomic
def storable(reason: str) -> str:
    """Return a reason as rows can hold it: nothing that was typed may keep a switch from working."""
    return reason.replace("\0", "")[:200]


def _turn(seen: Gate, state: TradingState, *, by: User | None, reason: str, flatten: bool) -> bool:
    # Guarded by the version that was seen: of two who turn a gate at once, one learns that he was late.
    turned = Gate.objects.filter(pk=seen.pk, version=seen.version).update(
        state=state, flatten=flatten, reason=storable(reason), version=F("version") + 1, changed_at=Now()
    )
    if not turned:
        return False
    GateChange.objects.create(
        gate=seen, state=state, flatten=flatten, version=seen.version + 1, by=by, reason=storable(reason)
    )
    touch(seen.owner_id)
    publish(seen.owner_id, [Topic.OVERVIEW, Topic.ACCOUNTS, Topic.GROUPS, Topic.GATE])
    return True
