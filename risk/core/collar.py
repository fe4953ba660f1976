"""Prices that cannot be meant: too far from the market, on its wrong side, or with no market to compare.

The usual distances are those of the risk-controls reference, row 3. Prices are ticks of the contract.
"""

from collections.abc import Mapping
from decimal import Decimal

from risk.core.proposal import Objection, Proposal, Quote
from risk.core.rules import Collar
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import Product
from tradehaven.domain.money import Ticks

USUAL: Mapping[str, Decimal] = {
    "equity index": Decimal(1),
    "energy": Decimal(3),
    "ags": Decimal(3),
    "rates": Decimal("0.5"),
    "fx": Decimal(1),
    "metals": Decimal(2),
    "crypto": Decimal(5),
}
_SECOND = 1_000_000_000
_STOPS = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}
)


def objection(collar: Collar, proposal: Proposal, traded: Product, now: Nanos) -> Objection | None:
    """Return what speaks against an entry's prices, or against entering without a market in sight."""
    if not collar.on:
        return None
    percent = collar.percent.get(traded.group, USUAL[traded.group])
    prices = [price for price in (proposal.limit, proposal.trigger) if price is not None]
    quote = _quoted(proposal.quote)
    if quote is None or _is_old(quote, collar.quote_age, now):
        if collar.quote_age is not None and (percent or not prices):
            return _stale(quote, collar.quote_age, now)
    if quote is None:
        return None
    market = _market(quote)
    for price in prices:
        near = _nearest(price, market)
        if percent and abs(price - near) * 100 > percent * abs(near):
            return _far(traded, price, near, percent)
    if proposal.order_type in _STOPS and proposal.trigger is not None:
        return _wrong_side(proposal.side, proposal.trigger, market, traded)
    return None


def _quoted(quote: Quote | None) -> Quote | None:
    """Return a quote that has a price; one without any is none."""
    return quote if quote is not None and (quote.bid, quote.ask) != (None, None) else None


def _market(quote: Quote) -> tuple[Ticks, Ticks]:
    """Return the lower and the higher of the prices that are quoted."""
    sides = [side for side in (quote.bid, quote.ask) if side is not None]
    return min(sides), max(sides)


def _nearest(price: Ticks, market: tuple[Ticks, Ticks]) -> Ticks:
    """Return the price of the market that one is nearest to, itself where it lies inside."""
    low, high = market
    return max(low, min(high, price))


def _is_old(quote: Quote, age: int | None, now: Nanos) -> bool:
    return age is not None and now - quote.at > age * _SECOND


def _stale(quote: Quote | None, age: int, now: Nanos) -> Objection:
    if quote is None:
        return Objection(
            reason=RefusalReason.STALE_QUOTE, detail="no price of this contract is known", limit=Decimal(age)
        )
    seconds = Decimal(now - quote.at) / _SECOND
    return Objection(
        reason=RefusalReason.STALE_QUOTE,
        detail=f"the last price is {seconds:.1f} s old, it may be {age} s",
        limit=Decimal(age),
        value=seconds,
    )


def _far(traded: Product, price: Ticks, near: Ticks, percent: Decimal) -> Objection:
    apart = Decimal(abs(price - near)) * 100 / abs(near) if near else None
    told = f"{apart:.2f} %" if apart is not None else "too far"
    return Objection(
        reason=RefusalReason.PRICE_COLLAR,
        detail=f"{traded.display(price)} is {told} from the market at {traded.display(near)}, "
        f"{percent} % may be",
        limit=percent,
        value=apart,
    )


def _wrong_side(side: Side, trigger: Ticks, market: tuple[Ticks, Ticks], traded: Product) -> Objection | None:
    low, high = market
    passed = trigger <= low if side is Side.BUY else trigger >= high
    if not passed:
        return None
    near = low if side is Side.BUY else high
    return Objection(
        reason=RefusalReason.PRICE_COLLAR,
        detail=f"the market at {traded.display(near)} has passed the {side} stop {traded.display(trigger)}",
        limit=Decimal(near),
        value=Decimal(trigger),
    )
