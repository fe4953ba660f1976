"""Differences become rows as the engine tells them, clicks become requests that it finds (COPY-09, COPY-12).

The engine's share may run twice with the same record; the recorder calls it, inside its transaction.
"""

from django.db import transaction

from accounts.access import require_verified
from accounts.models import User
from brokers.models import Account
from brokers.services.facts import moment
from brokers.services.stamps import touch
from syncgroups.core.decision import Remark, RemarkKind
from syncgroups.core.differences import Difference
from syncgroups.models import ActivityKind, Drift, Quarantine, Request, Severity, SyncGroup
from syncgroups.services.activity import note
from tradehaven.domain.enums import Ask
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.ids import AccountId, Nanos, OwnerId
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish

TOLD = frozenset({RemarkKind.DRIFT, RemarkKind.DRIFT_CHANGED, RemarkKind.EXIT_FAILED})


def record_drift(owner: OwnerId, remark: Remark, at: Nanos, accounts: frozenset[AccountId]) -> None:
    """Open, change or close the row of the difference that a remark is about."""
    difference = remark.difference
    if difference is None or difference.key.account not in accounts:
        return
    if remark.kind in TOLD:
        _open(owner, difference)
    elif remark.kind is RemarkKind.DRIFT_OVER:
        found = Drift.objects.filter(owner_id=owner, name=difference.key.name, closed_at=None)
        found.update(closed_at=moment(at))
    elif remark.kind is RemarkKind.QUARANTINED:
        _shut(owner, difference, remark.detail)


def _open(owner: OwnerId, difference: Difference) -> None:
    key = difference.key
    group = SyncGroup.objects.filter(pk=key.group, owner_id=owner).values_list("pk", flat=True).first()
    Drift.objects.update_or_create(
        owner_id=owner,
        name=key.name,
        closed_at=None,
        defaults={
            "expected": difference.expected,
            "actual": difference.actual,
            "qty": difference.qty,
            "attempts": difference.attempts,
            "detail": difference.detail[:300],
            "remedy": difference.remedy[:300],
        },
        create_defaults={
            "kind": key.kind,
            "group_id": group,
            "account_id": key.account,
            "symbol": key.symbol,
            "leads": key.leads,
            "order_id": key.order,
            "expected": difference.expected,
            "actual": difference.actual,
            "qty": difference.qty,
            "attempts": difference.attempts,
            "detail": difference.detail[:300],
            "remedy": difference.remedy[:300],
            "since": moment(difference.since),
        },
    )


def _shut(owner: OwnerId, difference: Difference, reason: str) -> None:
    key = difference.key
    if SyncGroup.objects.filter(pk=key.group, owner_id=owner).exists():
        Quarantine.objects.get_or_create(
            group_id=key.group,
            account_id=key.account,
            symbol=key.symbol,
            defaults={"reason": reason[:300]},
        )
        touch(owner)


# -- what people do ----------------------------------------------------------------------------------


@transaction.atomic
def ask_repair(drift: Drift, *, by: User) -> None:
    """Ask the engine for a difference's remedy; raise `InvalidInput` when there is none to ask for."""
    require_verified(by)
    if drift.closed_at is not None or not drift.remedy:
        raise InvalidInput("drift", "There is nothing to repair here any more.")
    _ask(drift.owner_id, Ask.REPAIR, drift.name)
    _noted(drift, f"Repair of {drift.account} {drift.symbol} asked for by {by}: {drift.remedy}")


@transaction.atomic
def ignore(drift: Drift, *, by: User) -> None:
    """Leave a difference alone: it stays on record and is not repaired by itself."""
    require_verified(by)
    if Drift.objects.filter(pk=drift.pk, closed_at=None, ignored=False).update(ignored=True):
        _ask(drift.owner_id, Ask.IGNORE, drift.name)
        _noted(drift, f"{drift.account} {drift.symbol}: a difference is ignored, by {by}")


@transaction.atomic
def ask_replay(group: SyncGroup, *, key: str, account: Account, by: User) -> None:
    """Ask the engine to place an order that a follower missed; the engine refuses what is over."""
    require_verified(by)
    _ask(group.owner_id, Ask.REPLAY, key)
    text = f"Replay of a missed order for {account} asked for by {by}"
    note(group.owner_id, ActivityKind.DRIFT, text, group=group, account=account)


@transaction.atomic
def quarantine(group: SyncGroup, *, account: Account, symbol: str, by: User) -> None:
    """Shut one contract of one follower for entries; exits still pass."""
    require_verified(by)
    if not group.followers.filter(account=account).exists():
        raise InvalidInput("account", f"{account} does not follow in {group}.")
    reason = f"set by {by}"
    _, made = Quarantine.objects.get_or_create(
        group=group, account=account, symbol=symbol, defaults={"reason": reason}
    )
    if made:
        touch(group.owner_id)
        text = f"{account} {symbol} is in quarantine in {group}: no entries, exits pass; {reason}"
        note(
            group.owner_id,
            ActivityKind.DRIFT,
            text,
            severity=Severity.WARNING,
            group=group,
            account=account,
        )


@transaction.atomic
def release(row: Quarantine, *, by: User) -> None:
    """Let a contract of a follower be entered again."""
    require_verified(by)
    group, account = row.group, row.account
    deleted, _ = Quarantine.objects.filter(pk=row.pk).delete()
    if deleted:
        touch(group.owner_id)
        text = f"{account} {row.symbol} is out of quarantine in {group}, by {by}"
        note(group.owner_id, ActivityKind.DRIFT, text, group=group, account=account)


def _ask(owner_id: int, ask: Ask, subject: str) -> None:
    Request.objects.create(owner_id=owner_id, ask=ask, subject=subject)
    touch(owner_id)


def _noted(drift: Drift, text: str) -> None:
    note(drift.owner_id, ActivityKind.DRIFT, text, group=drift.group, account=drift.account)
    publish(drift.owner_id, [Topic.GROUPS])
