"""Reads of groups, copies and the activity log, and what state each is in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.billing.selectors import has_plan
from accounts.models import User
from brokers.core.budget import Outlook, outlook
from brokers.models import Account, Connection, ConnectionStatus
from brokers.selectors import (
    accounts_of,
    call_limits,
    connections_of,
    is_silent,
    usage_of,
    waiting_for_engine,
)
from risk.models import Gate
from syncgroups.core.status import Gates, LinkState, Status, account_status, group_status, link_status
from syncgroups.core.waterfall import percentile
from syncgroups.models import Activity, CopiedOrder, Follower, SyncGroup
from tradehaven.domain.enums import Environment, TradingState

ACTIVITY_PAGE = 50
COPIES_SHOWN = 20
LATENCY_SAMPLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """An account in a group, and how it stands."""

    account: Account
    status: Status
    follower: Follower | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A group as pages show it."""

    group: SyncGroup
    status: Status
    leader: MemberRow
    followers: tuple[MemberRow, ...]
    mixed: bool
    is_waiting: bool
    """What was set last is not in force yet: the engine has not taken it over."""

    @property
    def paused(self) -> bool:
        """Say whether entries are held back and exits pass."""
        return self.group.gate.state == TradingState.REDUCING


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a login may still ask. `followers` is how many calls its share of one leader order costs.

    `silent_until` (UTC) is when the broker takes calls again; None when it does now.
    """

    outlook: Outlook
    followers: int
    silent_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRow:
    """A login as the settings page shows it."""

    connection: Connection
    status: Status
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetedLogin:
    """A login and what it may still ask."""

    login: LoginRow
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLogin:
    """A login on the paper exchange, and what each of its accounts does in groups, by broker's number."""

    connection: Connection
    accounts: tuple[Account, ...]
    roles: dict[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long copies took since the leader's event: to the write, and to the broker's answer."""

    count: int
    written_p50: timedelta | None
    written_p99: timedelta | None
    answered_p50: timedelta | None
    answered_p99: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """A stretch of the log, newest first; `older` is the cursor of what follows, None at the end."""

    lines: tuple[Activity, ...]
    older: int | None


def link_state(connection: Connection, now: datetime) -> LinkState:
    """Return how a login stands at a moment (UTC)."""
    changed = connection.link_changed_at
    return LinkState(
        authorized=connection.status != ConnectionStatus.DISCONNECTED,
        refreshing=connection.status == ConnectionStatus.REFRESHING,
        up=connection.link_up,
        down_for=(now - (changed or connection.created_at)).total_seconds(),
        reason=connection.status_reason or connection.link_reason,
    )


def gates_state(gates: Iterable[Gate | None]) -> Gates:
    """Return what several gates amount to together; the first reason given is shown."""
    shut = [gate for gate in gates if gate is not None and gate.state != TradingState.ACTIVE]
    halted = [gate for gate in shut if gate.is_halted]
    reason = next((gate.reason for gate in [*halted, *shut] if gate.reason), "")
    return Gates(halted=bool(halted), reducing=bool(shut), reason=reason)


def logins(user: User, now: datetime) -> list[LoginRow]:
    """Return a person's logins with their states."""
    return [
        LoginRow(
            connection=connection,
            status=link_status(link_state(connection, now)),
            accounts=tuple(connection.accounts.all()),
        )
        for connection in connections_of(user)
    ]


def budgeted_logins(user: User, now: datetime) -> list[BudgetedLogin]:
    """Return a person's logins with their states, what of their calls is used, and what that leaves."""
    followers = _followers_by_login(user)
    return [
        BudgetedLogin(login=row, budget=_budget(row.connection, followers.get(row.connection.pk, 0), now))
        for row in logins(user, now)
    ]


def _followers_by_login(user: User) -> dict[int, int]:
    """Return the most followers that one running group has on each login."""
    running = Follower.objects.filter(group__owner=user, group__active=True)
    counted = running.values_list("account__connection_id", "group_id").annotate(count=Count("pk"))
    found: dict[int, int] = {}
    for connection, _, count in counted:
        found[connection] = max(count, found.get(connection, 0))
    return found


def _budget(connection: Connection, followers: int, now: datetime) -> Budget:
    limits = call_limits(Environment(connection.environment))
    return Budget(
        outlook=outlook(usage_of(connection, now), limits, followers),
        followers=followers,
        silent_until=connection.silent_until if is_silent(connection, now) else None,
    )


def paper_logins(user: User) -> list[PaperLogin]:
    """Return a person's logins on the paper exchange, with who leads and who follows."""
    return [
        PaperLogin(
            connection=connection,
            accounts=tuple(connection.accounts.all()),
            roles={account.broker_account_id: _roles(account) for account in connection.accounts.all()},
        )
        for connection in connections_of(user).filter(environment=Environment.PAPER)
    ]


def paper_login_for(user: User, pk: int) -> Connection:
    """Return one of the user's own logins on the paper exchange; any other does not exist."""
    return get_object_or_404(connections_of(user), pk=pk, environment=Environment.PAPER)


def paper_account_for(user: User, pk: int) -> Account:
    """Return one of the user's own accounts on the paper exchange; any other does not exist."""
    return get_object_or_404(accounts_of(user), pk=pk, connection__environment=Environment.PAPER)


def _roles(account: Account) -> tuple[str, ...]:
    led = SyncGroup.objects.filter(leader=account).values_list("name", flat=True)
    followed = SyncGroup.objects.filter(followers__account=account).values_list("name", flat=True)
    return (*(f"leads {name}" for name in led), *(f"follows {name}" for name in followed))


def groups_of(user: User) -> QuerySet[SyncGroup]:
    """Return a person's groups with all that their state depends on."""
    followers = Follower.objects.select_related(
        "account__connection", "account__risk__gate", "account__risk__book"
    ).order_by("pk")
    return (
        SyncGroup.objects.filter(owner=user)
        .select_related("gate", "leader__connection", "leader__risk__gate")
        .prefetch_related(Prefetch("followers", followers))
    )


def group_for(user: User, public_id: str) -> SyncGroup:
    """Return one of the user's own groups; a stranger's does not exist."""
    group = groups_of(user).filter(public_id=public_id).prefetch_related("followers__products").first()
    if group is None:
        raise Http404
    return group


def group_rows(groups: Iterable[SyncGroup], over_all: Gate | None, now: datetime) -> list[GroupRow]:
    """Return groups with their states, under the gate over everything."""
    found = list(groups)
    owners = {group.owner_id for group in found}
    running, waiting = {owner: has_plan(owner, now) for owner in owners}, waiting_for_engine(owners)
    return [
        _group_row(
            group,
            over_all,
            now,
            has_plan=running[group.owner_id],
            is_waiting=group.owner_id in waiting,
        )
        for group in found
    ]


def mixes_live_and_demo(accounts: Iterable[Account]) -> bool:
    """Say whether real money and play money would be copied to each other (CONN-08)."""
    live = {account.connection.environment == Environment.LIVE for account in accounts}
    return len(live) > 1


def mixes(group: SyncGroup) -> bool:
    """Say whether a saved group copies between real money and play money."""
    members = accounts_of(group.owner).filter(Q(led_group=group) | Q(follows__group=group))
    return mixes_live_and_demo(members.distinct())


def _group_row(
    group: SyncGroup, over_all: Gate | None, now: datetime, *, has_plan: bool, is_waiting: bool
) -> GroupRow:
    members = list(group.followers.all())
    rows = tuple(_member(member.account, group, over_all, now, member) for member in members)
    offline = sum(not member.account.connection.link_up for member in members)
    return GroupRow(
        group=group,
        status=group_status(
            link_state(group.leader.connection, now),
            gates_state([over_all, group.gate]),
            active=group.active,
            followers=len(members),
            offline=offline,
            has_plan=has_plan,
        ),
        leader=_member(group.leader, group, over_all, now),
        followers=rows,
        mixed=mixes_live_and_demo([group.leader, *(member.account for member in members)]),
        is_waiting=is_waiting,
    )


def _member(
    account: Account, group: SyncGroup, over_all: Gate | None, now: datetime, follower: Follower | None = None
) -> MemberRow:
    gates = gates_state([over_all, gate_of(account)])
    status = account_status(link_state(account.connection, now), gates, copying=group.active)
    return MemberRow(account=account, status=status, follower=follower)


def gate_of(account: Account) -> Gate | None:
    """Return an account's gate; None while its login is still coming in."""
    return account.risk.gate if hasattr(account, "risk") else None


def activity_of(user: User, before: int | None = None) -> ActivityPage:
    """Return a page of the log; `before` is the cursor that the page above gave."""
    lines = Activity.objects.filter(owner=user).order_by("-at", "-pk")
    mark = Activity.objects.filter(owner=user, pk=before).first() if before else None
    if mark is not None:
        lines = lines.filter(at__lt=mark.at) | lines.filter(at=mark.at, pk__lt=mark.pk)
    found: Sequence[Activity] = list(lines[: ACTIVITY_PAGE + 1])
    older = found[ACTIVITY_PAGE - 1].pk if len(found) > ACTIVITY_PAGE else None
    return ActivityPage(lines=tuple(found[:ACTIVITY_PAGE]), older=older)


def copy_for(user: User, key: str) -> CopiedOrder:
    """Return one of the user's own copies; a stranger's does not exist."""
    copies = CopiedOrder.objects.filter(owner=user).select_related("leader", "follower", "group")
    found = copies.filter(key=key).first()
    if found is None:
        raise Http404
    return found


def copies_of(group: SyncGroup) -> list[CopiedOrder]:
    """Return the newest copies of a group."""
    return list(group.copies.select_related("follower").order_by("-received_at", "-pk")[:COPIES_SHOWN])


def latency_of(group: SyncGroup) -> Latency:
    """Return how fast a group's newest copies were, in our process and to the broker's answer."""
    rows = group.copies.exclude(written_at=None).order_by("-received_at")
    times = list(rows.values_list("received_at", "written_at", "acknowledged_at")[:LATENCY_SAMPLE])
    inside = [written - received for received, written, _ in times if written]
    answered = [acknowledged - received for received, _, acknowledged in times if acknowledged]
    return Latency(
        count=len(inside),
        written_p50=percentile(inside, 50),
        written_p99=percentile(inside, 99),
        answered_p50=percentile(answered, 50),
        answered_p99=percentile(answered, 99),
    )


def newest_filled_copy() -> CopiedOrder | None:
    """Return the latest copy that has filled, of any owner: for operators and for checks after a deploy."""
    return CopiedOrder.objects.filter(filled__gt=0).order_by("-received_at").first()
