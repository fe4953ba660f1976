"""Rows to plans and books: the engine's only reads of the database, all off the loop's thread."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

import msgspec
from django.db.models import Q
from django.utils import timezone

from brokers.core.budget import CallLimits, Usage
from brokers.models import Account, Connection, ConnectionStatus, EngineStamp, Fill
from brokers.selectors import call_limits, usage_of
from risk.core.limits import AccountLimits
from risk.models import Gate, GateKind
from syncgroups.core.book import Book
from syncgroups.core.copies import OPEN_STATES, Copy, CopyState
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan, OwnerPlan, RestPolicy
from syncgroups.models import Activity, ActivityKind, CopiedOrder, Follower, Holding, ProductRule, SyncGroup
from tradehaven.domain.enums import (
    Environment,
    RefusalReason,
    RestRule,
    SessionHours,
    SizingMode,
    SyncMode,
    TradingState,
)
from tradehaven.domain.events import GateChanged
from tradehaven.domain.ids import (
    AccountId,
    ClientOrderId,
    ConnectionId,
    FillId,
    GateId,
    GroupId,
    Nanos,
    OrderId,
    OwnerId,
    Symbol,
)

FLATTEN_FRESH = timedelta(minutes=10)
EXIT_FRESH = timedelta(minutes=1)
REMEMBER = timedelta(days=4)
"""How far back a start looks: further than a weekend, so that nothing of an open session is forgotten."""


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
    logins: tuple[LoginRow, ...]


def changed_owners(known: dict[int, int]) -> dict[int, int]:
    """Return owners whose settings have another version than the known one, with that version."""
    stamps = dict(EngineStamp.objects.values_list("owner_id", "version"))
    return {owner: version for owner, version in stamps.items() if known.get(owner) != version}


def settings_of(owner: OwnerId) -> Settings:
    """Return an owner's plan, gates and logins."""
    gates = {gate.pk: gate for gate in Gate.objects.filter(owner_id=owner)}
    owner_gate = next((pk for pk, gate in gates.items() if gate.kind == GateKind.OWNER), None)
    accounts = list(Account.objects.filter(connection__owner_id=owner).select_related("risk", "connection"))
    groups = list(SyncGroup.objects.filter(owner_id=owner).prefetch_related("followers__products"))
    return Settings(
        plan=OwnerPlan(
            owner=owner,
            accounts={
                AccountId(account.pk): _account_plan(account, groups, owner_gate) for account in accounts
            },
            groups=tuple(_group_plan(group, accounts, owner_gate) for group in groups),
        ),
        gates=tuple(_gate_event(gate) for gate in gates.values()),
        logins=tuple(_login_row(row) for row in _live_logins(owner)),
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
            used_at=_nanos(row.calls_at),
            silent_until=_nanos(row.silent_until),
        ),
    )


def _gate_event(gate: Gate) -> GateChanged:
    return GateChanged(
        gate=GateId(gate.pk),
        state=TradingState(gate.state),
        # Flattening is a deed, not a state: a start finishes one that was under way, and no older one.
        flatten=gate.flatten and timezone.now() - gate.changed_at < FLATTEN_FRESH,
        version=gate.version,
        at=_nanos(gate.changed_at),
    )


def _gates(account: Account, owner_gate: int | None, *groups: SyncGroup) -> tuple[GateId, ...]:
    found = [account.risk.gate_id] if hasattr(account, "risk") else []
    found += [group.gate_id for group in groups]
    found += [owner_gate] if owner_gate is not None else []
    return tuple(GateId(gate) for gate in found)


def _account_plan(account: Account, groups: list[SyncGroup], owner_gate: int | None) -> AccountPlan:
    # A group's gate stands over its followers: killing a group leaves its leader's own trades alone.
    over = [
        group for group in groups if any(found.account_id == account.pk for found in group.followers.all())
    ]
    return AccountPlan(
        account=AccountId(account.pk),
        connection=ConnectionId(account.connection_id),
        gates=_gates(account, owner_gate, *over),
    )


