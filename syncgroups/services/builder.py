"""A whole group as the builder sends it: checked without a write for a preview, or saved in one piece.

What is wrong is named by its field; a follower's fields carry its account's number in front, as on the page.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from brokers.models import Account
from syncgroups.models import Follower, ProductRule, SyncGroup
from syncgroups.services import groups, products
from syncgroups.services.groups import FollowerSettings, GroupSettings
from syncgroups.services.products import ProductSettings
from tradehaven.domain.enums import SizingMode
from tradehaven.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDraft:
    """A follower as it should be."""

    account: Account
    settings: FollowerSettings
    products: tuple[ProductSettings, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDraft:
    """A group as it should be."""

    leader: Account
    settings: GroupSettings
    members: tuple[MemberDraft, ...] = ()


def check_draft(owner: User, draft: GroupDraft, group: SyncGroup | None = None) -> None:
    """Raise `InvalidInput` for what saving would refuse; nothing is written."""
    groups.check_settings(draft.settings)
    groups.check_owned(owner, draft.leader)
    groups.check_leads_nowhere(draft.leader, group)
    for member in draft.members:
        with named_after(member.account):
            groups.check_owned(owner, member.account)
            groups.check_sizing(member.settings)
            for rule in member.products:
                products.check_product(member.settings, rule)
    groups.check_loops(
        owner, instead_of=group, leader=draft.leader, followers=[m.account for m in draft.members]
    )


@transaction.atomic
def save_draft(owner: User, draft: GroupDraft, group: SyncGroup | None = None) -> SyncGroup:
    """Make a group, switched off, or change one into what the draft says; raise `InvalidInput`.

    What stays as it was is not written again, so the log tells changes alone.
    """
    if group is None:
        group = groups.create_group(owner, leader=draft.leader, settings=draft.settings)
    else:
        _let_go(group, draft)
        if group.leader_id != draft.leader.pk or groups.settings_of(group) != draft.settings:
            groups.revise_group(group, leader=draft.leader, settings=draft.settings)
    before = {row.account_id: row for row in group.followers.prefetch_related("products")}
    for member in draft.members:
        with named_after(member.account):
            _save_member(group, before.get(member.account.pk), member)
    return group


def _let_go(group: SyncGroup, draft: GroupDraft) -> None:
    staying = {member.account.pk for member in draft.members}
    for row in group.followers.exclude(account__in=staying).select_related("account"):
        groups.remove_follower(group, account=row.account)


def _save_member(group: SyncGroup, before: Follower | None, member: MemberDraft) -> None:
    if before is None or _settings_of(before) != member.settings:
        groups.set_follower(group, account=member.account, settings=member.settings)
    rules = {rule.product: _rule_of(rule) for rule in before.products.all()} if before is not None else {}
    wanted = {rule.product: rule for rule in member.products}
    follower = group.followers.select_related("account", "group__owner").get(account=member.account)
    for root in rules.keys() - wanted.keys():
        products.remove_product(follower, root=root)
    for root, rule in wanted.items():
        if rules.get(root) != rule:
            products.set_product(follower, settings=rule)


@contextmanager
def named_after(account: Account) -> Iterator[None]:
    """Name whose field is wrong in a refusal."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"{account.pk}-{error.field}", error.message) from error


def _settings_of(row: Follower) -> FollowerSettings:
    return FollowerSettings(
        sizing=SizingMode(row.sizing),
        ratio=row.ratio,
        fixed_qty=row.fixed_qty,
        max_contracts=row.max_contracts,
        reverse=row.reverse,
    )


def _rule_of(row: ProductRule) -> ProductSettings:
    return ProductSettings(
        product=row.product,
        copied=row.copied,
        trades=row.trades,
        sizing=SizingMode(row.sizing) if row.sizing else None,
        ratio=row.ratio,
        fixed_qty=row.fixed_qty,
        max_contracts=row.max_contracts,
    )
