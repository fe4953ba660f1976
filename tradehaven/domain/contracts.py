"""Dated contracts: codes such as ESZ6, the month they name, and the day they stop trading.

Expiry here is a computed estimate for a paper exchange, a warning or a default choice; the broker's own
contract record is the truth for anything that trades.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice

from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.holidays import business_day_before, business_day_from, covers, is_business_day
from tradehaven.domain.ids import Symbol
from tradehaven.domain.instruments import MONTH_LETTERS, ExpiryRule, Product, SessionTemplate, product

_CODE = re.compile(rf"([A-Z0-9]+)([{MONTH_LETTERS}])([0-9]{{1,2}}|[0-9]{{4}})")
# A one-digit year may name a contract that ended up to this many months ago; any older is ten years ahead.
_MONTHS_BACK = 12
_FRIDAY, _WEDNESDAY, _THURSDAY = 4, 2, 3


class Confidence(StrEnum):
    """How far a computed expiry can be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One delivery month of a product."""

    product: Product
    year: int
    month: int

    @property
    def code(self) -> Symbol:
        """Return the broker's spelling, with a one-digit year: ESZ6."""
        return Symbol(f"{self.product.symbol}{MONTH_LETTERS[self.month - 1]}{self.year % 10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """The last trading day, as a Chicago date, and how sure it is."""

    date: date
    confidence: Confidence


def parse_contract(text: str, on: date) -> Contract:
    """Read ESZ6, ESZ26 or ESZ2026; raise `UnknownInstrument` saying what is wrong.

    A one-digit year is the first that fits from twelve months before `on`, so a contract that has just
    expired keeps its name's meaning for a year.
    """
    code = text.strip().upper()
    found = _CODE.fullmatch(code)
    if not found:
        raise UnknownInstrument(
            f"{text[:20]!r} is not a contract; write root, month letter and year, such as ESZ6"
        )
    root, letter, digits = found.groups()
    traded = product(root)
    month = MONTH_LETTERS.index(letter) + 1
    if month not in traded.listed_months:
        listed = "".join(MONTH_LETTERS[number - 1] for number in traded.listed_months)
        example = f"{root}{listed[0]}{on.year % 10}"
        raise UnknownInstrument(f"{code}: {root} has no month {letter}; it lists {listed}, such as {example}")
    return Contract(product=traded, year=_year(code, digits, month, on), month=month)


@lru_cache(maxsize=4096)
def product_of(symbol: str) -> Product:
    """Return the product of a contract code, whatever year it means; raise `UnknownInstrument`."""
    found = _CODE.fullmatch(symbol)
    if not found:
        raise UnknownInstrument(f"{symbol[:20]!r} is not a contract such as ESZ6")
    return product(found.group(1))


def known_product(symbol: str) -> Product | None:
    """Return the product of a contract code, or None where nobody knows it.

    One strange contract that a broker tells of must not stop what is done for all others.
    """
    try:
        return product_of(symbol)
    except UnknownInstrument:
        return None


@lru_cache(maxsize=4096)
def sibling_of(symbol: Symbol, root: str) -> Symbol:
    """Return the same delivery month of another product: ESZ6 and MES give MESZ6.

    Raise `UnknownInstrument` where that product is unknown or does not list the month.
    """
    found = _CODE.fullmatch(symbol)
    if not found:
        raise UnknownInstrument(f"{symbol[:20]!r} is not a contract such as ESZ6")
    traded = product(root)
    _, letter, digits = found.groups()
    if MONTH_LETTERS.index(letter) + 1 not in traded.listed_months:
        raise UnknownInstrument(f"{root} has no month {letter}, so it cannot answer {symbol}")
    return Symbol(f"{root}{letter}{digits}")


def _year(code: str, digits: str, month: int, on: date) -> int:
    if len(digits) == 4:
        if not digits.startswith("20"):
            raise UnknownInstrument(f"{code}: the year {digits} is outside 2000 to 2099, such as ESZ2026")
        return int(digits)
    if len(digits) == 2:
        return 2000 + int(digits)
    oldest = on.year * 12 + on.month - _MONTHS_BACK
    first = -(-(oldest - month) // 12)
    return first + (int(digits) - first) % 10


@lru_cache(maxsize=4096)
def expiry(contract: Contract) -> Expiry:
    """Return the last trading day under the product's general rule, moved for known holidays.

    MEDIUM is an ordinary contract rule; HIGH only quarterly equity index futures, whose third Friday
    never varied but for holidays. LOW where the holiday table lacks the year, or the rule is known to
    have exceptions (feeder cattle, Nikkei). Rules are general knowledge of CME contract specifications.
    """
    rule = contract.product.expiry_rule
    day = _RULES[rule](contract.product.template, date(contract.year, contract.month, 1))
    if not covers(day.year) or rule in _UNSURE:
        return Expiry(date=day, confidence=Confidence.LOW)
    sure = rule is ExpiryRule.THIRD_FRIDAY
    return Expiry(date=day, confidence=Confidence.HIGH if sure else Confidence.MEDIUM)


def front(traded: Product, on: date) -> Contract:
    """Return the nearest active month that still trades on a date.

    Physical products are usually rolled days earlier than this, before delivery notices start.
    """
    return next(_from(traded, on))


def next_contracts(traded: Product, on: date, n: int) -> tuple[Contract, ...]:
    """Return the `n` nearest active months that still trade on a date, nearest first."""
    return tuple(islice(_from(traded, on), n))


def _from(traded: Product, on: date) -> Iterator[Contract]:
    year = on.year
    while True:
        for month in traded.active_months:
            contract = Contract(product=traded, year=year, month=month)
            if expiry(contract).date >= on:
                yield contract
        year += 1


def _nth(first: date, weekday: int, n: int) -> date:
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _on_or_before(template: SessionTemplate, day: date) -> date:
    return day if is_business_day(template, day) else business_day_before(template, day)


def _last_weekday(template: SessionTemplate, first: date, weekday: int) -> date:
    last = _nth(_next_month(first), weekday, 1) - timedelta(days=7)
    return _on_or_before(template, last)


def _before_25th(template: SessionTemplate, first: date, count: int) -> date:
    prior = (first - timedelta(days=1)).replace(day=25)
    return business_day_before(template, _on_or_before(template, prior), count)


def _tenth(template: SessionTemplate, first: date) -> date:
    day = business_day_from(template, first)
    for _ in range(9):
        day = business_day_from(template, day + timedelta(days=1))
    return day


_UNSURE = frozenset({ExpiryRule.LAST_THURSDAY, ExpiryRule.BEFORE_SECOND_FRIDAY})
# Each rule takes the session template and the first day of the contract month.
_RULES: dict[ExpiryRule, Callable[[SessionTemplate, date], date]] = {
    ExpiryRule.THIRD_FRIDAY: lambda t, m: _on_or_before(t, _nth(m, _FRIDAY, 3)),
    ExpiryRule.BEFORE_SECOND_FRIDAY: lambda t, m: business_day_before(t, _nth(m, _FRIDAY, 2)),
    ExpiryRule.ONE_BEFORE_THIRD_WEDNESDAY: lambda t, m: business_day_before(t, _nth(m, _WEDNESDAY, 3)),
    ExpiryRule.TWO_BEFORE_THIRD_WEDNESDAY: lambda t, m: business_day_before(t, _nth(m, _WEDNESDAY, 3), 2),
    ExpiryRule.THREE_BEFORE_25TH_OF_PRIOR_MONTH: lambda t, m: _before_25th(t, m, 3),
    ExpiryRule.FOUR_BEFORE_25TH_OF_PRIOR_MONTH: lambda t, m: _before_25th(t, m, 4),
    ExpiryRule.LAST_OF_PRIOR_MONTH: business_day_before,
    ExpiryRule.THIRD_LAST_OF_PRIOR_MONTH: lambda t, m: business_day_before(t, m, 3),
    ExpiryRule.FOURTH_LAST_OF_PRIOR_MONTH: lambda t, m: business_day_before(t, m, 4),
    ExpiryRule.LAST_OF_MONTH: lambda t, m: business_day_before(t, _next_month(m)),
    ExpiryRule.THIRD_LAST_OF_MONTH: lambda t, m: business_day_before(t, _next_month(m), 3),
    ExpiryRule.SEVEN_BEFORE_LAST_OF_MONTH: lambda t, m: business_day_before(t, _next_month(m), 8),
    ExpiryRule.BEFORE_15TH: lambda t, m: business_day_before(t, m.replace(day=15)),
    ExpiryRule.TENTH_OF_MONTH: _tenth,
    ExpiryRule.LAST_THURSDAY: lambda t, m: _last_weekday(t, m, _THURSDAY),
    ExpiryRule.LAST_FRIDAY: lambda t, m: _last_weekday(t, m, _FRIDAY),
}
