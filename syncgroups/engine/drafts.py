"""A group that nobody has saved, as the core would know it: what the builder's preview is made from."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from brokers.models import Account
from risk.models import Gate, GateKind
from syncgroups.core.plan import AccountPlan, GroupPlan, OwnerPlan
from syncgroups.engine.plans import follower_plan, gates_over
from syncgroups.models import SyncGroup
from syncgroups.selectors.guardrails import rules_over
from syncgroups.services.builder import GroupDraft
from tradehaven.domain.ids import AccountId, GroupId

UNSAVED = GroupId(0)


def drafted(
    plan: OwnerPlan, draft: GroupDraft, group: SyncGroup | None, now: datetime
) -> tuple[OwnerPlan, GroupPlan]:
    """Return an owner's plan as it would be with a draft in its group's place, and the draft in it."""
    accounts = _accounts(draft)
    number = GroupId(group.pk) if group is not None else UNSAVED
    gate = Gate.objects.filter(owner_id=plan.owner, kind=GateKind.OWNER).values_list("pk", flat=True).first()
    own = [group] if group is not None else []
    settings = draft.settings
    made = GroupPlan(
        group=number,
        name=settings.name,
        leader=AccountId(draft.leader.pk),
        followers=tuple(
            follower_plan(
                member.settings,
                member.products,
                accounts[member.account.pk],
                gates_over(accounts[member.account.pk], gate, *own),
                group,
            )
            for member in draft.members
        ),
        mode=settings.mode,
        instruments=frozenset(settings.instruments),
        hours=settings.hours,
        drift_policy=settings.drift_policy,
        drift_cap=settings.drift_cap,
        drift_ticks=settings.drift_ticks,
        entry_slack=settings.entry_slack,
        rests=settings.rests,
    )
    others = tuple(found for found in plan.groups if found.group != number)
    return replace(plan, accounts=_ruled(plan, accounts, group, now), groups=(*others, made)), made


def _accounts(draft: GroupDraft) -> dict[int, Account]:
    wanted = [member.account.pk for member in draft.members]
    found = Account.objects.filter(pk__in=wanted).select_related("risk__book", "connection")
    return {account.pk: account for account in found.prefetch_related("follows__group__member_rules")}


def _ruled(
    plan: OwnerPlan, accounts: Mapping[int, Account], group: SyncGroup | None, now: datetime
) -> Mapping[AccountId, AccountPlan]:
    """Return the accounts' plans; who joins a group that asks rules of its followers is under them too."""
    if group is None or group.member_rules is None:
        return plan.accounts
    found = dict(plan.accounts)
    for account in accounts.values():
        over = {row.group_id: row.group for row in account.follows.all()} | {group.pk: group}
        rules, later = rules_over(account, over.values(), now)
        one = AccountId(account.pk)
        found[one] = replace(found[one], rules=rules, later=later)
    return found
