"""The stop and the target that an entry must have, as distances in ticks (RISK-06)."""

from decimal import ROUND_FLOOR

from risk.core.proposal import NOTHING_TO_ATTACH, Attach, Proposal
from risk.core.rules import Offset, Protection, Unit
from tradehaven.domain.enums import Side
from tradehaven.domain.instruments import Product


def ticks_of(offset: Offset, traded: Product, price: int | None) -> int | None:
    """Return a distance in whole ticks, at least one and never further than asked.

    `price` is the entry's in ticks, without which a percentage says nothing: None.
    """
    if offset.unit is Unit.USD:
        ticks = offset.value / traded.tick_value
    elif offset.unit is Unit.TICKS:
        ticks = offset.value
    elif price is not None:
        ticks = abs(price) * offset.value / 100
    else:
        return None
    return max(1, int(ticks.to_integral_value(ROUND_FLOOR)))


def missing(rule: Protection | None, proposal: Proposal, traded: Product) -> Attach | None:
    """Return what must be attached to an entry; None where that cannot be said without a price."""
    if rule is None:
        return NOTHING_TO_ATTACH
    price = entry_price(proposal)
    stop = target = None
    if rule.stop is not None and proposal.stop is None:
        stop = ticks_of(rule.stop, traded, price)
        if stop is None:
            return None
    if rule.target is not None and proposal.target is None:
        target = ticks_of(rule.target, traded, price)
        if target is None:
            return None
    return Attach(stop=stop, target=target) if stop or target else NOTHING_TO_ATTACH


def entry_price(proposal: Proposal) -> int | None:
    """Return the price in ticks that an entry will be made at, as far as anybody can say."""
    if proposal.limit is not None:
        return proposal.limit
    if proposal.trigger is not None:
        return proposal.trigger
    quote = proposal.quote
    if quote is None:
        return None
    return quote.ask if proposal.side is Side.BUY else quote.bid
