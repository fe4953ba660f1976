"""Prices that are too far from the market, on its wrong side, or without a market to compare with."""

from decimal import Decimal
from typing import Any

import pytest

from risk.core.collar import USUAL, objection
from risk.core.proposal import Objection, Proposal, Quote
from risk.core.rules import Collar
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import Nanos, Symbol
from tradehaven.domain.instruments import product, products
from tradehaven.domain.money import Ticks

SECOND = 1_000_000_000
NOW = Nanos(100 * SECOND)
ES = product("ES")
QUOTE = Quote(bid=Ticks(20_000), ask=Ticks(20_002), at=NOW)
COLLAR = Collar()


def _order(order_type: OrderType = OrderType.MARKET, side: Side = Side.BUY, **more: Any) -> Proposal:
    more.setdefault("quote", QUOTE)
    return Proposal(symbol=Symbol("ESZ6"), side=side, reduce=0, enter=1, order_type=order_type, **more)


def _limit(price: int, **more: Any) -> Proposal:
    return _order(OrderType.LIMIT, limit=Ticks(price), **more)


def _told(proposal: Proposal, collar: Collar = COLLAR, now: Nanos = NOW) -> RefusalReason | None:
    found = objection(collar, proposal, ES, now)
    return found.reason if found is not None else None


# One percent of 20,000 ticks under the bid, and of 20,002 over the ask.
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("price", "passes"),
    [(19_799, False), (19_800, True), (19_801, True), (20_001, True), (20_202, True), (20_203, False)],
)
def test_a_price_may_be_one_percent_from_the_nearer_side(price: int, passes: bool, side: Side) -> None:
    assert (_told(_limit(price, side=side)) is None) is passes


def test_a_price_that_is_too_far_says_how_far() -> None:
    assert objection(COLLAR, _limit(19_600), ES, NOW) == Objection(
        reason=RefusalReason.PRICE_COLLAR,
        detail="4900.00 is 2.00 % from the market at 5000.00, 1 % may be",
        limit=Decimal(1),
        value=Decimal(2),
    )
    above = objection(COLLAR, _limit(21_002), ES, NOW)
    assert above is not None
    assert above.detail == "5250.50 is 5.00 % from the market at 5000.50, 1 % may be"


def test_every_price_of_an_order_is_looked_at() -> None:
    both = _order(OrderType.STOP_LIMIT, limit=Ticks(20_010), trigger=Ticks(30_000))
    assert _told(both) is RefusalReason.PRICE_COLLAR
    assert _told(both.changed(trigger=Ticks(20_010), limit=Ticks(30_000))) is RefusalReason.PRICE_COLLAR
    assert _told(both.changed(trigger=Ticks(20_010))) is None


def test_each_group_has_its_usual_distance_and_may_be_given_another_or_none() -> None:
    assert {traded.group for traded in products()} == set(USUAL)
    assert {group: str(percent) for group, percent in USUAL.items()} == {
        "equity index": "1",
        "energy": "3",
        "ags": "3",
        "rates": "0.5",
        "fx": "1",
        "metals": "2",
        "crypto": "5",
    }
    wide = Collar(percent={"equity index": Decimal(2)})
    assert _told(_limit(19_600), wide) is None
    assert _told(_limit(19_599), wide) is RefusalReason.PRICE_COLLAR
    off = Collar(percent={"equity index": Decimal(0)})
    assert _told(_limit(1), off) is None
    assert _told(_limit(1, quote=None), off) is None
    assert _told(_order(quote=None), off) is RefusalReason.STALE_QUOTE
    assert _told(_limit(1, quote=None), Collar(on=False)) is None


def test_prices_below_zero_have_a_collar_too() -> None:
    below = Quote(bid=Ticks(-3_700), ask=Ticks(-3_699), at=NOW)
    assert _told(_limit(-3_737, quote=below)) is None
    assert _told(_limit(-3_738, quote=below)) is RefusalReason.PRICE_COLLAR
    assert _told(_limit(-3_663, quote=below)) is None
    assert _told(_limit(-3_662, quote=below)) is RefusalReason.PRICE_COLLAR
    deep = objection(COLLAR, _limit(-3_774, quote=below), ES, NOW)
    assert deep is not None
    assert deep.value == Decimal(2)
    zero = Quote(bid=Ticks(0), ask=Ticks(0), at=NOW)
    assert _told(_limit(0, quote=zero)) is None
    found = objection(COLLAR, _limit(1, quote=zero), ES, NOW)
    assert found is not None
    assert (found.value, found.detail) == (None, "0.25 is too far from the market at 0.00, 1 % may be")


