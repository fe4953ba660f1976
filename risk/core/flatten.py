"""How an account becomes flat: what to cancel, then what to close. Used by the engine and by hand alike.

The closes are the broker's own liquidation of a contract, which cancels what works there and can never
trade beyond zero (protocol 11.6); a market order of ours could, when a stop fills at the same moment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tradehaven.domain.ids import OrderId, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenPlan:
    """Orders to cancel, in contracts without a position, and contracts to liquidate."""

    cancel: tuple[OrderId, ...]
    close: tuple[Symbol, ...]


def flatten(working: Iterable[tuple[OrderId, Symbol]], positions: Mapping[Symbol, int]) -> FlattenPlan:
    """Return the least that makes one account flat: `positions` are net contracts by contract."""
    held = {symbol for symbol, net in positions.items() if net}
    return FlattenPlan(
        cancel=tuple(order for order, symbol in working if symbol not in held),
        close=tuple(sorted(held)),
    )
