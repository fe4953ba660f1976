"""Which order status may follow which, as a table: Tradovate's order life, protocol 12.1.

The broker may leave a step out (a market order is often never shown working) but never walks back. A
move that is not in the table is logged and reconciled with a snapshot, not applied.
"""

from tradehaven.domain.enums import OrderStatus

_FINAL = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
        OrderStatus.COMPLETED,
    }
)
# Whatever a live order is waiting for, a fill, a cancel or the end of its time may get there first.
_ENDS = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.EXPIRED,
        OrderStatus.COMPLETED,
        OrderStatus.UNKNOWN,
    }
)
_ASKED = frozenset({OrderStatus.PENDING_REPLACE, OrderStatus.PENDING_CANCEL})
_NEXT: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: _ENDS | _ASKED | {OrderStatus.WORKING, OrderStatus.SUSPENDED, OrderStatus.REJECTED},
    OrderStatus.WORKING: _ENDS | _ASKED | {OrderStatus.SUSPENDED},
    OrderStatus.SUSPENDED: _ENDS | _ASKED | {OrderStatus.WORKING, OrderStatus.REJECTED},
    OrderStatus.PENDING_REPLACE: _ENDS
    | {OrderStatus.WORKING, OrderStatus.SUSPENDED, OrderStatus.PENDING_CANCEL},
    OrderStatus.PENDING_CANCEL: _ENDS | {OrderStatus.WORKING, OrderStatus.SUSPENDED},
    # The broker itself had lost sight of the order: what it says next is all we know.
    OrderStatus.UNKNOWN: frozenset(OrderStatus),
} | {status: frozenset() for status in _FINAL}


def may_follow(before: OrderStatus, after: OrderStatus) -> bool:
    """Tell whether an order may go from one status to another; saying the same again is always fine."""
    return before is after or after in _NEXT[before]


def is_final(status: OrderStatus) -> bool:
    """Tell whether an order in this status can never trade again."""
    return status in _FINAL
