"""What can stand between what a follower holds and what it should hold: values, and how they are named.

Finding them is `drift`, mending them is `repair`, keeping exits that failed is `owed`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from syncgroups.core.copies import HoldingKey
from tradehaven.domain.ids import AccountId, GroupId, Nanos, OrderId, Symbol

NO_GROUP = GroupId(0)
NO_ORDER = OrderId(0)


class DriftKind(StrEnum):
    """Why two things that should agree do not. Values are stored, so they never change."""

    LEFT_BEHIND = "left_behind"
    TOO_MUCH = "too_much"
    FAILED_EXIT = "failed_exit"
    MISSED_ENTRY = "missed_entry"
    TAKEN = "taken"
    UNEXPLAINED = "unexplained"
    FOREIGN_POSITION = "foreign_position"
    FOREIGN_ORDER = "foreign_order"
    ORPHAN = "orphan"
    UNPROTECTED = "unprotected"
    ASTRAY = "astray"


class DriftKey(NamedTuple):
    """Names a difference. Without a group it is about the whole account; `order` 0 is no order.

    `leads` is the leader's contract for which `symbol` is held.
    """

    kind: DriftKind
    group: GroupId
    account: AccountId
    symbol: Symbol
    leads: Symbol
    order: OrderId = NO_ORDER

    @property
    def holding(self) -> HoldingKey:
        """Return the holding that it is about."""
        return self.group, self.account, self.symbol, self.leads

    @property
    def name(self) -> str:
        """Return the key as one word, by which rows and clicks mean this difference."""
        return f"{self.kind}.g{self.group}.f{self.account}.{self.symbol}.{self.leads}.o{self.order}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference as it stands. `expected` and `actual` are signed contracts.

    `said` is whether people were told, `shut` whether its contract was put into quarantine for it. `due`
    is when a remedy may next be tried and `attempts` how often it was; `qty` is what a failed exit still
    has to close, `shouted_at` when that was last said aloud; `asked_at` is when a person wanted a repair.
    """

    key: DriftKey
    expected: int
    actual: int
    since: Nanos
    detail: str
    said: bool = False
    ignored: bool = False
    shut: bool = False
    attempts: int = 0
    due: Nanos = Nanos(0)
    qty: int = 0
    shouted_at: Nanos = Nanos(0)
    asked_at: Nanos = Nanos(0)
    remedy: str = ""
