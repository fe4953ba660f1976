"""Products: what one tick is, what it is worth, how a price is written, and which product is its sibling.

The facts stand in `data/products.csv` and are read once, on first use. Dated contracts are in `contracts`,
trading hours in `calendar`, the rounding itself in `money`.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from importlib.resources import files

from tradehaven.domain.errors import InvalidInput, OffTick, UnknownInstrument
from tradehaven.domain.money import Money, Rounding, Ticks, round_to_step

MONTH_LETTERS = "FGHJKMNQUVXZ"
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_FRACTION = re.compile(r"(-?)([0-9]{1,15})'([0-9]{1,3})")


class PriceFormat(StrEnum):
    """How people write a price of a product."""

    DECIMAL = "decimal"
    THIRTY_SECONDS = "32nds"
    HALF_THIRTY_SECONDS = "32nds+halves"
    QUARTER_THIRTY_SECONDS = "32nds+quarters"
    EIGHTH_THIRTY_SECONDS = "32nds+eighths"
    EIGHTHS = "8ths"


class SessionTemplate(StrEnum):
    """Which week a product trades in; the hours are in `calendar`."""

    EQUITY = "EQUITY"
    RATES = "RATES"
    FX = "FX"
    ENERGY = "ENERGY"
    METALS = "METALS"
    GRAINS = "GRAINS"
    LIVESTOCK = "LIVESTOCK"
    CRYPTO = "CRYPTO"


class Settlement(StrEnum):
    """What the last holder of a contract gets."""

    CASH = "cash"
    PHYSICAL = "physical"


class ExpiryRule(StrEnum):
    """How a product's last trading day follows from its contract month; the rules are in `contracts`."""

    THIRD_FRIDAY = "third_friday"
    BEFORE_SECOND_FRIDAY = "before_second_friday"
    ONE_BEFORE_THIRD_WEDNESDAY = "one_before_third_wednesday"
    TWO_BEFORE_THIRD_WEDNESDAY = "two_before_third_wednesday"
    THREE_BEFORE_25TH_OF_PRIOR_MONTH = "three_before_25th_of_prior_month"
    FOUR_BEFORE_25TH_OF_PRIOR_MONTH = "four_before_25th_of_prior_month"
    LAST_OF_PRIOR_MONTH = "last_of_prior_month"
    THIRD_LAST_OF_PRIOR_MONTH = "third_last_of_prior_month"
    FOURTH_LAST_OF_PRIOR_MONTH = "fourth_last_of_prior_month"
    LAST_OF_MONTH = "last_of_month"
    THIRD_LAST_OF_MONTH = "third_last_of_month"
    SEVEN_BEFORE_LAST_OF_MONTH = "seven_before_last_of_month"
    BEFORE_15TH = "before_15th"
    TENTH_OF_MONTH = "tenth_of_month"
    LAST_THURSDAY = "last_thursday"
    LAST_FRIDAY = "last_friday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One futures product of CME Group; times are Chicago's, months 1 to 12.

    `sibling` is its micro or mini partner, `sibling_factor` the contracts of it that make one of ours.
    """

    symbol: str
    name: str
    exchange: str
    group: str
    currency: str
    tick_size: Decimal
    tick_value: Decimal
    point_value: Decimal
    unit: str
    listed_months: tuple[int, ...]
    active_months: tuple[int, ...]
    price_format: PriceFormat
    decimals: int
    template: SessionTemplate
    rth_start: time
    rth_end: time
    settlement_at: time
    settlement: Settlement
    expiry_rule: ExpiryRule
    sibling: str | None
    sibling_factor: Decimal | None
    full_size: str
    size: Decimal

    def __hash__(self) -> int:
        # The symbol alone: hashing twenty fields for every look-up would cost more than the look-up.
        return hash(self.symbol)

    def to_ticks(self, price: Decimal) -> Ticks:
        """Return the exact number of ticks; raise `OffTick` with the nearest valid prices."""
        try:
            ticks, rest = divmod(price, self.tick_size)
        except InvalidOperation:
            raise OffTick(f"{price} is not a price of {self.symbol}") from None
        if rest:
            raise self._off_tick(price)
        return Ticks(int(ticks))

    def to_price(self, ticks: int) -> Decimal:
        """Return the price in points that `ticks` make."""
        return self.tick_size * ticks

    def value(self, ticks: int) -> Money:
        """Return what a move of `ticks` is worth on one contract."""
        return Money(amount=self.tick_value * ticks, currency=self.currency)

    def round_ticks(self, price: Decimal, rounding: Rounding) -> Ticks:
        """Return the price on this product's grid; `money` says which way is safe for which order."""
        return Ticks(round_to_step(price, self.tick_size, rounding))

    def display(self, ticks: int) -> str:
        """Write a price as traders do: 5042.75, 115'09, 108'035, 452'2."""
        if self.price_format is PriceFormat.DECIMAL:
            return f"{self.to_price(ticks):.{self.decimals}f}"
        sign = "-" if ticks < 0 else ""
        per_point = int(1 / self.tick_size)
        points, rest = divmod(abs(ticks), per_point)
        if self.price_format is PriceFormat.EIGHTHS:
            return f"{sign}{points}'{rest * 8 // per_point}"
        per_32nd = per_point // 32
        thirty_seconds, part = divmod(rest, per_32nd)
        # CME cuts the decimal of the part to one digit: .125 is written 1, .375 is 3, .875 is 8.
        digit = str(part * 10 // per_32nd) if per_32nd > 1 else ""
        return f"{sign}{points}'{thirty_seconds:02d}{digit}"

    def parse_display(self, text: str) -> Ticks:
        """Read what `display` writes; raise `InvalidInput` for another shape, `OffTick` between ticks."""
        text = text.strip()
        if self.price_format is PriceFormat.DECIMAL:
            if not _DECIMAL.fullmatch(text):
                raise self._unreadable(text)
            return self.to_ticks(Decimal(text))
        found = _FRACTION.fullmatch(text)
        if not found:
            raise self._unreadable(text)
        sign, points, fraction = found.groups()
        size = int(points) * int(1 / self.tick_size) + self._fraction_ticks(text, fraction)
        return Ticks(-size if sign else size)

    def _fraction_ticks(self, text: str, fraction: str) -> int:
        per_point = int(1 / self.tick_size)
        written = {self.display(ticks).partition("'")[2]: ticks for ticks in range(per_point)}
        if len(fraction) != len(next(iter(written))):
            raise self._unreadable(text)
        if fraction not in written:
            raise OffTick(f"{text} is between two ticks of {self.symbol}; a tick is {self.tick_size}")
        return written[fraction]

    def _off_tick(self, price: Decimal) -> OffTick:
        if price.is_nan():
            return OffTick(f"{price} is not a price of {self.symbol}")
        below = self.to_price(round_to_step(price, self.tick_size, Rounding.DOWN))
        nearest = f"{below} and {below + self.tick_size}"
        return OffTick(
            f"{price} is not on the tick grid of {self.symbol}: a tick is {self.tick_size}, "
            f"the nearest prices are {nearest}"
        )

    def _unreadable(self, text: str) -> InvalidInput:
        example = self.display(int(100 / self.tick_size) + 1)
        return InvalidInput(
            "price", f"{text[:40]!r} is not a price of {self.symbol}; write it like {example}"
        )


@cache
def _table() -> Mapping[str, Product]:
    source = files("tradehaven.domain").joinpath("data", "products.csv").read_text(encoding="utf-8")
    return {row["symbol"]: _product(row) for row in csv.DictReader(source.splitlines())}


def _product(row: Mapping[str, str]) -> Product:
    return Product(
        symbol=row["symbol"],
        name=row["name"],
        exchange=row["exchange"],
        group=row["product_group"],
        currency=row["currency"],
        tick_size=Decimal(row["tick_size"]),
        tick_value=Decimal(row["tick_value"]),
        point_value=Decimal(row["point_value"]),
        unit=row["contract_unit"],
        listed_months=_months(row["listed_months"]),
        active_months=_months(row["active_months"]),
        price_format=PriceFormat(row["price_format"]),
        decimals=int(row["display_decimals"]),
        template=SessionTemplate(row["session_template"]),
        rth_start=time.fromisoformat(row["rth_start_ct"]),
        rth_end=time.fromisoformat(row["rth_end_ct"]),
        settlement_at=time.fromisoformat(row["settlement_ct"]),
        settlement=Settlement(row["settlement_type"]),
        expiry_rule=ExpiryRule(row["expiry_rule"]),
        sibling=row["sibling_symbol"] or None,
        sibling_factor=Decimal(row["sibling_contracts_per_one"]) if row["sibling_symbol"] else None,
        full_size=row["full_size_symbol"],
        size=Decimal(row["size_vs_full"]),
    )


def _months(letters: str) -> tuple[int, ...]:
    return tuple(MONTH_LETTERS.index(letter) + 1 for letter in letters)


def product(symbol: str) -> Product:
    """Return a product by its root, such as `ES`; raise `UnknownInstrument`."""
    found = _table().get(symbol)
    if found is None:
        raise UnknownInstrument(
            f"{symbol[:20]!r} is not a product we know; write a root such as ES, MNQ or 6E"
        )
    return found


def products() -> tuple[Product, ...]:
    """Return all products, in the order of the data file."""
    return tuple(_table().values())


def size_factor(one: Product, other: Product) -> Decimal:
    """Return how many contracts of `other` carry the size of one of `one`: ES to MES 10, SI to SIL 5.

    Raise `UnknownInstrument` where the two do not share an underlying. The factor need not be whole
    (QG to MNG is 2.5): multiply by it before the one rounding.
    """
    if one.full_size != other.full_size:
        raise UnknownInstrument(f"{one.symbol} and {other.symbol} are not sizes of the same product")
    return one.size / other.size
