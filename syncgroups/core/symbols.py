"""A leader's order in a follower's terms: its contract, its ticks, and its side where that is reversed.

What is held already was opened on the terms of its time and is closed on the same, whatever the settings
say by now (fault F42). Rounding of prices: trade mathematics, section 6.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from syncgroups.core.book import Book
from syncgroups.core.copies import Copy
from syncgroups.core.guarded import Refusal
from syncgroups.core.plan import FollowerPlan
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.contracts import product_of, sibling_of
from tradehaven.domain.enums import OrderType, RefusalReason, Side, TimeInForce
from tradehaven.domain.ids import GroupId, Symbol
from tradehaven.domain.instruments import Product, size_factor
from tradehaven.domain.money import Rounding, Ticks, limit_rounding, stop_rounding
from tradehaven.domain.orders import OrderSpec


@dataclass(frozen=True, slots=True)
class Terms:
    """How a follower answers one contract of its leader."""

    symbol: Symbol
    reverse: bool


NOT_COPIED = Refusal(
    reason=RefusalReason.INSTRUMENT_FILTERED, detail="this product is not copied to the account"
)
OTHER_TERMS = Refusal(
    reason=RefusalReason.SETTINGS_CHANGED,
    detail="it still holds a position that was opened under other settings; that has to be closed first",
)


def terms_of(
    book: Book, group: GroupId, follower: FollowerPlan, order: LeaderOrder, copy: Copy | None
) -> tuple[Terms, Refusal | None]:
    """Return the terms of a follower's answer, and why nothing new may be opened on them.

    An order keeps its own terms, and so does a position. Raise `UnknownInstrument` where the follower's
    product has no such contract month.
    """
    traded = sibling_of(order.leads, follower.product) if follower.product else order.leads
    wanted = Terms(traded, follower.reverse)
    refusal = None if follower.copies else NOT_COPIED
    if copy is not None:
        return Terms(copy.symbol, copy.reverse), refusal
    held = book.held_for(group, follower.account, order.leads)
    if held is None:
        return wanted, refusal
    standing = Terms(*held)
    return standing, refusal if standing == wanted else OTHER_TERMS


def translated(order: LeaderOrder, terms: Terms) -> LeaderOrder | None:
    """Return a leader's order in a follower's terms, or None where it has no mirror image there.

    Raise `UnknownInstrument` where the two contracts are not sizes of the same thing.
    """
    spec = _mirrored(order.spec) if terms.reverse else order.spec
    if spec is None:
        return None
    side, sign = (order.side.opposite, -1) if terms.reverse else (order.side, 1)
    factor, price = order.factor, order.price
    if terms.symbol != order.leads:
        theirs, mine = product_of(order.leads), product_of(terms.symbol)
        spec, factor = on_grid(spec, side, theirs, mine), Fraction(size_factor(theirs, mine))
        price = moved(price, limit_rounding(side), theirs, mine)
    return order.changed(
        symbol=terms.symbol,
        side=side,
        spec=spec,
        before=order.before * sign,
        change=order.change * sign,
        unsure=order.unsure * sign,
        reverse=terms.reverse,
        factor=factor,
        price=price,
    )


def on_grid(spec: OrderSpec, side: Side, theirs: Product, mine: Product) -> OrderSpec:
    """Return a spec in the ticks of another product, never at a worse price than it said."""
    # A touch waits for a better price, as a limit does; a stop waits for a worse one.
    touches = spec.order_type in (OrderType.MIT, OrderType.LIMIT_IF_TOUCHED)
    waking = limit_rounding(side) if touches else stop_rounding(side)
    return replace(
        spec,
        limit=moved(spec.limit, limit_rounding(side), theirs, mine),
        stop=moved(spec.stop, waking, theirs, mine),
        trail=moved(spec.trail, Rounding.UP, theirs, mine),
    )


def moved(ticks: Ticks | None, rounding: Rounding, theirs: Product, mine: Product) -> Ticks | None:
    """Return a price in the ticks of another product."""
    return None if ticks is None else mine.round_ticks(theirs.to_price(ticks), rounding)


_MIRROR = {
    OrderType.LIMIT: OrderType.STOP,
    OrderType.MIT: OrderType.STOP,
    OrderType.LIMIT_IF_TOUCHED: OrderType.STOP,
    OrderType.STOP: OrderType.LIMIT,
    OrderType.STOP_LIMIT: OrderType.LIMIT,
}
"""What trades on the other side when the leader's order does. A trailing stop has no such order: it would
have to follow the market from the side that it runs to."""
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def _mirrored(spec: OrderSpec) -> OrderSpec | None:
    if spec.order_type is OrderType.MARKET:
        return spec
    mirror = _MIRROR.get(spec.order_type)
    if mirror is None or spec.tif in _AT_ONCE:  # what the leader gets at once its mirror would wait for
        return None
    price = spec.limit if spec.order_type is OrderType.LIMIT else spec.stop
    if mirror is OrderType.STOP:
        return replace(spec, order_type=mirror, limit=None, stop=price)
    return replace(spec, order_type=mirror, limit=price, stop=None)
