"""Rows to plans, gates and logins, all off the loop's thread; what the book remembers stands in `books`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from django.utils import timezone

from accounts.billing.selectors import has_plan
from brokers.core.budget import CallLimits, Usage
from brokers.models import Account, Connection, ConnectionStatus, EngineStamp
from brokers.selectors import call_limits, usage_of
from risk.models import Gate, GateKind
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.engine import guardrails
from syncgroups.models import Follower, ManualCopy, ProductRule, Request, SyncGroup
from syncgroups.selectors.guardrails import rules_over
from syncgroups.services.groups import FollowerSettings
from syncgroups.services.products import ProductSettings
from tradehaven.domain.enums import (
    Ask,
    DriftPolicy,
    Environment,
    SessionHours,
    Side,
    SizingMode,
    SyncMode,
    TradingState,
)
from tradehaven.domain.events import AccountLocked, GateChanged, OrderAsked, PersonAsked
from tradehaven.domain.ids import (
    AccountId,
    ConnectionId,
    GateId,
    GroupId,
    Nanos,
    OwnerId,
    Symbol,
)

FLATTEN_FRESH = timedelta(minutes=10)
ASKED_FRESH = timedelta(seconds=60)
"""A click that the engine finds later than this does nothing any more: the market has moved on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """What is known of a login's budget. `login` is the broker's own name for it: there it is counted.

    Two people may have connected the same login. Times are UTC nanoseconds.
    """

    login: tuple[str, int]
    limits: CallLimits
    usage: Usage
    used_at: Nanos
    silent_until: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRow:
    """A login as the engine runs it."""

    connection: ConnectionId
    owner: OwnerId
    name: str
    accounts: frozenset[AccountId]
    budget: BudgetRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that one owner has set up, as of one moment."""

    plan: OwnerPlan
    gates: tuple[GateChanged, ...]
    locks: tuple[AccountLocked, ...]
    logins: tuple[LoginRow, ...]
    asked: tuple[PersonAsked | OrderAsked, ...] = ()


def changed_owners(known: dict[int, int], is_mine: Callable[[OwnerId], bool]) -> dict[int, int]:
    """Return one's own owners whose settings have another version than the known one, with that version."""
    stamps = EngineStamp.objects.values_list("owner_id", "version")
    return {
        owner: version for owner, version in stamps if known.get(owner) != version and is_mine(OwnerId(owner))
    }


def settings_of(owner: OwnerId) -> Settings:
    """Return an owner's plan, gates and logins."""
    gates = {gate.pk: gate for gate in Gate.objects.filter(owner_id=owner)}
    owner_gate = next((pk for pk, gate in gates.items() if gate.kind == GateKind.OWNER), None)
    accounts = list(
        Account.objects.filter(connection__owner_id=owner).select_related(
            "risk__book", "connection", "stated_limits"
        )
    )
    found = SyncGroup.objects.filter(owner_id=owner).select_related("member_rules", "total_rules")
    groups = list(found.prefetch_related("followers__products", "quarantines"))
    now = timezone.now()
    copies = has_plan(owner, now)
    return Settings(
        plan=OwnerPlan(
            owner=owner,
            accounts={
                AccountId(account.pk): _account_plan(account, groups, owner_gate, now) for account in accounts
            },
            groups=tuple(_group_plan(group, accounts, owner_gate, copies=copies) for group in groups),
            totals=guardrails.totals_of(owner, groups, accounts, now),
        ),
        gates=tuple(_gate_event(gate) for gate in gates.values()),
        locks=guardrails.locks_of(owner, now),
        logins=tuple(_login_row(row) for row in _live_logins(owner)),
        asked=(*(_asked(row) for row in _fresh_requests(owner)), *_fresh_orders(owner)),
    )


def _fresh_requests(owner: OwnerId) -> list[Request]:
    since = timezone.now() - ASKED_FRESH
    return list(Request.objects.filter(owner_id=owner, at__gte=since).order_by("pk"))


def _asked(row: Request) -> PersonAsked:
    return PersonAsked(request=row.pk, ask=Ask(row.ask), subject=row.subject, at=nanos(row.at))


def _fresh_orders(owner: OwnerId) -> Iterator[OrderAsked]:
    since = timezone.now() - ASKED_FRESH
    rows = ManualCopy.objects.filter(owner_id=owner, created_at__gte=since).order_by("pk")
    for row in rows.prefetch_related("shares"):
        yield OrderAsked(
            number=row.pk,
            leader=AccountId(row.leader_id),
            followers=tuple(sorted(AccountId(share.account_id) for share in row.shares.all())),
            symbol=Symbol(row.symbol),
            side=Side(row.side),
            spec=row.spec,
            stop_loss=row.stop_loss,
            take_profit=row.take_profit,
            at=nanos(row.created_at),
        )