def _group_plan(group: SyncGroup, accounts: list[Account], owner_gate: int | None) -> GroupPlan:
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
        active=group.active,
        active_since=_nanos(group.active_since),
        mode=SyncMode(group.mode),
        instruments=frozenset(group.instruments),
        hours=SessionHours(group.hours),
        entry_slack=group.entry_slack,
        rests=RestPolicy(
            after=group.rest_after,
            entries=RestRule(group.rest_entries),
            exits=RestRule(group.rest_exits),
            slack=group.rest_slack,
        ),
    )


def _follower_plan(
    found: Follower, account: Account, group: SyncGroup, owner_gate: int | None
) -> FollowerPlan:
    limit = account.risk.max_position if hasattr(account, "risk") else None
    plain = FollowerPlan(
        account=AccountId(account.pk),
        gates=_gates(account, owner_gate, group),
        reverse=found.reverse,
        sizing=SizingMode(found.sizing),
        ratio=Fraction(found.ratio),
        fixed_qty=found.fixed_qty,
        max_contracts=found.max_contracts,
        limits=AccountLimits(max_position=limit),
    )
    return replace(plain, products={rule.product: _rule_plan(plain, rule) for rule in found.products.all()})


def _rule_plan(plain: FollowerPlan, rule: ProductRule) -> FollowerPlan:
    return replace(
        plain,
        copies=rule.copied,
        product=rule.trades or None,
        sizing=SizingMode(rule.sizing) if rule.sizing else plain.sizing,
        ratio=Fraction(rule.ratio) if rule.ratio is not None else plain.ratio,
        fixed_qty=rule.fixed_qty or plain.fixed_qty,
        max_contracts=rule.max_contracts if rule.max_contracts is not None else plain.max_contracts,
    )


def _nanos(moment: datetime | None) -> Nanos:
    return Nanos(int(moment.timestamp() * 1_000_000) * 1000 if moment else 0)


def book_of(owner: OwnerId) -> Book:
    """Return the book as the database remembers it; the brokers' snapshots then say what is true."""
    book = Book()
    since = timezone.now() - REMEMBER
    open_states = [str(state) for state in OPEN_STATES]
    copies = CopiedOrder.objects.filter(Q(received_at__gte=since) | Q(state__in=open_states), owner_id=owner)
    for row in copies.order_by("received_at", "pk"):
        book.keep(_copy_of(row))
    fills = Fill.objects.filter(account__connection__owner_id=owner, traded_at__gte=since)
    book.fills.update(
        (AccountId(account), FillId(fill))
        for account, fill in fills.values_list("account_id", "broker_fill_id")
    )
    for holding in Holding.objects.filter(group__owner_id=owner).exclude(net=0):
        symbol, leads = Symbol(holding.symbol), Symbol(holding.leads or holding.symbol)
        key = (GroupId(holding.group_id), AccountId(holding.account_id), symbol, leads)
        book.hold(key, holding.net)
    book.changed_holdings.clear()
    refused = Activity.objects.filter(owner_id=owner, kind=ActivityKind.COPY_REFUSED, at__gte=since)
    for key_text, reason in refused.order_by("at").values_list("key", "reason"):
        if key_text not in book.copies:
            book.refused[ClientOrderId(key_text)] = RefusalReason(reason)
    return book


def _copy_of(row: CopiedOrder) -> Copy:
    """Return a copy as of its last step, with what became of it since. Unanswered is unresolved.

    An exit that waited for its login's budget goes on waiting if it is fresh; an old one counts as missed.
    """
    copy = msgspec.convert(row.body, Copy)
    state = CopyState(row.state)
    waits = copy.is_unsent and timezone.now() - row.received_at < EXIT_FRESH
    return replace(
        copy,
        state=CopyState.UNRESOLVED if state is CopyState.SENDING and not waits else state,
        order_id=OrderId(row.broker_order_id) if row.broker_order_id else copy.order_id,
        filled=row.filled,
        in_flight=None,
        refusals=0,
    )
