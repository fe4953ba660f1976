"""Products, maturities and contracts of the paper exchange, with ids that never change.

Ids are computed from the symbol and the delivery month, so they are the same after any restart and
on any machine, and a contract that is no longer listed still resolves. Facts of the products come
from one table; nothing else in this room knows them.
"""

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from importlib import resources

from brokers.paper.reference import (
    Contract,
    ContractMaturity,
    Currency,
    Named,
    OrderStrategyType,
    Product,
    ProductMargin,
)

MONTH_LETTERS = "FGHJKMNQUVXZ"
LISTED_AHEAD = 4
_EXCHANGES = ("CME", "CBOT", "NYMEX", "COMEX")
_ALPHABET = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIRST_YEAR = 2000
_MONTHS_CODED = 1200
_PRODUCT_BASE = 700_000
_MATURITY_BASE = 100_000_000
_CONTRACT_BASE = 300_000_000
_LAST_TRADE_UTC = time(14, 30)
_FULL_MARGIN_SHARE = Decimal("0.05")
_DAY_MARGIN_SHARE = Decimal("0.002")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Facts of one product: tick and prices in points, point value in USD."""

    symbol: str
    name: str
    exchange: str
    group: str
    tick: Decimal
    point_value: Decimal
    months: str
    active_months: str
    fractional: bool
    decimals: int
    example: Decimal
    micro: bool

    @property
    def id(self) -> int:
        """Return the product's id, computed from its symbol."""
        return _PRODUCT_BASE + _symbol_code(self.symbol)

    @property
    def day_margin(self) -> Decimal:
        """Return the intraday margin of one contract in USD."""
        return self._notional_share(_DAY_MARGIN_SHARE)

    @property
    def full_margin(self) -> Decimal:
        """Return the overnight margin of one contract in USD."""
        return self._notional_share(_FULL_MARGIN_SHARE)

    def ticks(self, price: Decimal) -> int | None:
        """Return a price in ticks, or None when it is off the tick grid."""
        steps = price / self.tick
        return int(steps) if steps == steps.to_integral_value() else None

    def price(self, ticks: int) -> Decimal:
        """Return the price in points of a number of ticks."""
        return self.tick * ticks

    def _notional_share(self, share: Decimal) -> Decimal:
        value = abs(self.example) * self.point_value * share
        return max(Decimal(1), value.quantize(Decimal(1), ROUND_HALF_UP))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One dated contract of a product."""

    spec: Spec
    year: int
    month: int

    @property
    def name(self) -> str:
        """Return the contract's name with a one-digit year, such as `ESZ6`."""
        return f"{self.spec.symbol}{MONTH_LETTERS[self.month - 1]}{self.year % 10}"

    @property
    def maturity_id(self) -> int:
        """Return the id of the contract's delivery month."""
        return _MATURITY_BASE + self._code

    @property
    def id(self) -> int:
        """Return the contract's id."""
        return _CONTRACT_BASE + self._code

    @property
    def expires(self) -> datetime:
        """Return the last trading instant in UTC, exact to a few days; nothing here needs more.

        Financials end on the third Friday, grains and meats in mid-month, metals late in the
        delivery month, energy in the month before (exchange rule books).
        """
        first = date(self.year, self.month, 1)
        match self.spec.group:
            case "energy":
                day = (first - timedelta(days=1)).replace(day=20)
            case "metals":
                day = first.replace(day=27)
            case "ags":
                day = first.replace(day=14)
            case _:
                day = first + timedelta(days=(4 - first.weekday()) % 7 + 14)
        day -= timedelta(days=max(0, day.weekday() - 4))
        return datetime.combine(day, _LAST_TRADE_UTC, UTC)

    @property
    def _code(self) -> int:
        return (
            _symbol_code(self.spec.symbol) * _MONTHS_CODED + (self.year - _FIRST_YEAR) * 12 + self.month - 1
        )


