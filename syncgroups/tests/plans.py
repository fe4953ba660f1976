"""Plans for tests: a leader, followers, a group. Every account has a login and a gate of its own."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from risk.core.rules import NO_RULES, Caps, Rules
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan, OwnerPlan
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged
from tradehaven.domain.ids import AccountId, ConnectionId, GateId, GroupId, Nanos, OwnerId, Symbol

LEADER = AccountId(1)
GROUP = GroupId(9)
ES = Symbol("ESZ6")
SECOND = 1_000_000_000
OWNER_GATE, GROUP_GATE = GateId(900), GateId(901)


def connection_of(account: AccountId) -> ConnectionId:
    """Give every account a login of its own, so that links can fail one by one."""
    return ConnectionId(1000 + account)


def gate_of(account: AccountId) -> GateId:
    """Return the account's own gate."""
    return GateId(100 + account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capped(FollowerPlan):
    """A follower whose account may hold so many contracts of one instrument."""

    max_position: int


def follower(account: int, **settings: Any) -> FollowerPlan:
    """Return a follower; `ratio` may be written as text. `plan_of` gives its account its largest position."""
    if "ratio" in settings:
        settings["ratio"] = Fraction(settings["ratio"])
    mine = AccountId(account)
    kind = Capped if "max_position" in settings else FollowerPlan
    return kind(account=mine, gates=(gate_of(mine), GROUP_GATE, OWNER_GATE), **settings)


def caps_of(*groups: GroupPlan) -> dict[AccountId, Rules]:
    """Return the rules of the accounts that may hold only so much."""
    capped = (found for group in groups for found in group.followers if isinstance(found, Capped))
    return {found.account: Rules(caps=Caps(instrument=found.max_position)) for found in capped}


def group_of(
    *followers: FollowerPlan, leader: AccountId = LEADER, group: GroupId = GROUP, **settings: Any
) -> GroupPlan:
    """Return a running group."""
    return GroupPlan(group=group, name="group", leader=leader, followers=followers, **settings)


def plan_of(*groups: GroupPlan) -> OwnerPlan:
    """Return the plan of an owner with these groups."""
    accounts = {group.leader for group in groups} | {f.account for group in groups for f in group.followers}
    return OwnerPlan(
        owner=OwnerId(1),
        accounts={
            account: AccountPlan(
                account=account,
                connection=connection_of(account),
                gates=(gate_of(account), GROUP_GATE, OWNER_GATE),
                rules=caps_of(*groups).get(account, NO_RULES),
            )
            for account in accounts
        },
        groups=groups,
    )


def open_gates(plan: OwnerPlan) -> list[GateChanged]:
    """Return every gate of a plan as a new row has it: open, before any turn."""
    over = {gate for account in plan.accounts.values() for gate in account.gates}
    over |= {gate for group in plan.groups for found in group.followers for gate in found.gates}
    return [
        GateChanged(gate=gate, state=TradingState.ACTIVE, flatten=False, version=0, at=Nanos(0))
        for gate in sorted(over)
    ]
