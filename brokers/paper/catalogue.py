"""Products, maturities and contracts of the paper exchange, with ids that never change.

Ids are computed from the symbol and the delivery month, so they are the same after any restart and
on any machine, and a contract that is no longer listed still resolves. Facts of the products come
from one table; nothing else in this room knows them.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
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
from tradehaven.domain import contracts, instruments
from tradehaven.domain.errors import OffTick, UnknownInstrument
from tradehaven.domain.instruments import MONTH_LETTERS, PriceFormat, SessionTemplate

LISTED_AHEAD = 4
_EXCHANGES = ("CME", "CBOT", "NYMEX", "COMEX")
# The blank makes every letter count, so that no two symbols share a code.
_ALPHABET = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIRST_YEAR = 2000
_MONTHS_CODED = 1200
# Apart far enough that an id tells what it is an id of.
_PRODUCT_BASE = 700_000
_MATURITY_BASE = 100_000_000
_CONTRACT_BASE = 300_000_000
_LAST_TRADE_UTC = time(14, 30)
# Real margins change weekly; shares of the notional keep products in proportion to each other.
_FULL_MARGIN_SHARE = Decimal("0.05")
_DAY_MARGIN_SHARE = Decimal("0.002")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One product with the price in points at which its synthetic market starts."""

    facts: instruments.Product
    start: Decimal

    @property
    def symbol(self) -> str:
        """Return the root symbol."""
        return self.facts.symbol

    @property
    def tick(self) -> Decimal:
        """Return the tick in points."""
        return self.facts.tick_size

    @property
    def point_value(self) -> Decimal:
        """Return what one point is worth in USD."""
        return self.facts.point_value

    @property
    def template(self) -> SessionTemplate:
        """Return the week in which the product trades."""
        return self.facts.template

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
        try:
            return self.facts.to_ticks(price)
        except OffTick:
            return None

    def price(self, ticks: int) -> Decimal:
        """Return the price in points of a number of ticks."""
        return self.facts.to_price(ticks)

    def _notional_share(self, share: Decimal) -> Decimal:
        value = abs(self.start) * self.point_value * share
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
        return self._contract.code

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
        """Return the last trading instant in UTC; the hour is the same for all products."""
        return datetime.combine(contracts.expiry(self._contract).date, _LAST_TRADE_UTC, UTC)

    @property
    def _contract(self) -> contracts.Contract:
        return contracts.Contract(product=self.spec.facts, year=self.year, month=self.month)

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
        try:
            return self._listing(contracts.parse_contract(name, self._today))
        except UnknownInstrument:
            return None

    def listed(self, spec: Spec, count: int = LISTED_AHEAD) -> tuple[Listing, ...]:
        """Return the product's next contracts that have not expired, the nearest first."""
        found: list[Listing] = []
        year, month = self._today.year, self._today.month
        while len(found) < count:
            listing = Listing(spec=spec, year=year, month=month)
            if month in spec.facts.listed_months and listing.expires.date() >= self._today:
                found.append(listing)
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        return tuple(found)

    def front(self, spec: Spec) -> Listing:
        """Return the contract most traders hold: the nearest of the product's active months."""
        return self._listing(contracts.front(spec.facts, self._today))

    def roll(self, listing: Listing, *, forward: bool) -> Listing:
        """Return the next or the previous contract of the same product."""
        months = listing.spec.facts.listed_months
        step = 1 if forward else -1
        at = months.index(listing.month) + step
        return Listing(
            spec=listing.spec, year=listing.year + at // len(months), month=months[at % len(months)]
        )

    def suggest(self, text: str, limit: int) -> list[Listing]:
        """Return listed contracts whose name begins with a text, the front month of each root first."""
        wanted = text.strip().upper().lstrip("@")
        # Whoever types ES wants the front ES contract, not every product whose name begins like it.
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
            description=spec.facts.name,
            exchange_id=_EXCHANGES.index(spec.facts.exchange) + 1,
            contract_group_id=self._groups.index(spec.facts.group) + 1,
            months="".join(MONTH_LETTERS[month - 1] for month in spec.facts.listed_months),
            value_per_point=spec.point_value,
            price_format_type="Decimal" if spec.facts.price_format is PriceFormat.DECIMAL else "Fractional",
            price_format=-spec.facts.decimals,
            tick_size=spec.tick,
            is_micro=spec.facts.full_size != spec.symbol,
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
        """Return the order strategy types; there is one, brackets (protocol 11.7)."""
        return (OrderStrategyType(id=2, name="MultiBracket", enabled=True),)

    @cached_property
    def _groups(self) -> list[str]:
        return sorted({spec.facts.group for spec in self._specs.values()})

    def _listing(self, contract: contracts.Contract) -> Listing:
        return Listing(spec=self._specs[contract.product.symbol], year=contract.year, month=contract.month)

    def _decode(self, code: int) -> Listing | None:
        symbol_code, months = divmod(code, _MONTHS_CODED)
        spec = self._by_code.get(symbol_code)
        if spec is None or months % 12 + 1 not in spec.facts.listed_months:
            return None
        return Listing(spec=spec, year=_FIRST_YEAR + months // 12, month=months % 12 + 1)


def load_specs() -> tuple[Spec, ...]:
    """Return every product of the domain that has a start price in the table beside this module."""
    text = resources.files("brokers.paper").joinpath("start_prices.csv").read_text(encoding="utf-8")
    starts: Mapping[str, Decimal] = {
        row["symbol"]: Decimal(row["price"]) for row in csv.DictReader(text.splitlines())
    }
    return tuple(
        Spec(facts=facts, start=starts[facts.symbol])
        for facts in instruments.products()
        if facts.symbol in starts
    )


def _symbol_code(symbol: str) -> int:
    code = 0
    for letter in symbol:
        code = code * len(_ALPHABET) + _ALPHABET.index(letter)
    return code
