"""A position and its profit from fills, in whole ticks times contracts, exact at every step.

Both accounting methods of trade-math section 1: first in, first out by lots, and average price. Their
realised parts differ while a position is open; realised plus unrealised is always the same. Money comes
at the very end, through `Product.value`. Fees are not in here.
"""

from dataclasses import dataclass
from fractions import Fraction

from tradehaven.domain.enums import Side
from tradehaven.domain.money import Rounding, Ticks, whole_ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Contracts opened at one price, oldest first in their position; the sign is the position's."""

    qty: int
    price: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Signed contracts, the lots they were opened in, and their average entry in ticks.

    `average` follows the average-price method, where a reduction leaves it alone; None when flat.
    """

    net: int = 0
    lots: tuple[Lot, ...] = ()
    average: Fraction | None = None


FLAT = Position()


def apply_fill(position: Position, *, side: Side, qty: int, price: Ticks) -> tuple[Position, int]:
    """Return the position after a fill, and what it realised first-in-first-out, in ticks times contracts.

    A fill larger than the opposite position closes it and opens the rest at its own price.
    """
    _check(qty)
    closing = _closing(position, side, qty)
    net = position.net + side.sign * qty
    lots, realized = _close(position.lots, closing, price, -side.sign)
    opening = qty - closing
    if opening:
        lots = (*lots, Lot(qty=opening, price=price))
    return Position(net=net, lots=lots, average=_average(position, opening, price, net)), realized


def realized_at_average(position: Position, *, side: Side, qty: int, price: Ticks) -> Fraction:
    """Return what a fill would realise under the average-price method, in ticks times contracts."""
    _check(qty)
    closing = _closing(position, side, qty)
    if position.average is None or not closing:
        return Fraction(0)
    return (price - position.average) * closing * -side.sign


def unrealized(position: Position, mark: Ticks) -> int:
    """Return the open profit of the lots at a mark, in ticks times contracts."""
    sign = 1 if position.net > 0 else -1
    return sign * sum((mark - lot.price) * lot.qty for lot in position.lots)


def unrealized_at_average(position: Position, mark: Ticks) -> Fraction:
    """Return the open profit against the average entry at a mark, in ticks times contracts."""
    if position.average is None:
        return Fraction(0)
    return (mark - position.average) * position.net


def adopt(net: int, average: Fraction) -> Position:
    """Return a position that the broker reports without its fills: signed contracts, average in ticks.

    Lots take the two ticks around the average so that their cost is the reported one, to the nearest tick.
    """
    size = abs(net)
    if not size:
        return FLAT
    below, above = divmod(whole_ticks(average * size, Rounding.NEAREST), size)
    lots = [Lot(qty=size - above, price=Ticks(below))]
    if above:
        lots.append(Lot(qty=above, price=Ticks(below + 1)))
    return Position(net=net, lots=tuple(lots), average=Fraction(below * size + above, size))


def _check(qty: int) -> None:
    if qty <= 0:
        raise ValueError(f"a fill has at least one contract, got {qty}")


def _closing(position: Position, side: Side, qty: int) -> int:
    return min(qty, max(0, -side.sign * position.net))


def _close(lots: tuple[Lot, ...], qty: int, price: Ticks, sign: int) -> tuple[tuple[Lot, ...], int]:
    realized = 0
    for index, lot in enumerate(lots):
        if not qty:
            return lots[index:], realized
        taken = min(qty, lot.qty)
        realized += sign * (price - lot.price) * taken
        qty -= taken
        if taken < lot.qty:
            return (Lot(qty=lot.qty - taken, price=lot.price), *lots[index + 1 :]), realized
    return (), realized


def _average(before: Position, opening: int, price: Ticks, net: int) -> Fraction | None:
    if not net:
        return None
    if not opening:
        return before.average
    held = abs(net) - opening
    if before.average is None or not held:
        return Fraction(price)
    return (before.average * held + price * opening) / (held + opening)
