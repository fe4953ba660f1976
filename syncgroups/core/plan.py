"""An owner's settings, frozen for the length of one decision.

`engine/plans.py` makes these from rows. A changed setting is a new plan; nothing here is ever edited.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from risk.core.rules import NO_RULES, Rules
from tradehaven.domain.enums import DriftPolicy, Environment, RestRule, SessionHours, SizingMode, SyncMode
from tradehaven.domain.ids import AccountId, ConnectionId, GateId, GroupId, Nanos, OwnerId, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerPlan:
    """One follower of one group. `gates` are all that must stand open: its own, the group's, the owner's.

    `products` says where it answers a product of its leader in another way. There `product` is the root
    that it trades instead. `reverse` trades against the leader; `copies` False leaves the product out.
    `quarantined` are contracts in which it may not enter anything for this group. `is_plain` says that it
    answers every contract with the same one on the same side.
    """

    account: AccountId
    gates: tuple[GateId, ...]
    copies: bool = True
    reverse: bool = False
    product: str | None = None
    sizing: SizingMode = SizingMode.RATIO
    ratio: Fraction = Fraction(1)
    fixed_qty: int = 1
    max_contracts: int | None = None
    quarantined: frozenset[Symbol] = frozenset()
    products: Mapping[str, "FollowerPlan"] = field(default_factory=dict)
    is_plain: bool = field(init=False)

    def __post_init__(self) -> None:
        """Note whether it answers every order of its leader as it stands, because every order asks."""
        plain = self.copies and not self.reverse and self.product is None and not self.products
        object.__setattr__(self, "is_plain", plain)

    def for_product(self, root: str) -> "FollowerPlan":
        """Return what holds for one product of the leader, which is this unless something else was set."""
        return self.products.get(root, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestPolicy:
    """What becomes of orders that still rest `after` seconds from when the leader's had filled.

    MARKET_WITHIN gives them a limit `slack` ticks worse than the leader's price.
    """

    after: int = 5
    entries: RestRule = RestRule.WAIT
    exits: RestRule = RestRule.MARKET
    slack: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """One leader and its followers. An empty `instruments` lets every product root through.

    `entry_slack` is by how many ticks a Confirmed entry may be worse than the leader's fill; None enters at
    the market. `drift_cap` is the most contracts of one repair that nobody clicked; `drift_ticks` is how far
    from the leader's price an entry may be caught up.
    """

    group: GroupId
    name: str
    leader: AccountId
    followers: tuple[FollowerPlan, ...]
    active: bool = True
    active_since: Nanos = Nanos(0)
    mode: SyncMode = SyncMode.IMMEDIATE
    instruments: frozenset[str] = frozenset()
    hours: SessionHours = SessionHours.ALL
    drift_policy: DriftPolicy = DriftPolicy.OBSERVE
    drift_cap: int = 1
    drift_ticks: int = 8
    entry_slack: int | None = None
    rests: RestPolicy = RestPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """Where an account lives, which gates stand over it when it must be flattened, and its guardrails.

    `later` are rules that somebody loosened: they are in force from that moment on (UTC), not before.
    """

    account: AccountId
    connection: ConnectionId
    gates: tuple[GateId, ...]
    environment: Environment = Environment.PAPER
    rules: Rules = NO_RULES
    later: tuple[Nanos, Rules] | None = None

    def rules_at(self, now: Nanos) -> Rules:
        """Return the guardrails in force."""
        return self.later[1] if self.later is not None and now >= self.later[0] else self.rules


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalPlan:
    """Limits over the sum of several accounts: a group's followers, or everything of the owner."""

    name: str
    accounts: tuple[AccountId, ...]
    rules: Rules
    later: tuple[Nanos, Rules] | None = None

    def rules_at(self, now: Nanos) -> Rules:
        """Return the limits in force."""
        return self.later[1] if self.later is not None and now >= self.later[0] else self.rules


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerPlan:
    """Everything one person has set up. `version` grows with each change."""

    owner: OwnerId
    accounts: Mapping[AccountId, AccountPlan]
    groups: tuple[GroupPlan, ...]
    version: int = 0
    totals: tuple[TotalPlan, ...] = ()
    led: Mapping[AccountId, GroupPlan] = field(init=False)
    numbered: Mapping[GroupId, GroupPlan] = field(init=False)
    quarantined: frozenset[tuple[GroupId, AccountId, Symbol]] = field(init=False)
    watched: Mapping[AccountId, tuple[TotalPlan, ...]] = field(init=False)

    def __post_init__(self) -> None:
        """Index the groups by leader, because every event asks; an account leads one group at most."""
        object.__setattr__(self, "led", {group.leader: group for group in self.groups})
        object.__setattr__(self, "numbered", {group.group: group for group in self.groups})
        shut = (
            (group.group, one.account, one.quarantined) for group in self.groups for one in group.followers
        )
        found = frozenset((group, account, symbol) for group, account, symbols in shut for symbol in symbols)
        object.__setattr__(self, "quarantined", found)
        object.__setattr__(self, "watched", _watched(self.accounts, self.totals))

    def rejoined(self, before: "OwnerPlan") -> set[AccountId]:
        """Return the accounts to which some group copies that did not by the settings before these."""
        return {account for _, account in self._copying() - before._copying()}

    def _copying(self) -> set[tuple[GroupId, AccountId]]:
        running = (group for group in self.groups if group.active)
        return {(group.group, one.account) for group in running for one in group.followers}


def _watched(
    accounts: Mapping[AccountId, AccountPlan], totals: tuple[TotalPlan, ...]
) -> dict[AccountId, tuple[TotalPlan, ...]]:
    """Return the accounts whose money has to be watched, each with the sums that it is part of."""
    parts = {name: tuple(total for total in totals if name in total.accounts) for name in accounts}
    return {
        name: parts[name]
        for name, account in accounts.items()
        if parts[name] or account.rules != NO_RULES or account.later is not None
    }