class Catalogue:
    """The contract library as of one day."""

    def __init__(self, specs: tuple[Spec, ...], today: date) -> None:
        self._specs = {spec.symbol: spec for spec in specs}
        self._by_id = {spec.id: spec for spec in specs}
        self._by_code = {_symbol_code(spec.symbol): spec for spec in specs}
        self._today = today

    def spec(self, symbol: str) -> Spec | None:
        """Return the product of a root symbol, in any case."""
        return self._specs.get(symbol.upper())

    def spec_of_id(self, product_id: int) -> Spec | None:
        """Return the product with an id."""
        return self._by_id.get(product_id)

    def specs(self) -> tuple[Spec, ...]:
        """Return every product."""
        return tuple(self._specs.values())

    def listing_of_id(self, contract_id: int) -> Listing | None:
        """Return the contract with an id, listed or expired."""
        return self._decode(contract_id - _CONTRACT_BASE)

    def listing_of_maturity(self, maturity_id: int) -> Listing | None:
        """Return the contract of a delivery month, listed or expired."""
        return self._decode(maturity_id - _MATURITY_BASE)

    def find(self, name: str) -> Listing | None:
        """Return the contract with an exact name such as `MESZ6` or `MESZ26`, in any case."""
        text = name.strip().upper()
        for digits in (1, 2):
            root, letter, year = text[: -digits - 1], text[-digits - 1 : -digits], text[-digits:]
            spec = self._specs.get(root)
            if spec and letter and letter in spec.months and year.isdecimal():
                return Listing(
                    spec=spec, year=self._year(int(year), digits), month=MONTH_LETTERS.index(letter) + 1
                )
        return None

    def listed(self, spec: Spec, count: int = LISTED_AHEAD) -> tuple[Listing, ...]:
        """Return the product's next contracts that have not expired, the nearest first."""
        found: list[Listing] = []
        year, month = self._today.year, self._today.month
        while len(found) < count:
            listing = Listing(spec=spec, year=year, month=month)
            if MONTH_LETTERS[month - 1] in spec.months and listing.expires.date() >= self._today:
                found.append(listing)
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        return tuple(found)

    def front(self, spec: Spec) -> Listing:
        """Return the contract most traders hold: the nearest of the product's active months."""
        listed = self.listed(spec, 12)
        return next(
            (item for item in listed if MONTH_LETTERS[item.month - 1] in spec.active_months), listed[0]
        )

    def roll(self, listing: Listing, *, forward: bool) -> Listing:
        """Return the next or the previous contract of the same product."""
        months = [MONTH_LETTERS.index(letter) + 1 for letter in listing.spec.months]
        step = 1 if forward else -1
        at = months.index(listing.month) + step
        return Listing(
            spec=listing.spec, year=listing.year + at // len(months), month=months[at % len(months)]
        )

    def suggest(self, text: str, limit: int) -> list[Listing]:
        """Return listed contracts whose name begins with a text, the front month of each root first."""
        wanted = text.strip().upper().lstrip("@")
        exact = [spec for spec in self._specs.values() if spec.symbol == wanted]
        others = [spec for spec in self._specs.values() if spec.symbol != wanted]
        found: list[Listing] = []
        for spec in exact + others:
            front = self.front(spec)
            names = [front, *(item for item in self.listed(spec) if item != front)]
            found += [item for item in names if item.name.startswith(wanted)]
        return found[:limit]

    def contract(self, listing: Listing) -> Contract:
        """Return the wire entity of a contract."""
        return Contract(id=listing.id, name=listing.name, contract_maturity_id=listing.maturity_id)

    def maturity(self, listing: Listing) -> ContractMaturity:
        """Return the wire entity of a delivery month."""
        return ContractMaturity(
            id=listing.maturity_id,
            product_id=listing.spec.id,
            expiration_month=listing.year * 100 + listing.month,
            expiration_date=listing.expires,
            is_front=listing == self.front(listing.spec),
        )

    def product(self, spec: Spec) -> Product:
        """Return the wire entity of a product."""
        return Product(
            id=spec.id,
            name=spec.symbol,
            description=spec.name,
            exchange_id=_EXCHANGES.index(spec.exchange) + 1,
            contract_group_id=self._groups.index(spec.group) + 1,
            months=spec.months,
            value_per_point=spec.point_value,
            price_format_type="Fractional" if spec.fractional else "Decimal",
            price_format=-spec.decimals,
            tick_size=spec.tick,
            is_micro=spec.micro,
        )

    def margin(self, spec: Spec) -> ProductMargin:
        """Return the wire entity of a product's exchange margin."""
        return ProductMargin(
            id=spec.id,
            initial_margin=spec.full_margin,
            maintenance_margin=spec.full_margin * 9 / 10,
            timestamp=datetime.combine(self._today, time(), UTC),
        )

    def exchanges(self) -> tuple[Named, ...]:
        """Return the exchanges."""
        return tuple(Named(id=number, name=name) for number, name in enumerate(_EXCHANGES, 1))

    def groups(self) -> tuple[Named, ...]:
        """Return the contract groups."""
        return tuple(Named(id=number, name=name) for number, name in enumerate(self._groups, 1))

    def clearing_houses(self) -> tuple[Named, ...]:
        """Return the clearing houses."""
        return (Named(id=1, name="Paper Clearing"),)

    def currencies(self) -> tuple[Currency, ...]:
        """Return the currencies; every product here settles in US dollars."""
        return (Currency(id=1, name="USD", symbol="$"),)

    def strategy_types(self) -> tuple[OrderStrategyType, ...]:
        """Return the order strategy types; the one published type is known but not enabled."""
        return (OrderStrategyType(id=2, name="MultiBracket", enabled=False),)

    @cached_property
    def _groups(self) -> list[str]:
        return sorted({spec.group for spec in self._specs.values()})

    def _decode(self, code: int) -> Listing | None:
        symbol_code, months = divmod(code, _MONTHS_CODED)
        spec = self._by_code.get(symbol_code)
        if spec is None or MONTH_LETTERS[months % 12] not in spec.months:
            return None
        return Listing(spec=spec, year=_FIRST_YEAR + months // 12, month=months % 12 + 1)

    def _year(self, digits: int, count: int) -> int:
        # A one-digit year means the nearest such year that is not long past.
        if count == 2:
            return _FIRST_YEAR + digits
        decade = self._today.year - self._today.year % 10 + digits
        return decade + 10 if decade < self._today.year - 1 else decade


def load_specs() -> tuple[Spec, ...]:
    """Return every product's facts from the table beside this module."""
    text = resources.files("brokers.paper").joinpath("products.csv").read_text(encoding="utf-8")
    return tuple(_spec(row) for row in csv.DictReader(text.splitlines()))


def _spec(row: dict[str, str]) -> Spec:
    return Spec(
        symbol=row["symbol"],
        name=row["name"],
        exchange=row["exchange"],
        group=row["group"],
        tick=Decimal(row["tick_size"]),
        point_value=Decimal(row["point_value"]),
        months=row["months"],
        active_months=row["active"],
        fractional=row["price_format"] != "decimal",
        decimals=int(row["decimals"]),
        example=Decimal(row["example"]),
        micro=row["full_size"] != row["symbol"],
    )


def _symbol_code(symbol: str) -> int:
    code = 0
    for letter in symbol:
        code = code * len(_ALPHABET) + _ALPHABET.index(letter)
    return code
