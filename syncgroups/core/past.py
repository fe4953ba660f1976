"""What a book has forgotten, as the numbers below which nothing is news, and what it will forget next."""

from dataclasses import dataclass, field

from tradehaven.domain.ids import AccountId, FillId, Nanos, OrderId


@dataclass(slots=True)
class Past:
    """The highest numbers that were forgotten of each account: a broker's numbers only grow.

    `aged_orders` and `aged_fills` are what was over when the book was tidied last, and goes when that is due
    again at `tidy_at` (UTC), if it is over still.
    """

    orders: dict[AccountId, OrderId] = field(default_factory=dict)
    fills: dict[AccountId, FillId] = field(default_factory=dict)
    aged_orders: set[tuple[AccountId, OrderId]] = field(default_factory=set)
    aged_fills: dict[AccountId, FillId] = field(default_factory=dict)
    tidy_at: Nanos = Nanos(0)
