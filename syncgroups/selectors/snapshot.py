"""All groups of a person at one moment, as programs get them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Max, Q

from accounts.models import User
from brokers.models import Account
from brokers.selectors import engine_heard_at
from syncgroups.core.copies import OPEN_STATES
from syncgroups.models import CopiedOrder, Follower, SyncGroup
from syncgroups.selectors import groups_of
from tradehaven.domain.enums import Environment, SizingMode
from tradehaven.domain.ids import OwnerId


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerNow:
    """A follower, when the broker last took a copy for it (UTC), and how many copies may still trade."""

    row: Follower
    connected: bool
    synced_at: datetime | None
    pending: int

    @property
    def ratio(self) -> Decimal | None:
        """Return what the leader's quantity is multiplied by; None where the size comes about otherwise."""
        return Decimal(self.row.ratio) if self.row.sizing == SizingMode.RATIO else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNow:
    """A group, and when its leader's login was last known to be alive (UTC)."""

    group: SyncGroup
    connected: bool
    heard_at: datetime | None
    followers: tuple[FollowerNow, ...]


def groups_now(user: User, *, real_money: bool) -> list[GroupNow]:
    """Return a person's groups; without `real_money` only those in which no live account takes part."""
    engine = engine_heard_at(OwnerId(user.pk))
    copies = _copies(user)
    return [
        GroupNow(
            group=group,
            connected=group.leader.connection.link_up,
            heard_at=_heard_at(group.leader, engine),
            followers=tuple(_follower(row, copies) for row in group.followers.all()),
        )
        for group in groups_of(user)
        if real_money or not _holds_live(group)
    ]


def _holds_live(group: SyncGroup) -> bool:
    accounts = [group.leader, *(row.account for row in group.followers.all())]
    return any(account.connection.environment == Environment.LIVE for account in accounts)


def _heard_at(account: Account, engine: datetime | None) -> datetime | None:
    """Return the engine's own beat while the login's socket is up, for it watches the broker's heartbeats."""
    return engine if account.connection.link_up else account.connection.link_changed_at


def _copies(user: User) -> Mapping[tuple[int, int], tuple[datetime | None, int]]:
    """Return for each group and follower the newest answer of the broker, and the copies that are open."""
    rows = CopiedOrder.objects.filter(owner=user).exclude(group=None).values("group_id", "follower_id")
    counted = rows.annotate(
        synced_at=Max("acknowledged_at"), pending=Count("pk", filter=Q(state__in=OPEN_STATES))
    )
    return {(row["group_id"], row["follower_id"]): (row["synced_at"], row["pending"]) for row in counted}


def _follower(row: Follower, copies: Mapping[tuple[int, int], tuple[datetime | None, int]]) -> FollowerNow:
    synced_at, pending = copies.get((row.group_id, row.account_id), (None, 0))
    return FollowerNow(
        row=row, connected=row.account.connection.link_up, synced_at=synced_at, pending=pending
    )
