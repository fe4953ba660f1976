"""A drill as data: who there is, what hands do and what goes wrong, each with its second.

Nothing here is drawn by chance: `grammar` does that. So a script can be cut down until only what matters
for a failure is left, and printed.
"""

from dataclasses import dataclass, field, replace

from risk.core.rules import Rules
from tests.drill.people import ES, Group, People
from tradehaven.domain.enums import OrderType, Side, TradingState
from tradehaven.domain.ids import AccountId, ConnectionId, GateId, Symbol

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
    """Change the settings: the groups as they are from now on, and the guardrails where they are given."""

    groups: tuple[Group, ...]
    rules: tuple[tuple[AccountId, Rules], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Somebody orders for chosen followers (COPY-11). `away` is its price's distance, in ticks."""

    number: int
    leader: AccountId
    followers: tuple[AccountId, ...]
    side: Side
    qty: int
    order_type: OrderType = OrderType.MARKET
    away: int = 0
    stop_loss: int | None = None
    take_profit: int | None = None
    symbol: Symbol = ES


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Move the `pick`-th working order of ours in an account by hand, or set its quantity.

    With `manual` it is one of its manual copies.
    """

    account: AccountId
    pick: int
    move: int = 0
    qty: int | None = None
    manual: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Bust:
    """The exchange takes the `pick`-th execution of an account back (F18); nothing when it has none."""

    account: AccountId
    pick: int


Deed = (
    Place
    | Exits
    | Breakout
    | Change
    | Cancel
    | Leave
    | Flip
    | Move
    | Turn
    | Press
    | Settle
    | Bust
    | Ask
    | Shift
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wild:
    """A single print that is so many parts in a thousand away from the market (F40)."""

    symbol: Symbol
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """No price comes for a while; with `silently` nobody is told that the socket is gone."""

    seconds: float
    silently: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfill:
    """The next order of ours that trades in an account trades one contract more than was asked (F26)."""

    account: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Strange:
    """A login tells what makes no sense: of orders, accounts and contracts that nobody knows (F19)."""

    login: ConnectionId
    number: int


Fault = Limit | Storm | Drop | Gap | Refuse | Crash | Stop | FullDisk | Wild | Blind | Overfill | Strange


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
    money: bool = False
    """Whether prices and cash reach the engine: what guardrails live on."""
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
