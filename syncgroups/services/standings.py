"""What engines make of rules becomes rows: locks, standings, and the mail about them (RISK-08, RISK-10).

Every function may run twice with the same record. The recorder calls them, inside its transaction.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from django.db import transaction

from accounts import notify
from accounts.models import User
from brokers.services.facts import moment
from risk.core.standing import FOREVER
from risk.models import AccountStanding
from risk.services import lockouts
from syncgroups.core.decision import Locked, Remark, RemarkKind
from syncgroups.services.lines import Names
from tradehaven.domain.enums import NoticeKind
from tradehaven.domain.ids import AccountId, Nanos, OwnerId

_MAILED = frozenset(
    {RemarkKind.LOCKED, RemarkKind.NEAR_LIMIT, RemarkKind.NAKED, RemarkKind.FLAT_DUE, RemarkKind.LEFT_OPEN}
)


def record_lock(owner: OwnerId, locked: Locked, names: Names) -> None:
    """Store that an account was locked by one of its rules."""
    if locked.account not in names.accounts:
        return
    lock = locked.lock
    lockouts.record(
        account_id=locked.account,
        owner_id=owner,
        reason=lock.reason,
        detail=lock.detail,
        since=moment(lock.since),
        until=None if lock.until == FOREVER else moment(lock.until),
        flatten=locked.flatten,
    )


def record_standings(accounts: Mapping[AccountId, Any], at: Nanos, names: Names) -> None:
    """Store where accounts stand."""
    AccountStanding.objects.bulk_create(
        [
            AccountStanding(account_id=account, body=msgspec.to_builtins(stood), at=moment(at))
            for account, stood in accounts.items()
            if account in names.accounts
        ],
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["body", "at"],
    )


def tell_of(owner: OwnerId, remark: Remark, names: Names) -> None:
    """Write to the owner about what a rule did, or is about to do, once the record is safe."""
    if remark.kind not in _MAILED:
        return
    user = User.objects.get(pk=owner)
    subject = f"account {names.account(remark.account)}"
    text = f"{subject.capitalize()}{f', {remark.symbol}' if remark.symbol else ''}: {remark.detail}."
    told = partial(notify.tell, user, NoticeKind.GUARDRAIL, subject=subject, text=text)
    # Nothing about a mail may undo the record of what it is about.
    transaction.on_commit(told, robust=True)
