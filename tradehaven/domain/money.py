"""Ticks and Money: the only arithmetic on prices and amounts, and the only place that rounds.

A price in the core is a whole number of ticks; an amount is a Decimal with its currency. Money adds to
money of its own currency and multiplies by whole numbers; nothing else type-checks. No floats.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import NewType, Self

from tradehaven.domain.enums import Side
from tradehaven.domain.errors import CurrencyMismatch

Ticks = NewType("Ticks", int)
"""A price, or a distance between prices, as a whole number of its product's ticks; may be negative."""

_CENT = Decimal("0.01")
# Wide enough for any dollar amount, so that rounding to the cent never overflows the default 28 digits.
_CENT_DIGITS = 60


class Rounding(StrEnum):
    """Where a price between two ticks goes."""

    NEAREST = "nearest"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount of one currency, unrounded."""

    amount: Decimal
    currency: str

    def __add__(self, other: Self) -> Self:
        self._same(other)
        return type(self)(amount=self.amount + other.amount, currency=self.currency)

    def __sub__(self, other: Self) -> Self:
        self._same(other)
        return type(self)(amount=self.amount - other.amount, currency=self.currency)

    def __mul__(self, times: int) -> Self:
        if not isinstance(times, int):
            return NotImplemented
        return type(self)(amount=self.amount * times, currency=self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Self:
        return type(self)(amount=-self.amount, currency=self.currency)

    def __abs__(self) -> Self:
        return type(self)(amount=abs(self.amount), currency=self.currency)

    def __lt__(self, other: Self) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Self) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: "Money") -> None:
        if not isinstance(other, Money):
            raise TypeError(f"money meets {type(other).__name__}; wrap the amount in Money first")
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self} meets {other}; convert one of them first")


def usd(amount: Decimal | int | str) -> Money:
    """Return dollars; a float is not accepted by the type, because 0.1 has no exact one."""
    return Money(amount=Decimal(amount), currency="USD")


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add amounts of one currency; nothing to add is zero. Raise `CurrencyMismatch` for a stranger."""
    return sum(amounts, Money(amount=Decimal(0), currency=currency))


def cents(money: Money) -> Money:
    """Round to 0.01 for the screen, half away from zero; books and limits keep the unrounded amount."""
    with localcontext() as context:
        context.prec = _CENT_DIGITS
        return Money(amount=money.amount.quantize(_CENT, rounding=ROUND_HALF_UP), currency=money.currency)


def floor_qty(contracts: Decimal) -> int:
    """Cut a computed size toward zero to whole contracts: never larger than asked, on either side."""
    return int(contracts)


def round_to_step(price: Decimal, step: Decimal, rounding: Rounding) -> int:
    """Return how many `step`s make the price, rounded; NEAREST sends an exact half away from zero.

    Negative prices round like any other: UP is toward plus infinity.
    """
    whole, rest = divmod(price, step)
    steps = int(whole)
    if not rest:
        return steps
    # Decimal's divmod cuts toward zero and the rest has the sign of the price.
    away = 1 if rest > 0 else -1
    if rounding is Rounding.NEAREST:
        return steps + away if abs(rest) * 2 >= step else steps
    wanted = 1 if rounding is Rounding.UP else -1
    return steps + away if away == wanted else steps


def whole_ticks(ticks: Fraction, rounding: Rounding) -> Ticks:
    """Return an average price in ticks as a price one can order at; NEAREST sends a half away from zero."""
    if rounding is Rounding.UP:
        return Ticks(ceil(ticks))
    if rounding is Rounding.DOWN:
        return Ticks(floor(ticks))
    size = floor(abs(ticks) + Fraction(1, 2))
    return Ticks(size if ticks > 0 else -size)


def limit_rounding(side: Side) -> Rounding:
    """Return the rounding that never pays more, or sells for less, than the leader's limit."""
    return Rounding.DOWN if side is Side.BUY else Rounding.UP


def stop_rounding(side: Side) -> Rounding:
    """Return the rounding that never triggers a stop before the leader's own."""
    return Rounding.UP if side is Side.BUY else Rounding.DOWN