def test_a_side_that_nobody_quotes_is_not_compared_with() -> None:
    bid_only, ask_only = QUOTE.changed(ask=None), QUOTE.changed(bid=None)
    assert _told(_limit(20_200, quote=bid_only)) is None
    assert _told(_limit(20_201, quote=bid_only)) is RefusalReason.PRICE_COLLAR
    assert _told(_limit(19_802, quote=ask_only)) is None
    assert _told(_limit(19_801, quote=ask_only)) is RefusalReason.PRICE_COLLAR
    empty = QUOTE.changed(bid=None, ask=None)
    found = objection(COLLAR, _order(quote=empty), ES, NOW)
    assert found is not None
    assert (found.reason, found.detail) == (RefusalReason.STALE_QUOTE, "no price of this contract is known")


def test_an_old_price_is_none() -> None:
    def aged(nanos: int) -> Quote:
        return QUOTE.changed(at=Nanos(NOW - nanos))

    assert _told(_order(quote=aged(5 * SECOND))) is None
    assert objection(COLLAR, _order(quote=aged(7 * SECOND)), ES, NOW) == Objection(
        reason=RefusalReason.STALE_QUOTE,
        detail="the last price is 7.0 s old, it may be 5 s",
        limit=Decimal(5),
        value=Decimal(7),
    )
    assert _told(_order(quote=aged(5 * SECOND + 1))) is RefusalReason.STALE_QUOTE
    assert _told(_limit(20_000, quote=aged(5 * SECOND + 1))) is RefusalReason.STALE_QUOTE
    missing = objection(COLLAR, _order(quote=None), ES, NOW)
    assert missing == Objection(
        reason=RefusalReason.STALE_QUOTE, detail="no price of this contract is known", limit=Decimal(5)
    )


def test_who_wants_no_fresh_price_still_has_the_collar_of_the_one_there_is() -> None:
    any_age = Collar(quote_age=None)
    old = QUOTE.changed(at=Nanos(0))
    assert _told(_order(quote=None), any_age) is None
    assert _told(_order(quote=old), any_age) is None
    assert _told(_limit(20_000, quote=None), any_age) is None
    assert _told(_limit(1, quote=old), any_age) is RefusalReason.PRICE_COLLAR


@pytest.mark.parametrize(
    ("side", "trigger", "passes"),
    [
        (Side.BUY, 20_001, True),
        (Side.BUY, 20_000, False),
        (Side.BUY, 19_990, False),
        (Side.SELL, 20_001, True),
        (Side.SELL, 20_002, False),
        (Side.SELL, 20_010, False),
    ],
)
@pytest.mark.parametrize(
    "order_type",
    [OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT],
)
def test_a_stop_that_the_market_has_passed_cannot_be_meant(
    order_type: OrderType, side: Side, trigger: int, passes: bool
) -> None:
    order = _order(order_type, side, trigger=Ticks(trigger))
    assert (_told(order) is None) is passes


def test_a_passed_stop_names_the_market_and_a_touch_may_lie_there() -> None:
    found = objection(COLLAR, _order(OrderType.STOP, trigger=Ticks(19_990)), ES, NOW)
    assert found == Objection(
        reason=RefusalReason.PRICE_COLLAR,
        detail="the market at 5000.00 has passed the buy stop 4997.50",
        limit=Decimal(20_000),
        value=Decimal(19_990),
    )
    sell = objection(COLLAR, _order(OrderType.STOP, Side.SELL, trigger=Ticks(20_010)), ES, NOW)
    assert sell is not None
    assert sell.detail == "the market at 5000.50 has passed the sell stop 5002.50"
    assert sell.limit == Decimal(20_002)
    assert _told(_order(OrderType.MIT, trigger=Ticks(19_990))) is None
    assert _told(_order(OrderType.STOP)) is None
