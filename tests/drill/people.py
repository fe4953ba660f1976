"""Who there is in a drill: leaders, followers, logins, settings, guardrails, and the plan of all that."""

from dataclasses import dataclass, replace
from fractions import Fraction

from risk.core.rules import NO_RULES, Caps, Rules
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan, OwnerPlan, RestPolicy, TotalPlan
from tradehaven.domain.enums import SizingMode, SyncMode
from tradehaven.domain.ids import AccountId, ConnectionId, GateId, GroupId, OwnerId, Symbol

OWNER = OwnerId(1)
LEADER = AccountId(1)
GROUP = GroupId(9)
ES, NQ, MES = Symbol("ESZ6"), Symbol("NQZ6"), Symbol("MESZ6")
OWNER_GATE = GateId(900)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A follower's settings in one group; one that is `small` trades the micro of the large index."""

    account: AccountId
    ratio: Fraction = Fraction(1)
    sizing: SizingMode = SizingMode.RATIO
    fixed_qty: int = 1
    max_contracts: int | None = None
    max_position: int | None = None
    reverse: bool = False
    small: bool = False
    quarantined: frozenset[Symbol] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A leader and its followers."""

    group: GroupId
    leader: AccountId
    followers: tuple[Follower, ...]
    active: bool = True
    mode: SyncMode = SyncMode.IMMEDIATE
    rests: RestPolicy = RestPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Groups, and which login each account belongs to; `rules` are guardrails, `total` those of the sum."""

    groups: tuple[Group, ...]
    logins: tuple[tuple[AccountId, ConnectionId], ...]
    balances: tuple[tuple[AccountId, int], ...] = ()
    rules: tuple[tuple[AccountId, Rules], ...] = ()
    total: Rules | None = None

    def accounts(self) -> tuple[AccountId, ...]:
        """Return every account."""
        return tuple(account for account, _ in self.logins)

    def plan(self, version: int) -> OwnerPlan:
        """Return the owner's plan."""
        return OwnerPlan(
            owner=OWNER,
            version=version,
            accounts={
                account: AccountPlan(
                    account=account,
                    connection=login,
                    gates=(
                        gate_of(account),
                        *(group_gate(group.group) for group in self.groups if _has(group, account)),
                        OWNER_GATE,
                    ),
                    rules=self._rules(account),
                )
                for account, login in self.logins
            },
            groups=tuple(_group_plan(group) for group in self.groups),
            totals=self._totals(),
        )

    def _rules(self, account: AccountId) -> Rules:
        rules = dict(self.rules).get(account, NO_RULES)
        followers = (found for group in self.groups for found in group.followers if found.account == account)
        caps = [found.max_position for found in followers if found.max_position is not None]
        return replace(rules, caps=Caps(instrument=min(caps))) if caps else rules

    def _totals(self) -> tuple[TotalPlan, ...]:
        if self.total is None:
            return ()
        followers = {found.account for group in self.groups for found in group.followers}
        return (TotalPlan(name="all accounts", accounts=tuple(sorted(followers)), rules=self.total),)


def gate_of(account: AccountId) -> GateId:
    """Return an account's own gate."""
    return GateId(100 + account)


def group_gate(group: GroupId) -> GateId:
    """Return a group's gate."""
    return GateId(800 + group)


def _has(group: Group, account: AccountId) -> bool:
    return any(found.account == account for found in group.followers)


def _group_plan(group: Group) -> GroupPlan:
    return GroupPlan(
        group=group.group,
        name=f"group {group.group}",
        leader=group.leader,
        active=group.active,
        mode=group.mode,
        rests=group.rests,
        followers=tuple(_follower_plan(group, found) for found in group.followers),
    )


def _follower_plan(group: Group, found: Follower) -> FollowerPlan:
    plan = FollowerPlan(
        account=found.account,
        gates=(gate_of(found.account), group_gate(group.group), OWNER_GATE),
        sizing=found.sizing,
        ratio=found.ratio,
        fixed_qty=found.fixed_qty,
        max_contracts=found.max_contracts,
        reverse=found.reverse,
        quarantined=found.quarantined,
    )
    return replace(plan, products={"ES": replace(plan, product="MES")}) if found.small else plan
