"""A drill as data: who there is, what hands do and what goes wrong, each with its second.

Nothing here is drawn by chance: `grammar` does that. So a script can be cut down until only what matters
for a failure is left, and printed.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction

from risk.core.rules import NO_RULES, Caps, Rules
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan, OwnerPlan
from tradehaven.domain.enums import OrderType, Side, SizingMode, SyncMode, TradingState
from tradehaven.domain.ids import AccountId, ConnectionId, GateId, GroupId, OwnerId, Symbol

OWNER = OwnerId(1)
LEADER = AccountId(1)
GROUP = GroupId(9)
ES, NQ = Symbol("ESZ6"), Symbol("NQZ6")
OWNER_GATE = GateId(900)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A follower's settings in one group."""

    account: AccountId
    ratio: Fraction = Fraction(1)
    sizing: SizingMode = SizingMode.RATIO
    fixed_qty: int = 1
    max_contracts: int | None = None
    max_position: int | None = None
    reverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A leader and its followers."""

    group: GroupId
    leader: AccountId
    followers: tuple[Follower, ...]
    active: bool = True
    mode: SyncMode = SyncMode.IMMEDIATE


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Groups, and which login each account belongs to."""

    groups: tuple[Group, ...]
    logins: tuple[tuple[AccountId, ConnectionId], ...]
    balances: tuple[tuple[AccountId, int], ...] = ()

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
        )

    def _rules(self, account: AccountId) -> Rules:
        followers = (found for group in self.groups for found in group.followers if found.account == account)
        caps = [found.max_position for found in followers if found.max_position is not None]
        return Rules(caps=Caps(instrument=min(caps))) if caps else NO_RULES


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
        followers=tuple(
            FollowerPlan(
                account=found.account,
                gates=(gate_of(found.account), group_gate(group.group), OWNER_GATE),
                sizing=found.sizing,
                ratio=found.ratio,
                fixed_qty=found.fixed_qty,
                max_contracts=found.max_contracts,
                reverse=found.reverse,
            )
            for found in group.followers
        ),
    )


# -- what hands do ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An order by hand. `limit` and `stop` are ticks away from the price, `trail` is a distance."""

    account: AccountId
    side: Side
    qty: int
    order_type: OrderType = OrderType.MARKET
    limit: int | None = None
    stop: int | None = None
    trail: int | None = None
    symbol: Symbol = ES


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """A target and a stop around the whole position, one cancelling the other; nothing when flat."""

    account: AccountId
    target: int
    stop: int
    symbol: Symbol = ES


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakout:
    """A buy stop above the price and a sell stop below, one cancelling the other."""

    account: AccountId
    qty: int
    above: int
    below: int
    symbol: Symbol = ES


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change the `pick`-th working order: move its prices, and set its quantity if it is not None."""

    account: AccountId
    pick: int
    move: int = 0
    qty: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Pull the `pick`-th working order."""

    account: AccountId
    pick: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Cancel everything and trade every position to zero."""

    account: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """Trade the position to the other side, to `qty` contracts there; nothing when flat."""

    account: AccountId
    qty: int
    symbol: Symbol = ES


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Let the price go somewhere, in ticks from the opening price."""

    to: int
    symbol: Symbol = ES


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Turn a gate."""

    gate: GateId
    state: TradingState
    flatten: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Press a kill switch at the engine's own door; its row follows `away` seconds later."""

    gate: GateId
    flatten: bool = False
    away: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Change the settings: the groups as they are from now on."""

    groups: tuple[Group, ...]


Deed = Place | Exits | Breakout | Change | Cancel | Leave | Flip | Move | Turn | Press | Settle


# -- what goes wrong --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Worse weather on one login for a while: a field of `Weather` and its value."""

    login: ConnectionId
    name: str
    value: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A session falls; with `silently` nobody is told and the silence has to be noticed."""

    login: ConnectionId
    silently: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From a lost message on nothing comes up any more, though requests go out; the session falls later."""

    login: ConnectionId
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The broker turns an account's new orders down for a while."""

    account: AccountId
    code: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """The engine dies the `nth` time that it passes a point from now on; point `now` is at once.

    `disk` says what of the journal is left: `kept`, `torn` (cut at `cut`, 0 to 1, of its last record) or
    `lost`. The engine is down for `seconds`.
    """

    point: str
    nth: int = 1
    disk: str = "kept"
    cut: float = 0.5
    seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The engine is told to leave, and comes back."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FullDisk:
    """The journal cannot be written for a while."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The broker answers a login's calls with 429 for a while, or every login's (F23, F25)."""

    login: ConnectionId | None
    seconds: float


Fault = Limit | Storm | Drop | Gap | Refuse | Crash | Stop | FullDisk


@dataclass(frozen=True, slots=True)
class Timed:
    """Something at a second."""

    second: float
    what: Deed | Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A whole drill. `length` is the seconds of trouble; then a minute and more of quiet follows.

    `per_minute` are the calls that the broker takes of each login in a minute, None for no budget.
    """

    seed: int
    people: People
    items: tuple[Timed, ...]
    length: float
    splits: float = 0.0
    slow_fills: float = 0.0
    per_minute: int | None = None
    traits: frozenset[str] = field(default_factory=frozenset)

    def deeds(self) -> tuple[Timed, ...]:
        """Return what hands do."""
        return tuple(item for item in self.items if isinstance(item.what, Deed))

    def faults(self) -> tuple[Timed, ...]:
        """Return what goes wrong."""
        return tuple(item for item in self.items if isinstance(item.what, Fault))

    def without(self, gone: frozenset[int]) -> "Script":
        """Return the script without the items at these places."""
        return replace(self, items=tuple(i for n, i in enumerate(self.items) if n not in gone))