def _live_logins(owner: OwnerId) -> list[Connection]:
    found = Connection.objects.filter(owner_id=owner).exclude(status=ConnectionStatus.DISCONNECTED)
    return list(found.order_by("pk").prefetch_related("accounts"))


def _login_row(row: Connection) -> LoginRow:
    return LoginRow(
        connection=ConnectionId(row.pk),
        owner=OwnerId(row.owner_id),
        name=str(row),
        accounts=frozenset(AccountId(account.pk) for account in row.accounts.all()),
        budget=BudgetRow(
            login=(row.environment, row.broker_user_id),
            limits=call_limits(Environment(row.environment)),
            usage=usage_of(row, timezone.now()),
            used_at=nanos(row.calls_at),
            silent_until=nanos(row.silent_until),
        ),
    )


def _gate_event(gate: Gate) -> GateChanged:
    return GateChanged(
        gate=GateId(gate.pk),
        state=TradingState(gate.state),
        # Flattening is a deed, not a state: a start finishes one that was under way, and no older one.
        flatten=gate.flatten and timezone.now() - gate.changed_at < FLATTEN_FRESH,
        version=gate.version,
        at=nanos(gate.changed_at),
    )


def gates_over(account: Account, owner_gate: int | None, *groups: SyncGroup) -> tuple[GateId, ...]:
    """Return the gates over an account: its own, those of these groups, the owner's."""
    found = [account.risk.gate_id] if hasattr(account, "risk") else []
    found += [group.gate_id for group in groups]
    found += [owner_gate] if owner_gate is not None else []
    return tuple(GateId(gate) for gate in found)


def _account_plan(
    account: Account, groups: list[SyncGroup], owner_gate: int | None, now: datetime
) -> AccountPlan:
    # A group's gate stands over its followers: killing a group leaves its leader's own trades alone.
    over = [
        group for group in groups if any(found.account_id == account.pk for found in group.followers.all())
    ]
    rules, later = rules_over(account, over, now)
    return AccountPlan(
        account=AccountId(account.pk),
        connection=ConnectionId(account.connection_id),
        gates=gates_over(account, owner_gate, *over),
        environment=Environment(account.connection.environment),
        rules=rules,
        later=later,
    )


def _group_plan(
    group: SyncGroup, accounts: list[Account], owner_gate: int | None, *, copies: bool
) -> GroupPlan:
    known = {account.pk: account for account in accounts}
    return GroupPlan(
        group=GroupId(group.pk),
        name=group.name,
        leader=AccountId(group.leader_id),
        followers=tuple(
            _follower_plan(found, known[found.account_id], group, owner_gate)
            for found in group.followers.all()
            if found.account_id in known
        ),
        active=group.active and copies,
        active_since=nanos(group.active_since),
        mode=SyncMode(group.mode),
        instruments=frozenset(group.instruments),
        hours=SessionHours(group.hours),
        drift_policy=DriftPolicy(group.drift_policy),
        drift_cap=group.drift_cap,
        drift_ticks=group.drift_ticks,
        entry_slack=group.entry_slack,
        rests=group.rests,
    )


def _follower_plan(
    found: Follower, account: Account, group: SyncGroup, owner_gate: int | None
) -> FollowerPlan:
    gates = gates_over(account, owner_gate, group)
    return follower_plan(found, found.products.all(), account, gates, group)


def follower_plan(
    found: Follower | FollowerSettings,
    products: Iterable[ProductRule | ProductSettings],
    account: Account,
    gates: tuple[GateId, ...],
    group: SyncGroup | None,
) -> FollowerPlan:
    """Return a follower as the core knows it, from its row or from settings that nobody has saved."""
    shut = group.quarantines.all() if group is not None else ()
    plain = FollowerPlan(
        account=AccountId(account.pk),
        gates=gates,
        reverse=found.reverse,
        sizing=SizingMode(found.sizing),
        ratio=Fraction(found.ratio),
        fixed_qty=found.fixed_qty,
        max_contracts=found.max_contracts,
        quarantined=frozenset(Symbol(row.symbol) for row in shut if row.account_id == account.pk),
    )
    return replace(plain, products={rule.product: _rule_plan(plain, rule) for rule in products})


def _rule_plan(plain: FollowerPlan, rule: ProductRule | ProductSettings) -> FollowerPlan:
    return replace(
        plain,
        copies=rule.copied,
        product=rule.trades or None,
        sizing=SizingMode(rule.sizing) if rule.sizing else plain.sizing,
        ratio=Fraction(rule.ratio) if rule.ratio is not None else plain.ratio,
        fixed_qty=rule.fixed_qty or plain.fixed_qty,
        max_contracts=rule.max_contracts if rule.max_contracts is not None else plain.max_contracts,
    )


def nanos(moment: datetime | None) -> Nanos:
    """Return a moment as the core counts it: UTC nanoseconds, 0 for none."""
    return Nanos(int(moment.timestamp() * 1_000_000) * 1000 if moment else 0)
