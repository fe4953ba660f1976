"""Rows of rules to what the core is given: limits over sums, and locks that run."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from brokers.models import Account
from risk.core.instants import nanos
from risk.core.rules import NO_RULES
from risk.core.standing import FOREVER
from risk.models import Lockout, RuleBook, RuleScope
from risk.selectors import running_locks
from syncgroups.core.plan import TotalPlan
from syncgroups.models import Activity, ActivityKind, SyncGroup
from syncgroups.selectors.guardrails import together
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.events import AccountLocked
from tradehaven.domain.ids import AccountId, OwnerId


def totals_of(
    owner: OwnerId, groups: Iterable[SyncGroup], accounts: Iterable[Account], now: datetime
) -> tuple[TotalPlan, ...]:
    """Return the limits over sums: of each group's followers, and of everything."""
    found = [
        _total(f"group {group.name}", group.total_rules, _followers(group), now)
        for group in groups
        if group.total_rules is not None
    ]
    book = RuleBook.objects.filter(owner_id=owner, scope=RuleScope.OWNER).first()
    if book is not None:
        found.append(_total("all accounts", book, tuple(AccountId(one.pk) for one in accounts), now))
    return tuple(total for total in found if total.rules != NO_RULES or total.later is not None)


def locks_of(owner: OwnerId, now: datetime) -> tuple[AccountLocked, ...]:
    """Return the locks that run, as the engine is told of them."""
    closing = _closing(owner, now)
    return tuple(
        AccountLocked(
            account=AccountId(account),
            reason=RefusalReason(row.reason),
            detail=row.detail,
            until=nanos(row.until) if row.until is not None else FOREVER,
            at=nanos(row.since),
            flatten=account in closing,
        )
        for account, row in running_locks(owner, now).items()
    )


def _closing(owner: OwnerId, now: datetime) -> set[int]:
    """Return accounts that a running lock closes out and that no broker has called flat since."""
    rows = Lockout.objects.filter(account__connection__owner_id=owner, flatten=True)
    begun = rows.filter(Q(until=None) | Q(until__gt=now)).values_list("account_id", "since")
    flat = Activity.objects.filter(owner_id=owner, kind=ActivityKind.FLAT)
    return {account for account, since in begun if not flat.filter(account=account, at__gte=since).exists()}


def _followers(group: SyncGroup) -> tuple[AccountId, ...]:
    return tuple(AccountId(found.account_id) for found in group.followers.all())


def _total(name: str, book: RuleBook, accounts: tuple[AccountId, ...], now: datetime) -> TotalPlan:
    rules, later = together([book], now)
    return TotalPlan(name=name, accounts=accounts, rules=rules, later=later)
